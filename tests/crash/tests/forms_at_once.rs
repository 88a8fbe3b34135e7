//! Two hundred customers whose day ends in the same minute: Autodesk's limit on Forms is one for all of the app, and holds; nobody is
//! starved, though one has as many projects as a third of the others together.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use async_trait::async_trait;
use crash::facts::{detected, zone};
use crash::fault::{Fault, Faulty};
use crash::history::route;
use crash::world::{SimulatedClock, World};
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::merge::Fields;
use domain::record::{RecordKind, WorkClass};
use domain::settings::Mapping;
use domain::settings::ProjectSettings;
use domain::settings::form_fields::{FormField, Takes, by_label};
use domain::summary::DEFAULT_HOUR;
use jiff::{SignedDuration, Timestamp};
use sandbox::aps::Form;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use store::Table;
use store::directory::Directory;
use store::lanes::LaneId;
use store::memory::MemoryTable;
use sync::app_limit::{AppLimit, TableLimit};
use sync::budget::{Admission, Answered};
use sync::clock::Clock;
use sync::target::{Call, Meter, Project, TargetError};

const CUSTOMERS: u128 = 200;
const LARGE: usize = 66;
/// Autodesk's, for the app.
const A_MINUTE: usize = 100;

struct Customer {
    lane: LaneId,
    clock: SimulatedClock,
}

#[async_trait]
impl Meter for Customer {
    async fn before(&self, _: WorkClass, _: SignedDuration) -> Admission {
        // A call takes its time, with many lanes side by side.
        self.clock.advance(SignedDuration::from_millis(20));
        Admission::Go
    }

    fn after(&self, _: Answered) {}

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn lane(&self) -> Option<&LaneId> {
        Some(&self.lane)
    }
}

fn lane(n: u128) -> LaneId {
    let organization_id = OrganizationId::new(ulid::Ulid::from_parts(5, n));
    let connection_id = ConnectionId::derive(&organization_id, Provider::Acc, "account");
    LaneId { organization_id, connection_id, provider: Provider::Acc }
}

/// A form is made, read and filled in: three calls.
async fn form(world: &World, customer: &Customer, project: &Project, fields: &Fields) -> Result<(), TargetError> {
    let call = Call { class: WorkClass::Summary, meter: customer };
    let target = &world.target;
    let id = fields["id"].as_str().unwrap();
    let standing = match target.read(call, project, RecordKind::DailySummary, id).await? {
        Some(standing) => standing,
        None => target.create(call, project, RecordKind::DailySummary, fields).await?,
    };
    let notes = Fields::from([("notes".to_owned(), json!("Alerts: 2"))]);
    target.update(call, project, RecordKind::DailySummary, &standing, &notes).await.map(drop)
}

