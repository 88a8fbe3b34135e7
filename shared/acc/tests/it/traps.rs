//! What Autodesk's pages and others' reports warn of, and where each is tried. Files without a folder are in this one.
//!
//! | warning | tried in |
//! |---|---|
//! | the prefix `b.` belongs to Data Management only | `gates.rs`: `ids_take_either_form_and_never_more_than_an_id_gets_into_an_address`; `tests/sandbox`: `prefixes_and_regions_are_told_apart` |
//! | 100, 1000 and 250 characters, whatever the SDK says | `records.rs`: `what_is_too_long_is_cut_on_a_word_and_the_rest_becomes_a_comment` |
//! | an issue that is not published is invisible | `records.rs`: `an_observation_stands_there_as_rendered_and_everybody_sees_it` |
//! | types and subtypes are easily swapped | the same; `tests/sandbox`: `subtypes_come_only_when_they_are_asked_for` |
//! | "Safety" may be renamed or switched off | `records.rs`: `the_subtype_is_the_one_chosen_by_id_whatever_it_is_called` |
//! | a token of the app alone opens no issues | `tests/sandbox`: `credentials_stand_in_one_place_and_the_app_alone_has_no_issues` |
//! | a create that is repeated blindly makes two | `faults.rs`: `a_create_is_unclear_exactly_where_it_may_have_been_done`; `tests/crash/tests/lane.rs` on Autodesk |
//! | a refresh token works once | `tests/crash/tests/consent.rs`: `an_access_that_ends_is_renewed_once`, `a_renewal_whose_answer_is_lost_blocks_with_words_and_is_not_tried_again` |
//! | the assertion's scope is an array, its key RSA, its life short | `gates.rs`: `keys_that_are_none_and_keys_that_are_refused_are_ours_to_mend_and_never_shown`, `a_clock_that_is_wrong_is_refused_at_the_login_and_blocks_with_words`; `tests/sandbox`: `an_assertion_must_hold_in_every_claim` |
//! | the app's secret in header and body at once | `tests/sandbox`: `credentials_stand_in_one_place_and_the_app_alone_has_no_issues` |
//! | `assignedTo` without its type, watchers by e-mail | we write neither: `records.rs`: `an_observation_stands_there_as_rendered_and_everybody_sees_it` |
//! | webhooks sign the bytes, not the JSON; API Gateway may hand over base64 | `functions/acc-webhook`: `what_is_not_signed_to_the_byte_by_the_projects_own_hook_is_refused` |
//! | a secret that changes is valid beside the one before | `functions/acc-webhook`: `either_secret_asks_the_lane_to_read_and_rings_it` |
//! | six seconds for an answer | `functions/acc-webhook` asks nothing of Autodesk: it knows no client, and ends by itself after five |
//! | a hook lies in a region, US unless said otherwise | `hooks.rs`: `they_lie_in_the_accounts_region` |
//! | 204 for an empty list of hooks, 201 without a body | `hooks.rs`: `they_are_made_known_again_and_removed_and_another_connections_stay` |
//! | forms: tens of values, two versions with words of their own, the local date | `tests/crash/tests/forms.rs`; `tests/sandbox/tests/aps/forms.rs` is what they are held to |
//! | one limit on Forms for all customers of the app | `tests/crash/tests/forms_at_once.rs` |
//! | 200 and nothing in it, where an account is not open to the app | `an_account_that_is_not_open_to_us_is_no_empty_success` |
//! | fields that a subtype or its type demands | `records.rs`: `custom_fields_that_the_subtype_or_its_type_demands_are_filled_or_asked_for` |
//! | words and members that nobody announced | `a_status_that_nobody_announced_is_taken_as_it_is` |
//! | pages by offset skip what moves up while they are read | `what_moves_while_pages_are_read_is_not_passed_over`; `told.rs`: `changes_since_are_ours_deleted_ones_too_and_those_that_people_talk_about` for the overlap |
use crate::site::{OBSERVATION, SERVICE, Site, detection, long_ago, observation_subject};
use async_trait::async_trait;
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use store::lanes::LaneId;
use sync::budget::{Admission, Answered};
use sync::target::{Call, Meter, Rendered, Target, TargetError};

