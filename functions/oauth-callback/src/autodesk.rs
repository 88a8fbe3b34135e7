//! Who is signed in here lets this session see the accounts and projects that they belong to at Autodesk: what they choose from when
//! they connect one. It makes nobody somebody here, and opens nothing but those lists. With `connection=…` a manager lets that
//! connection work with their access, where their account wants no service account.
use crate::refusal::{Nowhere, Refusal};
use crate::routes::AUTODESK_START;
use crate::state::AppState;
use crate::{grant, start};
use acc::lists::{As, ListError, Lists};
use acc::personal::{Consent, Profile};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use credentials::Secret;
use domain::ids::{ConnectionId, Provider};
use grants::Tokens;
use people::Visitor;
use people::sign_in::NotOurs;
use std::collections::BTreeMap;
use sync::clock::SystemClock;
use sync::visit::PageMeter;

pub async fn begin(
    State(app): State<AppState>,
    visitor: Option<Visitor>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let next = asked.get("next").map_or("", String::as_str);
    if people::is_framed(&headers) {
        return Ok(Redirect::to(&start::in_a_tab(AUTODESK_START, &asked)).into_response());
    }
    let Some(visitor) = visitor else { return Ok(Redirect::to(&people::sign_in_path(next)).into_response()) };
    let connection = match asked.get("connection") {
        Some(id) => {
            grant::require_ours(&headers)?;
            Some(grant::connection(&app, &visitor, id, Provider::Acc).await?.id)
        }
        None => None,
    };
    let to = if connection.is_some() { Consent::Work } else { Consent::Look };
    let begun = app.people().begin_sign_in(&headers, Provider::Acc, next, Some(&visitor), connection).await?;
    let url = app.acc().consent_url(&app.autodesk_redirect_uri(), &begun.state, to).await.map_err(Refusal::Autodesk)?;
    Ok(([(SET_COOKIE, begun.set_cookie)], Redirect::to(&url)).into_response())
}

pub async fn end(
    State(app): State<AppState>,
    visitor: Option<Visitor>,
    Query(came): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let state = came.get("state").map_or("", String::as_str);
    let under_way = app.people().end_sign_in(&headers, state).await?.map_err(Refusal::NotOurs)?;
    let next = people::local(&under_way.next).to_owned();
    let began = |visitor: &Visitor| under_way.already.as_ref().is_some_and(|began| began.session == visitor.session.id);
    let visitor = visitor.filter(began).filter(|_| under_way.provider == Provider::Acc);
    let visitor = visitor.ok_or(Refusal::NotOurs(NotOurs::OtherBrowser))?;
    let code = match (came.get("error"), came.get("code")) {
        (Some(error), _) if error == "access_denied" && under_way.connection.is_some() => {
            return Err(Refusal::KeptAtAutodesk { next });
        }
        (Some(error), _) if error == "access_denied" => return Err(Refusal::NotListed { next }),
        (None, Some(code)) if !code.is_empty() => Secret::new(code.as_str()),
        (Some(_), _) | (None, _) => return Err(Refusal::NotOurs(NotOurs::Unknown)),
    };
    let tokens = app.acc().exchange_code(&code, &app.autodesk_redirect_uri(), app.now()).await;
    let tokens = tokens.map_err(Refusal::Autodesk)?;
    let arrived = match &under_way.connection {
        Some(connection) => consent(&app, &visitor, connection, &tokens).await,
        None => look(&app, &visitor, &tokens).await,
    };
    if arrived.as_ref().is_err_and(Refusal::keeps_nothing) {
        take_back(&app, &tokens).await;
    }
    arrived?;
    Ok(Redirect::to(&next).into_response())
}

/// Tokens that nobody needs. Autodesk takes back one at a time.
async fn take_back(app: &AppState, tokens: &Tokens) {
    let refresh = tokens.refresh.as_ref().map(|token| (token, "refresh_token"));
    for (token, kind) in [(&tokens.access, "access_token")].into_iter().chain(refresh) {
        if let Err(error) = app.acc().take_back(token, kind, app.now()).await {
            tracing::warn!(error = %error, kind, "a token that nobody needs was not taken back");
        }
    }
}

/// For this session.
async fn look(app: &AppState, visitor: &Visitor, tokens: &Tokens) -> Result<(), Refusal> {
    app.people()
        .keep_platform_token(app.vault(), &visitor.session, Provider::Acc, &tokens.access, tokens.ends_at)
        .await?;
    note_projects(app, visitor, As::Person(&tokens.access)).await
}

/// For a connection, from now on, if the account is theirs to work in.
async fn consent(app: &AppState, visitor: &Visitor, id: &ConnectionId, tokens: &Tokens) -> Result<(), Refusal> {
    let connection = grant::connection(app, visitor, id.as_str(), Provider::Acc).await?;
    let meter = PageMeter::unconnected(Provider::Acc, &SystemClock);
    let accounts = Lists { acc: app.acc(), meter: &meter }.accounts(As::Person(&tokens.access)).await;
    let accounts = accounts.map_err(Refusal::AutodeskLists)?;
    if !accounts.iter().any(|account| account.id == connection.account) {
        return Err(Refusal::Nowhere(Nowhere::NotThisAccount));
    }
    let Profile { id, label } = app.acc().profile(&tokens.access, app.now()).await.map_err(Refusal::Autodesk)?;
    grant::kept(app, visitor, &connection, (&id, &label), tokens, app.acc()).await?;
    note_projects(app, visitor, As::Person(&tokens.access)).await
}

/// The mapped projects that they are a member of are theirs to see here, too.
async fn note_projects(app: &AppState, visitor: &Visitor, person: As<'_>) -> Result<(), Refusal> {
    let meter = PageMeter::unconnected(Provider::Acc, &SystemClock);
    let lists = Lists { acc: app.acc(), meter: &meter };
    for connection in app.directory().connections(&visitor.session.organization_id).await? {
        let Some(region) = connection.region.filter(|_| connection.provider == Provider::Acc) else { continue };
        let theirs = match lists.projects(&connection.account, region, person).await {
            Ok(projects) => projects,
            // Not a member of this account.
            Err(ListError::Refused(_) | ListError::SignInAgain) => Vec::new(),
            // They are signed in all the same; what was known of this account stands until the next time.
            Err(_) => {
                let organization = &connection.organization_id;
                tracing::warn!(organization_id = %organization, connection_id = %connection.id, "Autodesk did not list a person's projects");
                continue;
            }
        };
        let mapped = app.directory().projects(&connection.lane()).await?.into_iter().map(|project| project.project_id);
        let theirs = mapped.filter(|id| theirs.iter().any(|listed| listed.id == *id)).collect();
        app.people().list_projects(visitor, &connection.id, theirs).await?;
    }
    Ok(())
}
