//! Reading from a site with many facts: by count, since the emulator's time says little.
use super::figure::{Figure, short};
use super::measure::{self, caused};
use super::world::{Sending, World};
use crate::error::{Result, unexpected};
use crate::replay;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PAGE: usize = 500;
/// What arrives while the facts are paged through.
const MEANWHILE: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(120);
const DATE: &str = "%Y-%m-%d";
const READS: [&str; 3] = ["GetItem", "BatchGetItem", "Query"];

pub fn figures(world: &World, stored: usize) -> Result<Vec<Figure>> {
    let site = world.contractor(false)?;
    let events = world.detections(&site, stored, usize::MAX);
    let at = format!("/v1/sites/{}", site.sender.site_id);
    for batch in events.chunks(25) {
        replay::post(&world.stack.api_url, &site.sender, batch)?;
    }
    let last = text(&events[stored - 1]["id"]);
    world.wait("the last detection", Duration::from_secs(1), || {
        Ok(world.get(&format!("{at}/detections/{last}")).is_ok())
    })?;
    let mut figures = Vec::new();
    paged(world, &at, &site, &events, &mut figures)?;
    // A day begins at the hour of the summary before, 17:00 in Chicago: 22:00 or 23:00 in London.
    let ago = |hours| Timestamp::now() - SignedDuration::from_hours(hours);
    let (today, week_ago) = (ago(-1).strftime(DATE), ago(6 * 24 - 1).strftime(DATE));
    let hour_ago = ago(1).strftime("%Y-%m-%dT%H:%M:%SZ");
    for (what, path) in [
        ("one detection", format!("{at}/detections/{last}")),
        ("the first 100 detections", format!("{at}/detections")),
        ("the first 100 detections of the last hour", format!("{at}/detections?from={hour_ago}")),
        ("the first 100 of a priority that none has", format!("{at}/detections?min_priority=5")),
        ("today's report, counted for the first time", format!("{at}/reports/daily?date={today}")),
        ("today's report again", format!("{at}/reports/daily?date={today}")),
        ("the trend of seven days", format!("{at}/reports/trend?from={week_ago}&to={today}&by=day")),
    ] {
        let counts = caused(world, || world.get(&path).map(drop))?;
        figures.push(Figure::told(&format!("{what}: requests, read units"), read(&counts, 1.0)));
    }
    Ok(figures)
}

/// All facts by cursor, while new ones arrive.
fn paged(world: &World, at: &str, site: &Sending, stored: &[Value], figures: &mut Vec<Figure>) -> Result<()> {
    let news = world.detections(site, MEANWHILE, usize::MAX);
    let mut wanted: BTreeMap<String, usize> = stored.iter().chain(&news).map(|event| (text(&event["id"]), 0)).collect();
    let mut pages = 0;
    let (url, sender) = (&world.stack.api_url, &site.sender);
    let counts = caused(world, || {
        std::thread::scope(|scope| {
            let sending =
                scope.spawn(|| news.chunks(25).try_for_each(|batch| replay::post(url, sender, batch).map(drop)));
            let mut cursor = String::new();
            let since = Instant::now();
            while wanted.values().any(|seen| *seen == 0) && since.elapsed() < PATIENCE {
                let page = world.get(&format!("{at}/detections?limit={PAGE}{cursor}"))?;
                for fact in page["data"].as_array().into_iter().flatten() {
                    *wanted.entry(text(&fact["detection_id"])).or_default() += 1;
                }
                pages += 1;
                cursor = format!("&cursor={}", text(&page["next_cursor"]));
                if page["has_more"] == false {
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
            sending.join().map_err(|_| unexpected("the edge", "its thread ended"))?
        })
    })?;
    let wrong = wanted.values().filter(|seen| **seen != 1).count();
    figures.push(Figure::at_most(
        &format!("missed or doubled of {} detections paged through while {MEANWHILE} of them arrived", wanted.len()),
        wrong as f64,
        0.0,
    ));
    figures.push(Figure::told(
        &format!("a page of {PAGE} of these, mean of {pages}, with what the arriving cost: requests, read units"),
        read(&counts, pages as f64),
    ));
    Ok(())
}

fn read(counts: &BTreeMap<String, f64>, times: f64) -> String {
    let requests: f64 = READS.iter().map(|name| measure::count(counts, name)).sum();
    format!("{}, {}", short(requests / times), short(measure::count(counts, "read_units") / times))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