fn status(status: &str) -> serde_json::Map<String, Value> {
    json!({"status": status}).as_object().unwrap().clone()
}

#[tokio::test]
async fn an_account_that_is_not_open_to_us_is_no_empty_success() {
    let site = Site::start().await;
    for project in site.sandbox.projects() {
        site.sandbox.set_member(&project.id, SERVICE, false);
    }
    let Rendered::Blocked(block) = site.rendered(&observation_subject(detection())).await else {
        panic!("not blocked")
    };
    assert!(block.reason.contains("no such active project"), "{block:?}");
    let changed = site.target.changed(site.call(), &site.project, long_ago()).await;
    assert!(matches!(changed, Err(TargetError::Project(_))), "{changed:?}");
}

#[tokio::test]
async fn a_status_that_nobody_announced_is_taken_as_it_is() {
    let site = Site::start().await;
    // It is what the OpenAPI document does not know.
    site.sandbox.set(|settings| settings.check_answers = false);
    let made = site.made(OBSERVATION, &observation_subject(detection())).await;
    site.sandbox.person_edits(&made.id, status("awaiting_vendor")).unwrap();
    let changed = site.target.changed(site.call(), &site.project, long_ago()).await.unwrap();
    assert_eq!(changed.iter().map(|each| each.status.as_str()).collect::<Vec<_>>(), ["awaiting_vendor"]);
    let told = site.target.told(site.call(), &site.project, OBSERVATION, &changed[0]).await.unwrap();
    assert_eq!(told.status.as_deref(), Some("awaiting_vendor"));
    assert_eq!(site.sandbox.violations(), []);
}

/// Does something before the request with this number.
struct Meddler<'a, F> {
    requests: AtomicUsize,
    before: std::ops::RangeInclusive<usize>,
    act: F,
    site: &'a Site,
}

#[async_trait]
impl<F: Fn(usize) + Send + Sync> Meter for Meddler<'_, F> {
    async fn before(&self, _: WorkClass, _: SignedDuration) -> Admission {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if self.before.contains(&number) {
            (self.act)(number);
        }
        Admission::Go
    }

    fn after(&self, _: Answered) {}

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn lane(&self) -> Option<&LaneId> {
        self.site.meter.lane.as_ref()
    }
}

#[tokio::test]
async fn what_moves_while_pages_are_read_is_not_passed_over() {
    let site = Site::start().await;
    let fields = site.fields(&observation_subject(detection())).await;
    let mut made = Vec::new();
    for n in 0..102 {
        let mut each = fields.clone();
        each.insert("title".into(), json!(format!("Other [HHP-{n:08}]")));
        made.push(site.target.create(site.call(), &site.project, OBSERVATION, &each).await.unwrap().id);
    }
    // Between the first page and the second a person changes one of the first: all behind it move up.
    let edit = |number: usize| {
        site.sandbox.advance(1);
        site.sandbox.person_edits(&made[number], status("pending")).unwrap();
    };
    let meddler = Meddler { requests: AtomicUsize::new(0), before: 1..=1, act: edit, site: &site };
    let call = Call { class: WorkClass::Reread, meter: &meddler };
    let changed = site.target.changed(call, &site.project, long_ago()).await.unwrap();
    let missed: Vec<&String> = made.iter().filter(|id| !changed.iter().any(|each| each.id == **id)).collect();
    assert_eq!((missed, changed.len()), (vec![], 102));
    // A list that never stands still is an error, not a part of it.
    let edit = |number: usize| edit(number + 2);
    let meddler = Meddler { requests: AtomicUsize::new(0), before: 0..=20, act: edit, site: &site };
    let call = Call { class: WorkClass::Reread, meter: &meddler };
    let restless = site.target.changed(call, &site.project, long_ago()).await;
    assert!(matches!(restless, Err(TargetError::NotDone { .. })), "{restless:?}");
    site.assert_clean();
}
