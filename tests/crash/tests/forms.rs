//! A site's day as a form with fields in Autodesk: each figure stands in its field, once, whatever step fails; what people do to a form
//! stays.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{detected, zone};
use crash::fault::{Fault, Mode};
use crash::history::{enumerate, route, violations};
use crash::world::World;
use domain::ids::Provider;
use domain::record::{Mender, RecordKey, RecordKind, RecordState};
use domain::settings::Mapping;
use domain::settings::form_fields::{FormField, Takes, by_label};
use domain::summary::DEFAULT_HOUR;
use jiff::{SignedDuration, Timestamp};
use sandbox::aps::Form;
use sandbox::faults::{Effect, Rule};
use serde_json::{Map, Value, json};
use store::conflicts::{self, Choice};
use store::directory::Directory;
use store::lanes::Link;
use sync::clock::Clock;

const DAY: &str = "2026-11-24";
const DAILY: &str = "pg.template_type.daily_report";
const CUT: &str = "2026-11-24T23:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// As someone who sets up chooses it.
fn template(world: &World) -> Mapping {
    let template = world.acc.templates(world.project()).into_iter().find(|template| !template.is_pdf).unwrap();
    let fields = template.fields.iter().filter_map(|field| {
        Some((field.label.as_str(), FormField { id: field.id.clone(), takes: Takes::of(&field.value_name)? }))
    });
    Mapping { form_fields: by_label(fields), form_template_id: Some(template.id), ..Mapping::default() }
}

/// Two alerts; the day is cut off, and the lane was asked.
async fn cut_off() -> World {
    let world = World::unmapped_on(Provider::Acc, 1).await.unwrap();
    let never = Fault::never();
    world.map_with(template(&world)).await.unwrap();
    assert!(world.settle(DEFAULT_HOUR, true, &never).await);
    let breach = |n| detected(n, at("2026-11-24T15:00:00Z"), "zone_breach");
    route(&world, vec![zone(1), breach(1), breach(2)]).await;
    world.rest(&never).await.unwrap();
    world.tick_and_look(at(CUT) + SignedDuration::from_secs(1)).await.unwrap();
    world
}

/// A third alert was late, and the day is counted again.
async fn counted_again() -> World {
    let world = cut_off().await;
    world.rest(&Fault::never()).await.unwrap();
    route(&world, vec![detected(3, at(CUT) - SignedDuration::from_secs(1), "fall")]).await;
    world.tick_and_look(at(CUT) + SignedDuration::from_mins(16)).await.unwrap();
    world
}

fn form(world: &World, case: &str) -> Form {
    let mut forms = world.acc.forms(world.project());
    assert_eq!(forms.len(), 1, "{case}: {forms:#?}");
    forms.remove(0)
}

fn value(world: &World, form: &Form, label: &str) -> Option<Value> {
    let templates = world.acc.templates(world.project());
    let field = templates.iter().flat_map(|template| &template.fields).find(|field| field.label == label).unwrap();
    form.values.get(&field.id)?.get(&field.value_name).cloned()
}

async fn filled(world: &World, alerts: u64, case: &str) {
    let form = form(world, case);
    assert_eq!(form.fields["formDate"], DAY, "{case}");
    assert_eq!(value(world, &form, "Alerts"), Some(json!(alerts)), "{case}");
    let summary = value(world, &form, "Summary").unwrap_or_else(|| panic!("{case}: no summary"));
    assert!(summary.as_str().unwrap().contains(&format!("Alerts: {alerts} (")), "{case}: {summary}");
    assert_eq!(value(world, &form, "PPE compliant"), None, "{case}: a field that is none of ours");
    assert_eq!(form.status, "draft", "{case}: people submit it");
    let link = world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().unwrap();
    assert_eq!((link.state, link.conflicts.len()), (RecordState::Synced, 0), "{case}: {link:?}");
    assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
    violations(world, case);
}

#[tokio::test]
async fn figures_stand_in_their_fields_whatever_step_fails() {
    for mode in Mode::ALL {
        enumerate(mode, cut_off, async |world, case| filled(&world, 2, &case).await).await;
    }
}

