//! Two hundred customers whose day ends in the same minute: Autodesk's limit on Forms is one for all of the app, and holds; nobody is
//! starved, though one has as many projects as a third of the others together.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use async_trait::async_trait;
use crash::world::{SimulatedClock, World};
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::merge::Fields;
use domain::record::{RecordKind, WorkClass};
use domain::settings::ProjectSettings;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::VecDeque;
use store::directory::Directory;
use store::lanes::LaneId;
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
            let organization_id = OrganizationId::new(ulid::Ulid::from_parts(5, n));
            let connection_id = ConnectionId::derive(&organization_id, Provider::Acc, "account");
            let lane = LaneId { organization_id, connection_id, provider: Provider::Acc };
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
