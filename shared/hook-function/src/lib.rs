//! What the functions share that take what a platform announces (`POST /hooks/{provider}/{connection}`, contracts 6.5): verify,
//! write a read-todo, ring, and only then mark the delivery as seen; whatever is of no use to us is acknowledged. A platform waits
//! for seconds only, and some stall all that follows after a failure.
//!
//! - [`Announcer`]: what each platform has its own way of
//! - [`Webhook`]: one delivery, from its request to its answer
use async_trait::async_trait;
use domain::ids::Provider;
use jiff::Timestamp;
use lambda_http::http::{HeaderMap, Method, StatusCode};
use lambda_http::{Body, Request, Response};
use serde_json::Value;
use store::bell::{Bell, BellError, fresh_token};
use store::directory::Directory;
use store::hooks::{Hooks, RemoteRecord, connection_of};
use store::lanes::{Lane, LaneId, Todo};
use store::{Table, TableError, due};

/// Events are small.
const LARGEST: usize = 64 * 1024;
const LONGEST_ID: usize = 100;

/// Why a delivery was not taken. The platform tries again after any of these.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("only POST is taken here")]
    Method,
    /// One answer for an unknown connection, no hook of ours, and a wrong proof: which it is, is nobody's business.
    #[error("the delivery does not prove that it is of a hook of ours")]
    Unauthorized,
    #[error("the body is longer than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Bell(#[from] BellError),
    #[error("a hook's secret could not be opened: {0}")]
    Secret(String),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Unauthorized => StatusCode::UNAUTHORIZED,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Table(_) | Refusal::Bell(_) | Refusal::Secret(_) => StatusCode::SERVICE_UNAVAILABLE,
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

/// The parts of an event that we go by. Ids are texts: they exceed what a double keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announced {
    /// Names the delivery, should it come twice.
    pub delivery: Option<String>,
    /// The record that changed, where it is of a kind that we have there.
    pub record: Option<String>,
    pub project_id: Option<String>,
    /// Who did it, where the platform says.
    pub user_id: Option<String>,
    /// How new the record was then, where the platform says.
    pub updated_at: Option<Timestamp>,
}

/// One platform's way of announcing.
#[async_trait]
pub trait Announcer: Send + Sync {
    fn provider(&self) -> Provider;

    /// The projects whose hook proves to have sent this. None: whoever sent it proves nothing.
    async fn projects(
        &self,
        lane: &LaneId,
        hooks: &Hooks,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<String>, Refusal>;

    /// `None`: not in a form that we know.
    fn read(&self, headers: &HeaderMap, body: &[u8]) -> Option<Announced>;
}

/// What such a function works with.
pub struct Webhook<'a> {
    /// The function's own name, for figures.
    pub function: &'static str,
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
    pub announcer: &'a dyn Announcer,
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
        let projects = self.announcer.projects(&id, &hooks, request.headers(), body).await?;
        if projects.is_empty() {
            return Err(Refusal::Unauthorized);
        }
        // Whoever proves to be the platform may say it in a new form: that is not worth stalling all other events for.
        let taken = match self.announcer.read(request.headers(), body) {
            Some(event) => self.note(&lane, &hooks, &projects, event, now).await?,
            None => Taken::Unknown,
        };
        tracing::info!(organization_id = %id.organization_id, connection_id = %id.connection_id, taken = ?taken, "delivery taken");
        runtime::metrics::Metrics::new(self.function)
            .count("DeliveriesTaken", 1)
            .count("ReadsAsked", usize::from(taken == Taken::Asked))
            .emit();
        Ok(taken)
    }

    /// The connection that the address names.
    async fn lane(&self, request: &Request) -> Result<Option<LaneId>, TableError> {
        let provider = self.announcer.provider();
        let prefix = format!("/hooks/{}/", provider.as_str());
        let key = request.uri().path().rsplit_once(&prefix).map(|(_, key)| key).unwrap_or_default();
        let Some(connection_id) = connection_of(key) else { return Ok(None) };
        let Some(organization_id) = Directory(self.table).connection_owner(&connection_id).await? else {
            return Ok(None);
        };
        Ok(Some(LaneId { organization_id, connection_id, provider }))
    }

    async fn note(
        &self,
        lane: &Lane<'_>,
        hooks: &Hooks,
        projects: &[String],
        event: Announced,
        now: Timestamp,
    ) -> Result<Taken, Refusal> {
        if event.user_id.is_some() && event.user_id == hooks.own_user {
            return Ok(Taken::Own);
        }
        let Some(record) = &event.record else { return Ok(Taken::Unknown) };
        let Some(remote) = lane.remote_of_any_kind(record).await? else { return Ok(Taken::Unknown) };
        // A hook speaks for its own project only.
        let told = event.project_id.as_deref().unwrap_or(&remote.project_id);
        if told != remote.project_id || !projects.iter().any(|project| project == told) {
            return Ok(Taken::Unknown);
        }
        if event.user_id.is_none() && self.is_our_answer(lane, &remote, event.updated_at).await? {
            return Ok(Taken::Own);
        }
        if let Some(delivery) = &event.delivery
            && lane.was_seen(delivery).await?
        {
            return Ok(Taken::Repeated);
        }
        lane.ask(&[Todo::read_back(remote.record, now, fresh_token())]).await?;
        due::arm(self.table, lane.id, now).await?;
        self.bell.ring(lane.id).await?;
        if let Some(delivery) = &event.delivery {
            lane.mark_seen(delivery, now).await?;
        }
        Ok(Taken::Asked)
    }

    /// Where no event names its actor: nothing newer than what the platform answered us last. A person's change at the very same
    /// moment is found by the timed re-read.
    async fn is_our_answer(
        &self,
        lane: &Lane<'_>,
        remote: &RemoteRecord,
        updated_at: Option<Timestamp>,
    ) -> Result<bool, TableError> {
        let Some(updated_at) = updated_at else { return Ok(false) };
        let link = lane.link(&remote.record).await?;
        Ok(link.and_then(|link| link.answered_at).is_some_and(|answered| updated_at <= answered))
    }
}

/// An id in an event: a text of a sensible length, or a number.
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= LONGEST_ID => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
