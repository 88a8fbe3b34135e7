//! What goes out to webhook endpoints: every body that can be made of valid facts is valid by its published schema, small enough,
//! and says nothing that must stay in the house.
#![expect(clippy::unwrap_used, reason = "a test whose helpers fail must fail")]
use domain::event::{
    Classification, Detection, Footage, Frame, Incident, OshaLog, PpeCheck, PpeSample, Retraction, Worker,
};
use domain::fact::{FactBody, IncidentFact};
use domain::ids::{EndpointId, OrganizationId, SiteId};
use domain::settings::Shift;
use domain::summary::count::{Day, Head, count};
use domain::summary::occurrence::Occurrence;
use domain::summary::report::Previous;
use domain::summary::shifts::Shifts;
use domain::summary::window::Window;
use domain::webhook::message::{Content, MessageType};
use domain::webhook::payload::{Draft, LIMIT, Seen};
use domain::webhook::{Format, Platform, schemas};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use ulid::Ulid;

const ID: &str = "01JDN3Z4WQ0000000000000001";
const URL: &str = "https://pulse.example";

fn at() -> Timestamp {
    "2026-11-24T16:03:05Z".parse().unwrap()
}

fn worker() -> Worker {
    Worker { worker_id: "W-4711".into(), role: "Rigger".into(), trade: "Ironwork".into() }
}

fn detection() -> Detection {
    Detection {
        detection_id: ID.into(),
        detected_at: at(),
        kind: "ppe_non_compliance".into(),
        priority: 4,
        zone_id: "zone-3".into(),
        camera_id: "cam-7".into(),
        missing_ppe: vec!["hard_hat".into()],
        confidence: Some(0.93),
        worker: Some(worker()),
        frame: Frame { captured_at: at(), index: Some(12) },
        footage: Some(Footage { edge_path: Some("/footage/secret.mp4".into()), s3_key: None }),
    }
}

fn incident(privacy_case: bool) -> Incident {
    Incident {
        incident_id: ID.into(),
        revision: 2,
        occurred_at: at(),
        confirmed_at: at(),
        recordable: true,
        incident_type: "struck_by".into(),
        classification: Classification::Injury,
        outcome: None,
        privacy_case,
        osha_log: OshaLog { year: 2026, case_number: "17".into() },
        zone_id: "zone-3".into(),
        worker: worker(),
        detection_ids: vec![ID.into()],
        summary: Some("Load swung while being landed".into()),
    }
}

fn site() -> SiteId {
    SiteId::new(Ulid::from_parts(1, 2))
}

fn told(incident: Option<Incident>, retraction: Option<Retraction>, first: bool) -> Content {
    let fact = IncidentFact { incident_id: ID.into(), revision: 2, incident, retraction, former_detection_ids: vec![] };
    Content::Incident { site_id: site(), fact: Box::new(fact), first, at: at() }
}

fn retraction() -> Retraction {
    Retraction { incident_id: ID.into(), revision: 3, reason: "Entered twice by mistake".into() }
}

/// A day of detections of a zone each, named by the rest of the list, and of samples in as many shifts.
fn day(zones: &[String], shifts: &[String], kinds: &[String]) -> Day {
    let window = Window { from: at() - SignedDuration::from_hours(24), to: at() + SignedDuration::from_hours(1) };
    let hour = |n: usize| format!("{:02}:00", n % 24);
    let shift = |(n, name): (usize, &String)| Shift { name: name.clone(), start: hour(n), end: hour(n + 1) };
    let clock = domain::localtime::zone("America/Chicago").unwrap();
    let shifts = Shifts::new(&shifts.iter().enumerate().map(shift).collect::<Vec<_>>(), &clock).unwrap();
    let alert = |(n, kind): (usize, &String)| {
        let zone_id = format!("zone-{}", n % zones.len().max(1));
        Occurrence::of(&FactBody::Detection(Detection { kind: kind.clone(), zone_id, ..detection() })).unwrap()
    };
    let sample = |n: u32| {
        let checks = [("hard_hat".to_owned(), PpeCheck { checked: 7, compliant: 5 })].into();
        let (from, to) = (at() - SignedDuration::from_hours(n.into()), at());
        Occurrence::of(&FactBody::PpeSample(PpeSample {
            sample_id: ID.into(),
            sampled_from: from,
            sampled_to: to,
            zone_id: "zone-1".into(),
            checks,
        }))
        .unwrap()
    };
    let alerts: Vec<Occurrence> =
        kinds.iter().cycle().take(zones.len().max(kinds.len())).enumerate().map(alert).collect();
    let occurrences: Vec<Occurrence> = alerts.into_iter().chain((0..20).map(sample)).collect();
    let date = "2026-11-24".parse().unwrap();
    let previous = Previous::nothing("2026-11-23".parse().unwrap(), window);
    let names = zones.iter().enumerate().map(|(n, name)| (format!("zone-{n}"), name.clone())).collect();
    count(&occurrences, window, &shifts, Head { date, time_zone: "America/Chicago", previous }, &names)
}

