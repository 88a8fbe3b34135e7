//! `cargo xtask day`: a day of events on some sites, the same for the same seed. `events/demo-day.json` is one of these.
//!
//! A file of it is `{"date","seed","sites":[…],"events":[…]}`, one CloudEvent per line. Ids of sites and edges in it stand for
//! those that a stack gives out; `replay` puts them in, moves the times and signs.
pub mod random;
mod scene;
mod site;

use crate::args::DayOptions;
use crate::error::{Result, unexpected};
use crate::paths;
use jiff::civil::Date;
use random::Random;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What to make.
#[derive(Debug, Clone)]
pub struct Plan {
    pub detections: usize,
    pub sites: usize,
    pub seed: u64,
    pub date: Date,
}

impl Default for Plan {
    fn default() -> Self {
        Self { detections: 400, sites: 2, seed: 1, date: jiff::civil::date(2026, 3, 10) }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Day {
    pub date: Date,
    pub seed: u64,
    pub sites: Vec<Site>,
    pub events: Vec<Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Site {
    pub id: String,
    pub edge_id: String,
    pub name: String,
    pub time_zone: String,
    pub shifts: Vec<Shift>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shift {
    pub name: String,
    pub start: String,
    pub end: String,
}

/// Makes a day. Each site has a share of the detections, and among them one incident: revised on the first site, taken back on
/// the second, and so on in turn.
pub fn make(plan: &Plan) -> Result<Day> {
    let mut random = Random::new(plan.seed);
    let (mut sites, mut events) = (Vec::new(), Vec::new());
    let count = plan.sites.max(1);
    for index in 0..count {
        let share = plan.detections / count + usize::from(index < plan.detections % count);
        let place = site::Place::make(index, &mut random, plan.date)?;
        events.extend(scene::play(&place, share, index % 2 == 1, &mut random));
        sites.push(place.site);
    }
    events.sort_by_key(|event| event.time);
    let events = events.into_iter().map(|event| event.into_value()).collect();
    Ok(Day { date: plan.date, seed: plan.seed, sites, events })
}

impl Day {
    /// JSON with one event on each line, so that a day can be read and compared.
    pub fn to_text(&self) -> Result<String> {
        let line = |value: &Value| serde_json::to_string(value).map_err(|e| unexpected("an event", e));
        let sites = serde_json::to_string_pretty(&self.sites).map_err(|e| unexpected("a site", e))?;
        let events = self.events.iter().map(line).collect::<Result<Vec<_>>>()?.join(",\n");
        let (date, seed) = (self.date, self.seed);
        Ok(format!("{{\"date\": \"{date}\", \"seed\": {seed}, \"sites\": {sites}, \"events\": [\n{events}\n]}}\n"))
    }

    pub fn from_text(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| unexpected("the day's file", e))
    }
}

pub fn write(options: &DayOptions) -> Result<()> {
    let day = make(&options.plan)?;
    match &options.out {
        None => print!("{}", day.to_text()?),
        Some(path) => {
            paths::write(path, &day.to_text()?)?;
            println!("{} events on {} sites: {}", day.events.len(), day.sites.len(), path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_type<'a>(day: &'a Day, kind: &str) -> Vec<&'a Value> {
        day.events.iter().filter(|e| e["type"] == format!("com.hardhatpulse.{kind}.v1")).collect()
    }

    #[test]
    fn the_demo_day_is_what_the_default_plan_makes() {
        let kept = include_str!("../../../events/demo-day.json");
        let made = make(&Plan::default()).unwrap().to_text().unwrap();
        assert!(kept == made, "run `cargo xtask day --out events/demo-day.json`");
    }

    #[test]
    fn another_seed_is_another_day_and_the_number_of_detections_is_kept() {
        let plan = Plan { detections: 1001, sites: 3, seed: 9, ..Plan::default() };
        let (day, other) = (make(&plan).unwrap(), make(&Plan { seed: 10, ..plan }).unwrap());
        assert_eq!(of_type(&day, "detection.recorded").len(), 1001);
        assert_ne!(day.events[0]["id"], other.events[0]["id"]);
        assert_eq!(day.sites.len(), 3);
    }

    #[test]
    fn ids_are_unique_and_every_event_belongs_to_a_site_and_its_edge() {
        let day = make(&Plan::default()).unwrap();
        let ids: std::collections::BTreeSet<&str> = day.events.iter().filter_map(|e| e["id"].as_str()).collect();
        assert_eq!(ids.len(), day.events.len());
        for event in &day.events {
            let site = day.sites.iter().find(|site| event["subject"] == site.id.as_str()).unwrap();
            assert_eq!(event["source"], format!("/edges/{}", site.edge_id));
        }
    }

    #[test]
    fn all_types_occur_and_an_incident_names_detections_of_the_day() {
        let day = make(&Plan::default()).unwrap();
        for kind in ["zone.configured", "worker.assigned", "ppe.sampled", "incident.updated", "incident.retracted"] {
            assert!(!of_type(&day, kind).is_empty(), "{kind}");
        }
        let known: Vec<&Value> =
            of_type(&day, "detection.recorded").iter().map(|e| &e["data"]["detection_id"]).collect();
        for incident in of_type(&day, "incident.confirmed") {
            let named = incident["data"]["detection_ids"].as_array().unwrap();
            assert!(!named.is_empty() && named.iter().all(|id| known.contains(&id)));
        }
    }

    #[test]
    fn each_type_of_the_day_has_a_sample_of_the_same_shape() {
        let day = make(&Plan::default()).unwrap();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/samples");
        let types: std::collections::BTreeSet<&str> = day.events.iter().filter_map(|e| e["type"].as_str()).collect();
        for kind in &types {
            let name = kind.trim_start_matches("com.hardhatpulse.");
            let sample: Value =
                serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()).unwrap();
            assert_eq!(sample["type"], **kind);
            let known = |members: &Value| members.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert!(
                day.events.iter().any(|e| e["type"] == **kind && known(&e["data"]) == known(&sample["data"])),
                "{name}"
            );
        }
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), types.len());
    }

    #[test]
    fn nobody_is_named() {
        let text = make(&Plan::default()).unwrap().to_text().unwrap();
        for event in make(&Plan::default()).unwrap().events {
            for worker in [&event["data"]["worker"], &event["data"]].into_iter().filter(|w| w["worker_id"].is_string())
            {
                assert!(worker["name"].is_null() && worker["worker_name"].is_null());
            }
        }
        assert!(!text.contains("first_name"));
    }

    #[test]
    fn a_day_survives_its_file() {
        let day = make(&Plan { detections: 10, ..Plan::default() }).unwrap();
        let again = Day::from_text(&day.to_text().unwrap()).unwrap();
        assert_eq!(again.events, day.events);
        assert_eq!(again.sites.len(), 2);
    }
}
