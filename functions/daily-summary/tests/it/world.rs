//! A site with one mapped project, over the table's twin.
use daily_summary::{DailySummary, Looked};
use domain::event::{
    Classification, Detection, Event, EventBody, Frame, Incident, OshaLog, PpeCheck, PpeSample, Retraction, Worker,
    Zone,
};
use domain::ids::{EdgeId, OrganizationId, Provider, SiteId};
use domain::message::{Origin, SiteMessage};
use domain::settings::{Mapping, ProjectSettings, Shift};
use domain::summary::count::Day;
use domain::summary::report::Report;
use event_router::route::Router;
use jiff::Timestamp;
use std::cell::Cell;
use std::collections::BTreeMap;
use store::Table;
use store::bell::MemoryBell;
use store::bus::{Bus, MemoryBus};
use store::directory::{Connection, Directory, Organization, Site};
use store::due::{self, SiteRef};
use store::lanes::{Lane, LaneId};
use store::mapping::{self, Wanted};
use store::memory::MemoryTable;
use store::reports::Reports;
use store::summaries::{self, Summaries, Summary};

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub fn id(n: u128) -> String {
    ulid::Ulid::from_parts(1_700_000_000_000, n).to_string()
}

pub struct World {
    pub table: MemoryTable,
    pub bell: MemoryBell,
    pub bus: MemoryBus,
    pub connection: Connection,
    pub site: SiteRef,
    now: Cell<Timestamp>,
    sent: Cell<u64>,
}

impl World {
    /// Mapped at that time, with the summary at that hour.
    pub async fn new(zone: &str, hour: &str, now: &str) -> Self {
        let (table, now) = (MemoryTable::default(), at(now));
        let directory = Directory(&table);
        let organization_id = OrganizationId::new(ulid::Ulid::from_parts(1, 1));
        let site_id = SiteId::new(ulid::Ulid::from_parts(2, 1));
        let organization = Organization { id: organization_id.clone(), name: "Acme".into(), created_at: now };
        directory.put_organization(&organization).await.expect("an organization");
        let shift =
            |name: &str, start: &str, end: &str| Shift { name: name.into(), start: start.into(), end: end.into() };
        let mut site = Site {
            id: site_id.clone(),
            organization_id: organization_id.clone(),
            name: "Tower".into(),
            time_zone: zone.into(),
            shifts: vec![shift("Day", "06:00", "14:30"), shift("Night", "22:00", "06:00")],
            created_at: now,
            version: 0,
        };
        directory.put_site(&mut site).await.expect("a site");
        let mut connection = Connection::new(organization_id.clone(), Provider::Procore, "42", now);
        directory.put_connection(&mut connection).await.expect("a connection");
        let site = SiteRef { organization_id, site_id };
        let (bell, bus) = (MemoryBell::default(), MemoryBus::default());
        let world = Self { table, bell, bus, connection, site, now: Cell::new(now), sent: Cell::new(0) };
        world.map("7", hour, true).await;
        world
    }

    pub fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Maps a project to the site, or changes its settings.
    pub async fn map(&self, project: &str, hour: &str, enabled: bool) {
        self.map_with(project, hour, enabled, Mapping::default()).await;
    }

    pub async fn map_with(&self, project: &str, hour: &str, enabled: bool, mapping: Mapping) {
        let standing = Directory(&self.table).project(&self.lane(), project).await.expect("a project");
        let mut settings = ProjectSettings {
            site_id: self.site.site_id.clone(),
            observations: Default::default(),
            daily_summary: Default::default(),
            mapping,
        };
        (settings.daily_summary.enabled, settings.daily_summary.at) = (enabled, hour.into());
        let wanted = Wanted { project_id: project.into(), name: None, settings, standing };
        mapping::apply(&self.table, &self.bell, &self.connection, wanted, self.now()).await.expect("a mapping");
    }

    pub fn lane(&self) -> LaneId {
        self.connection.lane()
    }

    /// Lets the clock tick each minute until then, and the bus ask for what it is told.
    pub async fn until(&self, end: &str) -> Looked {
        let (end, mut sum) = (at(end), Looked::default());
        while self.now.get() < end {
            let due = due::get(&self.table, &self.site).await.expect("a due item").at();
            // Nothing happens before that: the minutes between are left out.
            let next = due.map_or(end, |due| due.clamp(self.now.get(), end));
            self.now.set(next.max(self.now.get() + jiff::SignedDuration::from_secs(1)).min(end));
            let looked = self.tick().await;
            (sum.cut, sum.amended) = (sum.cut + looked.cut, sum.amended + looked.amended);
        }
        sum
    }

    pub async fn tick(&self) -> Looked {
        clock::tick(&self.table, &self.bell, &self.bus as &dyn Bus, self.now()).await.expect("a tick");
        let mut sum = Looked::default();
        for (detail_type, detail) in self.bus.take() {
            if detail_type == clock::SITE_DUE {
                let site: SiteRef = serde_json::from_value(detail).expect("a site");
                assert_eq!(site, self.site);
                let looked = self.look().await;
                (sum.cut, sum.amended) = (sum.cut + looked.cut, sum.amended + looked.amended);
            }
        }
        sum
    }

