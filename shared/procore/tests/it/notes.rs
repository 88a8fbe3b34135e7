//! A day's note in the Daily Log: made, found by its day, amended, and left alone where someone has completed the day.
use crate::site::{MARKER, Site, day_subject, long_ago};
use domain::merge::{merge, written};
use domain::record::{Mender, RecordKind};
use jiff::civil::Date;
use sandbox::faults::{Effect, Rule, Shape};
use sandbox::procore::PersonEdit;
use serde_json::{Value, json};
use sync::target::{Remote, Target, TargetError};

const NOTE: RecordKind = RecordKind::DailySummary;
const DAY: &str = "2026-11-24";

async fn made(site: &Site, date: &str) -> Remote {
    let fields = site.fields(&day_subject(date, 3, 0)).await;
    site.target.create(site.call(), &site.project, NOTE, &fields).await.unwrap()
}

async fn found(site: &Site, date: &str) -> Vec<Remote> {
    let date: Date = date.parse().unwrap();
    site.target.look_on(site.call(), &site.project, NOTE, MARKER, date, long_ago()).await.unwrap()
}

fn edit(site: &Site, id: &str, fields: Value) {
    let id = Some(id.parse().unwrap());
    let edit = PersonEdit { kind: "note".into(), action: None, id, project_id: None, fields };
    site.sandbox.person_edit(&edit).unwrap();
}

fn today() -> String {
    jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string()
}

#[tokio::test]
async fn a_note_stands_under_its_day_once_the_day_was_seen_to_be_open() {
    let site = Site::start().await;
    let today = today();
    let note = made(&site, &today).await;
    let asked = site.sandbox.calls().into_iter().filter(|call| call.path.contains("/projects/"));
    assert_eq!(asked.map(|call| call.method).collect::<Vec<_>>(), ["GET", "POST"]);
    let kept = site.sandbox.notes(site.id()).remove(0);
    assert_eq!((kept.date.to_string(), kept.id.to_string()), (today, note.id.clone()));
    let comment = kept.fields["comment"].as_str().unwrap();
    assert!(comment.contains("Alerts: 3") && comment.ends_with(&format!("[{MARKER}]")), "{comment}");
    assert_eq!(kept.fields["is_issue_day"], json!(false));
    let with_incident = site.fields(&day_subject(DAY, 3, 1)).await;
    assert_eq!(with_incident["is_issue_day"], json!(true));
    assert!(note.url.contains("/tools/dailylog/"), "{}", note.url);
    let read = site.target.read(site.call(), &site.project, NOTE, &note.id).await.unwrap().unwrap();
    assert_eq!((read.recycled, read.status.as_str(), &read.fields), (false, "approved", &note.fields));
    site.assert_clean();
}

#[tokio::test]
async fn a_note_is_found_by_its_day_also_while_it_waits_for_approval() {
    let site = Site::start().await;
    let note = made(&site, DAY).await;
    made(&site, "2026-11-23").await;
    assert_eq!(found(&site, DAY).await.len(), 1);
    edit(&site, &note.id, json!({"status": "pending"}));
    assert_eq!(found(&site, DAY).await[0].id, note.id);
    assert!(found(&site, "2026-11-22").await.is_empty());
    site.assert_clean();
}

#[tokio::test]
async fn a_persons_words_survive_an_amendment() {
    let site = Site::start().await;
    let note = made(&site, DAY).await;
    let base = site.fields(&day_subject(DAY, 3, 0)).await;
    let amended = site.fields(&day_subject(DAY, 4, 0)).await;
    let ours = merge(&amended, &written(&base, &note.fields), &note.fields);
    assert_eq!(ours.send.keys().collect::<Vec<_>>(), ["comment"]);
    let after = site.target.update(site.call(), &site.project, NOTE, &note, &ours.send).await.unwrap();
    assert!(after.fields["comment"].as_str().unwrap().contains("Alerts: 4"));
    edit(&site, &note.id, json!({"comment": "All quiet, whatever the machine says."}));
    let read = site.target.read(site.call(), &site.project, NOTE, &note.id).await.unwrap().unwrap();
    let theirs = merge(&site.fields(&day_subject(DAY, 5, 0)).await, &written(&amended, &after.fields), &read.fields);
    assert!(theirs.send.is_empty(), "{theirs:?}");
    assert_eq!(theirs.conflicts.len(), 1);
    site.assert_clean();
}

