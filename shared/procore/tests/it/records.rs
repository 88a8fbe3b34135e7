//! The life of a record: made, read, changed, commented, recycled.
use crate::site::{MARKER, Site, detection, incident, incident_subject, long_ago, observation_subject};
use domain::merge::{Fields, hash, merge, written};
use domain::record::RecordKind;
use sandbox::procore::PersonEdit;
use serde_json::{Value, json};
use sync::target::{Rendered, Seen, SideWrite, Target};

const INCIDENT: RecordKind = RecordKind::Incident;
const OBSERVATION: RecordKind = RecordKind::Observation;

fn same(desired: &Fields, shown: &Fields) {
    for (field, ours) in desired {
        assert_eq!(hash(&shown[field]), hash(ours), "{field}: {ours} and {}", shown[field]);
    }
}

#[tokio::test]
async fn an_incident_stands_there_as_rendered() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    let made = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    let kept = site.sandbox.incidents(site.id()).remove(0);
    assert_eq!(kept.title.as_deref(), Some("Struck by - Crane 2 [HHP-7F3K9Q2M]"));
    assert_eq!((kept.recordable, kept.private, kept.status.as_str()), (Some(true), false, "open"));
    assert_eq!(kept.event_date, Some("2026-11-24T16:00:00Z".parse().unwrap()));
    let location =
        site.sandbox.locations(site.id()).into_iter().find(|each| Some(each.id) == kept.location_id).unwrap();
    assert_eq!(location.name, "Tower A>Level 3>Crane 2");
    let hazards = site.sandbox.entries(site.company(), "hazards");
    assert_eq!(hazards.iter().find(|each| Some(each.id) == kept.hazard_id).unwrap().name, "Struck-By");
    same(&fields, &made.fields);
    let url = format!(
        "https://app.example.com/webclients/host/companies/{}/projects/{}/tools/incidents/{}",
        site.company(),
        site.id(),
        kept.id
    );
    assert_eq!((made.id.as_str(), made.url), (kept.id.to_string().as_str(), url));
    let read = site.target.read(site.call(), &site.project, INCIDENT, &made.id).await.unwrap().unwrap();
    assert_eq!((read.recycled, read.status.as_str()), (false, "open"));
    same(&fields, &read.fields);
    site.assert_clean();
}

#[tokio::test]
async fn an_observation_stands_there_as_rendered() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    let made = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap();
    let kept = site.sandbox.observations(site.id()).remove(0);
    assert_eq!(kept.name, "Zone breach - Crane 2 [HHP-7F3K9Q2M]");
    assert_eq!((kept.priority.as_deref(), kept.personal, kept.status.as_str()), (Some("High"), false, "initiated"));
    let types = site.sandbox.observation_types(site.company());
    assert_eq!(types.iter().find(|each| each.id == kept.type_id).unwrap().name, "Safety Violation");
    assert!(kept.description.unwrap().contains("Missing PPE: hard hat"));
    assert!(kept.id > i64::from(u32::MAX) && made.url.ends_with(&format!("/tools/observations/{}", kept.id)));
    same(&fields, &made.fields);
    site.assert_clean();
}

#[tokio::test]
async fn translated_types_are_found_and_the_zone_is_looked_up_once() {
    let mut site = Site::start().await;
    site.at(1, 0);
    let fields = site.fields(&observation_subject(detection())).await;
    site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap();
    let kept = site.sandbox.observations(site.id()).remove(0);
    let types = site.sandbox.observation_types(site.company());
    assert_eq!(types.iter().find(|each| each.id == kept.type_id).unwrap().english_name, "Safety Violation");
    let places = site.sandbox.locations(site.id()).len();
    assert_eq!(site.fields(&observation_subject(detection())).await, fields);
    assert_eq!(site.sandbox.locations(site.id()).len(), places);
    site.assert_clean();
}

