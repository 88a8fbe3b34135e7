//! What browser tests need: Chromium with its driver, and axe-core's script.
use crate::error::{Error, Result, unexpected};
use crate::paths::Repo;
use crate::{process, tools};
use std::path::PathBuf;
use std::process::Command;

const DRIVER: &str = "chromedriver";
const ADVICE: &str = "Browser tests need Chromium and its driver. On Debian and Ubuntu: apt-get install chromium chromium-driver. \
                      Elsewhere: put `chromedriver` on the PATH, or name it in CHROMEDRIVER.";

/// The driver, installed where the machine lets us.
pub fn driver(repo: &Repo) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMEDRIVER") {
        return Ok(named.into());
    }
    if let Some(found) = on_path(DRIVER) {
        return Ok(found);
    }
    if !rustix::process::geteuid().is_root() || on_path("apt-get").is_none() {
        return Err(Error::Environment(ADVICE.into()));
    }
    println!("  installing Chromium and its driver (once)");
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver", "fonts-dejavu-core"]);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut apt, "apt-get install chromium chromium-driver", &repo.path(".local/chromium.log"))
    };
    // The lists of packages may be missing or old: then they are fetched, and it is tried once more.
    if install().is_err() {
        process::run(Command::new("apt-get").arg("update"), "apt-get update", &repo.path(".local/apt.log"))?;
        install()?;
    }
    on_path(DRIVER).ok_or_else(|| Error::Environment(ADVICE.into()))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|candidate| candidate.is_file())
}

/// axe-core's script, as a Python package carries it.
pub fn axe(repo: &Repo) -> Result<PathBuf> {
    let bin = tools::ensure(repo, tools::AXE)?;
    let mut python = Command::new(bin.join("python"));
    // Found without importing it: what the package itself depends on is not installed.
    python.args([
        "-c",
        "import importlib.util as u; print(u.find_spec('axe_playwright_python').submodule_search_locations[0])",
    ]);
    let folder = process::output(&mut python, "looking for axe-core")?;
    let script = PathBuf::from(folder.trim()).join("axe.min.js");
    if script.is_file() { Ok(script) } else { Err(unexpected("the package of axe-core", "it has no axe.min.js")) }
}
