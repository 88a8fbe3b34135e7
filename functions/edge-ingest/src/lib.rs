//! Takes what edges send (`POST /v1/edge/events`): verifies the signature, validates each event, keeps refused ones aside and
//! packs good ones into few messages on the site queue. A 202 says that all of it is in safe hands.
//!
//! - [`request`]: what is looked at before anything is known about the sender; [`auth`]: which edge signed
//! - [`parse`]: from body to events and refusals; [`pack`]: events to messages; [`aside`]: refused ones to S3
//! - [`queue`]: the site queue; [`answer`]: what the edge is told
pub mod answer;
pub mod aside;
pub mod auth;
pub mod pack;
pub mod parse;
pub mod queue;
pub mod request;

use answer::Problem;
use aside::Aside;
use auth::{Edges, Sender};
use domain::message::Origin;
use domain::signature::Verified;
use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use parse::Sorted;
use queue::{QueueError, SiteQueue};
use runtime::metrics::Metrics;

/// What this function works with.
pub struct Ingest<E, Q, A> {
    pub edges: E,
    pub queue: Q,
    pub aside: A,
}

/// The answer, and the figures of a request that was taken.
pub struct Handled {
    pub response: Response<Body>,
    pub metrics: Option<Metrics>,
}

impl<E: Edges, Q: SiteQueue, A: Aside> Ingest<E, Q, A> {
    /// Handles one request, which came in at `now`.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Handled {
        let request_id = request::id(request);
        match self.take(request, now).await {
            Ok((sender, sorted)) => {
                Handled { response: answer::taken(&sorted, &request_id), metrics: Some(figures(&sender, &sorted)) }
            }
            Err(problem) => {
                tracing::warn!(request_id, status = problem.status(), reason = %problem, "request refused");
                Handled { response: problem.response(&request_id), metrics: None }
            }
        }
    }

    async fn take(&self, request: &Request, now: Timestamp) -> Result<(Sender, Sorted), Problem> {
        let incoming = request::read(request)?;
        let (sender, verified) = auth::authenticate(&self.edges, &incoming, now).await?;
        let sorted = parse::sort(incoming.body, incoming.shape, &sender)?;
        let origin = origin(&sender, &verified, incoming.body);
        if !sorted.refused.is_empty() {
            self.aside.put(&sorted.record(&sender, &origin, now)).await?;
        }
        let messages = pack::pack(&sender, &origin, &sorted.accepted, now).map_err(QueueError::from)?;
        queue::send_all(&self.queue, &messages).await?;
        tracing::info!(
            organization_id = %sender.organization_id,
            site_id = %sender.site_id,
            edge_id = %sender.edge_id,
            webhook_id = verified.id,
            accepted = sorted.accepted.len(),
            rejected = sorted.refused.len(),
            messages = messages.len(),
            "events taken"
        );
        Ok((sender, sorted))
    }
}

fn origin(sender: &Sender, verified: &Verified, body: &[u8]) -> Origin {
    Origin {
        edge_id: sender.edge_id.clone(),
        webhook_id: verified.id.clone(),
        webhook_timestamp: verified.timestamp,
        signature: verified.signature.clone(),
        body_sha256: request::sha256(body),
    }
}

fn figures(sender: &Sender, sorted: &Sorted) -> Metrics {
    Metrics::new("edge-ingest")
        .count("EventsAccepted", sorted.accepted.len())
        .count("EventsRejected", sorted.refused.len())
        .property("organization_id", sender.organization_id.as_str())
        .property("site_id", sender.site_id.as_str())
        .property("edge_id", sender.edge_id.as_str())
}
