//! A thousand projects of one company whose day ends in the same minute, within the platform's limits. The run is a test, which holds
//! each note against what was sent (tests/crash/tests/thousand.rs); here its figures are told.
use super::figure::{Figure, short};
use crate::error::{Result, unexpected};
use crate::paths::Repo;
use crate::process;
use crate::test::cargo;
use serde::Deserialize;

const FIGURES: &str = "figures: ";
const RUNS: usize = 2;

#[derive(Deserialize)]
struct Run {
    limits: Limits,
    notes: usize,
    /// Lost, doubled, or with other figures than those sent.
    wrong: usize,
    calls: usize,
    refused: usize,
    /// From the hour to the last note.
    minutes: f64,
}

#[derive(Deserialize)]
struct Limits {
    per_hour: u64,
    per_ten_seconds: u64,
}

pub fn measure(repo: &Repo) -> Result<Vec<Figure>> {
    let test = ["test", "--quiet", "--package", "crash", "--test", "thousand", "--", "--nocapture", "--test-threads=1"];
    let said = process::output(&mut cargo(repo, &test), "the run of a thousand projects")?;
    // Libtest's dots may stand before it on the line.
    let runs = said.lines().filter_map(|line| line.split_once(FIGURES));
    let runs: Vec<Run> = runs
        .map(|(_, json)| serde_json::from_str(json).map_err(|e| unexpected("the figures of a thousand projects", e)))
        .collect::<Result<_>>()?;
    match runs.len() {
        RUNS => Ok(runs.iter().flat_map(figures).collect()),
        other => Err(unexpected("the run of a thousand projects", format!("it told figures {other} times"))),
    }
}

fn figures(run: &Run) -> [Figure; 4] {
    let limits = format!("{} calls an hour, {} in 10 s", run.limits.per_hour, run.limits.per_ten_seconds);
    let refused = 100.0 * run.refused as f64 / run.calls.max(1) as f64;
    [
        Figure::told(&format!("{limits}: notes written, with calls"), format!("{}, {}", run.notes, run.calls)),
        Figure::at_most(&format!("{limits}: lost, doubled or wrong"), run.wrong as f64, 0.0),
        Figure::at_most(&format!("{limits}: answered 429 (%)"), refused, 1.0),
        Figure::told(&format!("{limits}: last note after (simulated minutes)"), short(run.minutes)),
    ]
}
