//! Plain pages: the records as a person sees them on the platform, and what was called.

pub(crate) mod consent;

use std::sync::Arc;

use axum::Router;

use crate::procore::Core;

pub(crate) fn router(core: Arc<Core>) -> Router {
    consent::router(core)
}
