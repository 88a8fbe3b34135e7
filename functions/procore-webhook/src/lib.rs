//! Takes what Procore announces (`POST /hooks/procore/{connection}`, contracts 6.5). Procore signs nothing, so the Authorization
//! value that we gave the hook is what counts; it waits five seconds, and stalls everything after a failure. So: verify, write
//! a read-todo, ring, and only then mark the delivery as seen; whatever is of no use to us is acknowledged.
//!
//! - [`event`]: payloads v2.0 to v4.0
pub mod event;

use domain::record::RecordKind;
use event::Event;
use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use sha2::{Digest, Sha256};
use store::bell::{Bell, BellError, fresh_token};
use store::directory::Directory;
use store::hooks::{Hooks, connection_of};
use store::lanes::{Lane, LaneId, Todo};
use store::{Table, TableError, due};
use subtle::ConstantTimeEq;

/// Events are small.
const LARGEST: usize = 64 * 1024;
const PREFIX: &str = "/hooks/procore/";

/// What this function works with.
pub struct Webhook<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
}

/// Why a delivery was not taken. Procore tries again after any of these.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("only POST is taken here")]
    Method,
    /// One answer for an unknown connection, no hook of ours, and a wrong value: which it is, is nobody's business.
    #[error("the Authorization value is not that of a hook of ours")]
    Unauthorized,
    #[error("the body is longer than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Bell(#[from] BellError),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Unauthorized => StatusCode::UNAUTHORIZED,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Table(_) | Refusal::Bell(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// What became of a delivery, for logs and figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A lane was asked to read.
    Asked,
    /// It had come before.
    Repeated,
    /// Our own user did it.
    Own,
    /// Not about a record of ours.
    Unknown,
}

impl Webhook<'_> {
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        let status = match self.take(request, now).await {
            Ok(_) => StatusCode::NO_CONTENT,
            Err(refusal) => {
                tracing::warn!(status = refusal.status().as_u16(), "delivery refused: {refusal}");
                refusal.status()
            }
        };
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = status;
        response
    }

    pub async fn take(&self, request: &Request, now: Timestamp) -> Result<Taken, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::Method);
        }
        let body: &[u8] = match request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        if body.len() > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let id = self.lane(request).await?.ok_or(Refusal::Unauthorized)?;
        let lane = Lane { table: self.table, id: &id };
        let hooks = lane.hooks().await?;
        let projects = projects_of(&hooks, request);
        if projects.is_empty() {
            return Err(Refusal::Unauthorized);
        }
        let taken = self.note(&lane, &hooks, &projects, body, now).await?;
        tracing::info!(organization_id = %id.organization_id, connection_id = %id.connection_id, taken = ?taken, "delivery taken");
        runtime::metrics::Metrics::new("procore-webhook")
            .count("DeliveriesTaken", 1)
            .count("ReadsAsked", usize::from(taken == Taken::Asked))
            .emit();
        Ok(taken)
    }

    /// The connection that the address names.
    async fn lane(&self, request: &Request) -> Result<Option<LaneId>, TableError> {
        let key = request.uri().path().rsplit_once(PREFIX).map(|(_, key)| key).unwrap_or_default();
        let Some(connection_id) = connection_of(key) else { return Ok(None) };
        let directory = Directory(self.table);
        let Some(organization_id) = directory.connection_owner(&connection_id).await? else { return Ok(None) };
        Ok(Some(LaneId { organization_id, connection_id, provider: domain::ids::Provider::Procore }))
    }

    async fn note(
        &self,
        lane: &Lane<'_>,
        hooks: &Hooks,
        projects: &[&str],
        body: &[u8],
        now: Timestamp,
    ) -> Result<Taken, Refusal> {
        // Whoever has the value is Procore; what it says in a new form is not worth stalling all other events for.
        let Some(event) = Event::read(body) else { return Ok(Taken::Unknown) };
        if event.user_id.is_some() && event.user_id == hooks.own_user {
            return Ok(Taken::Own);
        }
        let (true, Some(resource_id)) = (event.is_incident(), &event.resource_id) else { return Ok(Taken::Unknown) };
        let Some(remote) = lane.remote(RecordKind::Incident, resource_id).await? else { return Ok(Taken::Unknown) };
        // A hook speaks for its own project only.
        let told = event.project_id.as_deref().unwrap_or(&remote.project_id);
        if told != remote.project_id || !projects.contains(&told) {
            return Ok(Taken::Unknown);
        }
        if let Some(delivery) = &event.id
            && lane.was_seen(delivery).await?
        {
            return Ok(Taken::Repeated);
        }
        lane.ask(&[Todo::read_back(remote.record, now, fresh_token())]).await?;
        due::arm(self.table, lane.id, now).await?;
        self.bell.ring(lane.id).await?;
        if let Some(delivery) = &event.id {
            lane.mark_seen(delivery, now).await?;
        }
        Ok(Taken::Asked)
    }
}

/// The projects whose hook has this Authorization value. All are compared, each in constant time.
fn projects_of<'a>(hooks: &'a Hooks, request: &Request) -> Vec<&'a str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Vec::new() };
    let digest = Sha256::digest(value.as_bytes());
    let given: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let opens = |secret: &String| bool::from(secret.as_bytes().ct_eq(given.as_bytes()));
    let opened =
        hooks.projects.iter().filter(|(_, hook)| hook.secrets.iter().filter(|secret| opens(secret)).count() > 0);
    opened.map(|(project, _)| project.as_str()).collect()
}
