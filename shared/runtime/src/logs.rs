//! Structured logs: one JSON object a line, with an RFC 3339 `timestamp` and a `level`, as CloudWatch's level filter needs them.
//! Fields are `organization_id`, `site_id`, `connection_id`, `record`, `correlation_id`; never a secret, never personal data.
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging for one function. `LOG_LEVEL` (info) sets what is written.
pub fn init(service: &'static str) {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".into());
    let filter = EnvFilter::try_new(format!("{level},aws_smithy_runtime=warn,hyper=warn,lambda_runtime=warn"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let format = fmt::format().json().flatten_event(true).with_current_span(true).with_span_list(false);
    let started = tracing_subscriber::fmt()
        .event_format(format)
        .fmt_fields(fmt::format::JsonFields::new())
        .with_env_filter(filter)
        .with_timer(Rfc3339)
        .with_target(true)
        .try_init();
    if started.is_ok() {
        tracing::debug!(service, "logging started");
    }
}

struct Rfc3339;

impl fmt::time::FormatTime for Rfc3339 {
    fn format_time(&self, w: &mut fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(w, "{:.3}", jiff::Timestamp::now())
    }
}
