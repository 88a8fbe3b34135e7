//! The provider sandboxes: strict fakes of the platforms, with pages to look at what arrived.
use crate::emulator::Ports;
use crate::error::Result;
use crate::paths::Repo;
use crate::supervisor::Supervisor;
use std::process::{Child, Command};

pub fn start(repo: &Repo, supervisor: &Supervisor, ports: Ports) -> Result<Child> {
    let mut command = Command::new(repo.binaries().join("sandbox"));
    command.args(["--procore-port", &ports.procore.to_string()]);
    // A browser may open our pages by either name of this machine; the platform compares to the letter.
    for host in ["127.0.0.1", "localhost"] {
        command.args(["--redirect-uri", &format!("http://{host}:{}/oauth/procore/callback", ports.api)]);
    }
    command.args(["--embedded-url", &format!("{}/setup", ports.api_url())]);
    command.args(["--inbox-port", &ports.inbox.to_string()]);
    let mut child = supervisor.start(&mut command, "sandbox")?;
    for url in [ports.procore_url(), ports.inbox_url()] {
        supervisor.wait_for(&url, &mut child, "sandbox")?;
    }
    Ok(child)
}