fn told_day(day: Day, revision: u64) -> Content {
    Content::Summary { site_id: site(), day: Box::new(day), revision, counted_at: at() }
}

fn texts(given: &[&str]) -> Vec<String> {
    given.iter().map(|text| (*text).to_owned()).collect()
}

fn body(content: &Content, seen: Option<Seen<'_>>, platform: Platform, format: Format, zone_name: &str) -> String {
    let endpoint_id = EndpointId::new(Ulid::from_parts(3, 4));
    let draft = Draft {
        message_id: &content.id(&endpoint_id),
        sequence: 7,
        endpoint_id: &endpoint_id,
        organization_id: &OrganizationId::new(Ulid::from_parts(5, 6)),
        platform,
        format,
        public_url: URL,
        content,
        seen,
        zone_name,
        site_name: "Tower",
        time_zone: &domain::localtime::zone("America/Chicago").unwrap(),
    };
    draft.body().unwrap()
}

fn event(content: &Content, seen: Option<Seen<'_>>, platform: Platform) -> Value {
    serde_json::from_str(&body(content, seen, platform, Format::Cloudevents, "Crane 2")).unwrap()
}

/// Asserts that a body is a CloudEvent whose data is valid by the schema that it names.
fn valid(event: &Value) {
    assert_eq!((&event["specversion"], &event["datacontenttype"]), (&json!("1.0"), &json!("application/json")));
    for name in ["id", "source", "type", "time"] {
        assert!(event[name].as_str().is_some_and(|text| !text.is_empty()), "{name} in {event}");
    }
    let path = event["dataschema"].as_str().unwrap().strip_prefix("https://pulse.example/schemas/").unwrap();
    let schema = schemas::at(path).unwrap_or_else(|| panic!("no schema at {path}"));
    let checked = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> =
        checked.iter_errors(&event["data"]).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{path}: {errors:?}\n{event:#}");
}

fn every_message() -> Vec<Content> {
    vec![
        Content::Detection { site_id: site(), detection_id: ID.into() },
        told(Some(incident(false)), None, true),
        told(Some(incident(false)), None, false),
        told(Some(incident(true)), None, false),
        told(Some(incident(false)), Some(retraction()), false),
        told(Some(incident(true)), Some(retraction()), false),
        told(None, Some(retraction()), true),
        told_day(day(&texts(&["Crane 2"]), &texts(&["Day"]), &texts(&["fall", "zone_breach"])), 2),
        told_day(day(&[], &[], &[]), 1),
        Content::Ping { id: ID.into(), asked_at: at() },
    ]
}

#[test]
fn every_message_is_valid_by_its_schema_on_every_platform() {
    let (detection, mut types) = (detection(), std::collections::BTreeSet::new());
    for content in every_message() {
        for platform in Platform::ALL {
            let seen = Seen { detection: &detection, told_at: at(), private: false };
            let event = event(&content, Some(seen), platform);
            valid(&event);
            types.insert(event["type"].as_str().unwrap().to_owned());
            let wants_ready = platform != Platform::Own && !matches!(content, Content::Ping { .. });
            assert_eq!(event["data"].get("ready").is_some(), wants_ready, "{event:#}");
            assert_eq!(event["data"]["sequence"], 7);
        }
    }
    assert_eq!(types.len(), MessageType::ALL.len());
}

#[test]
fn a_schema_can_refuse() {
    let detection = detection();
    let seen = Seen { detection: &detection, told_at: at(), private: false };
    let content = Content::Detection { site_id: site(), detection_id: ID.into() };
    let event = event(&content, Some(seen), Platform::Fieldwire);
    let schema = schemas::at("webhook/fieldwire/detection.recorded.v1.json").unwrap();
    assert_eq!(schema["$id"], "https://hardhatpulse.com/schemas/webhook/fieldwire/detection.recorded.v1.json");
    let checked = jsonschema::validator_for(&schema).unwrap();
    let spoilt = |pointer: &str, value: Value| {
        let mut data = event["data"].clone();
        *data.pointer_mut(pointer).unwrap() = value;
        data
    };
    for (pointer, value) in [
        ("/worker", json!({"worker_id": "W", "role": "r", "trade": "t"})),
        ("/priority", json!(6)),
        ("/ready/task/priority", json!(4)),
        ("/ready/bubble", json!({"kind": 2, "content": "x"})),
        ("/title", json!("")),
    ] {
        assert!(!checked.is_valid(&spoilt(pointer, value)), "{pointer}");
    }
    assert!(schemas::at("webhook/own/none.v1.json").is_none());
}

#[test]
fn no_worker_id_and_no_footage_ever_and_of_a_privacy_case_neither_role_trade_nor_free_text() {
    let detection = detection();
    for content in every_message() {
        let private = matches!(&content, Content::Incident { fact, .. }
            if fact.incident.as_ref().is_none_or(|incident| incident.privacy_case));
        for platform in Platform::ALL {
            for format in Format::ALL {
                for seen_private in [false, true] {
                    let seen = Seen { detection: &detection, told_at: at(), private: seen_private };
                    let body = body(&content, Some(seen), platform, format, "Crane 2");
                    for word in ["W-4711", "worker_id", "footage"] {
                        assert!(!body.contains(word), "{word} in {body}");
                    }
                    let about_detection = matches!(content, Content::Detection { .. });
                    if private || (about_detection && seen_private) {
                        for word in ["Rigger", "Ironwork", "Load swung", "Entered twice"] {
                            assert!(!body.contains(word), "{word} in {body}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_message_says_where_when_and_what_with_the_marker_and_a_link() {
    let event = event(&told(Some(incident(false)), None, true), None, Platform::TrimbleConnect);
    let data = &event["data"];
    assert_eq!(event["type"], "com.hardhatpulse.incident.confirmed.v1");
    assert_eq!((&event["subject"], &event["source"]), (&json!(site()), &json!(format!("/sites/{}", site()))));
    assert_eq!(data["url"], format!("{URL}/sites/{}/incidents/{ID}", site()));
    assert_eq!(data["worker"], json!({"role": "Rigger", "trade": "Ironwork"}));
    let title = data["title"].as_str().unwrap();
    assert!(title.starts_with("Struck by - Crane 2 [HHP-") && title.ends_with(']'), "{title}");
    assert!(data["text"].as_str().unwrap().contains("2026-11-24 10:03:05 CST"));
    assert_eq!(data["ready"]["topic"]["title"], title);
    assert_eq!(data["ready"]["topic"]["reference_links"], json!([data["url"]]));
}

#[test]
fn a_day_is_told_as_its_note_says_it_with_the_report_and_its_revision() {
    let content = told_day(day(&texts(&["Crane 2"]), &texts(&["Day"]), &texts(&["fall", "zone_breach"])), 2);
    let event = event(&content, None, Platform::Fieldwire);
    let data = &event["data"];
    assert_eq!(event["type"], "com.hardhatpulse.summary.daily.v1");
    assert_eq!((&data["date"], &data["revision"], &data["alerts"]), (&json!("2026-11-24"), &json!(2), &json!(2)));
    assert_eq!(data["by_zone"], json!([{"zone_id": "zone-0", "name": "Crane 2", "alerts": 2}]));
    assert_eq!(data["url"], format!("{URL}/sites/{}/reports/2026-11-24", site()));
    let title = data["title"].as_str().unwrap();
    assert!(title.starts_with("Safety summary - Tower, Tue, Nov 24, 2026 [HHP-"), "{title}");
    assert!(data["text"].as_str().unwrap().contains("\nAlerts: 2 (+2 from the day before)"), "{data:#}");
    assert_eq!(data["ready"]["task"]["priority"], 3, "nobody has to act");
    let id = |revision| told_day(day(&[], &[], &[]), revision).id(&EndpointId::new(Ulid::from_parts(3, 4)));
    assert_ne!(id(1), id(2));
    let quiet = self::event(&told_day(day(&[], &[], &[]), 1), None, Platform::Own);
    assert_eq!(quiet["data"]["alerts"], 0);
}

#[test]
fn what_is_too_much_is_left_out_and_said_so() {
    let many = Incident { detection_ids: vec![ID.into(); 1000], ..incident(false) };
    let event = event(&told(Some(many), None, true), None, Platform::Own);
    valid(&event);
    assert_eq!(
        (&event["data"]["truncated"], event["data"]["detection_ids"].as_array().unwrap().len()),
        (&json!(true), 200)
    );
}

#[test]
fn a_detection_that_is_not_there_any_more_makes_no_message() {
    let content = Content::Detection { site_id: site(), detection_id: ID.into() };
    let (endpoint_id, organization_id) =
        (EndpointId::new(Ulid::from_parts(3, 4)), OrganizationId::new(Ulid::from_parts(5, 6)));
    let draft = Draft {
        message_id: "msg_1",
        sequence: 1,
        endpoint_id: &endpoint_id,
        organization_id: &organization_id,
        platform: Platform::Own,
        format: Format::Cloudevents,
        public_url: URL,
        content: &content,
        seen: None,
        zone_name: "",
        site_name: "",
        time_zone: &jiff::tz::TimeZone::UTC,
    };
    assert_eq!(draft.body(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_an_edge_may_send_fits_and_stays_valid(
        zone in "[^\\x00-\\x1f\\x7f-\\x9f]{1,200}",
        summary in proptest::option::of("[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]{0,2000}"),
        reason in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]{0,2000}",
        role in "[^\\x00-\\x1f\\x7f-\\x9f]{1,80}",
        detections in 0usize..1000,
        tags in proptest::collection::vec("[A-Za-z0-9._:-]{1,64}", 0..64),
        privacy in any::<bool>(),
        which in 0usize..4,
        zones in 1usize..1_000,
        shifts in 0usize..24,
        kinds in 1usize..500,
        platform in prop::sample::select(Platform::ALL.to_vec()),
        format in prop::sample::select(Format::ALL.to_vec()),
    ) {
        let many = Incident {
            detection_ids: vec![ID.into(); detections],
            worker: Worker { role, ..worker() },
            summary,
            ..incident(privacy)
        };
        let seen_one = Detection { missing_ppe: tags, ..detection() };
        let retraction = Retraction { reason, ..retraction() };
        let content = match which {
            0 => Content::Detection { site_id: site(), detection_id: ID.into() },
            1 => told(Some(many), None, true),
            2 => {
                let zones = vec![zone.clone(); zones];
                let shifts: Vec<String> = (0..shifts).map(|n| format!("{n} {zone}")).collect();
                let kinds: Vec<String> = (0..kinds).map(|n| format!("kind_{n:059}")).collect();
                told_day(day(&zones, &shifts, &kinds), 3)
            }
            _ => told(Some(many), Some(retraction), false),
        };
        let seen = Seen { detection: &seen_one, told_at: at(), private: privacy };
        let body = body(&content, Some(seen), platform, format, &zone);
        prop_assert!(body.len() <= LIMIT, "{} bytes", body.len());
        let read: Value = serde_json::from_str(&body).unwrap();
        if format != Format::Teams {
            valid(&read);
        }
    }
}
