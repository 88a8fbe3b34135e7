//! Signed messages to customers' own receivers: what one lane gives and costs, and what sick receivers do to the others.
use super::bill::{self, Workload};
use super::figure::Figure;
use super::measure::{self, caused};
use super::world::{Sending, World};
use crate::error::{Result, unexpected};
use crate::http;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const MESSAGES: usize = 1_000;
const RECEIVERS: usize = 100;
const HANGING: usize = 1;
const FAILING: usize = 10;
const CONTRACTORS: usize = 20;
const ROUNDS: usize = 5;
/// Messages that one lane sends at once.
const AT_ONCE: f64 = 5.0;
const POLL: Duration = Duration::from_millis(200);

pub fn figures(world: &World) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    one_lane(world, &mut figures)?;
    sick_beside_well(world, &mut figures)?;
    Ok(figures)
}

fn one_lane(world: &World, figures: &mut Vec<Figure>) -> Result<()> {
    let site = world.contractor(false)?;
    let alone = wave(world, &site, None)?;
    let name = format!("lane-{}", site.sender.site_id);
    receiver(world, &site, &name)?;
    let before = measure::cpu(world);
    let told = wave(world, &site, Some(&name))?;
    let cpu_ms = measure::cpu(world).remove("webhook-sync").unwrap_or_default()
        - before.get("webhook-sync").copied().unwrap_or_default();
    let times = times(&arrivals(world, &name)?);
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return Err(unexpected("the receiver", "nothing arrived"));
    };
    let seconds = last.duration_since(*first).as_secs_f64();
    figures.push(Figure::told("signed deliveries a second, one lane", format!("{:.0}", times.len() as f64 / seconds)));
    let more = told.into_iter().map(|(name, count)| {
        let plain = measure::count(&alone, &name);
        (name, (count - plain).max(0.0))
    });
    let workload = Workload {
        detections: MESSAGES as f64,
        counts: more.collect(),
        cpu_ms: [("webhook-sync".to_owned(), cpu_ms)].into(),
        platform_calls: MESSAGES as f64 / AT_ONCE,
    };
    figures.extend(bill::deliveries(&workload));
    Ok(())
}

/// What so many detections cause, until the receiver has each.
fn wave(world: &World, site: &Sending, name: Option<&str>) -> Result<BTreeMap<String, f64>> {
    let start = measure::count(&world.counts()?, "BatchWriteItem");
    caused(world, || {
        world.send(site, MESSAGES, MESSAGES)?;
        world.wait("facts kept", POLL, || {
            Ok(measure::count(&world.counts()?, "BatchWriteItem") >= start + (MESSAGES / 25) as f64)
        })?;
        if let Some(name) = name {
            world.wait("the messages", POLL, || Ok(arrivals(world, name)?.len() >= MESSAGES))?;
        }
        // What is noted after the last of them.
        std::thread::sleep(Duration::from_secs(3));
        Ok(())
    })
}

/// Receivers of several contractors, a few of each, so that what is measured is lanes beside lanes and not one machine that starts a
/// hundred of them at once.
fn sick_beside_well(world: &World, figures: &mut Vec<Figure>) -> Result<()> {
    let mut groups = (0..CONTRACTORS).map(|_| Group::of(world)).collect::<Result<Vec<_>>>()?;
    let mut sick = Vec::new();
    for group in groups.iter_mut().take(HANGING + FAILING) {
        sick.extend(group.names.pop());
    }
    let all_well = median(world, &groups)?;
    for (n, name) in sick.iter().enumerate() {
        let answer = match n < HANGING {
            true => json!({"kind": "hang"}),
            false => json!({"kind": "status", "status": 500}),
        };
        world.change_receiver(name, &json!({"answer": answer}))?;
    }
    let beside_sick = median(world, &groups)?;
    figures.push(Figure::told("POST to delivery, 100 receivers, median (s)", format!("{all_well:.3}")));
    figures.push(Figure::told(
        "POST to delivery, 1 of 100 hangs for 15 s and 10 answer 500, median of the other 89 (s)",
        format!("{beside_sick:.3}"),
    ));
    figures.push(Figure::at_most("that is more by (%)", (beside_sick / all_well - 1.0).max(0.0) * 100.0, 10.0));
    Ok(())
}

/// A contractor's site and the receivers whose deliveries are timed.
struct Group {
    site: Sending,
    names: Vec<String>,
}

impl Group {
    fn of(world: &World) -> Result<Self> {
        let site = world.contractor(false)?;
        let names: Vec<String> = (0..RECEIVERS / CONTRACTORS).map(|n| format!("{n}-{}", site.sender.site_id)).collect();
        names.iter().try_for_each(|name| receiver(world, &site, name))?;
        Ok(Self { site, names })
    }
}

/// From the edge's POST to a receiver's answer, over some detections of each contractor, sent one after the other.
fn median(world: &World, groups: &[Group]) -> Result<f64> {
    let mut took = Vec::new();
    for Group { site, names } in (0..ROUNDS).flat_map(|_| groups) {
        let before = names.iter().map(|name| Ok(arrivals(world, name)?.len())).collect::<Result<Vec<_>>>()?;
        let since = Timestamp::now();
        world.send(site, 1, 1)?;
        for (name, before) in names.iter().zip(before) {
            world.wait("a delivery", POLL, || Ok(arrivals(world, name)?.len() > before))?;
            let last = times(&arrivals(world, name)?).into_iter().max();
            took.extend(last.map(|at| at.duration_since(since).as_secs_f64()));
        }
    }
    took.sort_by(f64::total_cmp);
    took.get(took.len() / 2).copied().ok_or_else(|| unexpected("deliveries", "none"))
}

/// An endpoint that wants everything, live, and a box of the sandbox behind it that knows its secret.
fn receiver(world: &World, site: &Sending, name: &str) -> Result<()> {
    let wanted = json!({
        "organization_id": site.organization_id, "platform": "own", "name": name, "min_priority": 1,
        "url": format!("{}/{name}", world.inbox()?), "site_ids": [site.sender.site_id], "daily_summary": false,
    });
    let endpoint = world.api().call("POST", "/v1/webhook-endpoints", wanted)?;
    let secret = http::text(&endpoint, "secret", "the new webhook endpoint")?;
    world.change_receiver(name, &json!({"secrets": [secret]}))?;
    let id = http::text(&endpoint, "id", "the new webhook endpoint")?;
    world.wait("a live endpoint", POLL, || {
        Ok(world.get(&format!("/v1/webhook-endpoints/{id}"))?["state"] == "active")
    })?;
    Ok(())
}

/// Detections that a box has answered 200 for.
fn arrivals(world: &World, name: &str) -> Result<Vec<Value>> {
    let all = world.receiver(name)?["arrivals"].as_array().cloned().unwrap_or_default();
    let taken =
        |arrival: &Value| arrival["type"] == "com.hardhatpulse.detection.recorded.v1" && arrival["status"] == 200;
    Ok(all.into_iter().filter(taken).collect())
}

fn times(arrivals: &[Value]) -> Vec<Timestamp> {
    arrivals.iter().filter_map(|arrival| arrival["at"].as_str()?.parse().ok()).collect()
}
