//! Answers and refusals, in the four shapes that the platform uses side by side.

use serde_json::json;

use crate::faults::Shape;
pub(crate) use crate::reply::{Payload, Reply};

/// A call that is not done, and how the platform words that.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    shape: Shape,
    field: String,
    message: String,
    retry_after: Option<i64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, shape: Shape, message: impl Into<String>) -> Self {
        Self { status, shape, field: "base".to_owned(), message: message.into(), retry_after: None }
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn list(status: u16, message: impl Into<String>) -> Self {
        Self::new(status, Shape::List, message)
    }

    /// A business rule on one field.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), ..Self::new(422, Shape::Fields, message) }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, Shape::Flat, "The requested resource was not found.")
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(403, Shape::Flat, message)
    }

    pub(crate) fn app_not_connected() -> Self {
        Self::list(403, "App is not connected to this company.")
    }

    pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Reply {
        Reply::json(status, json!({"error": error, "error_description": description}))
    }

    pub(crate) fn in_field(mut self, field: &str) -> Self {
        if !field.is_empty() {
            self.field = field.to_owned();
        }
        self
    }

    pub(crate) fn retry_after(mut self, seconds: Option<i64>) -> Self {
        self.retry_after = seconds;
        self
    }

    pub(crate) fn reply(self) -> Reply {
        let Self { status, shape, field, message, retry_after } = self;
        let reason = reason(status);
        let reply = match shape {
            Shape::Flat => Reply::json(
                status,
                json!({"code": status, "message": message, "fields": "", "reason": reason, "error": reason}),
            ),
            Shape::List => Reply::json(status, json!({"errors": [message]})),
            Shape::Fields => Reply::json(status, json!({"errors": {field: [message]}})),
            Shape::Envelope => Reply::json(
                status,
                json!({"error": {"code": reason.to_uppercase().replace(' ', "_"), "message": reason,
                    "details": [{"reason_code": "INVALID_PROPERTY", "message": message, "source": field}]}}),
            ),
            Shape::Text => Reply { payload: Payload::Text(message), ..Reply::empty(status) },
        };
        match retry_after {
            Some(seconds) => reply.with("Retry-After", seconds),
            None => reply,
        }
    }
}

fn reason(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
