//! A site's facts: lists that serve as change feeds, and one by id. What a page reads stands in [`feed`], what is shown of a
//! fact in [`view`].
mod feed;
pub mod view;

use crate::auth::{Caller, Scope};
use crate::cursor::Paging;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, treatment, visible};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::fact::{Fact, FactKind};
use feed::Filter;
use store::directory::Site;
use store::facts::SiteFacts;
use view::Viewer;

/// No fact has a longer id, and a table key has its limit.
const LONGEST_ID: usize = 128;

/// A kind's list and the facts in it, as two handlers.
macro_rules! handlers {
    ($($kind:ident $name:literal => $list:ident, $get:ident;)*) => {$(
        pub async fn $list(
            State(app): State<AppState>,
            caller: Caller,
            Path(site): Path<String>,
            params: Params,
            headers: HeaderMap,
        ) -> Result<Response, Problem> {
            list(&app, &caller, (FactKind::$kind, $name), &site, &params, &headers).await
        }

        pub async fn $get(
            State(app): State<AppState>,
            caller: Caller,
            Path((site, id)): Path<(String, String)>,
            headers: HeaderMap,
        ) -> Result<Response, Problem> {
            get(&app, &caller, FactKind::$kind, &site, &id, &headers).await
        }
    )*};
}

handlers! {
    Detection "detections" => detections, detection;
    Incident "incidents" => incidents, incident;
    Zone "zones" => zones, zone;
    Worker "workers" => workers, worker;
    PpeSample "ppe-samples" => ppe_samples, ppe_sample;
}

fn of<'a>(app: &'a AppState, site: &'a Site) -> SiteFacts<'a> {
    SiteFacts { table: app.table(), organization_id: &site.organization_id, site_id: &site.id }
}

async fn list(
    app: &AppState,
    caller: &Caller,
    (kind, name): (FactKind, &str),
    site: &str,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(app, caller, site).await?;
    params.only(Filter::known(kind))?;
    let filter = Filter::of(kind, params)?;
    let paging = Paging::of(params, format!("{}/{}/{name}", site.organization_id, site.id))?;
    let page = feed::page(&of(app, &site), &filter, &paging).await?;
    let data = Viewer { table: app.table(), site: &site }.show(page.facts).await?;
    etag::current_content(headers, &paging.page(data, &page.end, page.has_more))
}

/// A fact by its id, whatever the caller calls an id.
pub async fn find(app: &AppState, site: &Site, kind: FactKind, id: &str) -> Result<Option<Fact>, Problem> {
    match id.len() > LONGEST_ID {
        true => Ok(None),
        false => Ok(of(app, site).get(kind, id).await?),
    }
}

async fn get(
    app: &AppState,
    caller: &Caller,
    kind: FactKind,
    site: &str,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let site = visible::site(app, caller, site).await?;
    let missing = || Problem::not_found("fact at this site");
    let fact = find(app, &site, kind, id).await?.ok_or_else(missing)?;
    if kind == FactKind::Incident {
        return etag::current_content(headers, &treatment::show(app, &site, fact).await?);
    }
    let shown = Viewer { table: app.table(), site: &site }.show(vec![fact]).await?.pop().ok_or_else(missing)?;
    etag::current_content(headers, &shown)
}
