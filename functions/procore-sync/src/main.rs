//! The Procore lane: `lane_function` is the wiring, `shared/procore` the platform.
use domain::ids::Provider;
use lambda_runtime::Error;
use lane_function::LaneFunction;
use procore::{Hosts, Procore, ProcoreTarget};
use runtime::config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = LaneFunction::of("procore-sync", Provider::Procore)?;
    let hosts = Hosts::new(
        &config::text("PROCORE_LOGIN_URL")?,
        &config::text("PROCORE_API_URL")?,
        &config::text("PROCORE_WEB_URL")?,
    )?;
    let procore = Procore::new(hosts, function.credentials("procore"))?.with_grants(function.grants());
    function.serve(&ProcoreTarget::new(procore)).await
}
