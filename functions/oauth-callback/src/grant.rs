//! A manager lets a connection work with their own consent, where their company does not want a service account; or again, after
//! the consent ended. The session stays the one that asked.
use crate::refusal::{Nowhere, Refusal};
use crate::state::AppState;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{ConnectionId, Provider};
use grants::{Grants, Refresher, Tokens};
use people::sign_in::{NotOurs, UnderWay};
use people::{Identity, Role, Visitor};
use store::again;
use store::directory::Connection;
use sync::clock::SystemClock;
use sync::visit::PageMeter;

/// A consent begins on a page of ours: a link from elsewhere puts no connection under anybody's access.
pub fn require_ours(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none") {
        true => Ok(()),
        false => Err(Refusal::Elsewhere),
    }
}

/// A connection of the visitor's organization to this platform; only managers who see all of its projects let it work with anything.
pub async fn connection(
    app: &AppState,
    visitor: &Visitor,
    id: &str,
    provider: Provider,
) -> Result<Connection, Refusal> {
    let id: ConnectionId = id.parse().map_err(|_| Refusal::NotHere)?;
    let found = app.directory().connection(&visitor.session.organization_id, &id).await?;
    let found = found.filter(|found| found.provider == provider).ok_or(Refusal::NotHere)?;
    if visitor.session.role < Role::Manager {
        return Err(Refusal::NotAManager);
    }
    let mapped = app.directory().projects(&found.lane()).await?;
    match mapped.iter().all(|project| visitor.sees_project(&found.id, &project.project_id)) {
        true => Ok(found),
        false => Err(Refusal::SeesSome),
    }
}

pub async fn keep(
    app: &AppState,
    headers: &HeaderMap,
    under_way: &UnderWay,
    id: &ConnectionId,
    identity: &Identity,
    label: &str,
    tokens: &Tokens,
) -> Result<Response, Refusal> {
    let visitor = app.people().visitor(headers).await?;
    let began = |visitor: &Visitor| under_way.already.as_ref().is_some_and(|began| began.session == visitor.session.id);
    let visitor = visitor.filter(began).ok_or(Refusal::NotOurs(NotOurs::OtherBrowser))?;
    let connection = connection(app, &visitor, id.as_str(), Provider::Procore).await?;
    let lane = connection.lane();
    let meter = PageMeter::open(app.people().table(), &lane, &SystemClock).await?;
    let companies = app.lists(&meter).companies(&tokens.access).await;
    meter.close().await?;
    if !companies?.iter().any(|company| company.active && company.id == connection.account) {
        return Err(Refusal::Nowhere(Nowhere::NotThisCompany));
    }
    kept(app, &visitor, &connection, (&identity.user_id, label), tokens, app.procore()).await?;
    Ok(Redirect::to(people::local(&under_way.next)).into_response())
}

/// Whose consent it is, by their id and login at the platform.
pub async fn kept(
    app: &AppState,
    visitor: &Visitor,
    connection: &Connection,
    (user_id, label): (&str, &str),
    tokens: &Tokens,
    platform: &dyn Refresher,
) -> Result<(), Refusal> {
    let lane = connection.lane();
    app.grants().keep(&lane, user_id, label, tokens, app.now()).await?;
    // A connection that was removed meanwhile works with nobody's consent: whoever clears up behind it may be done by now.
    if app.directory().connection(&lane.organization_id, &lane.connection_id).await?.is_none() {
        if let Err(error) = app.grants().revoke(&lane, platform, app.now()).await {
            tracing::warn!(organization_id = %lane.organization_id, connection_id = %lane.connection_id, error = %error, "a grant that nobody needs was not taken back");
            // Whoever clears up behind it, and is not done, asks again for a day.
            if app.directory().removal(&lane).await?.is_none() {
                app.grants().drop_kept(&lane).await?;
            }
        }
        return Err(Refusal::NotHere);
    }
    app.people()
        .keep_platform_token(app.vault(), &visitor.session, connection.provider, &tokens.access, tokens.ends_at)
        .await?;
    Ok(again::connection(app.people().table(), app.bell(), connection, app.now()).await?)
}
