//! `cargo xtask bench`: figures of the main job against their bounds, on a stack of its own. Counts are taken at the emulator and
//! at the sandbox, so that they hold on AWS too; times are this machine's.
mod measure;
mod world;

use crate::args::BenchOptions;
use crate::error::{Result, unexpected};
use crate::paths::{self, Repo};
use crate::{local, process};
use serde::Serialize;
use std::process::Command;

const PORT: u16 = 5000;
const STATE: &str = ".local/bench";

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: String,
    pub bound: String,
    /// Left out where there is no bound.
    pub held: Option<bool>,
}

impl Figure {
    /// A number that must not be above its bound.
    fn at_most(name: &str, value: f64, bound: f64) -> Self {
        let text = |number: f64| format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_owned();
        let bound_text = format!("≤ {}", text(bound));
        Self { name: name.into(), value: text(value), bound: bound_text, held: Some(value <= bound) }
    }

    fn at_least(name: &str, value: f64, bound: f64) -> Self {
        let held = Some(value >= bound);
        Self { name: name.into(), value: format!("{value:.1}"), bound: format!("≥ {bound}"), held }
    }

    fn told(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), bound: String::new(), held: None }
    }
}

pub fn run(repo: &Repo, options: &BenchOptions) -> Result<()> {
    let stack = local::Options { demo: false, port: PORT, state: Some(STATE.into()), ..local::Options::default() };
    let mut figures = Vec::new();
    local::during(repo, &stack, |state| {
        let world = world::World::open(&paths::read(&state.stack())?)?;
        figures = measure::all(&world, options.detections)?;
        Ok(())
    })?;
    let table = table(repo, &figures)?;
    println!("\n{table}");
    if let Some(file) = &options.json {
        let json = serde_json::to_string_pretty(&figures).map_err(|e| unexpected("the figures", e))?;
        paths::write(file, &json)?;
    }
    if options.write {
        paths::write(&repo.path("docs/performance.md"), &table)?;
    }
    Ok(())
}

fn table(repo: &Repo, figures: &[Figure]) -> Result<String> {
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut git = Command::new("git");
    git.current_dir(repo.root()).args(["rev-parse", "--short", "HEAD"]);
    let commit = process::output(&mut git, "git rev-parse")?;
    let mut text = format!(
        "# Performance\n\nTaken by `cargo xtask bench --write` on {}, {cores} cores ({}), commit {}. Functions are built with the\n\
         development profile and run on the embedded emulator: counts hold on AWS too, times are this machine's.\n\n\
         | figure | measured | bound | |\n|---|---|---|---|\n",
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        model.unwrap_or("unknown processor"),
        commit.trim(),
    );
    for figure in figures {
        let held = figure.held.map_or("", |held| if held { "held" } else { "**missed**" });
        text.push_str(&format!("| {} | {} | {} | {held} |\n", figure.name, figure.value, figure.bound));
    }
    text.push_str(
        "\nNot measured yet: start-up against a hello-world function and a Python peer, CPU per batch against Python, memory of release\n\
         builds.\n",
    );
    Ok(text)
}
