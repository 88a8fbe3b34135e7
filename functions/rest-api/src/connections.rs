//! Connections: one organization's link to one platform account. A service-account connection claims a company, so only the
//! operator makes one here; people sign in at the platform and choose theirs on the set-up pages.
//!
//! - [`wanted`]: what a body asks to connect; [`view`]: a connection as it is shown
pub mod view;
mod wanted;

use crate::auth::{Caller, Scope};
use crate::cursor::Paging;
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use acc::own_account::OwnAccount;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::fields::Checks;
use domain::ids::Provider;
use grants::service_accounts;
use store::TableError;
use store::directory::Connection;
use store::lanes::Lane;
use store::removal;
use store::table::instant;
use view::{Removed, Stays, View};
use wanted::{Account, Wanted, WorksAs};

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    seed: FreshId,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.operator_only()?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let wanted = wanted::read(&app, &body, &mut checks).await?;
    checks.done()?;
    let Some(Wanted { organization_id, account }) = wanted else {
        return Err(Problem::internal("a connection", &"checks passed without values"));
    };
    let mut connection = Connection::new(organization_id, account.provider(), account.id(), app.now());
    connection.made_by = Some(seed.0.to_string());
    let lane = connection.lane();
    if app.directory().removal(&lane).await?.is_some() {
        return Err(Problem::conflict(
            "This connection was removed a moment ago and is still being cleared up: repeat the request in a minute.",
        ));
    }
    let invited = match account {
        Account::Procore { .. } => None,
        Account::Acc { region, as_, .. } => {
            connection.region = Some(region);
            match as_ {
                WorksAs::Shared { email } => Some(email),
                WorksAs::Own(OwnAccount { id, key_id, private_key }) => {
                    let sealed = service_accounts::seal(app.vault(), &lane, id, key_id, &private_key).await?;
                    connection.service_account = Some(sealed);
                    None
                }
            }
        }
    };
    match app.directory().put_connection(&mut connection).await {
        Err(TableError::Condition(Some(standing))) => {
            let standing: Connection = store::table::read("a connection", standing)?;
            app.directory().point_to_connection(&standing).await?;
            // The same request made it, and its answer was lost.
            if standing.made_by == connection.made_by {
                return Ok(etag::tagged(StatusCode::CREATED, standing.version, View::from(standing).inviting(invited)));
            }
            let what = if standing.provider == Provider::Procore { "company" } else { "account" };
            Err(Problem::conflict(format!("The organization has this {what} already: connection {}.", standing.id)))
        }
        outcome => {
            outcome?;
            tracing::info!(organization_id = %connection.organization_id, connection_id = %connection.id, "a connection was made");
            Ok(etag::tagged(StatusCode::CREATED, connection.version, View::from(connection).inviting(invited)))
        }
    }
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    params.only(&["organization_id", "limit", "cursor"])?;
    let organization = visible::listed_organization(&app, &caller, &params).await?;
    let paging = Paging::of(&params, format!("{organization}/connections"))?;
    let mut connections = app.directory().connections(&organization).await?;
    let position = |connection: &Connection| format!("{} {}", instant(connection.created_at), connection.id);
    connections.sort_by_key(position);
    etag::current_content(&headers, &paging.slice(connections, position, View::from))
}

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path(connection): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let hooks = Lane { table: app.table(), id: &connection.lane() }.hooks().await?;
    etag::current_content(&headers, &View::from(connection).hooked(hooks))
}

const NAMED: usize = 500;
const ERASED: &str = "What came from the platform (injuries, treatment, status, and values that people edited there) is erased here, but \
    for a hash per field, by which their edits are known should you connect again. Our hooks there are removed, and a person's \
    consent is taken back.";

/// Removes a connection: it is gone at once, and its lane clears up behind it. It takes all its sites away, also those that it
/// showed formerly, so a key of some of them may not.
pub async fn remove(
    State(app): State<AppState>,
    caller: Caller,
    Path(connection): Path<String>,
) -> Result<Json<Removed>, Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let sites = removal::sites(app.table(), &connection.lane()).await?;
    if !sites.iter().all(|site| caller.sees_site(site)) {
        return Err(Problem::forbidden(
            "The connection also serves sites that the key is not for: use a key that is for all of its sites.",
        ));
    }
    let stays = removal::remove(app.table(), app.bell(), &connection, app.now()).await?;
    let (stays_total, stays_more) = (stays.records.len(), stays.more);
    let stays = stays.records.into_iter().take(NAMED).filter_map(Stays::of).collect();
    let mut view = View::from(connection);
    view.state = "removed";
    Ok(Json(Removed { connection: view, stays, stays_total, stays_more, erased: ERASED }))
}
