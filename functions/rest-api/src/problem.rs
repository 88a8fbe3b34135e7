//! Refusals as `application/problem+json` (RFC 9457). A refusal says where and what, never the refused value: it may be a
//! secret that was pasted into the wrong place. What the log gets and what the caller reads are kept apart.
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use credentials::{ParameterError, VaultError};
use people::PeopleError;
use serde::Serialize;
use store::TableError;
use store::outbox::OutboxError;
use webhook::endpoints::EndpointError;

pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

tokio::task_local! {
    /// The id of the request under way, which every refusal names.
    pub static REQUEST_ID: String;
}

/// Where in the request, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldError {
    #[serde(flatten)]
    pub place: Place,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A JSON pointer into the body.
    Pointer(String),
    /// A parameter of the path or the query, or a header.
    Parameter(String),
}

/// A refusal on its way out.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// One body for no key, a wrong key, an expired and a revoked one: which it is, is nobody's business.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Send a valid key as `Authorization: Bearer hhp_…`.")
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hardhat-pulse\""))
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// Also for what belongs to another organization.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("There is no such {what}."))
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "Some values are not valid; `errors` names each.";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    pub fn invalid_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { place: Place::Parameter(name.to_owned()), detail: detail.into() }])
    }

    pub fn stale() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "It changed since you read it: read it again and repeat your change.",
        )
    }

    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not available at the moment; nothing was lost. Repeat the request.")
            .with_header(RETRY_AFTER, HeaderValue::from_static("2"))
    }

    /// Our fault: the log says what, the caller reads the request id.
    pub fn internal(what: &'static str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(what, error = %error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "An error on our side; it is logged under the request id.")
    }
}

impl From<Vec<domain::validate::FieldError>> for Problem {
    fn from(errors: Vec<domain::validate::FieldError>) -> Self {
        let placed = |error: domain::validate::FieldError| FieldError {
            place: Place::Pointer(error.pointer),
            detail: error.detail,
        };
        Self::invalid(errors.into_iter().map(placed).collect())
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Condition(_) => {
                Self::conflict("Something else changed it at the same moment: read it again and repeat your change.")
            }
            TableError::Unavailable(why) => {
                tracing::error!(error = %why, "the table did not answer");
                Self::unavailable()
            }
            TableError::Malformed { .. } => Self::internal("the table", &error),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unavailable { .. } => {
                tracing::error!(error = %error, "the key service did not answer");
                Self::unavailable()
            }
            VaultError::Refused | VaultError::Damaged(_) | VaultError::NoRandomness => {
                Self::internal("the vault", &error)
            }
        }
    }
}

impl From<EndpointError> for Problem {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Table(error) => error.into(),
            EndpointError::Vault(error) => error.into(),
            EndpointError::Stale => Self::stale(),
            EndpointError::Gone => Self::not_found("webhook endpoint"),
            EndpointError::Disabled => {
                Self::conflict("The endpoint is disabled: PATCH its `state` to `active` first, which tries it again.")
            }
            EndpointError::Wrong(error) => vec![error].into(),
            EndpointError::NotOfSite(_) => Self::conflict(
                "The endpoint is not for the message's site any more: add the site to its `site_ids` first.",
            ),
        }
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Table(error) => error.into(),
            PeopleError::Vault(error) => error.into(),
            PeopleError::NoRandomness | PeopleError::Passkey(_) => Self::internal("people", &error),
        }
    }
}

impl From<OutboxError> for Problem {
    fn from(error: OutboxError) -> Self {
        tracing::error!(error = %error, "the site queue did not answer");
        Self::unavailable()
    }
}

impl From<ParameterError> for Problem {
    fn from(error: ParameterError) -> Self {
        tracing::error!(error = %error, "a parameter can't be read");
        Self::unavailable()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: Option<String>,
    errors: &'a [FieldError],
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id: REQUEST_ID.try_with(Clone::clone).ok(),
            errors: &self.errors,
        };
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
        response.headers_mut().extend(self.headers);
        response
    }
}
