//! The life of an issue: made, read, changed, commented, deleted.
use crate::site::{
    INCIDENT, MARKER, OBSERVATION, SERVICE, Site, WORKER, detection, incident, incident_subject, long_ago,
    observation_subject,
};
use domain::merge::{Fields, hash, merge, written};
use domain::record::Mender;
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Effect, Rule};
use serde_json::{Value, json};
use sync::target::{Catalog, Found, Rendered, Seen, SideWrite, Subject, Target};

fn same(desired: &Fields, shown: &Fields) {
    for (field, ours) in desired {
        assert_eq!(hash(&shown[field]), hash(ours), "{field}: {ours} and {}", shown[field]);
    }
}

fn text(comment: &str) -> SideWrite {
    SideWrite { comment: comment.into(), status: None }
}

fn members(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn an_observation_stands_there_as_rendered_and_everybody_sees_it() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    let made = site.target.create(site.call(), &site.project, OBSERVATION, &fields).await.unwrap();
    let kept = site.issues().remove(0);
    assert_eq!(kept.text("title"), Some("Zone breach - Crane 2 [HHP-7F3K9Q2M]"));
    assert_eq!((kept.text("status"), kept.published()), (Some("open"), true));
    assert_eq!(kept.text("locationDetails"), Some("Tower A > Level 3 > Crane 2"));
    let subtype =
        site.sandbox.subtypes().into_iter().find(|each| Some(each.id.as_str()) == kept.text("issueSubtypeId"));
    assert_eq!(subtype.unwrap().title, "Safety Hazard");
    for absent in ["assignedTo", "assignedToType", "watchers", "dueDate"] {
        assert!(!kept.fields.contains_key(absent), "{absent}");
    }
    assert!(!kept.text("description").unwrap().contains(WORKER));
    same(&fields, &made.fields);
    let url = format!("{}/build/issues/projects/{}/issues/{}", site.sandbox.url(), site.project.id, kept.id);
    assert_eq!((made.id.as_str(), made.url.as_str()), (kept.id.as_str(), url.as_str()));
    let read = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await.unwrap().unwrap();
    assert_eq!((read.recycled, read.status.as_str(), read.comments), (false, "open", Some(0)));
    same(&fields, &read.fields);
    assert_eq!((site.calls_of("createIssue"), site.calls_of("fetchToken")), (1, 1));
    site.assert_clean();
}

#[tokio::test]
async fn an_incident_is_told_from_observations_and_a_revision_changes_what_it_says() {
    let site = Site::start().await;
    let fields = site.fields(&incident_subject(incident())).await;
    assert_eq!(fields["title"], json!("Recordable incident: Struck by - Crane 2 [HHP-7F3K9Q2M]"));
    let made = site.target.create(site.call(), &site.project, INCIDENT, &fields).await.unwrap();
    let mut later = incident();
    (later.revision, later.recordable, later.osha_log.case_number) = (2, false, "2026-018".into());
    let desired = site.fields(&incident_subject(later)).await;
    let outcome = merge(&desired, &written(&fields, &made.fields), &made.fields);
    assert_eq!(outcome.send.keys().collect::<Vec<_>>(), ["description", "title"]);
    let updated = site.target.update(site.call(), &site.project, INCIDENT, &made, &outcome.send).await.unwrap();
    same(&desired, &updated.fields);
    let kept = site.issues().remove(0);
    assert!(kept.text("description").unwrap().contains("2026-018"));
    assert_eq!((kept.text("title"), kept.published()), (Some("Incident: Struck by - Crane 2 [HHP-7F3K9Q2M]"), true));
    site.assert_clean();
}

#[tokio::test]
async fn what_is_too_long_is_cut_on_a_word_and_the_rest_becomes_a_comment() {
    let site = Site::start().await;
    let mut long = incident();
    let words: Vec<String> = (0..250).map(|n| format!("word{n}")).collect();
    (long.summary, long.incident_type) = (Some(words.join(" ")), "struck_by_".repeat(6));
    let mut subject = incident_subject(long);
    let mut zone = subject.zone.clone().unwrap();
    zone.name = "Very long name of a zone ".repeat(9).trim().into();
    zone.location_path = Some(vec![zone.name.clone(), zone.name.clone()]);
    subject.zone = Some(zone);
    let made = site.made(INCIDENT, &subject).await;
    let kept = site.issues().remove(0);
    let count = |name: &str| kept.text(name).unwrap().chars().count();
    assert!(count("title") <= 100 && count("description") <= 1000 && count("locationDetails") <= 250);
    assert!(kept.text("title").unwrap().ends_with(&format!("… [{MARKER}]")), "{:?}", kept.text("title"));
    assert!(kept.text("description").unwrap().ends_with(&subject.link));
    let rest = site.target.overflow(&subject, &site.project).unwrap();
    site.target.side_write(site.call(), &site.project, INCIDENT, &made, &text(&rest)).await.unwrap();
    let all = format!("{} {}", kept.text("description").unwrap(), site.sandbox.comments(&made.id)[0].body);
    assert!(words.iter().all(|word| all.split_whitespace().any(|each| each == word)), "{all}");
    assert!(all.contains(&format!("Location: {} > ", subject.zone.unwrap().name)));
    assert_eq!(site.target.overflow(&observation_subject(detection()), &site.project), None);
    site.assert_clean();
}

