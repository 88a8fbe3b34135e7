//! Start-up: CPU time of a process from its start until it has answered a first event and asks for the next one. Beside each
//! other, in turns: a hello-world on the same runtime crate, every function, the Python peer.
use super::figure::{Figure, short};
use super::function::{Function, Program, request};
use crate::error::{Result, unexpected};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const STARTS: usize = 15;
const HELLO_TIMES: f64 = 3.0;
const PEER_SHARE: f64 = 8.0;

/// A first event that a function answers at once: an unsigned or unknown request, an empty batch, a tick of the clock.
pub fn first_event(function: &str) -> Value {
    match function {
        "hello" => json!({}),
        "clock" => json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}}),
        // A site that is not there any more.
        "daily-summary" => json!({"detail": {
            "organization_id": format!("org_{:0>26}", 1), "site_id": format!("site_{:0>26}", 1)}}),
        "event-router" => json!({"Records": []}),
        name if name.ends_with("-sync") => json!({"Records": []}),
        "edge-ingest" => {
            let headers = [("content-type", "application/cloudevents-batch+json")];
            request("POST", "/v1/edge/events", &headers, Some("[]"))
        }
        _ => request("GET", "/v1/sites", &[], None),
    }
}

/// The median CPU time of starting each, in milliseconds, in the order given.
pub fn medians(programs: &[(&str, Program)], endpoint: &str, log: &Path) -> Result<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(STARTS); programs.len()];
    for _ in 0..STARTS {
        for ((function, program), times) in programs.iter().zip(&mut times) {
            let mut process = Function::start(program, endpoint, log)?;
            process.invoke(&first_event(function))?;
            times.push(process.cpu()?);
        }
    }
    times.into_iter().map(median).collect()
}

fn median(mut times: Vec<Duration>) -> Result<f64> {
    times.sort();
    let middle = times.get(times.len() / 2).ok_or_else(|| unexpected("start-up", "it was not measured"))?;
    Ok(middle.as_secs_f64() * 1e3)
}

/// Figures of each function against hello and against the peer's edge-ingest.
pub fn figures(hello: f64, functions: &[(String, f64)], peer: f64) -> Vec<Figure> {
    let mut figures = vec![
        Figure::told("hello-world (ms)", short(hello)),
        Figure::told("Python edge-ingest with Powertools (ms)", short(peer)),
    ];
    for (name, ms) in functions {
        figures.push(Figure::at_most(&format!("{name} (ms), 3 × hello-world"), *ms, HELLO_TIMES * hello));
        figures.push(Figure::at_least(&format!("{name}, times less than Python"), peer / ms, PEER_SHARE));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_start_misses_both_bounds() {
        let functions = [("quick".to_owned(), 6.0), ("slow".to_owned(), 40.0)];
        let held: Vec<Option<bool>> = figures(4.0, &functions, 240.0).iter().map(|figure| figure.held).collect();
        assert_eq!(held, [None, None, Some(true), Some(true), Some(false), Some(false)]);
    }

    #[test]
    fn the_median_is_not_moved_by_one_slow_start() {
        let times = [3, 2, 900, 2, 3].map(Duration::from_millis).to_vec();
        assert!((median(times).unwrap() - 3.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_err());
    }
}
