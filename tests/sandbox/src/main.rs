//! `sandbox --procore-port N [--bind 127.0.0.1] [--redirect-uri URI]… [--embedded-url URL] [--aps-port N] [--aps-redirect-uri URI]…
//! [--inbox-port N]`: says where it listens and runs until it is told to stop.

use std::net::IpAddr;
use std::process::ExitCode;

use sandbox::{aps, inbox, procore};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: sandbox --procore-port N [--bind ADDRESS] [--redirect-uri URI]… \
    [--embedded-url URL] [--aps-port N] [--aps-redirect-uri URI]… [--inbox-port N]";

#[derive(Debug, Error)]
enum Failure {
    #[error("{0}\n{USAGE}")]
    Usage(String),
    #[error("the sandbox does not start: {0}")]
    Start(#[from] sandbox::procore::StartError),
    #[error("the inbox does not start: {0}")]
    Inbox(std::io::Error),
    #[error("signals cannot be awaited: {0}")]
    Signal(#[from] std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the one line that says where the sandbox listens")]
async fn run() -> Result<(), Failure> {
    let Options { procore, aps, inbox } = options(std::env::args().skip(1))?;
    let running = procore::Sandbox::start(procore).await?;
    let autodesk = match aps {
        Some(options) => Some(aps::Sandbox::start(options).await?),
        None => None,
    };
    let inbox = match inbox {
        Some(options) => Some(inbox::Inbox::start(options).await.map_err(Failure::Inbox)?),
        None => None,
    };
    let mut terminate = signal(SignalKind::terminate())?;
    println!("procore sandbox at {}", running.url());
    if let Some(autodesk) = &autodesk {
        println!("aps sandbox at {}", autodesk.url());
    }
    if let Some(inbox) = &inbox {
        println!("webhook inbox at {}", inbox.url());
    }
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

struct Options {
    procore: procore::Options,
    aps: Option<aps::Options>,
    inbox: Option<inbox::Options>,
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, Failure> {
    let mut options = procore::Options::default();
    let mut autodesk = aps::Options::default();
    let (mut port, mut aps_port, mut inbox_port) = (None, None, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| Failure::Usage(format!("{name} needs a value")))?;
        let wrong = || Failure::Usage(format!("{name} cannot be {value:?}"));
        match name.as_str() {
            "--procore-port" => port = Some(value.parse().map_err(|_| wrong())?),
            "--redirect-uri" => options.clients.iter_mut().for_each(|client| client.redirect_uris.push(value.clone())),
            "--embedded-url" => options.clients.iter_mut().for_each(|app| app.embedded_url = Some(value.clone())),
            "--aps-port" => aps_port = Some(value.parse().map_err(|_| wrong())?),
            "--inbox-port" => inbox_port = Some(value.parse().map_err(|_| wrong())?),
            "--aps-redirect-uri" => autodesk.client.redirect_uris.push(value),
            "--bind" => options.bind = value.parse::<IpAddr>().map_err(|_| wrong())?,
            _ => return Err(Failure::Usage(format!("{name} is not known"))),
        }
    }
    options.port = port.ok_or_else(|| Failure::Usage("--procore-port is missing".to_owned()))?;
    autodesk.bind = options.bind;
    let bind = options.bind;
    let aps = aps_port.map(|port| aps::Options { port, ..autodesk });
    let inbox = inbox_port.map(|port| inbox::Options { bind, port, ..inbox::Options::default() });
    Ok(Options { procore: options, aps, inbox })
}
