//! The pages over in-memory twins, with a mapped site and people of two organizations.
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::Fact;
use domain::ids::{ConnectionId, OrganizationId, Provider, SiteId};
use domain::record::{Mender, RecordKey, RecordKind, RecordState};
use jiff::{SignedDuration, Timestamp};
use people::{People, PublicUrl, Role, Session};
use serde_json::json;
use setup_ui::{AppState, Origins, Services, app};
use std::sync::{Arc, Mutex};
use store::bell::MemoryBell;
use store::directory::{Blocked, Connection, Directory, Organization, Project, Site};
use store::facts::SiteFacts;
use store::lanes::{Lane, Link};
use store::memory::MemoryTable;
use tower::ServiceExt;
use ulid::Ulid;

pub const PUBLIC: &str = "https://pulse.example.com";
pub const PROJECT: &str = "8600000001";
pub const DETECTION: &str = "01JD0000000000000000000002";

pub struct World {
    pub app: Router,
    pub table: Arc<MemoryTable>,
    pub bell: Arc<MemoryBell>,
    pub people: People,
    now: Arc<Mutex<Timestamp>>,
    pub ours: Tenant,
    pub theirs: Tenant,
}

pub struct Tenant {
    pub organization: OrganizationId,
    pub site: SiteId,
    pub connection: Connection,
}

impl Tenant {
    pub fn project(&self) -> String {
        format!("/setup/{}/projects/{PROJECT}", self.connection.id)
    }
}

pub struct SignedIn {
    cookie: String,
    pub session: Session,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

fn now() -> Timestamp {
    "2026-11-24T16:03:05Z".parse().unwrap()
}

impl World {
    pub async fn new() -> Self {
        let (table, bell) = (Arc::new(MemoryTable::default()), Arc::new(MemoryBell::default()));
        let time = Arc::new(Mutex::new(now()));
        let clock = time.clone();
        let people =
            People::new(table.clone(), Arc::new(move || *clock.lock().unwrap()), PublicUrl::new(PUBLIC).unwrap());
        let origins = Origins::new(PUBLIC, "https://sandbox.procore.com", "https://login.procore.com").unwrap();
        let app = app(AppState::new(Services { origins, people: people.clone(), bell: bell.clone() }));
        let (ours, theirs) = (tenant(&table, 1, "11").await, tenant(&table, 2, "22").await);
        Self { app, table, bell, people, now: time, ours, theirs }
    }

    pub fn pass(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }

