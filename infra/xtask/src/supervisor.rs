//! Starts what stays and stops all of it, whatever way we end. Each process has a group of its own, so that Ctrl-C reaches us
//! first and they are stopped in order.
use crate::error::{Doing, Error, Result, unexpected};
use crate::http;
use crate::paths::State;
use crate::process::{self, Run, Running};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const INTERRUPTED: i32 = 130;

pub struct Supervisor {
    pub state: State,
    run: Arc<Mutex<Run>>,
}

impl Supervisor {
    /// From here on a signal stops what was started, then us.
    pub fn new(state: State, port: u16) -> Result<Self> {
        let run = Arc::new(Mutex::new(Run { port, processes: Vec::new() }));
        let mut signals =
            signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]).doing(|| "listen for Ctrl-C".into())?;
        let (theirs, dir) = (run.clone(), state.clone());
        std::thread::spawn(move || {
            if signals.forever().next().is_some() {
                let run = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                let stopped = run.stop(&dir);
                std::process::exit(if stopped.is_ok() { INTERRUPTED } else { 1 });
            }
        });
        Ok(Self { state, run })
    }

    /// Starts a process that stays, with its output in `logs/<name>.log`.
    pub fn start(&self, command: &mut Command, name: &str) -> Result<Child> {
        let log = self.state.log(name);
        let file = File::create(&log).doing(|| format!("write {}", log.display()))?;
        let errors = file.try_clone().doing(|| format!("write {}", log.display()))?;
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).process_group(0).spawn();
        let child = child.doing(|| format!("start the {name} ({:?})", command.get_program()))?;
        run.processes.push(Running::new(name, child.id())?);
        run.save(&self.state)?;
        Ok(child)
    }

    /// Waits until `url` gives any answer, or the process behind it ends.
    pub fn wait_for(&self, url: &str, child: &mut Child, name: &str) -> Result<()> {
        let since = Instant::now();
        while http::request("GET", url, &[], None).is_err() {
            self.check(child, name)?;
            if since.elapsed() > Duration::from_secs(60) {
                return Err(unexpected(&format!("the {name}"), format!("no answer from {url} within a minute")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// An error if the process has ended by itself.
    pub fn check(&self, child: &mut Child, name: &str) -> Result<()> {
        let log = self.state.log(name);
        match child.try_wait().doing(|| format!("look at the {name}"))? {
            None => Ok(()),
            Some(status) => {
                let (what, tail) = (format!("The {name}"), process::tail(&log));
                Err(Error::Command { what, status: status.to_string(), tail, log })
            }
        }
    }

    pub fn stop(&self) -> Result<()> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).stop(&self.state)
    }
}