#[tokio::test]
async fn two_hundred_customers_forms_stay_below_the_apps_limit_and_nobody_is_starved() {
    let world = World::unmapped_on(Provider::Acc, 1).await.unwrap();
    let template = world.acc.templates(world.project()).into_iter().find(|template| !template.is_pdf).unwrap();
    let directory = Directory(&world.table);
    let connection =
        directory.connection(&world.lane.organization_id, &world.lane.connection_id).await.unwrap().unwrap();
    let settings = ProjectSettings {
        site_id: world.site_id.clone(),
        observations: Default::default(),
        daily_summary: Default::default(),
        mapping: Default::default(),
    };
    let project = Project::of(&connection, world.project().to_owned(), settings);
    world.clock.move_to("2026-11-24T23:00:00Z".parse().unwrap());
    let began = world.clock.now();

    // The one with most projects comes first each time.
    let mut waiting: VecDeque<(Customer, Vec<Fields>)> = (1..=CUSTOMERS)
        .map(|n| {
            let lane = lane(n);
            let forms = (0..if n == 1 { LARGE } else { 1 }).map(|form| {
                let id = format!("5a0db0c5-0000-4000-8000-{:012x}", n * 1_000 + form as u128);
                Fields::from([
                    ("id".to_owned(), json!(id)),
                    ("formTemplateId".to_owned(), json!(template.id)),
                    ("formDate".to_owned(), json!("2026-11-24")),
                ])
            });
            (Customer { lane, clock: world.clock.clone() }, forms.collect())
        })
        .collect();
    let (mut minutes, mut others_done) = (0, None);
    while !waiting.is_empty() {
        assert!(minutes < 15, "{} still wait", waiting.len());
        let before = world.calls().len();
        for _ in 0..waiting.len() {
            let Some((customer, mut forms)) = waiting.pop_front() else { break };
            while let Some(next) = forms.last() {
                match form(&world, &customer, &project, next).await {
                    Ok(()) => _ = forms.pop(),
                    Err(TargetError::Paused { .. }) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            if !forms.is_empty() {
                waiting.push_back((customer, forms));
            }
        }
        let calls = world.calls();
        let made = calls[before..].iter().filter(|call| call.path.starts_with("/construction/forms")).count();
        assert!(made <= A_MINUTE, "{made} calls in minute {minutes}");
        assert!(calls[before..].iter().all(|call| call.status != Some(429)), "refused in minute {minutes}");
        minutes += 1;
        let alone = waiting.iter().all(|(_, forms)| forms.len() > 1);
        others_done = others_done.or(alone.then_some(minutes));
        world.clock.move_to(began + SignedDuration::from_mins(minutes));
    }
    let forms = world.acc.forms(world.project());
    assert_eq!(forms.len(), LARGE + usize::try_from(CUSTOMERS).unwrap() - 1);
    assert!(forms.iter().all(|form| form.fields["notes"] == "Alerts: 2"));
    // 199 forms of three calls, of which 90 are made a minute, the large customer's block among them.
    let others_done = others_done.unwrap();
    assert!(others_done <= 9, "the last of the others waited {others_done} minutes");
}

fn forms_template(world: &World) -> Mapping {
    let template = world.acc.templates(world.project()).into_iter().find(|template| !template.is_pdf).unwrap();
    let fields = template.fields.iter().filter_map(|field| {
        Some((field.label.as_str(), FormField { id: field.id.clone(), takes: Takes::of(&field.value_name)? }))
    });
    Mapping { form_fields: by_label(fields), form_template_id: Some(template.id), ..Mapping::default() }
}

/// What others do who want more than there is.
async fn crowd(limit: &TableLimit, now: Timestamp) {
    for n in 1_000..1_060 {
        limit.admit(Some(&lane(n)), now).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_asked_side_by_side_uses_up_what_was_leased() {
    let table: &'static MemoryTable = Box::leak(Box::default());
    let slow = Faulty { inner: table as &dyn Table, fault: Fault::yielding() };
    let limit = TableLimit::new(Arc::new(slow), "forms", 90);
    let (lane, now) = (lane(1), "2026-11-24T23:00:00Z".parse().unwrap());
    for round in 0..15 {
        let six = futures::future::join_all((0..6).map(|_| limit.admit(Some(&lane), now))).await;
        assert!(six.into_iter().all(|asked| matches!(asked, Ok(Admission::Go))), "round {round}");
    }
    assert!(matches!(limit.admit(Some(&lane), now).await, Ok(Admission::Pause { .. })));
}

#[tokio::test]
async fn a_lane_with_several_forms_gets_one_done_a_minute_however_many_others_want_some() {
    let mut world = World::unmapped_on(Provider::Acc, 1).await.unwrap();
    world.at_once = 6;
    let never = Fault::never();
    world.map_with(forms_template(&world)).await.unwrap();
    assert!(world.settle(DEFAULT_HOUR, true, &never).await);
    route(&world, vec![zone(1)]).await;
    let cut = |day: i64| "2026-11-24T23:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day);
    for day in 0..3 {
        route(&world, vec![detected(10 + day as u128, cut(day) - SignedDuration::from_hours(2), "fall")]).await;
        world.rest_until(&never, Some(cut(day))).await.unwrap();
        world.tick_and_look(cut(day) + SignedDuration::from_secs(1)).await.unwrap();
        world.rest_until(&never, Some(cut(day) + SignedDuration::from_hours(1))).await.unwrap();
    }
    assert_eq!(world.acc.forms(world.project()).len(), 3);
    // Of each day something comes late: three forms are to be read and written anew, in the same minute.
    for day in 0..3 {
        route(&world, vec![detected(20 + day as u128, cut(day) - SignedDuration::from_hours(3), "fall")]).await;
    }
    world.tick_and_look(cut(2) + SignedDuration::from_mins(90)).await.unwrap();
    let limit = TableLimit::new(Arc::new(world.table.clone()), "acc-forms", 90);
    let told = |alerts: &str| {
        let notes = |form: &Form| form.fields["notes"].as_str().unwrap_or_default().contains(alerts);
        world.acc.forms(world.project()).iter().filter(|form| notes(form)).count()
    };
    let mut minute = world.clock.now().as_second() / 60;
    for done in 0..3 {
        assert_eq!(told("Alerts: 2"), done);
        crowd(&limit, world.clock.now()).await;
        minute += 1;
        world.clock.move_to(Timestamp::from_second(minute * 60).unwrap());
        assert!(world.run_once(&never).await);
    }
    assert_eq!(told("Alerts: 2"), 3);
}
