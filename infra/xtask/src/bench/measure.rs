//! The measurements, one after the other.
use super::bill::Workload;
use super::figure::Figure;
use super::usage;
use super::world::World;
use crate::deploy::STACK;
use crate::error::Result;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SAMPLE: usize = 1_000;
const SINGLES: usize = 20;
const LIMITED: usize = 600;
const POLL: Duration = Duration::from_millis(20);
const SLOW_POLL: Duration = Duration::from_secs(1);

/// Sets no limit that matters, and counts what detections cost. The workload of the bill is the one with 10 % pushed.
pub fn counts(world: &World) -> Result<(Vec<Figure>, Workload)> {
    let no_limit = json!({"per_hour": 10_000_000, "per_ten_seconds": 1_000_000});
    world.control("limits", &no_limit)?;
    let mut figures = Vec::new();
    let plain = nothing_pushed(world, &mut figures)?;
    let workload = ten_percent_pushed(world, plain, &mut figures)?;
    Ok((figures, workload))
}

/// Latency, a burst, and the use of the platform's limit.
pub fn times(world: &World, burst: usize) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    latency(world, &mut figures)?;
    drain(world, burst, &mut figures)?;
    use_of_the_limit(world, &mut figures)?;
    Ok(figures)
}

/// Counts of AWS requests that some work caused. The clock's tick may fall into it: a handful of reads, no writes.
pub fn caused(world: &World, work: impl FnOnce() -> Result<()>) -> Result<BTreeMap<String, f64>> {
    let before = world.counts()?;
    work()?;
    let after = world.counts()?;
    Ok(after.into_iter().map(|(name, count)| (name.clone(), count - before.get(&name).unwrap_or(&0.0))).collect())
}

pub fn count(counts: &BTreeMap<String, f64>, name: &str) -> f64 {
    counts.get(name).copied().unwrap_or(0.0)
}

fn nothing_pushed(world: &World, figures: &mut Vec<Figure>) -> Result<f64> {
    let site = world.contractor(false)?;
    world.send(&site, 25, 1_000)?;
    let batches = SAMPLE / 25;
    let written =
        |start: f64| move |world: &World| Ok(count(&world.counts()?, "BatchWriteItem") >= start + batches as f64);
    let start = count(&world.counts()?, "BatchWriteItem");
    let counts = caused(world, || {
        world.send(&site, SAMPLE, 1_000)?;
        world.wait("facts kept", POLL, || written(start)(world))?;
        // The arrival entry of the last message follows its facts.
        std::thread::sleep(Duration::from_secs(1));
        Ok(())
    })?;
    let detections = SAMPLE as f64;
    let units = count(&counts, "write_units") / detections;
    figures.push(Figure::at_most("write units per detection, nothing pushed", units, 1.2));
    let sends = (count(&counts, "SendMessage") + count(&counts, "SendMessageBatch")) / detections;
    figures.push(Figure::at_most("SQS sends per detection, nothing pushed", sends, 0.05));
    let functions = ["edge-ingest", "event-router", "procore-sync"];
    let invocations: f64 = functions.iter().map(|name| count(&counts, &format!("invocations:{name}"))).sum();
    let invocations = invocations / detections;
    figures.push(Figure::at_most("Lambda invocations per detection, nothing pushed", invocations, 0.09));
    Ok(units)
}

fn ten_percent_pushed(world: &World, plain: f64, figures: &mut Vec<Figure>) -> Result<Workload> {
    let site = world.contractor(true)?;
    let project = site.project.unwrap_or_default();
    world.send(&site, 25, 25)?;
    world.wait("a first record", POLL, || Ok(world.records(project)? == 1))?;
    let records = SAMPLE / 10;
    let (calls_before, cpu_before) = (world.calls()?.len(), cpu(world));
    let counts = caused(world, || {
        world.send(&site, SAMPLE, 10)?;
        world.wait("the records", SLOW_POLL, || Ok(world.records(project)? > records))?;
        std::thread::sleep(Duration::from_secs(2));
        Ok(())
    })?;
    let cpu_ms = cpu(world).into_iter().map(|(name, after)| {
        let used = after - cpu_before.get(&name).copied().unwrap_or(0.0);
        (name, used.max(0.0))
    });
    let cpu_ms = cpu_ms.collect();
    let calls = world.calls()?;
    let more = (count(&counts, "write_units") - plain * SAMPLE as f64) / records as f64;
    figures.push(Figure::at_most("more write units per record pushed", more, 6.0));
    let creates = calls.iter().filter(|call| call["operation_id"] == "createObservationItem").count();
    let made = world.records(project)?;
    figures.push(Figure::at_most("creates per record", creates as f64 / made as f64, 1.0));
    let looked_up = calls.len() - creates;
    figures.push(Figure::told(
        "other calls for these records (token, types, one location per zone)",
        format!("{looked_up} for {made} records"),
    ));
    let platform_calls = (calls.len() - calls_before) as f64;
    Ok(Workload { detections: SAMPLE as f64, counts, cpu_ms, platform_calls })
}

