//! Connections: one organization's link to one platform account. A service-account connection claims a company, so only the
//! operator makes one here; people will sign in at the platform instead.
use crate::auth::{Caller, Scope};
use crate::cursor::{Page, Paging};
use crate::idempotency::FreshId;
use crate::json_body::JsonBody;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::fields::{Checks, Members};
use domain::ids::{ConnectionId, OrganizationId, Provider};
use domain::record::{Mender, RecordKind};
use domain::settings::check::platform_id;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::TableError;
use store::directory::Connection;
use store::lanes::Link;
use store::removal;
use store::table::instant;

#[derive(Serialize)]
pub struct View {
    id: ConnectionId,
    organization_id: OrganizationId,
    provider: Provider,
    company_id: String,
    state: &'static str,
    reason: Option<String>,
    who: Option<Mender>,
    what_to_do: Option<String>,
    created_at: Timestamp,
}

impl From<Connection> for View {
    fn from(connection: Connection) -> Self {
        let Connection {
            id,
            organization_id,
            provider,
            account,
            blocked,
            created_at,
            version: _,
            name: _,
            region: _,
            made_by: _,
        } = connection;
        let state = if blocked.is_some() { "blocked" } else { "active" };
        let (reason, who, what_to_do) = match blocked {
            Some(blocked) => (Some(blocked.reason), Some(blocked.who), Some(blocked.what_to_do)),
            None => (None, None, None),
        };
        Self { id, organization_id, provider, company_id: account, state, reason, who, what_to_do, created_at }
    }
}

pub async fn create(
    State(app): State<AppState>,
    caller: Caller,
    seed: FreshId,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.operator_only()?;
    let body = body.value()?;
    let mut checks = Checks::default();
    let wanted = wanted(&app, &body, &mut checks).await?;
    checks.done()?;
    let Some((organization_id, account)) = wanted else {
        return Err(Problem::internal("a connection", &"checks passed without values"));
    };
    let mut connection = Connection::new(organization_id, Provider::Procore, account, app.now());
    connection.made_by = Some(seed.0.to_string());
    let lane = connection.lane();
    if app.directory().removal(&lane).await?.is_some() {
        return Err(Problem::conflict(
            "This connection was removed a moment ago and is still being cleared up: repeat the request in a minute.",
        ));
    }
    match app.directory().put_connection(&mut connection).await {
        Err(TableError::Condition(Some(standing))) => {
            let standing: Connection = store::table::read("a connection", standing)?;
            app.directory().point_to_connection(&standing).await?;
            // The same request made it, and its answer was lost.
            if standing.made_by == connection.made_by {
                return Ok(etag::tagged(StatusCode::CREATED, standing.version, View::from(standing)));
            }
            Err(Problem::conflict(format!("The organization has this company already: connection {}.", standing.id)))
        }
        outcome => {
            outcome?;
            tracing::info!(organization_id = %connection.organization_id, connection_id = %connection.id, "a connection was made");
            Ok(etag::tagged(StatusCode::CREATED, connection.version, View::from(connection)))
        }
    }
}

/// The organization and the company that the body names; everything wrong goes to `checks`.
async fn wanted(
    app: &AppState,
    body: &Value,
    checks: &mut Checks,
) -> Result<Option<(OrganizationId, String)>, Problem> {
    let Some(provider) = provider(body, checks) else { return Ok(None) };
    let known: &[&str] = match provider {
        Provider::Procore => &["organization_id", "provider", "company_id"],
        Provider::Acc | Provider::Webhook => {
            &["organization_id", "provider", "account_id", "region", "service_account"]
        }
    };
    let Some(members) = Members::of(body, "", known, checks) else { return Ok(None) };
    let organization = organization(app, &members, checks).await?;
    match provider {
        Provider::Procore => {
            let company = members.required("company_id", checks).and_then(platform_id);
            if members.given("company_id").is_some() && company.is_none() {
                checks.fail(
                    members.pointer("company_id"),
                    "must be the company's id at Procore: a whole number, or its digits as text",
                );
            }
            Ok(organization.zip(company))
        }
        Provider::Acc | Provider::Webhook => {
            checks.fail(members.pointer("provider"), "`acc` is not available yet; `procore` is");
            Ok(None)
        }
    }
}

