//! An endpoint as someone sets it.
use domain::ids::SiteId;
use domain::webhook::{Format, Platform, Wants};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use webhook::Guard;
use webhook::names::MemoryNames;
use webhook::settings::{Change, New, Reader};

fn site(n: u128) -> SiteId {
    SiteId::new(ulid::Ulid::from_parts(1, n))
}

async fn new(body: Value) -> Result<New, Vec<String>> {
    let (guard, sites) = (Guard::new(false, &["https://pulse.example.org"]), BTreeSet::from([site(1)]));
    let read = Reader { guard: &guard, names: &MemoryNames, sites: &sites }.new_endpoint(&body).await;
    read.map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
}

async fn change(body: Value) -> Result<Change, Vec<(String, String)>> {
    let (guard, sites) = (Guard::new(false, &["https://pulse.example.org"]), BTreeSet::from([site(1)]));
    let read = Reader { guard: &guard, names: &MemoryNames, sites: &sites }.change(&body).await;
    read.map_err(|errors| errors.into_iter().map(|error| (error.pointer, error.detail)).collect())
}

#[tokio::test]
async fn what_is_left_out_is_filled_in() {
    let made = new(json!({"platform": "own", "name": "Relay", "url": "https://hooks.example.com/x"})).await.unwrap();
    assert_eq!((made.platform, made.format, made.wants), (Platform::Own, Format::Cloudevents, Wants::default()));
    assert!(made.token.is_none());
    let made = new(json!({
        "platform": "fieldwire", "name": "Relay", "url": "https://hooks.example.com/x", "token": "abc", "format": "teams",
        "site_ids": [site(1)], "min_priority": 5, "kinds": ["fall"], "daily_summary": false,
    }))
    .await
    .unwrap();
    assert_eq!((made.wants.site_ids, made.wants.min_priority), (Some(vec![site(1)]), 5));
    assert_eq!((made.format, made.token.unwrap().expose()), (Format::Teams, "abc"));
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let wrong = json!({
        "platform": "slack", "name": "", "url": "http://10.0.0.1/", "token": "two words", "site_ids": [site(2)],
        "min_priority": 9, "kinds": ["Fall"], "daily_summary": "yes", "format": "xml", "secret": "x",
    });
    let mut pointers = new(wrong).await.unwrap_err();
    pointers.sort();
    let expected = [
        "/daily_summary",
        "/format",
        "/kinds/0",
        "/min_priority",
        "/name",
        "/platform",
        "/secret",
        "/site_ids/0",
        "/token",
        "/url",
    ];
    assert_eq!(pointers, expected);
    assert_eq!(new(json!({})).await.unwrap_err(), ["/platform", "/name", "/url"]);
    assert_eq!(new(json!([])).await.unwrap_err(), [""]);
}

#[tokio::test]
async fn a_name_must_lead_to_a_public_address_when_it_is_entered() {
    for (url, words) in [
        ("https://inside.example.com/", "the internet can't reach"),
        ("https://nowhere.example.net/", "can't be found"),
        ("https://127.0.0.1/", "numbers are not taken"),
    ] {
        let errors = change(json!({"url": url})).await.unwrap_err();
        assert!(errors[0].0 == "/url" && errors[0].1.contains(words), "{errors:?}");
    }
}

#[tokio::test]
async fn a_change_names_what_changes_and_null_takes_away() {
    let nothing = change(json!({})).await.unwrap();
    assert!(nothing.name.is_none() && nothing.token.is_none() && nothing.site_ids.is_none() && !nothing.activate);
    let read = change(json!({"token": null, "site_ids": null, "state": "active", "min_priority": 1})).await.unwrap();
    assert!(matches!(read.token, Some(None)) && matches!(read.site_ids, Some(None)) && read.activate);
    let mut wants = Wants { site_ids: Some(vec![site(1)]), ..Wants::default() };
    read.apply(&mut wants);
    assert_eq!(wants, Wants { site_ids: None, min_priority: 1, ..Wants::default() });
    for body in [json!({"state": "disabled"}), json!({"platform": "own"}), json!({"site_ids": []})] {
        assert!(change(body.clone()).await.is_err(), "{body}");
    }
}