    pub async fn look(&self) -> Looked {
        let summary = DailySummary { table: &self.table, bell: &self.bell };
        summary.look(&self.site, self.now()).await.expect("a look")
    }

    pub fn move_to(&self, now: &str) {
        self.now.set(at(now));
    }

    /// Events that arrive now.
    pub async fn send(&self, bodies: Vec<EventBody>) {
        let now = self.now();
        let n = self.sent.get();
        self.sent.set(n + 1);
        let event = |(i, body)| Event { id: format!("{n}-{i}"), time: now, body };
        let events: Vec<Event> = bodies.into_iter().enumerate().map(event).collect();
        let message = SiteMessage {
            organization_id: self.site.organization_id.clone(),
            site_id: self.site.site_id.clone(),
            origin: Origin {
                edge_id: EdgeId::new(ulid::Ulid::from_parts(3, 1)),
                webhook_id: format!("msg_{n}"),
                webhook_timestamp: now.as_second(),
                signature: "v1,c2lnbmF0dXJl".into(),
                body_sha256: "c2hhMjU2".into(),
            },
            part: 0,
            received_at: now,
            digest: domain::message::digest(&serde_json::json!(events).to_string()),
            events,
        };
        let router = Router { table: &self.table, bell: &self.bell, bus: &self.bus, detection_retention_days: 400 };
        router.route(&message, now).await.expect("a message");
    }

    pub async fn site(&self) -> Site {
        let SiteRef { organization_id, site_id } = &self.site;
        Directory(&self.table).site(organization_id, site_id).await.expect("a site").expect("a site")
    }

    /// Gives the site another clock, or other shifts.
    pub async fn change_site(&self, change: impl FnOnce(&mut Site)) {
        let mut site = self.site().await;
        change(&mut site);
        Directory(&self.table).put_site(&mut site).await.expect("a site");
        summaries::rearrange(&self.table, &site).await.expect("an alarm");
    }

    /// A day as the report has it now, to which its note links.
    pub async fn reported(&self, date: &str) -> Day {
        let site = self.site().await;
        let reports = Reports::of(&self.table, &site).await.expect("reports");
        let reported = reports.day(date.parse().expect("a date"), self.now()).await.expect("a report");
        reported.expect("the clock leaves no date out").day
    }

    fn summaries(&self) -> Summaries<'_> {
        Summaries { table: &self.table, site: &self.site }
    }

    pub async fn summary(&self, date: &str) -> Option<Summary> {
        self.summaries().get(date.parse().expect("a date")).await.expect("a summary")
    }

    pub async fn report(&self, date: &str) -> Report {
        self.summary(date).await.expect("the day was cut off").day.report
    }

    /// The dates for which the lane was asked, and what it was asked since.
    pub async fn asked(&self) -> Vec<String> {
        let lane = self.lane();
        let lane = Lane { table: &self.table as &dyn Table, id: &lane };
        let mut dates = Vec::new();
        for todo in lane.ready(1_000).await.expect("todos") {
            if let Some(date) = todo.record.date() {
                dates.push(date.to_string());
                lane.finish(&todo).await.expect("finish");
            }
        }
        dates
    }
}

pub fn detection(n: u128, at: Timestamp, kind: &str, zone: &str) -> EventBody {
    EventBody::Detection(Detection {
        detection_id: id(n),
        detected_at: at,
        kind: kind.into(),
        priority: 3,
        zone_id: zone.into(),
        camera_id: "C-1".into(),
        missing_ppe: vec![],
        confidence: None,
        worker: None,
        frame: Frame { captured_at: at, index: None },
        footage: None,
    })
}

pub fn incident(n: u128, revision: u64, confirmed_at: Timestamp, recordable: bool) -> EventBody {
    EventBody::IncidentUpdated(Incident {
        incident_id: id(n),
        revision,
        occurred_at: confirmed_at,
        confirmed_at,
        recordable,
        incident_type: "fall".into(),
        classification: Classification::Injury,
        outcome: None,
        privacy_case: false,
        osha_log: OshaLog { year: 2026, case_number: format!("{n}") },
        zone_id: "Z-1".into(),
        worker: Worker { worker_id: "W-1".into(), role: "Rigger".into(), trade: "Ironwork".into() },
        detection_ids: vec![],
        summary: None,
    })
}

pub fn retraction(n: u128, revision: u64) -> EventBody {
    EventBody::IncidentRetracted(Retraction { incident_id: id(n), revision, reason: "doubled".into() })
}

pub fn zone(zone_id: &str, revision: u64, name: &str) -> EventBody {
    EventBody::Zone(Zone {
        zone_id: zone_id.into(),
        revision,
        name: name.into(),
        kind: "exclusion".into(),
        required_ppe: vec![],
        active: true,
        location_path: None,
    })
}

pub fn sample(n: u128, from: Timestamp, checked: u64, compliant: u64) -> EventBody {
    EventBody::PpeSample(PpeSample {
        sample_id: id(n),
        sampled_from: from,
        sampled_to: from + jiff::SignedDuration::from_mins(15),
        zone_id: "Z-1".into(),
        checks: BTreeMap::from([("hard_hat".to_owned(), PpeCheck { checked, compliant })]),
    })
}