fn provider(body: &Value, checks: &mut Checks) -> Option<Provider> {
    let Some(map) = body.as_object() else {
        checks.fail("", "must be an object");
        return None;
    };
    match map.get("provider").and_then(Value::as_str) {
        Some("procore") => Some(Provider::Procore),
        Some("acc") => Some(Provider::Acc),
        _ => {
            checks.fail("/provider", "is required and must be `procore`");
            None
        }
    }
}

async fn organization(
    app: &AppState,
    members: &Members<'_>,
    checks: &mut Checks,
) -> Result<Option<OrganizationId>, Problem> {
    let Some(text) = members.required_text("organization_id", checks) else { return Ok(None) };
    let found = match text.parse::<OrganizationId>() {
        Ok(id) => app.directory().organization(&id).await?,
        Err(_) => None,
    };
    if found.is_none() {
        checks.fail(members.pointer("organization_id"), "no such organization");
    }
    Ok(found.map(|organization| organization.id))
}

pub async fn list(State(app): State<AppState>, caller: Caller, params: Params) -> Result<Json<Page<View>>, Problem> {
    caller.require(Scope::Read)?;
    params.only(&["organization_id", "limit", "cursor"])?;
    let organization = visible::listed_organization(&app, &caller, &params).await?;
    let paging = Paging::of(&params, format!("{organization}/connections"))?;
    let mut connections = app.directory().connections(&organization).await?;
    let position = |connection: &Connection| format!("{} {}", instant(connection.created_at), connection.id);
    connections.sort_by_key(position);
    Ok(Json(paging.slice(connections, position, View::from)))
}

pub async fn get(
    State(app): State<AppState>,
    caller: Caller,
    Path(connection): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    Ok(etag::current(&headers, connection.version, View::from(connection)))
}

/// What is told of a removed connection: the records that stay at the platform.
#[derive(Serialize)]
pub struct Removed {
    #[serde(flatten)]
    connection: View,
    /// The newest are named, as far as there is room.
    stays: Vec<Stays>,
    stays_total: usize,
    /// More stay than were counted.
    stays_more: bool,
    erased: &'static str,
}

#[derive(Serialize)]
struct Stays {
    kind: RecordKind,
    id: String,
    marker: String,
    remote_id: String,
    remote_url: Option<String>,
}

impl Stays {
    fn of(link: Link) -> Option<Self> {
        let (kind, id) = (link.record.kind, link.record.fact_id);
        Some(Self { kind, id, marker: link.marker, remote_id: link.remote_id?, remote_url: link.remote_url })
    }
}

const NAMED: usize = 500;
const ERASED: &str = "What came from the platform (injuries, treatment, status, and values that people edited there) is erased here, but \
    for a hash per field, by which their edits are known should you connect again. Our hooks there are removed, and a person's \
    consent is taken back.";

/// Removes a connection: it is gone at once, and its lane clears up behind it.
pub async fn remove(
    State(app): State<AppState>,
    caller: Caller,
    Path(connection): Path<String>,
) -> Result<Json<Removed>, Problem> {
    caller.require(Scope::ConnectionsWrite)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    let stays = removal::remove(app.table(), app.bell(), &connection, app.now()).await?;
    let (stays_total, stays_more) = (stays.records.len(), stays.more);
    let stays = stays.records.into_iter().take(NAMED).filter_map(Stays::of).collect();
    let view = View { state: "removed", ..View::from(connection) };
    Ok(Json(Removed { connection: view, stays, stays_total, stays_more, erased: ERASED }))
}
