//! The Autodesk lane: `lane_function` is the wiring, `shared/acc` the platform.
use acc::{Acc, AccTarget, Hosts};
use grants::{ParameterServiceAccounts, TableServiceAccounts};
use lambda_runtime::Error;
use lane_function::LaneFunction;
use runtime::{config, queues};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = LaneFunction::of("acc-sync", queues::acc()?)?;
    let shared = ParameterServiceAccounts::new(function.parameters.clone(), function.stack());
    let accounts = TableServiceAccounts::new(function.table.clone(), function.vault.clone(), shared);
    let hosts = Hosts::new(&config::text("APS_URL")?)?;
    let acc = Acc::of_stack(hosts, function.parameters.clone(), function.stack(), Arc::new(accounts))?;
    function.serve(&AccTarget::new(acc.with_grants(function.grants()).sharing_forms(function.table.clone()))).await
}
