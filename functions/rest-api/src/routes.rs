//! The one table of routes. A test asks for each of them in the tenant-isolation suite.
use crate::state::AppState;
use crate::{
    api_keys, auth, conflicts, connections, documents, edges, facts, footage, idempotency, json_body, organizations,
    projects,
};
use crate::{
    rate_limit, records, reports, request_log, retiring, retry, setup_links, site_hour, sites, treatment,
    webhook_endpoints,
};
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::{Router, middleware, routing};
use tower_http::compression::CompressionLayer;

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
    post "/v1/organizations" => organizations::create;
    post "/v1/organizations/{organization}/sites" => sites::create;
    post "/v1/organizations/{organization}/api-keys" => api_keys::create;
    get "/v1/organizations/{organization}/api-keys" => api_keys::list;
    delete "/v1/organizations/{organization}/api-keys/{id}" => api_keys::revoke;
    post "/v1/organizations/{organization}/setup-links" => setup_links::create;
    get "/v1/sites" => sites::list;
    get "/v1/sites/{site}" => sites::get;
    patch "/v1/sites/{site}" => sites::change;
    get "/v1/sites/{site}/daily-summary" => site_hour::get;
    put "/v1/sites/{site}/daily-summary" => site_hour::put;
    post "/v1/sites/{site}/edges" => edges::create;
    post "/v1/sites/{site}/edges/{edge}/rotate-secret" => edges::rotate_secret;
    get "/v1/sites/{site}/detections" => facts::detections;
    get "/v1/sites/{site}/detections/{id}" => facts::detection;
    get "/v1/sites/{site}/detections/{id}/footage" => footage::get;
    get "/v1/sites/{site}/incidents" => facts::incidents;
    get "/v1/sites/{site}/incidents/{id}" => facts::incident;
    patch "/v1/sites/{site}/incidents/{id}/treatment" => treatment::write;
    get "/v1/sites/{site}/zones" => facts::zones;
    get "/v1/sites/{site}/zones/{id}" => facts::zone;
    get "/v1/sites/{site}/workers" => facts::workers;
    get "/v1/sites/{site}/workers/{id}" => facts::worker;
    get "/v1/sites/{site}/ppe-samples" => facts::ppe_samples;
    get "/v1/sites/{site}/ppe-samples/{id}" => facts::ppe_sample;
    get "/v1/sites/{site}/reports/daily" => reports::daily;
    get "/v1/sites/{site}/reports/trend" => reports::trend;
    post "/v1/webhook-endpoints" => webhook_endpoints::create;
    get "/v1/webhook-endpoints" => webhook_endpoints::list;
    get "/v1/webhook-endpoints/{endpoint}" => webhook_endpoints::get;
    patch "/v1/webhook-endpoints/{endpoint}" => webhook_endpoints::change;
    post "/v1/webhook-endpoints/{endpoint}/test" => webhook_endpoints::test;
    post "/v1/webhook-endpoints/{endpoint}/rotate-secret" => webhook_endpoints::rotate_secret;
    get "/v1/webhook-endpoints/{endpoint}/deliveries" => webhook_endpoints::deliveries::list;
    post "/v1/webhook-endpoints/{endpoint}/deliveries/{delivery}/retry" => webhook_endpoints::deliveries::retry;
    post "/v1/webhook-endpoints/{endpoint}/recover" => webhook_endpoints::deliveries::recover;
    delete "/v1/webhook-endpoints/{endpoint}" => webhook_endpoints::remove;
    post "/v1/connections" => connections::create;
    get "/v1/connections" => connections::list;
    get "/v1/connections/{connection}" => connections::get;
    get "/v1/connections/{connection}/projects/{project}" => projects::get;
    put "/v1/connections/{connection}/projects/{project}" => projects::put;
    post "/v1/connections/{connection}/projects/{project}/preview" => projects::preview::preview;
    get "/v1/connections/{connection}/records" => records::list;
    post "/v1/connections/{connection}/records/{kind}/{id}/retry" => retry::retry;
    post "/v1/connections/{connection}/records/{kind}/{id}/conflicts/{field}" => conflicts::settle;
    delete "/v1/connections/{connection}" => connections::remove;
}

/// Whether there is such a route: layers also see requests whose path knows another method only.
pub fn knows(method: &Method, path: &str) -> bool {
    ROUTES.iter().any(|(known, at)| *at == path && known.eq_ignore_ascii_case(method.as_str()))
}

/// The API as a service. From outside in: compression; request id and log; the caller; the caller's rate; a repeated POST.
pub fn app(state: AppState) -> Router {
    table()
        .route_layer(middleware::from_fn_with_state(state.clone(), idempotency::once))
        .route_layer(middleware::from_fn_with_state(state.clone(), rate_limit::count))
        .route_layer(middleware::from_fn_with_state(state.clone(), auth::identify))
        .route_layer(middleware::from_fn(retiring::tell))
        .merge(documents::routes())
        .fallback(request_log::unknown_path)
        .layer(DefaultBodyLimit::max(json_body::LIMIT))
        .layer(middleware::from_fn_with_state(state.clone(), request_log::log))
        .layer(CompressionLayer::new().gzip(true))
        .with_state(state)
}
