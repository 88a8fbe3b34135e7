//! Where Procore sends a person back to: with a code if they agreed.
use crate::admission::{self, Admission};
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{choose, enter, grant};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use credentials::Secret;
use domain::ids::Provider;
use grants::{Refresher, Tokens};
use people::sign_in::{NotOurs, UnderWay};
use people::{Identity, Person};
use std::collections::BTreeMap;
use sync::clock::SystemClock;
use sync::visit::PageMeter;

pub async fn end(
    State(app): State<AppState>,
    Query(came): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let state = came.get("state").map_or("", String::as_str);
    let under_way = app.people().end_sign_in(&headers, state).await?.map_err(Refusal::NotOurs)?;
    if under_way.provider != Provider::Procore {
        return Err(Refusal::NotOurs(NotOurs::Unknown));
    }
    let code = match (came.get("error"), came.get("code")) {
        (Some(error), _) if error == "access_denied" => {
            let next = under_way.next;
            return Err(if under_way.connection.is_some() { Refusal::Kept { next } } else { Refusal::Denied { next } });
        }
        (None, Some(code)) if !code.is_empty() => Secret::new(code.as_str()),
        (Some(_), _) | (None, _) => return Err(Refusal::NotOurs(NotOurs::Unknown)),
    };
    let tokens = app.procore().exchange_code(&code, &app.redirect_uri(), app.now()).await?;
    let arrived = arrive(&app, &headers, under_way, &tokens).await;
    if arrived.as_ref().is_err_and(Refusal::keeps_nothing)
        && let Err(error) = app.procore().revoke(&tokens.access, app.now()).await
    {
        tracing::warn!(error = %error, "tokens that nobody needs were not taken back");
    }
    arrived
}

/// What becomes of someone whom Procore vouches for.
async fn arrive(
    app: &AppState,
    headers: &HeaderMap,
    under_way: UnderWay,
    tokens: &Tokens,
) -> Result<Response, Refusal> {
    let meter = PageMeter::unconnected(Provider::Procore, &SystemClock);
    let me = app.lists(&meter).me(&tokens.access).await?;
    let identity = Identity { provider: Provider::Procore, user_id: me.id };
    if let Some(connection) = &under_way.connection {
        return grant::keep(app, headers, &under_way, connection, &identity, &me.login, tokens).await;
    }
    let by_link = by_link(app, &under_way).await?;
    let admission = admission::of(app, &tokens.access, &identity, by_link.as_ref()).await?;
    let newcomer = enter::Newcomer {
        identity,
        label: me.login,
        by_link,
        already: under_way.already,
        token: tokens.access.clone(),
        token_ends_at: tokens.ends_at,
        next: under_way.next,
    };
    match admission {
        Admission::One(organization, projects) => enter::enter(app, newcomer, &organization, projects).await,
        Admission::Several(organizations) => choose::offer(app, headers, newcomer, organizations).await,
        Admission::Nowhere(why) => Err(Refusal::Nowhere(why)),
    }
}

/// Whom a link let in, in this browser, and who has no identity yet: it becomes theirs. Someone else who signs in at a browser
/// that a known person left signed in gets nothing of theirs.
async fn by_link(app: &AppState, under_way: &UnderWay) -> Result<Option<Person>, Refusal> {
    match &under_way.already {
        Some(already) => Ok(app.people().who_began(already).await?.filter(|person| person.identity.is_none())),
        None => Ok(None),
    }
}
