//! The provider sandboxes: strict fakes of the platforms, with pages to look at what arrived.
use crate::aws::Aws;
use crate::deploy::STACK;
use crate::emulator::Ports;
use crate::error::Result;
use crate::paths::{self, Repo};
use crate::supervisor::Supervisor;
use serde_json::json;
use std::process::{Child, Command};

const SERVICE_ACCOUNT_EMAIL: &str = "hardhat-pulse@sandbox-client.adskserviceaccount.autodesk.com";

pub fn start(repo: &Repo, supervisor: &Supervisor, ports: Ports) -> Result<Child> {
    let mut command = Command::new(repo.binaries().join("sandbox"));
    command.args(["--procore-port", &ports.procore.to_string(), "--aps-port", &ports.acc.to_string()]);
    // A browser may open our pages by either name of this machine; the platform compares to the letter.
    for host in ["127.0.0.1", "localhost"] {
        command.args(["--redirect-uri", &format!("http://{host}:{}/oauth/procore/callback", ports.api)]);
        command.args(["--aps-redirect-uri", &format!("http://{host}:{}/oauth/acc/callback", ports.api)]);
    }
    command.args(["--embedded-url", &format!("{}/setup", ports.api_url())]);
    command.args(["--inbox-port", &ports.inbox.to_string()]);
    let mut child = supervisor.start(&mut command, "sandbox")?;
    for url in [ports.procore_url(), ports.acc_url(), ports.inbox_url()] {
        supervisor.wait_for(&url, &mut child, "sandbox")?;
    }
    Ok(child)
}

/// The app's own service account at Autodesk, in the regions that the sandbox has. Its key opens nothing anywhere else.
pub fn put_service_accounts(repo: &Repo, aws: &Aws) -> Result<()> {
    let private_key = paths::read(&repo.path("tests/sandbox/keys/service-account.pem"))?;
    let account = json!({"id": "SBXSERVICE01", "key_id": "sandbox-key-1", "private_key": private_key}).to_string();
    for region in ["us", "emea"] {
        aws.put_secret(&format!("/{STACK}/aps/{region}/service-account"), &account)?;
        aws.put_secret(&format!("/{STACK}/aps/{region}/service-account-email"), SERVICE_ACCOUNT_EMAIL)?;
    }
    Ok(())
}
