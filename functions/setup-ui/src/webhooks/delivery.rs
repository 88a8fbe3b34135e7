//! One message whole: what was sent, and each attempt with the receiver's answer.
use super::endpoint::sentence;
use super::{log, path, visible};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::extract::{Path, State};
use maud::{Markup, html};
use people::Visitor;
use serde_json::Value;
use store::messages::{Delivery, Message, MessageLane};
use webhook::Composer;

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((endpoint, delivery)): Path<(String, String)>,
) -> Result<Page, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    let lane_id = endpoint.lane();
    let lane = MessageLane { table: app.table(), id: &lane_id };
    let message = lane.message(&delivery).await?.ok_or_else(Refusal::not_found)?;
    if message.site_id.as_ref().is_some_and(|site| !sites.sees(site)) {
        return Err(Refusal::not_found());
    }
    let row = lane.deliveries_of([message.sequence]).await?.remove(&message.sequence);
    let row = row.unwrap_or_else(|| Delivery::of(&message));
    // What became a privacy case since says here no more than anywhere else.
    let composer = Composer::new(app.table(), app.people().url().as_str());
    let private = match &message.content {
        Some(content) => composer.is_private(&endpoint.organization_id, content).await?,
        None => false,
    };
    let title = format!("Message {} to {}", message.sequence, endpoint.name);
    let body = html! {
        p { a href={ (path(&endpoint)) "#log" } { (endpoint.name) } }
        h1 { (title) }
        p { (log::words(row.message_type)) " " (log::tag(row.state)) }
        p.dim { "Made " (sites.clock(row.created_at)) ", " code { (row.message_id) } }
        h2 { "What is sent" }
        @if private {
            p { "It became part of a privacy case since it was made, so that its content is not shown. What is sent from now on names neither \
                 role nor trade." }
        } @else { (request(&message)) }
        h2 { "Attempts" }
        @if row.attempts.is_empty() { p { "None yet." } }
        ol.cards {
            @for (at, attempt) in row.attempts.iter().enumerate() { li {
                p {
                    (sites.clock(attempt.at)) ": "
                    @match attempt.status_code { Some(status) => { "answered " (status) }, None => "not answered" }
                    " after " (attempt.duration_ms) " ms."
                    @if let Some(error) = &attempt.error { " " (sentence(error)) }
                }
                // A receiver may repeat what it was sent.
                @if let Some(excerpt) = attempt.response_excerpt.as_ref().filter(|text| !private && !text.is_empty()) {
                    pre tabindex="0" role="region" aria-label={ "Answer to attempt " (at + 1) } { (excerpt) }
                }
            } }
        }
    };
    Ok(Page::new(title, body))
}

fn request(message: &Message) -> Markup {
    let body = serde_json::from_str::<Value>(&message.body).and_then(|body| serde_json::to_string_pretty(&body));
    html! {
        p { "POST with " code { "Content-Type: " (message.format.content_type()) } ", " code { "webhook-id: " (message.id) } ", "
            code { "webhook-timestamp" } ", " code { "webhook-signature" } " and, where a token was entered, " code { "Authorization" } "." }
        pre tabindex="0" role="region" aria-label="What is sent" { (body.as_deref().unwrap_or(&message.body)) }
    }
}
