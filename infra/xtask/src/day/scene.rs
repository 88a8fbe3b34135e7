//! What happens on one site in one day, as CloudEvents.
use super::random::Random;
use super::site::{Place, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub struct Event {
    pub time: Timestamp,
    value: Value,
}

impl Event {
    fn new(place: &Place, kind: &str, time: Timestamp, data: Value, random: &mut Random) -> Self {
        let value = json!({
            "specversion": "1.0",
            "id": random.ulid(time),
            "source": format!("/edges/{}", place.site.edge_id),
            "subject": place.site.id,
            "type": format!("com.hardhatpulse.{kind}.v1"),
            "time": text(time),
            "datacontenttype": "application/json",
            "data": data,
        });
        Self { time, value }
    }

    pub fn into_value(self) -> Value {
        self.value
    }
}

/// How busy each hour is: nights are quiet, noon is a break.
const HOURS: [u64; 24] = [2, 2, 1, 1, 1, 3, 14, 18, 20, 18, 20, 18, 8, 18, 16, 13, 13, 12, 8, 11, 10, 8, 5, 3];

/// Weight, kind, lowest and highest priority.
const KINDS: [(u64, (&str, u64, u64)); 6] = [
    (38, ("ppe_non_compliance", 2, 3)),
    (34, ("zone_breach", 2, 4)),
    (12, ("proximity", 3, 4)),
    (9, ("unsafe_act", 2, 4)),
    (4, ("fall", 4, 5)),
    (3, ("man_down", 5, 5)),
];

const ITEMS: [&str; 4] = ["hard_hat", "hi_vis_vest", "safety_boots", "gloves"];

pub fn play(place: &Place, detections: usize, taken_back: bool, random: &mut Random) -> Vec<Event> {
    let mut events = set_up(place, random);
    events.extend(samples(place, random));
    for number in 0..detections {
        // The last one is what the incident comes from, so that any number of detections has its incident.
        if number + 1 == detections {
            events.extend(incident(place, taken_back, random));
        } else {
            let second = second(random);
            let (kind, low, high) = *random.weighted(&KINDS);
            let priority = random.between(low, high);
            let zone = random.pick(&place.zones).clone();
            events.push(detection(place, &zone, place.at(second), kind, priority, random).1);
        }
    }
    events
}

fn set_up(place: &Place, random: &mut Random) -> Vec<Event> {
    let time = place.at(60);
    let zones = place.zones.iter().map(|zone| ("zone.configured", zone));
    let workers = place.workers.iter().map(|worker| ("worker.assigned", worker));
    zones.chain(workers).map(|(kind, data)| Event::new(place, kind, time, data.clone(), random)).collect()
}

/// One sample of each zone for each working hour.
fn samples(place: &Place, random: &mut Random) -> Vec<Event> {
    let mut events = Vec::new();
    for hour in 6..22 {
        for zone in &place.zones {
            let (from, to) = (place.at(hour * 3600), place.at((hour + 1) * 3600));
            let mut check = || {
                let checked = random.between(8, 40);
                json!({"checked": checked, "compliant": checked - random.below(checked / 8 + 1)})
            };
            let checks: serde_json::Map<String, Value> =
                ITEMS.iter().map(|item| ((*item).to_owned(), check())).collect();
            let sample_id = random.ulid(to);
            let data = json!({"sample_id": sample_id, "sampled_from": text(from), "sampled_to": text(to),
                "zone_id": zone["zone_id"], "checks": checks});
            events.push(Event::new(place, "ppe.sampled", to, data, random));
        }
    }
    events
}

fn second(random: &mut Random) -> u64 {
    let hours: Vec<(u64, u64)> = HOURS.iter().copied().zip(0..).collect();
    *random.weighted(&hours) * 3600 + random.between(90, 3500)
}

/// A detection's id and its event.
fn detection(
    place: &Place,
    zone: &Value,
    time: Timestamp,
    kind: &str,
    priority: u64,
    random: &mut Random,
) -> (String, Event) {
    let id = random.ulid(time);
    let camera = random.pick(&place.cameras).clone();
    let date = place.date();
    let mut data = json!({
        "detection_id": id,
        "detected_at": text(time),
        "kind": kind,
        "priority": priority,
        "zone_id": zone["zone_id"],
        "camera_id": camera,
        "confidence": random.between(61, 99) as f64 / 100.0,
        "frame": {"captured_at": text(time - SignedDuration::from_millis(240)), "index": random.below(1_000_000)},
        "footage": {"edge_path": format!("/footage/{date}/{camera}/{id}.mp4")},
    });
    if kind == "ppe_non_compliance" {
        data["missing_ppe"] = json!([random.pick(&ITEMS)]);
    }
    if !random.one_in(3) {
        data["worker"] = place.worker(random);
    }
    let later = time + SignedDuration::from_millis(800);
    (id, Event::new(place, "detection.recorded", later, data, random))
}

/// A detection that a person confirms as an incident, and then revises or takes back.
fn incident(place: &Place, taken_back: bool, random: &mut Random) -> Vec<Event> {
    let occurred = place.at(10 * 3600 + 42 * 60 + random.below(600));
    let (kind, incident_type, zone) = if taken_back {
        ("proximity", "struck_by", place.zone("zone-loading"))
    } else {
        ("fall", "fall", place.zone("zone-scaffold-n"))
    };
    let (detection_id, seen) = detection(place, zone, occurred, kind, 5, random);
    let confirmed = occurred + SignedDuration::from_mins(25);
    let changed = confirmed + SignedDuration::from_mins(if taken_back { 40 } else { 190 });
    let year = place.date().year();
    let first = json!({
        "incident_id": random.ulid(confirmed),
        "revision": 1,
        "occurred_at": text(occurred),
        "confirmed_at": text(confirmed),
        "recordable": true,
        "incident_type": incident_type,
        "classification": "injury",
        "outcome": "other_recordable",
        "privacy_case": false,
        "osha_log": {"year": year, "case_number": format!("{year}-{:03}", random.between(1, 60))},
        "zone_id": zone["zone_id"],
        "worker": place.worker(random),
        "detection_ids": [detection_id],
        "summary": if taken_back { "Reversing loader touched a worker at walking pace." } else { "Fall from the second lift of a scaffold, about 2 m." },
    });
    let second = match taken_back {
        true => {
            let data = json!({"incident_id": first["incident_id"], "revision": 2,
                "reason": "The footage shows that the loader stopped before it reached the worker."});
            Event::new(place, "incident.retracted", changed, data, random)
        }
        false => {
            let mut data = first.clone();
            data["revision"] = json!(2);
            data["outcome"] = json!("days_away");
            data["summary"] =
                json!("Fall from the second lift of a scaffold, about 2 m; guard rail was missing. Taken to a clinic.");
            Event::new(place, "incident.updated", changed, data, random)
        }
    };
    vec![seen, Event::new(place, "incident.confirmed", confirmed, first, random), second]
}