#[tokio::test]
async fn an_amendment_reaches_the_fields_whatever_step_fails() {
    for mode in Mode::ALL {
        enumerate(mode, counted_again, async |world, case| filled(&world, 3, &case).await).await;
    }
}

#[tokio::test]
async fn a_form_of_ten_fields_takes_two_calls_and_one_without_takes_one() {
    let chosen = template(&cut_off().await);
    let notes_only = Mapping { form_fields: Default::default(), ..chosen.clone() };
    let mappings = [(chosen, 2), (notes_only, 1), (Mapping::default(), 2)];
    for (mapping, calls) in mappings {
        let world = cut_off().await;
        world.map_with(mapping).await.unwrap();
        let forms = || world.calls().iter().filter(|call| call.path.starts_with("/construction/forms")).count();
        assert_eq!(forms(), 0);
        world.rest(&Fault::never()).await.unwrap();
        // Without a template chosen, the templates are looked up, once a day.
        assert_eq!(forms(), calls);
    }
}

#[tokio::test]
async fn a_submitted_form_says_so_and_takes_its_amendment_when_it_is_opened_again() {
    let world = counted_again().await;
    let made = form(&world, "made");
    world.acc.person_writes_form(&made.id, Map::new(), Some("submitted")).unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let link = world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().unwrap();
    assert_eq!((link.state, link.who), (RecordState::Blocked, Some(Mender::SafetyManager)));
    assert!(link.reason.as_ref().unwrap().contains("2026-11-24 was submitted in Autodesk"), "{link:?}");
    assert_eq!(value(&world, &form(&world, "submitted"), "Alerts"), Some(json!(2)));
    world.acc.person_writes_form(&made.id, Map::new(), Some("draft")).unwrap();
    world.again(RecordKind::DailySummary, DAY.to_owned()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    filled(&world, 3, "opened again").await;
}

/// A day and an hour after the amendments of the first day are over: its lane was asked, and has not run.
async fn over() -> World {
    let world = cut_off().await;
    world.map_with(Mapping { submit_form: true, ..template(&world) }).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    // What arrives in the last hour has the lane look at the form when amendments are over, but not yet counted for sure.
    world.tick_and_look(at(CUT) + SignedDuration::from_hours(71)).await.unwrap();
    route(&world, vec![detected(3, at(CUT) - SignedDuration::from_secs(1), "fall")]).await;
    for minutes in [1, 45] {
        let now = at(CUT) + SignedDuration::from_hours(72) + SignedDuration::from_mins(minutes);
        world.tick_and_look(now).await.unwrap();
        world.again(RecordKind::DailySummary, DAY.to_owned()).await.unwrap();
        world.rest_until(&Fault::never(), Some(now + SignedDuration::from_mins(1))).await.unwrap();
        assert_eq!(first(&world).status, "draft", "something may still change it");
    }
    assert_eq!(value(&world, &first(&world), "Alerts"), Some(json!(3)));
    world.tick_and_look(at(CUT) + SignedDuration::from_hours(74)).await.unwrap();
    world
}

/// The form of the first day.
fn first(world: &World) -> Form {
    let forms = world.acc.forms(world.project());
    forms.into_iter().find(|form| form.fields["formDate"] == DAY).unwrap()
}

/// The form's own members are written, or its status.
fn patches(world: &World) -> usize {
    world.calls().iter().filter(|call| call.operation_id.as_deref() == Some("patchForm")).count()
}

async fn link(world: &World) -> Link {
    world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_form_is_submitted_once_when_its_amendments_are_over_whatever_step_fails() {
    let amended = patches(&over().await);
    for mode in Mode::ALL {
        enumerate(mode, over, async |world, case| {
            assert_eq!(first(&world).status, "submitted", "{case}");
            // Where the first one was not carried out, there are two.
            assert!((1..=2).contains(&(patches(&world) - amended)), "{case}: {}", patches(&world));
            let others = world.acc.forms(world.project()).into_iter().filter(|form| form.fields["formDate"] != DAY);
            assert!(others.map(|form| form.status).all(|status| status == "draft"), "{case}");
            assert_eq!(link(&world).await.state, RecordState::Synced, "{case}");
            assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
            violations(&world, &case);
        })
        .await;
    }
}

#[tokio::test]
async fn a_form_that_people_submitted_or_opened_again_is_left_alone() {
    let world = over().await;
    let before = patches(&world);
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!((first(&world).status.as_str(), patches(&world) - before), ("submitted", 1));
    world.acc.person_writes_form(&first(&world).id, Map::new(), Some("draft")).unwrap();
    world.again(RecordKind::DailySummary, DAY.to_owned()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!((first(&world).status.as_str(), patches(&world) - before), ("draft", 1), "opened again, it stays open");

    let world = over().await;
    world.acc.person_writes_form(&first(&world).id, Map::new(), Some("submitted")).unwrap();
    world.rest(&Fault::never()).await.unwrap();
    assert_eq!(patches(&world), before);
}

#[tokio::test]
async fn a_form_on_which_people_disagree_is_submitted_when_that_is_decided() {
    for choice in [Choice::Ours, Choice::Theirs] {
        // The figures changed after somebody wrote their own, and the lane sees both at once.
        let world = counted_again().await;
        world.map_with(Mapping { submit_form: true, ..template(&world) }).await.unwrap();
        let typed = json!({"notes": "Two alerts, both by mistake"});
        world.acc.person_writes_form(&first(&world).id, typed.as_object().unwrap().clone(), None).unwrap();
        world.tick_and_look(at(CUT) + SignedDuration::from_hours(74)).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
        assert_eq!((first(&world).status.as_str(), link(&world).await.conflicts.len()), ("draft", 1));
        let record = RecordKey::summary(&world.site_id, DAY.parse().unwrap());
        let (organization, id) = (&world.lane.organization_id, &world.lane.connection_id);
        let connection = Directory(&world.table).connection(organization, id).await.unwrap().unwrap();
        let now = world.clock.now();
        conflicts::settle(&world.table, &world.bell, &connection, &record, ("notes", choice), now).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
        assert_eq!((first(&world).status.as_str(), link(&world).await.conflicts.len()), ("submitted", 0), "{choice:?}");
        let ours = first(&world).fields["notes"].as_str().unwrap().contains("Alerts: 3 (");
        assert_eq!(ours, choice == Choice::Ours);
    }
}

#[tokio::test]
async fn a_form_that_could_be_made_only_when_its_amendments_were_over_is_submitted_too() {
    let late = at(CUT) + SignedDuration::from_hours(80);
    for outage in [true, false] {
        let world = cut_off().await;
        // With fields after an outage; of notes alone after a time without a template.
        let mapping = if outage { template(&world) } else { Mapping::default() };
        world.map_with(Mapping { submit_form: true, ..mapping }).await.unwrap();
        let down = outage.then(|| world.faults().add(Rule::new(Effect::Down { cut: false, retry_after: None })));
        let template_type = if outage { DAILY } else { "pg.template_type.quality" };
        world.acc.set_template_type(world.project(), template_type);
        world.days(late, &Fault::never(), &Fault::never()).await.unwrap();
        assert!(world.acc.forms(world.project()).is_empty());
        if let Some(down) = down {
            world.faults().remove(down);
        }
        world.acc.set_template_type(world.project(), DAILY);
        world.again(RecordKind::DailySummary, DAY.to_owned()).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
        assert_eq!((first(&world).status.as_str(), link(&world).await.state), ("submitted", RecordState::Synced));
    }
}

#[tokio::test]
async fn a_project_without_a_template_for_daily_reports_says_who_makes_one() {
    let world = cut_off().await;
    world.map_with(Mapping::default()).await.unwrap();
    world.acc.set_template_type(world.project(), "pg.template_type.quality");
    world.rest(&Fault::never()).await.unwrap();
    let link = world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().unwrap();
    assert_eq!((link.state, link.who), (RecordState::Blocked, Some(Mender::PlatformAdmin)));
    assert!(link.reason.unwrap().contains("no form template for daily reports"));
    assert!(world.acc.forms(world.project()).is_empty());
}
