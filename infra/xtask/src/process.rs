//! Commands that end, and processes that stay. `supervisor` starts the latter; their ids stand in `run.json` for `local stop`.
use crate::error::{Doing, Error, Result};
use crate::paths::{self, State};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(8);

/// Runs a command to its end with its output in a log; a failure shows the log's end.
pub fn run(command: &mut Command, what: &str, log: &Path) -> Result<()> {
    let file = File::create(log).doing(|| format!("write {}", log.display()))?;
    let errors = file.try_clone().doing(|| format!("write {}", log.display()))?;
    let status = command.stdin(Stdio::null()).stdout(file).stderr(errors).status();
    let status = status.doing(|| format!("start {:?} for {what}", command.get_program()))?;
    match status.success() {
        true => Ok(()),
        false => {
            Err(Error::Command { what: what.into(), status: status.to_string(), tail: tail(log), log: log.to_owned() })
        }
    }
}

/// Runs a command to its end with its output on the terminal.
pub fn show(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().doing(|| format!("start {:?} for {what}", command.get_program()))?;
    if status.success() { Ok(()) } else { Err(Error::Shown { what: what.into() }) }
}

/// The standard output of a command that must succeed.
pub fn output(command: &mut Command, what: &str) -> Result<String> {
    let out =
        command.stdin(Stdio::null()).output().doing(|| format!("start {:?} for {what}", command.get_program()))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr).trim().to_owned();
        return Err(Error::Environment(format!("{what} failed ({}): {said}", out.status)));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// A process that stays, as noted in `run.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    pub name: String,
    pub pid: i32,
}

impl Running {
    pub fn new(name: &str, id: u32) -> Result<Self> {
        let pid = i32::try_from(id).map_err(|e| crate::error::unexpected("a process id", e))?;
        Ok(Self { name: name.into(), pid })
    }

    fn group(&self) -> Option<Pid> {
        Pid::from_raw(self.pid)
    }

    /// Whether it still runs. Where the system tells what runs under an id, an id that was given to something else counts as gone.
    pub fn is_alive(&self) -> bool {
        let Some(pid) = self.group() else { return false };
        if test_kill_process(pid).is_err() {
            return false;
        }
        match std::fs::read(format!("/proc/{}/cmdline", self.pid)) {
            Ok(bytes) => {
                let line = String::from_utf8_lossy(&bytes);
                line.contains("launch.py") || line.contains("sandbox")
            }
            Err(_) => !Path::new("/proc/self").exists(),
        }
    }

    /// Asks it to end, and after a while makes it.
    pub fn stop(&self) {
        let Some(pid) = self.group().filter(|_| self.is_alive()) else { return };
        // An error means that it has just ended, which is what is wanted.
        kill_process_group(pid, Signal::TERM).ok();
        let since = Instant::now();
        while self.is_alive() && since.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(30));
        }
        kill_process_group(pid, Signal::KILL).ok();
    }
}

/// What `local` started, newest last.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Run {
    pub port: u16,
    pub processes: Vec<Running>,
}

impl Run {
    pub fn load(state: &State) -> Result<Option<Self>> {
        match state.run().exists() {
            false => Ok(None),
            true => {
                let text = paths::read(&state.run())?;
                serde_json::from_str(&text).map(Some).map_err(|e| crate::error::unexpected("run.json", e))
            }
        }
    }

    pub fn save(&self, state: &State) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| crate::error::unexpected("run.json", e))?;
        paths::write(&state.run(), &text)
    }

    pub fn is_alive(&self) -> bool {
        self.processes.iter().any(Running::is_alive)
    }

    /// Stops all, newest first, and takes away the files that say a stack is ready.
    pub fn stop(&self, state: &State) -> Result<()> {
        self.processes.iter().rev().for_each(Running::stop);
        paths::remove(&state.stack())?;
        paths::remove(&state.run())
    }
}