#[tokio::test]
async fn the_subtype_is_the_one_chosen_by_id_whatever_it_is_called() {
    let mut site = Site::start().await;
    let chosen = site.sandbox.subtypes().into_iter().find(|each| each.title == "Near Miss").unwrap();
    site.project.settings.mapping.issue_subtype_id = Some(chosen.id.clone());
    let subject = observation_subject(detection());
    assert_eq!(site.fields(&subject).await["issueSubtypeId"], json!(chosen.id));
    site.sandbox.set_subtype_active(&chosen.id, false);
    let Rendered::Blocked(block) = site.rendered(&subject).await else { panic!("not blocked") };
    assert!(block.reason.contains(&chosen.id) && block.who == Mender::SafetyManager, "{block:?}");
    site.project.settings.mapping.issue_subtype_id = None;
    for each in site.sandbox.subtypes().into_iter().filter(|each| each.type_title == "Safety") {
        site.sandbox.set_subtype_active(&each.id, false);
    }
    let Rendered::Blocked(block) = site.rendered(&subject).await else { panic!("not blocked") };
    assert!(block.reason.contains("Safety"), "{block:?}");
    site.assert_clean();
}

#[tokio::test]
async fn custom_fields_that_the_subtype_or_its_type_demands_are_filled_or_asked_for() {
    let mut site = Site::start().await;
    let subtype = site.sandbox.subtypes().remove(0);
    let of_subtype = site.sandbox.require_attribute(&site.project.id, &subtype.id, "Trade");
    let of_type = site.sandbox.require_attribute(&site.project.id, &subtype.type_id, "Severity");
    let subject = observation_subject(detection());
    let Rendered::Blocked(block) = site.rendered(&subject).await else { panic!("not blocked") };
    assert!(["Trade", "Severity"].iter().any(|title| block.reason.contains(title)), "{block:?}");
    let values = [(of_subtype.clone(), "Ironwork".to_owned()), (of_type.clone(), "High".to_owned())];
    site.project.settings.mapping.custom_attributes = values.into();
    let made = site.made(OBSERVATION, &subject).await;
    assert_eq!(made.fields[&format!("customAttributes[{of_type}]")], json!("High"));
    let kept = site.issues().remove(0);
    let sent = kept.fields["customAttributes"].as_array().unwrap();
    assert_eq!(sent.len(), 2, "{sent:?}");
    site.assert_clean();
}

#[tokio::test]
async fn a_mapped_zone_stands_at_its_location() {
    let mut site = Site::start().await;
    let node = "5a0db0c5-0000-4000-8000-00000000abcd";
    site.project.settings.mapping.locations = [("z1".to_owned(), node.to_owned())].into();
    site.made(OBSERVATION, &observation_subject(detection())).await;
    let kept = site.issues().remove(0);
    assert_eq!((kept.text("locationId"), kept.text("locationDetails")), (Some(node), None));
    site.assert_clean();
}

#[tokio::test]
async fn a_zone_whose_id_is_a_locations_barcode_stands_there() {
    let site = Site::start().await;
    site.sandbox.add_location(&site.project.id, "Level 4", "z2");
    let node = site.sandbox.add_location(&site.project.id, "Level 3", "z1");
    site.made(OBSERVATION, &observation_subject(detection())).await;
    let kept = site.issues().remove(0);
    assert_eq!((kept.text("locationId"), kept.text("locationDetails")), (Some(node.as_str()), None));
    assert_eq!(site.calls_of("listLocationNodes"), 1);
    site.assert_clean();
}

