//! The AWS emulator: a process of this machine on 127.0.0.1, started with an empty environment since the functions inherit it.
use crate::aws::{Aws, REGION};
use crate::error::{Error, Result};
use crate::paths::Repo;
use crate::supervisor::Supervisor;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

/// The ports of one stack, in order from the first.
#[derive(Clone, Copy)]
pub struct Ports {
    pub aws: u16,
    pub procore: u16,
    pub acc: u16,
    pub inbox: u16,
    pub api: u16,
}

impl Ports {
    /// N emulator, N+1 Procore's sandbox, N+2 Autodesk's, N+3 the webhook inbox; N+4 our HTTP API.
    pub fn from(first: u16) -> Result<Self> {
        let port =
            |offset| first.checked_add(offset).ok_or_else(|| Error::Usage(format!("--port {first} is too high.")));
        Ok(Self { aws: first, procore: port(1)?, acc: port(2)?, inbox: port(3)?, api: port(4)? })
    }

    pub fn check_free(self) -> Result<()> {
        [self.aws, self.procore, self.acc, self.inbox, self.api].into_iter().try_for_each(|port| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).map_err(|_| {
                Error::Environment(format!(
                    "Port {port} is taken. Stop what uses it (`cargo xtask local stop`, if that is us), or choose others with --port."
                ))
            })
        })
    }

    /// By its name: browsers keep no passkeys for an address of numbers.
    pub fn api_url(self) -> String {
        format!("http://localhost:{}", self.api)
    }

    pub fn procore_url(self) -> String {
        format!("http://127.0.0.1:{}", self.procore)
    }

    pub fn acc_url(self) -> String {
        format!("http://127.0.0.1:{}", self.acc)
    }

    pub fn inbox_url(self) -> String {
        format!("http://127.0.0.1:{}", self.inbox)
    }
}

pub fn start(repo: &Repo, supervisor: &Supervisor, bin: &Path, ports: Ports, lanes: u16) -> Result<(Child, Aws)> {
    let endpoint = format!("http://127.0.0.1:{}", ports.aws);
    let scratch = supervisor.state.scratch()?;
    let mut command = Command::new(bin.join("python"));
    command.arg(repo.path("infra/emulator/launch.py")).env_clear().envs([
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("PYTHONUNBUFFERED", "1"),
        ("BIND_HOST", "127.0.0.1"),
        ("MINISTACK_HOST", "localhost"),
        ("MINISTACK_REGION", REGION),
        ("IOT_MTLS_ENABLED", "0"),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("GATEWAY_PORT", &ports.aws.to_string()),
        ("HTTP_API_PORT", &ports.api.to_string()),
        ("FIFO_CONCURRENCY", &lanes.to_string()),
    ]);
    command.env("HOME", &scratch).env("TMPDIR", &scratch).current_dir(&scratch);
    let mut child = supervisor.start(&mut command, "emulator")?;
    supervisor.wait_for(&format!("{endpoint}/_ministack/health"), &mut child, "emulator")?;
    Ok((child, Aws { endpoint }))
}