    pub async fn sign_in(&self, tenant: &Tenant, role: Role) -> SignedIn {
        let person = self.people.add(&tenant.organization, role, "ana@example.com").await.unwrap();
        let opened = self.people.open(&person).await.unwrap();
        let cookie = opened.set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        SignedIn { cookie, session: opened.session }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&self, who: &SignedIn, path: &str) -> Answer {
        self.send(Request::get(path).header("cookie", &who.cookie).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, who: &SignedIn, path: &str, body: &str) -> Answer {
        let body = format!("csrf={}&{body}", who.session.csrf);
        self.post_from(who, path, body, PUBLIC).await
    }

    pub async fn post_from(&self, who: &SignedIn, path: &str, body: String, origin: &str) -> Answer {
        let request = Request::post(path)
            .header("cookie", &who.cookie)
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub async fn link(&self, tenant: &Tenant, fact_id: &str, state: RecordState) {
        let id = tenant.connection.lane();
        let mut link: Link = serde_json::from_value(json!({
            "record": RecordKey { kind: RecordKind::Observation, site_id: tenant.site.clone(), fact_id: fact_id.into() },
            "project_id": PROJECT, "marker": format!("HHP-{}", &fact_id[18..]), "state": state,
            "reason": (state == RecordState::Failed).then_some("type_id: <b>must</b> be active"),
            "who": (state == RecordState::Failed).then_some(Mender::SafetyManager),
            "remote_url": "https://app.procore.com/1", "updated_at": now(),
            "conflicts": [{"field": "name", "ours": "Ours", "theirs": "Their words"}],
        }))
        .unwrap();
        Lane { table: self.table.as_ref(), id: &id }.put_link(&mut link).await.unwrap();
    }

    pub async fn state(&self, tenant: &Tenant, fact_id: &str) -> RecordState {
        let id = tenant.connection.lane();
        let key = RecordKey { kind: RecordKind::Observation, site_id: tenant.site.clone(), fact_id: fact_id.into() };
        Lane { table: self.table.as_ref(), id: &id }.link(&key).await.unwrap().unwrap().state
    }

    pub async fn block(&self, tenant: &Tenant) {
        let mut connection = self.connection(tenant).await;
        connection.blocked = Some(Blocked {
            reason: "Procore says that the app is not connected.".into(),
            who: Mender::PlatformAdmin,
            what_to_do: "Install it again.".into(),
            since: now(),
        });
        Directory(self.table.as_ref()).put_connection(&mut connection).await.unwrap();
    }

    pub async fn connection(&self, tenant: &Tenant) -> Connection {
        let found = Directory(self.table.as_ref()).connection(&tenant.organization, &tenant.connection.id).await;
        found.unwrap().unwrap()
    }
}

async fn tenant(table: &Arc<MemoryTable>, number: u64, company: &str) -> Tenant {
    let directory = Directory(table.as_ref());
    let organization = OrganizationId::new(Ulid::from_parts(number, 1));
    let site = SiteId::new(Ulid::from_parts(number, 2));
    let new = Organization { id: organization.clone(), name: format!("Contractor {number}"), created_at: now() };
    directory.put_organization(&new).await.unwrap();
    let mut place: Site = serde_json::from_value(json!({
        "id": site, "organization_id": organization, "name": format!("North Tower {number}"),
        "time_zone": "America/Chicago", "created_at": now(),
    }))
    .unwrap();
    directory.put_site(&mut place).await.unwrap();
    let id = ConnectionId::derive(&organization, Provider::Procore, company);
    let mut connection: Connection = serde_json::from_value(json!({
        "id": id, "organization_id": organization, "provider": Provider::Procore, "account": company, "created_at": now(),
    }))
    .unwrap();
    directory.put_connection(&mut connection).await.unwrap();
    let mut project: Project = serde_json::from_value(json!({
        "project_id": PROJECT, "settings": {"site_id": site}, "mapped_at": now(),
    }))
    .unwrap();
    directory.put_project(&connection.lane(), &mut project).await.unwrap();
    let fact: Fact = serde_json::from_value(json!({
        "body": {"kind": "detection", "data": {
            "detection_id": DETECTION, "detected_at": "2026-11-24T16:00:00Z", "kind": "zone_breach", "priority": 4,
            "zone_id": "z1", "camera_id": "cam-7", "worker": {"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"},
            "frame": {"captured_at": "2026-11-24T16:00:00Z", "index": 12},
            "footage": {"edge_path": "/footage/cam-7/1600.mp4"},
        }},
        "arrival": 1, "part": 0, "event_id": "e1", "event_time": now(), "received_at": now(),
        "origin": {"webhook_id": "w", "edge_id": format!("edge_{}", Ulid::from_parts(number, 3)), "timestamp": 0,
            "signature": "v1,x", "sha256": "00"},
    }))
    .unwrap_or_else(|error| panic!("{error}"));
    let facts = SiteFacts { table: table.as_ref(), organization_id: &organization, site_id: &site };
    let entry = ArrivalEntry {
        number: 1,
        message_id: fact.message_id(),
        arrived_at: now() - SignedDuration::from_hours(1),
        lines: vec![ArrivalLine::of(&fact)],
    };
    facts.put_many(&[fact], None).await.unwrap();
    facts.commit(&entry).await.unwrap();
    Tenant { organization, site, connection }
}
