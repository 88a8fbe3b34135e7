//! The last step: the person is written, a session opens, the platform's token goes with it.
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use credentials::Secret;
use domain::ids::{OrganizationId, Provider};
use jiff::Timestamp;
use people::cookie::Cookie;
use people::sign_in::{Already, Projects};
use people::{Identity, Person};

/// Someone whom Procore vouches for.
pub struct Newcomer {
    pub identity: Identity,
    pub label: String,
    /// Whom a link let in before.
    pub by_link: Option<Person>,
    /// The session in which the sign-in began.
    pub already: Option<Already>,
    pub token: Secret,
    pub token_ends_at: Timestamp,
    pub next: String,
}

pub async fn enter(
    app: &AppState,
    newcomer: Newcomer,
    organization: &OrganizationId,
    projects: Projects,
) -> Result<Response, Refusal> {
    let Newcomer { identity, label, by_link, already, token, token_ends_at, next } = newcomer;
    let person = app.people().vouched(organization, &identity, &label, by_link, projects).await?;
    let opened = app.people().open(&person).await?;
    app.people().keep_platform_token(app.vault(), &opened.session, Provider::Procore, &token, token_ends_at).await?;
    if let Some(already) = &already {
        app.people().merge(already, &person).await?;
    }
    let cookies = [(SET_COOKIE, opened.set_cookie), (SET_COOKIE, Cookie::SignIn.clear(app.people().url()))];
    Ok((AppendHeaders(cookies), Redirect::to(people::local(&next))).into_response())
}