#[tokio::test]
async fn a_custom_mapping_is_used_and_a_wrong_one_is_said() {
    let mut site = Site::start().await;
    let notice =
        site.sandbox.observation_types(site.company()).into_iter().find(|each| each.name == "Safety Notice").unwrap();
    site.project.settings.mapping.observation_types.insert("zone_breach".into(), notice.id.to_string());
    let hazard = site.sandbox.entries(site.company(), "hazards").into_iter().find(|each| each.name == "Falls").unwrap();
    site.project.settings.mapping.hazards.insert("struck_by".into(), hazard.id.to_string());
    site.project.settings.mapping.incident_types.insert("struck_by".into(), "8600000077".into());
    assert_eq!(site.fields(&observation_subject(detection())).await["type_id"], json!(notice.id));
    let fields = site.fields(&incident_subject(incident())).await;
    assert_eq!((&fields["hazard_id"], &fields["type_id"]), (&json!(hazard.id), &json!(8_600_000_077_i64)));
    site.project.settings.mapping.observation_types.insert("zone_breach".into(), "17".into());
    let Rendered::Blocked(block) = site.rendered(&observation_subject(detection())).await else {
        panic!("not blocked")
    };
    assert!(block.reason.contains("17"), "{block:?}");
    site.assert_clean();
}

#[tokio::test]
async fn an_unknown_zone_and_an_unknown_type_are_still_recorded() {
    let site = Site::start().await;
    let mut subject = incident_subject(incident());
    subject.zone = None;
    let fields = site.fields(&subject).await;
    assert_eq!(fields["title"], json!("Struck by - z1 [HHP-7F3K9Q2M]"));
    let mut odd = incident();
    odd.incident_type = "bee_sting".into();
    let fields = site.fields(&incident_subject(odd)).await;
    assert!(!fields.contains_key("hazard_id") && !fields.contains_key("type_id"));
    site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    site.assert_clean();
}

#[tokio::test]
async fn an_update_sends_our_news_and_leaves_a_persons_edit() {
    let site = Site::start().await;
    let first = site.fields(&incident_subject(incident())).await;
    let made = site.target.create(site.call(), &site.project, INCIDENT, &first).await.unwrap();
    let remembered = written(&first, &made.fields);
    edit(&site, "incident", &made.id, json!({"description": "Edited by a person", "status": "closed"}));
    let mut news = incident();
    (news.revision, news.recordable, news.summary) = (2, false, Some("Other words".into()));
    let desired = site.fields(&incident_subject(news)).await;
    let remote = site.target.read(site.call(), &site.project, INCIDENT, &made.id).await.unwrap().unwrap();
    assert_eq!(remote.status, "closed");
    let outcome = merge(&desired, &remembered, &remote.fields);
    assert_eq!(outcome.send, Fields::from([("recordable".to_owned(), json!(false))]));
    assert_eq!(outcome.conflicts.len(), 1);
    site.target.update(site.call(), &site.project, INCIDENT, &remote, &outcome.send).await.unwrap();
    let kept = site.sandbox.incidents(site.id()).remove(0);
    assert_eq!(
        (kept.recordable, kept.description.as_deref(), kept.status.as_str()),
        (Some(false), Some("Edited by a person"), "closed")
    );
    site.assert_clean();
}

#[tokio::test]
async fn an_observations_update_fills_in_what_procore_demands_from_what_stands_there() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    let made = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap();
    let notice =
        site.sandbox.observation_types(site.company()).into_iter().find(|each| each.name == "Safety Notice").unwrap();
    edit(&site, "observation", &made.id, json!({"name": "Renamed", "type_id": notice.id, "personal": true}));
    let remote = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await.unwrap().unwrap();
    let send = Fields::from([("priority".to_owned(), json!("Urgent"))]);
    let after = site.target.update(site.call(), &site.project, OBSERVATION, &remote, &send).await.unwrap();
    assert_eq!((&after.fields["name"], &after.fields["priority"]), (&json!("Renamed"), &json!("Urgent")));
    let kept = site.sandbox.observations(site.id()).remove(0);
    assert_eq!((kept.name.as_str(), kept.type_id, kept.personal), ("Renamed", notice.id, true));
    let sent = json!({"name": "Renamed", "type_id": notice.id, "personal": true, "priority": "Urgent"});
    let body = json!({"project_id": site.id(), "observation": sent});
    assert_eq!(site.sandbox.calls_of("updateObservationItem")[0].body, Some(body));
    site.assert_clean();
}

