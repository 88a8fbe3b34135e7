//! What people did, read back: statuses and comments, and what changed since.
use crate::site::{MARKER, OBSERVATION, Site, detection, long_ago, observation_subject};
use jiff::Timestamp;
use serde_json::json;
use sync::target::{SideWrite, Target};

fn status(status: &str) -> serde_json::Map<String, serde_json::Value> {
    json!({"status": status}).as_object().unwrap().clone()
}

#[tokio::test]
async fn a_persons_status_and_comments_come_back_and_ours_do_not() {
    let site = Site::start().await;
    let made = site.made(OBSERVATION, &observation_subject(detection())).await;
    let told = async || {
        let remote = site.target.read(site.call(), &site.project, OBSERVATION, &made.id).await.unwrap().unwrap();
        site.target.told(site.call(), &site.project, OBSERVATION, &remote).await.unwrap()
    };
    let fresh = told().await;
    assert_eq!((fresh.status.as_deref(), fresh.comments.len()), (Some("open"), 0));
    assert_eq!(site.calls_of("listComments"), 0, "there are none");
    let ours = SideWrite { comment: format!("Continued: x\n[{MARKER}.7Q2M]"), status: None };
    site.target.side_write(site.call(), &site.project, OBSERVATION, &made, &ours).await.unwrap();
    site.sandbox.person_comments(&made.id, "Guard rail is back. [HHP-7F3K9Q2M]").unwrap();
    site.sandbox.person_edits(&made.id, status("in_review")).unwrap();
    let account = told().await;
    assert_eq!(account.status.as_deref(), Some("in_review"));
    assert_eq!(account.comments, ["Guard rail is back. [HHP-7F3K9Q2M]"]);
    assert!(account.injuries.is_empty());
    let kept = serde_json::to_string(&account).unwrap();
    for person in ["SBXMANAGER01", "Safety Manager", "safety.manager"] {
        assert!(!kept.contains(person), "{kept}");
    }
    site.assert_clean();
}

#[tokio::test]
async fn changes_since_are_ours_deleted_ones_too_and_those_that_people_talk_about() {
    let site = Site::start().await;
    let mut subject = observation_subject(detection());
    let mut made = Vec::new();
    for n in 0..4 {
        subject.marker = format!("HHP-0000000{n}");
        made.push(site.made(OBSERVATION, &subject).await.id);
    }
    site.sandbox.person_comments(&made[2], "a comment moves no time").unwrap();
    // Longer than lists go back further.
    site.sandbox.advance(300);
    let since = site.sandbox.now();
    site.sandbox.person_edits(&made[0], status("pending")).unwrap();
    site.sandbox.person_deletes(&made[1], true).unwrap();
    let changed = site.target.changed(site.call(), &site.project, since).await.unwrap();
    let mut ids: Vec<(&str, bool)> = changed.iter().map(|each| (each.id.as_str(), each.recycled)).collect();
    ids.sort();
    let mut expected = [(made[0].as_str(), false), (made[1].as_str(), true), (made[2].as_str(), false)];
    expected.sort();
    assert_eq!(ids, expected);
    assert_eq!(site.target.changed(site.call(), &site.project, long_ago()).await.unwrap().len(), 4);
    assert!(Timestamp::now() < since);
    site.assert_clean();
}