#[tokio::test]
async fn an_issue_day_is_not_said_beside_words_that_a_person_wrote() {
    let site = Site::start().await;
    let note = made(&site, DAY).await;
    let base = site.fields(&day_subject(DAY, 3, 0)).await;
    edit(&site, &note.id, json!({"comment": "Nothing happened, see my report."}));
    let read = site.target.read(site.call(), &site.project, NOTE, &note.id).await.unwrap().unwrap();
    let amended = site.fields(&day_subject(DAY, 3, 1)).await;
    let ours = merge(&amended, &written(&base, &note.fields), &read.fields);
    let after = site.target.update(site.call(), &site.project, NOTE, &read, &ours.send).await.unwrap();
    assert_eq!(after, read);
    assert_eq!(site.sandbox.notes(site.id())[0].fields["is_issue_day"], json!(false));
    site.assert_clean();
}

/// Whether Procore would take the note, refuse it in words, or forbid it; and whichever day it is, also the one under way.
#[tokio::test]
async fn nothing_is_written_into_a_completed_day() {
    let forbids = Effect::Status {
        status: 403,
        shape: Shape::List,
        retry_after: None,
        message: Some("The daily log of this day is completed.".into()),
        done: false,
    };
    for day in [DAY, &today()] {
        for (takes, forbids) in [(false, None), (true, None), (false, Some(&forbids))] {
            let site = Site::start().await;
            site.sandbox.set(|settings| settings.completed_day_takes_notes = takes);
            let (note, double) = (made(&site, day).await, made(&site, day).await);
            site.sandbox.complete_day(site.id(), day.parse().unwrap(), true);
            let notes = || json!(site.sandbox.notes(site.id()));
            let before = notes();
            for method in ["POST", "PATCH"] {
                forbids.map(|effect| {
                    site.sandbox.faults().add(Rule::new(effect.clone()).method(method).path("notes_logs"))
                });
            }
            let (target, project) = (&site.target, &site.project);
            let fields = site.fields(&day_subject(day, 4, 0)).await;
            let create = target.create(site.call(), project, NOTE, &fields).await.map(|_| ());
            let update = target.update(site.call(), project, NOTE, &note, &fields).await.map(|_| ());
            let close = target.close_double(site.call(), project, NOTE, &double, "Made twice.").await;
            for outcome in [create, update, close] {
                let Err(TargetError::Record(block)) = outcome else { panic!("{day}, takes {takes}: {outcome:?}") };
                assert_eq!(block.who, Mender::PlatformAdmin);
                assert!(block.reason.contains("is completed"), "{block:?}");
            }
            assert_eq!(notes(), before);
            site.assert_clean();
        }
    }
}

#[tokio::test]
async fn a_day_of_which_procore_knows_nothing_yet_is_open() {
    let site = Site::start().await;
    let unknown = Effect::Status { status: 404, shape: Shape::List, retry_after: None, message: None, done: false };
    site.sandbox.faults().add(Rule::new(unknown).path("daily_log_headers"));
    made(&site, DAY).await;
    assert_eq!(site.sandbox.notes(site.id()).len(), 1);
}

#[tokio::test]
async fn a_deleted_note_is_gone_and_a_switched_off_tool_is_the_projects_matter() {
    let site = Site::start().await;
    let note = made(&site, DAY).await;
    let delete = PersonEdit {
        kind: "note".into(),
        action: Some("delete".into()),
        id: Some(note.id.parse().unwrap()),
        project_id: None,
        fields: json!({}),
    };
    site.sandbox.person_edit(&delete).unwrap();
    assert_eq!(site.target.read(site.call(), &site.project, NOTE, &note.id).await.unwrap(), None);
    site.sandbox.set_tool(site.id(), "daily_log", false);
    let fields = site.fields(&day_subject(&today(), 3, 0)).await;
    let refused = site.target.create(site.call(), &site.project, NOTE, &fields).await;
    let Err(TargetError::Project(block)) = refused else { panic!("{refused:?}") };
    assert!(block.what_to_do.contains("Daily Log: Standard"), "{block:?}");
    site.assert_clean();
}

#[tokio::test]
async fn a_double_says_what_it_is_and_is_known_for_it() {
    let site = Site::start().await;
    let (note, double) = (made(&site, DAY).await, made(&site, DAY).await);
    let words = format!("Made twice, because an answer was lost: {MARKER} is followed up at {}.", note.url);
    site.target.close_double(site.call(), &site.project, NOTE, &double, &words).await.unwrap();
    let standing = found(&site, DAY).await;
    let statuses: Vec<&str> = standing.iter().map(|each| each.status.as_str()).collect();
    assert_eq!(statuses, ["approved", "closed"]);
    assert_eq!(site.target.statuses(NOTE).closed, "closed");
    let kept = site.sandbox.notes(site.id());
    assert!(!kept[1].fields["comment"].as_str().unwrap().contains("Alerts"), "{kept:?}");
    site.assert_clean();
}
