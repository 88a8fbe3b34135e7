//! The Python tools, each in a virtual environment of its own under `.local/venvs` (the emulator and SAM pin different versions
//! of the same library), from the pinned lists in `infra/xtask/requirements`. Made again only when a list changes.
use crate::error::{Doing, Error, Result};
use crate::paths::{self, Repo};
use crate::process;
use std::path::PathBuf;
use std::process::Command;

pub const EMULATOR: &str = "emulator";
pub const SAM: &str = "sam";
pub const PYTHON_PEER: &str = "python-peer";
pub const AXE: &str = "axe";
pub const CONTRACT: &str = "contract";

/// The `bin` folder of a tool's environment, made if it is not there.
pub fn ensure(repo: &Repo, tool: &str) -> Result<PathBuf> {
    let venvs = repo.path(".local/venvs");
    let (venv, stamp) = (venvs.join(tool), venvs.join(format!("{tool}.made-from")));
    let list = repo.path(&format!("infra/xtask/requirements/{tool}.txt"));
    let wanted = paths::read(&list)?;
    let bin = venv.join("bin");
    if bin.join("python").exists() && std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(bin);
    }
    let python = python()?;
    println!("  {tool}: installing the pinned Python packages (once)");
    std::fs::create_dir_all(&venvs).doing(|| format!("make the folder {}", venvs.display()))?;
    paths::remove(&stamp)?;
    let log = venvs.join(format!("{tool}.log"));
    process::run(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&venv), "python -m venv", &log).map_err(
        |error| {
            Error::Environment(format!(
                "{error}\nOn Debian and Ubuntu the package python3-venv is needed: apt-get install python3-venv"
            ))
        },
    )?;
    let mut pip = Command::new(bin.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    if tool == AXE {
        pip.arg("--no-deps");
    }
    pip.arg("-r").arg(&list);
    process::run(&mut pip, &format!("pip install for {tool}"), &log)?;
    paths::write(&stamp, &wanted)?;
    Ok(bin)
}

fn python() -> Result<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let advice = || Error::Environment("Python 3.10 or newer is needed as `python3` (or name it in PYTHON).".into());
    let check = "import sys; sys.exit(sys.version_info < (3, 10))";
    let fits = Command::new(&python).args(["-c", check]).status().map_err(|_| advice())?.success();
    if fits { Ok(python) } else { Err(advice()) }
}
