//! `cargo xtask bench`: figures of the main job against their bounds (design section 8), on a stack of its own, with the functions
//! as they are shipped.
//!
//! - [`world`], [`measure`]: the deployed stack from outside; counts taken at the emulator (infra/emulator/counting.py) and the sandbox
//! - [`deliveries`], [`reads`]: messages to customers' receivers, and reading from a site with many facts
//! - [`function`], [`runtime_api`], [`usage`]: single processes of functions under measure
//! - [`summary`]: a thousand sites' daily summaries at one hour, without the stack
//! - [`startup`], [`side_by_side`], [`bill`]: what is made of these; [`figure`]: how it is shown
mod bill;
mod deliveries;
mod figure;
mod function;
mod measure;
mod reads;
mod runtime_api;
mod side_by_side;
mod startup;
mod summary;
mod usage;
mod world;

use crate::args::{BenchOptions, Part};
use crate::deploy::STACK;
use crate::error::{Result, unexpected};
use crate::functions::{self, Profile};
use crate::local;
use crate::paths::{self, Repo, State};
use figure::{Figure, Section};
use function::{Program, environment};
use std::collections::BTreeMap;

const STATE: &str = ".local/bench";
const HELLO: &str = "hello";
/// More than are sick in [`deliveries`]: on AWS lanes do not wait for each other.
const LANES: u16 = 32;
const MEMORY_MIB: f64 = 128.0;

pub fn run(repo: &Repo, options: &BenchOptions) -> Result<()> {
    let mut sections = Vec::new();
    if options.only.as_slice() != [Part::Summary] {
        functions::compile(repo, &[HELLO], Profile::Release)?;
        let stack = local::Options {
            demo: false,
            port: options.port,
            state: Some(STATE.into()),
            profile: Profile::Release,
            lanes: LANES,
            ..local::Options::default()
        };
        local::during(repo, &stack, |state| {
            sections = measure(repo, state, options)?;
            Ok(())
        })?;
    }
    if options.wants(Part::Summary) {
        println!("- a thousand projects at one hour");
        sections.push(Section {
            title: "Daily summaries",
            note: "A thousand projects of one company whose day ends in the same minute. Clock, daily-summary, lane and target in one \
                   process over the table's twin, against the sandbox over HTTP, on a simulated clock: no AWS and no real minutes in it \
                   (`tests/crash/tests/thousand.rs`). Before a note is made its day is looked at, so that one takes two calls.",
            figures: summary::measure(repo)?,
        });
    }
    println!("\n{}", figure::document(repo, &sections)?);
    if let Some(file) = &options.json {
        let json = serde_json::to_string_pretty(&sections).map_err(|e| unexpected("the figures", e))?;
        paths::write(file, &json)?;
    }
    if options.write {
        let page = repo.path("docs/performance.md");
        let text = match options.only.is_empty() {
            true => figure::document(repo, &sections)?,
            false => figure::replaced(&paths::read(&page)?, repo, &sections)?,
        };
        paths::write(&page, &text)?;
    }
    Ok(())
}

