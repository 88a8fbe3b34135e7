//! The Procore lane: `lane_function` is the wiring, `shared/procore` the platform.
use lambda_runtime::Error;
use lane_function::LaneFunction;
use procore::{Hosts, Procore, ProcoreTarget};
use runtime::{config, queues};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = LaneFunction::of("procore-sync", queues::procore()?)?;
    let hosts = Hosts::new(
        &config::text("PROCORE_LOGIN_URL")?,
        &config::text("PROCORE_API_URL")?,
        &config::text("PROCORE_WEB_URL")?,
    )?;
    let procore =
        Procore::of_stack(hosts, function.parameters.clone(), function.stack())?.with_grants(function.grants());
    function.serve(&ProcoreTarget::new(procore)).await
}
