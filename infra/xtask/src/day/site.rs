//! A site as the demo knows it: its clock, shifts, zones, cameras and workers (by id, role and trade).
use super::{Shift, Site, random::Random};
use crate::error::{Result, unexpected};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use serde_json::{Value, json};

pub struct Place {
    pub site: Site,
    pub zones: Vec<Value>,
    pub workers: Vec<Value>,
    pub cameras: Vec<String>,
    midnight: ZonedDateTime,
}

const SITES: [(&str, &str); 4] = [
    ("Harbor Point Tower", "America/Chicago"),
    ("Eastside Transit Hub", "America/New_York"),
    ("Granite Creek Hospital", "America/Denver"),
    ("Riverside Logistics Park", "America/Los_Angeles"),
];

/// Id, name, kind, what must be worn there, and the place as a path.
type ZoneRow = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const ZONES: [ZoneRow; 6] = [
    (
        "zone-crane",
        "Tower crane swing radius",
        "exclusion",
        &["hard_hat", "hi_vis_vest"],
        &["Site", "Yard", "Crane swing radius"],
    ),
    (
        "zone-scaffold-n",
        "North scaffold, level 2",
        "work_at_height",
        &["hard_hat", "harness"],
        &["Building A", "Level 2", "North scaffold"],
    ),
    ("zone-excavation", "Excavation pit", "excavation", &["hard_hat", "hi_vis_vest"], &["Site", "Excavation pit"]),
    ("zone-loading", "Loading dock", "vehicle", &["hi_vis_vest", "safety_boots"], &["Site", "Yard", "Loading dock"]),
    ("zone-roof", "Roof edge", "work_at_height", &["hard_hat", "harness"], &["Building A", "Roof", "Roof edge"]),
    (
        "zone-welding",
        "Welding bay",
        "hot_work",
        &["eye_protection", "gloves"],
        &["Building A", "Level 1", "Welding bay"],
    ),
];

const TRADES: [(&str, &str); 8] = [
    ("journeyman", "ironworker"),
    ("apprentice", "carpenter"),
    ("journeyman", "electrician"),
    ("operator", "heavy_equipment"),
    ("foreman", "concrete"),
    ("labourer", "general"),
    ("apprentice", "plumber"),
    ("journeyman", "welder"),
];

impl Place {
    pub fn make(index: usize, random: &mut Random, date: Date) -> Result<Self> {
        let (name, time_zone) = SITES[index % SITES.len()];
        let name = if index < SITES.len() { name.to_owned() } else { format!("{name} {}", index / SITES.len() + 1) };
        let midnight = date.in_tz(time_zone).map_err(|e| unexpected("a time zone", e))?;
        let start = midnight.timestamp();
        let shift =
            |name: &str, start: &str, end: &str| Shift { name: name.into(), start: start.into(), end: end.into() };
        let site = Site {
            id: format!("site_{}", random.ulid(start)),
            edge_id: format!("edge_{}", random.ulid(start)),
            name,
            time_zone: time_zone.into(),
            shifts: vec![
                shift("Day", "06:00", "14:30"),
                shift("Swing", "14:30", "23:00"),
                shift("Night", "23:00", "06:00"),
            ],
        };
        let zone = |(id, name, kind, ppe, path): &ZoneRow| json!({"zone_id": id, "revision": 1, "name": name, "kind": kind, "required_ppe": ppe, "active": true, "location_path": path});
        let workers = (0..24).map(|number| {
            let (role, trade) = TRADES[number % TRADES.len()];
            let id = format!("W-{:04}", 1001 + 100 * index + number);
            json!({"worker_id": id, "revision": 1, "role": role, "trade": trade, "active": true, "from": text(start)})
        });
        Ok(Self {
            site,
            zones: ZONES.iter().map(zone).collect(),
            workers: workers.collect(),
            cameras: (1..=8).map(|number| format!("cam-{number:02}")).collect(),
            midnight,
        })
    }

    /// The instant so many seconds into the day on the site's clock (days of a clock change included).
    pub fn at(&self, second: u64) -> Timestamp {
        let seconds = i64::try_from(second).unwrap_or(0);
        self.midnight.checked_add(seconds.seconds()).map_or(self.midnight.timestamp(), |zoned| zoned.timestamp())
    }

    pub fn date(&self) -> Date {
        self.midnight.date()
    }

    /// The zone of that id, else the first.
    pub fn zone(&self, id: &str) -> &Value {
        self.zones.iter().find(|zone| zone["zone_id"] == id).unwrap_or(&self.zones[0])
    }

    /// A worker as detections and incidents name one.
    pub fn worker(&self, random: &mut Random) -> Value {
        let worker = random.pick(&self.workers);
        json!({"worker_id": worker["worker_id"], "role": worker["role"], "trade": worker["trade"]})
    }
}

pub fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}