/// CPU milliseconds so far, by function, of the processes that the stack keeps warm.
pub fn cpu(world: &World) -> BTreeMap<String, f64> {
    let prefix = format!("{STACK}-");
    let used = usage::of_functions(&world.stack.aws_endpoint).into_iter();
    used.filter_map(|(name, usage)| Some((name.strip_prefix(&prefix)?.to_owned(), usage.cpu.as_secs_f64() * 1e3)))
        .collect()
}

fn latency(world: &World, figures: &mut Vec<Figure>) -> Result<()> {
    let site = world.contractor(true)?;
    let project = site.project.unwrap_or_default();
    world.send(&site, 1, 1)?;
    world.wait("a first record", POLL, || Ok(world.records(project)? == 1))?;
    let mut times = Vec::new();
    for _ in 0..SINGLES {
        let before = world.records(project)?;
        let since = Instant::now();
        world.send(&site, 1, 1)?;
        world.wait("the record", POLL, || Ok(world.records(project)? > before))?;
        times.push(since.elapsed().as_secs_f64());
        std::thread::sleep(Duration::from_millis(300));
    }
    times.sort_by(f64::total_cmp);
    figures
        .push(Figure::told("edge POST to record visible, idle lane, median (s)", format!("{:.2}", times[SINGLES / 2])));
    figures.push(Figure::at_most("edge POST to record visible, idle lane, p95 (s)", times[SINGLES * 19 / 20 - 1], 1.0));
    Ok(())
}

fn drain(world: &World, burst: usize, figures: &mut Vec<Figure>) -> Result<()> {
    let site = world.contractor(true)?;
    let project = site.project.unwrap_or_default();
    let since = Instant::now();
    world.send(&site, burst, 10)?;
    let sent = since.elapsed().as_secs_f64();
    world.wait("the burst's records", SLOW_POLL, || Ok(world.records(project)? >= burst / 10))?;
    let drained = since.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_secs(3));
    let lost = (burst / 10) as f64 - world.records(project)? as f64;
    figures.push(Figure::at_most(
        &format!("records lost or doubled in a burst of {burst} detections, 10 % pushed"),
        lost.abs(),
        0.0,
    ));
    figures.push(Figure::told("burst: sent in, and last record visible after (s)", format!("{sent:.0}, {drained:.0}")));
    Ok(())
}

fn use_of_the_limit(world: &World, figures: &mut Vec<Figure>) -> Result<()> {
    const PER_TEN_SECONDS: usize = 100;
    let site = world.contractor(true)?;
    let project = site.project.unwrap_or_default();
    world.send(&site, 25, 25)?;
    world.wait("a first record", POLL, || Ok(world.records(project)? == 1))?;
    let refused =
        |world: &World| -> Result<usize> { Ok(world.calls()?.iter().filter(|call| call["status"] == 429).count()) };
    world.control("limits", &json!({"per_hour": 1_000_000, "per_ten_seconds": PER_TEN_SECONDS}))?;
    let refused_before = refused(world)?;
    world.send(&site, LIMITED, 1)?;
    world.wait("the lane at work", POLL, || Ok(world.records(project)? > PER_TEN_SECONDS))?;
    let (since, from) = (Instant::now(), world.records(project)?);
    world.wait("the lane nearly through", POLL, || Ok(world.records(project)? > LIMITED - PER_TEN_SECONDS / 2))?;
    let made = (world.records(project)? - from) as f64;
    let allowed = since.elapsed().as_secs_f64() / 10.0 * PER_TEN_SECONDS as f64;
    let refused = (refused(world)? - refused_before) as f64;
    figures.push(Figure::at_least(
        "use of the platform's limit with a full lane (%)",
        (made / allowed * 100.0).min(100.0),
        95.0,
    ));
    figures.push(Figure::at_most("answered 429 (%)", refused / made * 100.0, 1.0));
    Ok(())
}
