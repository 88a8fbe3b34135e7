//! What stands before every operation: token, company header, rate windows, and whose project it is.

use axum::http::HeaderMap;
use jiff::Timestamp;

use super::call::{Actor, Call};
use super::directory;
use super::oauth::Owner;
use super::reply::Refusal;
use super::state::World;
use crate::faults::Shape;
use crate::limits::{Standing, Verdict};
use crate::openapi::{Operation, Place, Problem};

const MISSING_HEADER: &str = "Missing Procore-Company-Id header!\n\nEach call your application makes to the Procore API \
    must contain a request header that includes the Procore-Company-Id field. \nThis request header field specifies the \
    id of the company into which you are making the call.";
const TOO_MANY: &str =
    "You have surpassed the max number of requests for an hour. Please wait until your limit resets.";

pub(crate) enum CompanyHeader {
    Absent,
    Given(i64),
    Malformed,
}

impl CompanyHeader {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        match headers.get("procore-company-id").map(|value| value.to_str().map(str::parse)) {
            None => Self::Absent,
            Some(Ok(Ok(id))) => Self::Given(id),
            Some(_) => Self::Malformed,
        }
    }

    pub(crate) fn id(&self) -> Option<i64> {
        match self {
            Self::Given(id) => Some(*id),
            Self::Absent | Self::Malformed => None,
        }
    }
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// What a person may ask before a company is chosen.
pub(crate) fn may_go_without_company(operation: &Operation) -> bool {
    matches!(operation.id.as_str(), "showMe" | "listCompanies")
}

/// The caller behind a token, and whether the header that the call needs is there.
pub(crate) fn identify(
    world: &mut World,
    headers: &HeaderMap,
    company: &CompanyHeader,
    operation: &Operation,
    now: Timestamp,
) -> Result<(Actor, i64), Refusal> {
    let unauthorized = |message: &str| Refusal::new(401, Shape::Flat, message);
    let token = bearer(headers).and_then(|token| world.oauth.token(token));
    let token = token.ok_or_else(|| unauthorized("The access token is missing or unknown."))?;
    if token.expires_at <= now {
        return Err(unauthorized("The access token expired."));
    }
    let (client_id, owner) = (token.client_id.clone(), token.owner.clone());
    let service_account = owner == Owner::ServiceAccount;
    let optional = may_go_without_company(operation) && !service_account;
    let company_id = match company {
        CompanyHeader::Given(id) => *id,
        CompanyHeader::Absent if optional => 0,
        CompanyHeader::Absent if world.settings.missing_header_is_404 => return Err(Refusal::not_found()),
        CompanyHeader::Absent | CompanyHeader::Malformed => return Err(Refusal::new(400, Shape::Text, MISSING_HEADER)),
    };
    let login = match owner {
        Owner::ServiceAccount => None,
        Owner::Login(login) => Some(login),
    };
    let user_id = match (&login, world.companies.get(&company_id)) {
        (None, Some(company)) => Some(company.service_user),
        (None, None) => None,
        (Some(login), _) => {
            let mut known = world.people.values().filter(|person| person.login.as_ref() == Some(login));
            known.find(|person| company_id == 0 || person.is_in(company_id)).map(|person| person.id)
        }
    };
    // A company that does not exist and one that is not open to the caller look alike.
    let user_id = user_id.ok_or_else(|| Refusal::list(403, "You do not have access to this company."))?;
    Ok((Actor { user_id, login, client_id, service_account }, company_id))
}

/// Takes the call from the caller's windows.
pub(crate) fn meter(world: &mut World, actor: &Actor, company: i64, now: Timestamp) -> (Standing, Result<(), Refusal>) {
    let limits = world.settings.limits;
    match world.windows.take(&actor.client_id, company, limits, now.as_second()) {
        Verdict::Allowed(standing) => (standing, Ok(())),
        Verdict::Refused { standing, retry_after } => {
            (standing, Err(Refusal::new(429, Shape::Text, TOO_MANY).retry_after(Some(retry_after))))
        }
    }
}

/// The company must be connected, and every id in the address must belong to it.
pub(crate) fn admit(world: &World, call: &Call, tag: &str) -> Result<(), Refusal> {
    let connected = world.companies.get(&call.company_id).is_none_or(|company| company.connected);
    if !connected && call.operation_id != "listCompanies" {
        return Err(Refusal::app_not_connected());
    }
    let named = Some(call.path_id("company_id")).filter(|id| *id != 0).or_else(|| call.query_id("company_id"));
    if named.is_some_and(|named| call.company_id != 0 && named != call.company_id) {
        return Err(Refusal::list(403, "The company does not match the Procore-Company-Id header."));
    }
    let project_id = if call.operation_id == "showProject" { call.path_id("id") } else { call.project_id() };
    if project_id == 0 {
        return Ok(());
    }
    let project =
        world.projects.get(&project_id).filter(|project| call.company_id == 0 || project.company_id == call.company_id);
    let project = project.ok_or_else(Refusal::not_found)?;
    if !directory::permits(world, &call.actor, project) {
        return Err(Refusal::forbidden("You do not have access to this project."));
    }
    let tool = match tag {
        "incidents" | "incident-records" => "incidents",
        "observations" => "observations",
        "daily-log" => "daily_log",
        _ => return Ok(()),
    };
    if project.tools_off.contains(tool) {
        return Err(Refusal::forbidden("This tool is not active in the project."));
    }
    Ok(())
}

/// A breach of the document as the platform would word it.
pub(crate) fn refuse(problem: &Problem, version_two: bool) -> Refusal {
    let message = format!("{} {}", problem.name, problem.detail);
    match problem.place {
        _ if version_two => Refusal::new(400, Shape::Envelope, message).in_field(&problem.name),
        Place::Path => Refusal::not_found(),
        Place::Query | Place::Header => Refusal::new(400, Shape::Flat, message),
        Place::Body if problem.name.is_empty() => {
            Refusal::list(400, format!("param is missing or the value is empty:{message}"))
        }
        Place::Body => Refusal::field(&problem.name.replace('/', "."), problem.detail.as_str()),
    }
}
