//! The one table of routes.
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::{
    activity, api_keys, assets, capabilities, connect, consent, disconnect, facts, frame, headers, hour, overview,
    passkeys, people_page, projects, reports, schedule, settings, sign_in, status, trial, webhooks,
};
use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware, routing};

/// A settings form with every row filled is far below this.
const LONGEST_FORM: usize = 256 * 1024;

macro_rules! routes {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Method and path of every route.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        fn table() -> Router<AppState> {
            Router::new()$(.route($path, routing::$method($handler)))*
        }
    };
}

routes! {
    get "/assets/{hash}/{name}" => assets::get;
    get "/sign-in" => sign_in::show;
    get "/sign-in/link/{secret}" => sign_in::link;
    post "/sign-in/link/{secret}" => sign_in::use_link;
    get "/sign-in/hand-over" => frame::hand_over;
    get "/sign-in/tab" => frame::tab;
    post "/sign-in/frame" => frame::take_over;
    post "/sign-in/passkey/question" => passkeys::ask_to_sign_in;
    post "/sign-in/passkey" => passkeys::sign_in;
    post "/sign-out" => sign_in::out;
    get "/people" => people_page::show;
    post "/people/invite" => people_page::invite;
    post "/people/passkeys/question" => passkeys::ask_to_add;
    post "/people/passkeys" => passkeys::add;
    post "/people/{person}/passkeys/remove" => passkeys::remove;
    post "/people/{person}/role" => people_page::change_role;
    post "/people/{person}/remove" => people_page::remove;
    post "/people/{person}/sessions/end" => people_page::end_session;
    get "/setup" => overview::show;
    get "/setup/connect" => connect::show;
    post "/setup/connect" => connect::save;
    get "/setup/connect/autodesk" => connect::autodesk::show;
    post "/setup/connect/autodesk" => connect::autodesk::save;
    get "/setup/capabilities" => capabilities::show;
    get "/setup/api-keys" => api_keys::show;
    post "/setup/api-keys" => api_keys::make;
    post "/setup/api-keys/{key}/revoke" => api_keys::revoke;
    get "/setup/webhooks/new" => webhooks::new::show;
    post "/setup/webhooks/new" => webhooks::new::make;
    get "/setup/webhooks/{endpoint}" => webhooks::endpoint::show;
    get "/setup/webhooks/{endpoint}/settings" => webhooks::settings::show;
    post "/setup/webhooks/{endpoint}/settings" => webhooks::settings::save;
    get "/setup/webhooks/{endpoint}/preview" => webhooks::preview::show;
    post "/setup/webhooks/{endpoint}/test" => webhooks::endpoint::test;
    post "/setup/webhooks/{endpoint}/again" => webhooks::endpoint::again;
    post "/setup/webhooks/{endpoint}/rotate-secret" => webhooks::endpoint::rotate_secret;
    post "/setup/webhooks/{endpoint}/remove" => webhooks::endpoint::remove;
    get "/setup/webhooks/{endpoint}/deliveries/{delivery}" => webhooks::delivery::show;
    post "/setup/webhooks/{endpoint}/deliveries/{delivery}/retry" => webhooks::log::retry;
    post "/setup/webhooks/{endpoint}/recover" => webhooks::log::recover;
    get "/setup/{connection}/projects" => projects::show;
    post "/setup/{connection}/projects" => projects::save;
    get "/setup/{connection}/disconnect" => disconnect::show;
    post "/setup/{connection}/disconnect" => disconnect::save;
    post "/setup/{connection}/consent/end" => consent::end;
    post "/setup/{connection}/again" => overview::try_again;
    get "/setup/{connection}/projects/{project}" => status::show;
    post "/setup/{connection}/projects/{project}/again" => status::try_again;
    get "/setup/{connection}/projects/{project}/activity" => activity::show;
    post "/setup/{connection}/projects/{project}/conflicts" => activity::settle;
    get "/setup/{connection}/projects/{project}/settings" => settings::show;
    post "/setup/{connection}/projects/{project}/settings" => settings::save;
    get "/setup/{connection}/projects/{project}/schedule" => schedule::show;
    post "/setup/{connection}/projects/{project}/schedule" => schedule::save;
    get "/setup/{connection}/projects/{project}/test" => trial::show;
    post "/setup/{connection}/projects/{project}/test" => trial::send;
    get "/sites/{site}/detections/{id}" => facts::detection;
    get "/sites/{site}/detections/{id}/footage" => facts::footage;
    get "/sites/{site}/incidents/{id}" => facts::incident;
    get "/sites/{site}/hour" => hour::show;
    post "/sites/{site}/hour" => hour::save;
    get "/sites/{site}/reports" => reports::latest;
    get "/sites/{site}/reports/{date}" => reports::show;
    get "/sites/{site}/reports/{date}/trend.csv" => reports::csv;
    get "/detections/{id}" => facts::find_detection;
    get "/incidents/{id}" => facts::find_incident;
}

pub fn app(state: AppState) -> Router {
    table()
        .fallback(async || Refusal::not_found())
        .layer(DefaultBodyLimit::max(LONGEST_FORM))
        .layer(middleware::from_fn_with_state(state.clone(), headers::guard))
        .with_state(state)
}