fn measure(repo: &Repo, state: &State, options: &BenchOptions) -> Result<Vec<Section>> {
    let world = world::World::open(&paths::read(&state.stack())?)?;
    let endpoint = world.stack.aws_endpoint.clone();
    let wanted = |part: Part| options.wants(part);
    let memory = usage::Watch::start(&endpoint);
    let mut sections = Vec::new();
    let mut section = |title, note, figures| sections.push(Section { title, note, figures });

    if wanted(Part::Startup) {
        println!("- start-up of each function");
        section(
            "Start-up",
            "CPU time of a process from its start to its first answer, median of 15, in turns; on the bench's own Runtime API.",
            start_up(repo, state, &endpoint)?,
        );
    }
    if wanted(Part::Cpu) {
        println!("- the same batches through ours and the Python peer");
        let (ours, peer) = (side_by_side::ours(repo, &endpoint)?, side_by_side::peer(repo, &endpoint)?);
        section(
            "CPU per batch",
            "The same signed batches through both, in turns, warm: 200 after 20. The peer is `infra/python-peer`: Powertools, pydantic, boto3 \
             on AWS's own runtime client. CPU time of the function processes alone.",
            side_by_side::measure(&world, state, &ours, &peer)?,
        );
    }
    if wanted(Part::Counts) {
        println!("- what detections and records cost");
        let (counts, workload) = measure::counts(&world)?;
        section("Counts", "Per detection in batches of 25, counted at the emulator and the sandbox.", counts);
        section(
            "Bill per million detections",
            "Batches of 25, 10 % pushed to Procore. Counts as measured, per detection, at the list prices of us-east-1 (arm64), no free tier. \
             Lambda's time is a model: CPU time as measured at the share of a processor that 128 MB gets, 10 ms for each call to AWS, 300 ms \
             for each to the platform, none side by side.",
            bill::per_million(&workload),
        );
        section(
            "Bill of a region at rest",
            "A month, with nothing coming in. Metrics of our own are counted although CloudWatch bills them only in hours that have data.",
            bill::idle(&standing(repo, state, &world)?),
        );
    }
    if wanted(Part::Speed) {
        println!("- the stack from outside, under load");
        section("Speed", "", measure::times(&world, options.detections)?);
    }
    if wanted(Part::Deliveries) {
        println!("- signed deliveries to customers' receivers");
        section(
            "Deliveries",
            "To receivers on the same machine, which answer at once. The bill is modelled as above, with five calls side by side; only what \
             the messages cost beyond the detections.",
            deliveries::figures(&world)?,
        );
    }
    if wanted(Part::Reads) {
        println!("- reading from a site with {} detections", options.stored);
        section(
            "Reads",
            "Requests to DynamoDB and read units, with those of the key's and the caller's checks.",
            reads::figures(&world, options.stored)?,
        );
    }
    let memory = memory_figures(memory.stop()?);
    if options.only.is_empty() {
        section(
            "Memory",
            "The most a process of each function ever had resident, over all that stands in this document.",
            memory,
        );
    }
    Ok(sections)
}

fn start_up(repo: &Repo, state: &State, endpoint: &str) -> Result<Vec<Figure>> {
    let binaries = Profile::Release.binaries(repo);
    let names = functions::names(repo)?;
    let mut programs = vec![(HELLO, Program::new(HELLO, &binaries.join(HELLO), BTreeMap::new()))];
    for name in &names {
        let environment = environment(endpoint, name)?;
        programs.push((name, Program::new(&format!("{STACK}-{name}"), &binaries.join(name), environment)));
    }
    programs.push(("edge-ingest", side_by_side::peer(repo, endpoint)?.ingest));
    let times = startup::medians(&programs, endpoint, &state.log("start-up"))?;
    let (peer, ours) = times.split_last().ok_or_else(|| unexpected("start-up", "nothing was measured"))?;
    let (hello, ours) = ours.split_first().ok_or_else(|| unexpected("start-up", "hello-world was not measured"))?;
    let functions: Vec<(String, f64)> = names.into_iter().zip(ours.iter().copied()).collect();
    Ok(startup::figures(*hello, &functions, *peer))
}

fn memory_figures(peaks: BTreeMap<String, u64>) -> Vec<Figure> {
    let prefix = format!("{STACK}-");
    let mut figures = Vec::new();
    for (name, kib) in peaks {
        let mib = kib as f64 / 1024.0;
        match name.strip_prefix(&prefix) {
            Some(function) => figures.push(Figure::at_most(&format!("{function} (MiB)"), mib, MEMORY_MIB)),
            None => figures.push(Figure::told(&format!("{name} (MiB)"), figure::short(mib))),
        }
    }
    figures
}

/// What costs while nothing happens: from the template, from a tick of the clock, and from what the functions said all along.
fn standing(repo: &Repo, state: &State, world: &world::World) -> Result<bill::Standing> {
    let template = paths::read(&repo.path("template.yaml"))?;
    let lines = |text: &str| template.lines().filter(|line| line.trim().starts_with(text)).count();
    let endpoint = &world.stack.aws_endpoint;
    let path = Profile::Release.binaries(repo).join("clock");
    let clock = Program::new("clock", &path, environment(endpoint, "clock")?);
    let mut clock = function::Function::start(&clock, endpoint, &state.log("clock"))?;
    let queries = |world: &world::World| Ok(measure::count(&world.counts()?, "Query"));
    // The stack's own clock may tick at the same time: the least of three.
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let before = queries(world)?;
        clock.invoke(&startup::first_event("clock"))?;
        least = least.min(queries(world)? - before);
    }
    let counts = world.counts()?;
    let ticks = measure::count(&counts, "invocations:clock").max(1.0);
    Ok(bill::Standing {
        alarms: lines("MetricName:"),
        queues_polled: lines("Type: SQS"),
        metrics: measure::count(&counts, "metrics") as usize,
        clock_queries: least,
        clock_log_bytes: measure::count(&counts, "log_bytes:clock") / ticks,
    })
}