#[tokio::test]
async fn an_observation_is_commented_and_closed_in_one_call_that_is_seen_afterwards() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    let made = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap();
    let seen = || site.target.commented(site.call(), &site.project, OBSERVATION, &made.id, MARKER);
    assert_eq!(seen().await.unwrap(), Seen::No);
    let write = SideWrite { comment: format!("Part of an incident. [{MARKER}]"), status: Some("closed") };
    site.target.side_write(site.call(), &site.project, OBSERVATION, &made, &write).await.unwrap();
    assert_eq!(seen().await.unwrap(), Seen::Yes);
    let only = SideWrite { comment: "More.".into(), status: None };
    site.target.side_write(site.call(), &site.project, OBSERVATION, &made, &only).await.unwrap();
    let logs = site.sandbox.response_logs(made.id.parse().unwrap());
    assert_eq!(logs.iter().map(|log| log.status.as_str()).collect::<Vec<_>>(), ["Closed", "Closed"]);
    assert_eq!(site.sandbox.observations(site.id())[0].status, "closed");
    site.assert_clean();
}

#[tokio::test]
async fn an_incident_has_a_status_and_no_comments() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    let made = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    let write = |status| SideWrite { comment: "Retracted.".into(), status };
    site.target.side_write(site.call(), &site.project, INCIDENT, &made, &write(None)).await.unwrap();
    assert_eq!(site.sandbox.calls_of("updateIncident").len(), 0);
    site.target.side_write(site.call(), &site.project, INCIDENT, &made, &write(Some("closed"))).await.unwrap();
    assert_eq!(site.sandbox.calls_of("updateIncident")[0].body, Some(json!({"incident": {"status": "closed"}})));
    assert_eq!(site.sandbox.incidents(site.id())[0].status, "closed");
    assert_eq!(
        site.target.commented(site.call(), &site.project, INCIDENT, &made.id, MARKER).await.unwrap(),
        Seen::Unknown
    );
    site.assert_clean();
}

#[tokio::test]
async fn a_double_is_closed_with_a_note_that_people_see() {
    let site = Site::start().await;
    let note = "Made twice, because an answer was lost: see the other.";
    let fields = site.fields(&incident_subject(incident())).await;
    let made = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    for _ in 0..2 {
        let double = site.target.read(site.call(), &site.project, INCIDENT, &made.id).await.unwrap().unwrap();
        site.target.close_double(site.call(), &site.project, INCIDENT, &double, note).await.unwrap();
    }
    let kept = site.sandbox.incidents(site.id()).remove(0);
    let expected = format!("{note}\n{}", fields["description"].as_str().unwrap());
    assert_eq!((kept.status.as_str(), kept.description), ("closed", Some(expected)));
    let fields = site.fields(&observation_subject(detection())).await;
    let double = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap();
    site.target.close_double(site.call(), &site.project, OBSERVATION, &double, note).await.unwrap();
    assert_eq!(site.sandbox.observations(site.id())[0].status, "closed");
    assert_eq!(site.sandbox.response_logs(double.id.parse().unwrap())[0].comment, note);
    site.assert_clean();
}

#[tokio::test]
async fn what_was_recycled_is_told_from_what_never_was() {
    let site = Site::start().await;
    for (kind, subject, name) in [
        (INCIDENT, incident_subject(incident()), "incident"),
        (OBSERVATION, observation_subject(detection()), "observation"),
    ] {
        let fields = site.fields(&subject).await;
        let made = site.target.create(site.call(), &site.project, kind, &fields).await.unwrap();
        recycle(&site, name, &made.id);
        let read = site.target.read(site.call(), &site.project, kind, &made.id).await.unwrap().unwrap();
        assert!(read.recycled && read.id == made.id, "{read:?}");
        let found = site.target.look(site.call(), &site.project, kind, MARKER, long_ago()).await.unwrap();
        assert_eq!(
            found.iter().map(|each| (each.id.as_str(), each.recycled)).collect::<Vec<_>>(),
            [(made.id.as_str(), true)]
        );
        assert_eq!(site.target.read(site.call(), &site.project, kind, "8600999999").await.unwrap(), None);
    }
    site.assert_clean();
}

fn edit(site: &Site, kind: &str, id: &str, fields: Value) {
    let edit = PersonEdit { kind: kind.into(), action: None, id: id.parse().ok(), project_id: None, fields };
    site.sandbox.person_edit(&edit).unwrap();
}

fn recycle(site: &Site, kind: &str, id: &str) {
    let edit = PersonEdit {
        kind: kind.into(),
        action: Some("delete".into()),
        id: id.parse().ok(),
        project_id: None,
        fields: Value::Null,
    };
    site.sandbox.person_edit(&edit).unwrap();
}