#[tokio::test]
async fn no_issue_waits_for_locations_that_are_away_and_they_are_asked_again_soon() {
    let site = Site::start().await;
    let node = site.sandbox.add_location(&site.project.id, "Level 3", "z1");
    let away =
        Effect::Status { status: 503, shape: Default::default(), retry_after: Some(600), message: None, done: false };
    site.sandbox.faults().add(Rule::new(away).operation("listLocationNodes").times(1));
    let mut catalog = Catalog::default();
    let subject = observation_subject(detection());
    let now = Timestamp::now();
    for (after, asked, location) in [(0, 1, None), (9, 1, None), (11, 2, Some(node.as_str()))] {
        let now = now + SignedDuration::from_mins(after);
        let fields = loop {
            match site.target.render(&subject, &site.project, &catalog, now) {
                Rendered::Fields(fields) => break fields,
                Rendered::Needs(need) => {
                    let value = site.target.find(site.call(), &site.project, &need).await.unwrap();
                    catalog.found.insert(need, Found { value, at: now });
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(fields.get("locationId").and_then(Value::as_str), location, "after {after} minutes");
        assert_eq!(site.calls_of("listLocationNodes"), asked, "after {after} minutes");
    }
}

#[tokio::test]
async fn what_may_not_be_written_is_told_with_the_record() {
    let site = Site::start().await;
    let made = site.made(OBSERVATION, &observation_subject(detection())).await;
    assert!(made.writable.unwrap().contains("description"));
    site.sandbox.set(|settings| settings.permitted_attributes = Some(vec!["title".into(), "status".into()]));
    let read = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await.unwrap().unwrap();
    assert_eq!(read.writable.unwrap().into_iter().collect::<Vec<_>>(), ["title"]);
}

#[tokio::test]
async fn a_lost_create_is_found_by_its_marker_among_ours_also_when_it_was_deleted() {
    let site = Site::start().await;
    let look = async |marker: &str| {
        site.target.look(site.call(), &site.project, OBSERVATION, marker, long_ago()).await.unwrap()
    };
    assert!(look(MARKER).await.is_empty());
    let made = site.made(OBSERVATION, &observation_subject(detection())).await;
    assert_eq!(
        look(MARKER).await.iter().map(|each| (&each.id, each.recycled)).collect::<Vec<_>>(),
        [(&made.id, false)]
    );
    assert!(look("HHP-7F3K9Q2X").await.is_empty());
    site.sandbox.person_deletes(&made.id, true).unwrap();
    let deleted = look(MARKER).await;
    assert_eq!(deleted.iter().map(|each| each.recycled).collect::<Vec<_>>(), [true]);
    let read = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await.unwrap().unwrap();
    assert!(read.recycled);
    let none = "5a0db0c5-0000-4000-8000-00000000ffff";
    assert!(site.target.read(site.call(), &site.project, OBSERVATION, none).await.unwrap().is_none());
    site.assert_clean();
}

#[tokio::test]
async fn more_issues_than_a_page_are_looked_through_to_the_end() {
    let site = Site::start().await;
    let mut subject: Subject = observation_subject(detection());
    let fields = site.fields(&subject).await;
    for n in 0..101 {
        let mut each = fields.clone();
        each.insert("title".into(), json!(format!("Other [HHP-{n:08}]")));
        site.target.create(site.call(), &site.project, OBSERVATION, &each).await.unwrap();
    }
    subject.marker = "HHP-00000100".into();
    let found = site.target.look(site.call(), &site.project, OBSERVATION, &subject.marker, long_ago()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(site.calls_of("listIssues"), 3, "two pages, and the deleted");
    site.assert_clean();
}

#[tokio::test]
async fn a_comment_is_found_by_its_reference_and_a_double_is_closed_with_a_note() {
    let site = Site::start().await;
    let made = site.made(OBSERVATION, &observation_subject(detection())).await;
    let marker = format!("{MARKER}.7Q2M");
    let commented =
        async || site.target.commented(site.call(), &site.project, OBSERVATION, &made.id, &marker).await.unwrap();
    assert_eq!(commented().await, Seen::No);
    let write = text(&format!("Part of the recordable incident HHP-00000001. [{marker}]"));
    site.target.side_write(site.call(), &site.project, OBSERVATION, &made, &write).await.unwrap();
    assert_eq!(commented().await, Seen::Yes);
    let status = SideWrite { comment: String::new(), status: Some("closed") };
    site.target.side_write(site.call(), &site.project, OBSERVATION, &made, &status).await.unwrap();
    let kept = site.issues().remove(0);
    assert_eq!((kept.text("status"), kept.updated_by.as_str()), (Some("closed"), SERVICE));
    for _ in 0..2 {
        site.target.close_double(site.call(), &site.project, OBSERVATION, &made, "Made twice.").await.unwrap();
    }
    let comments = site.sandbox.comments(&made.id);
    assert_eq!(comments.iter().filter(|each| each.body == "Made twice.").count(), 1);
    site.assert_clean();
}

#[tokio::test]
async fn a_persons_edit_is_seen_as_one() {
    let site = Site::start().await;
    let subject = observation_subject(detection());
    let fields = site.fields(&subject).await;
    let made = site.made(OBSERVATION, &subject).await;
    let remembered = written(&fields, &made.fields);
    site.sandbox.person_edits(&made.id, members(json!({"title": "Mine", "status": "in_review"}))).unwrap();
    let read = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await.unwrap().unwrap();
    let mut desired = fields.clone();
    desired.insert("title".into(), json!("Ours [HHP-7F3K9Q2M]"));
    let outcome = merge(&desired, &remembered, &read.fields);
    assert!(outcome.send.is_empty() && outcome.conflicts[0].theirs == json!("Mine"), "{outcome:?}");
    assert_eq!(read.status, "in_review");
}
