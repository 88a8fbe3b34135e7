//! The functions that `template.yaml` names: built for this machine, laid where SAM takes them from.
use crate::error::{Doing, Result, unexpected};
use crate::paths::{self, Repo, State};
use crate::process;
use std::path::{Path, PathBuf};
use std::process::Command;

const CODE: &str = "CodeUri: functions/";

/// What the template calls its functions' crates.
pub fn names(repo: &Repo) -> Result<Vec<String>> {
    let template = paths::read(&repo.path("template.yaml"))?;
    Ok(template.lines().filter_map(|line| line.trim().strip_prefix(CODE)).map(str::to_owned).collect())
}

/// The template's parameters by name, so that a misspelt `--set` is caught.
pub fn parameters(repo: &Repo) -> Result<Vec<String>> {
    let template = paths::read(&repo.path("template.yaml"))?;
    let section = template.lines().skip_while(|line| *line != "Parameters:").skip(1);
    let section = section.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let name =
        |line: &str| Some(line.strip_prefix("  ")?.strip_suffix(':')?.to_owned()).filter(|n| !n.starts_with(' '));
    Ok(section.filter_map(name).collect())
}

/// How the functions are built: quickly, or as they are shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    #[default]
    Dev,
    Release,
}

impl Profile {
    /// Where what SAM takes is laid, below the repository.
    fn dist(self) -> &'static str {
        match self {
            Profile::Dev => "dist",
            Profile::Release => "dist/release",
        }
    }

    /// Where cargo puts its binaries.
    pub fn binaries(self, repo: &Repo) -> PathBuf {
        match self {
            Profile::Dev => repo.binaries(),
            Profile::Release => repo.binaries().with_file_name("release"),
        }
    }
}

/// Builds the functions (and the sandbox, where asked for) and copies what changed to `<function>/bootstrap`.
pub fn build(repo: &Repo, with_sandbox: bool, profile: Profile) -> Result<()> {
    let names = names(repo)?;
    let mut packages: Vec<&str> = names.iter().map(String::as_str).collect();
    match profile {
        Profile::Dev => {
            packages.extend(with_sandbox.then_some("sandbox"));
            compile(repo, &packages, profile)?;
        }
        Profile::Release => {
            if with_sandbox {
                compile(repo, &["sandbox"], Profile::Dev)?;
            }
            // One by one, as they are shipped: built together, each would get the features of all.
            packages.iter().try_for_each(|package| compile(repo, &[package], profile))?;
        }
    }
    let lay_out = |name: &String| lay_out(&profile.binaries(repo).join(name), &repo.path(profile.dist()).join(name));
    names.iter().try_for_each(lay_out)
}

pub fn compile(repo: &Repo, packages: &[&str], profile: Profile) -> Result<()> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.current_dir(repo.root()).arg("build").arg("--quiet");
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    packages.iter().for_each(|name| {
        cargo.args(["--package", name]);
    });
    process::show(&mut cargo, "cargo build")
}

fn lay_out(binary: &Path, dir: &Path) -> Result<()> {
    let bootstrap = dir.join("bootstrap");
    let built = modified(binary)?;
    if bootstrap.exists() && modified(&bootstrap)? >= built {
        return Ok(());
    }
    std::fs::create_dir_all(dir).doing(|| format!("make the folder {}", dir.display()))?;
    std::fs::copy(binary, &bootstrap).doing(|| format!("copy {} to {}", binary.display(), bootstrap.display()))?;
    // Symbols are most of a dev binary and of the time it takes to upload it. Without `strip` it is just slower.
    Command::new("strip").arg(&bootstrap).status().ok();
    Ok(())
}

fn modified(path: &Path) -> Result<std::time::SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).doing(|| format!("look at {}", path.display()))
}

/// The template as `sam build` would leave it: the same, with each CodeUri naming what was built.
pub fn built_template(repo: &Repo, state: &State, profile: Profile) -> Result<()> {
    let template = paths::read(&repo.path("template.yaml"))?;
    let dist = repo.path(profile.dist());
    let dist = dist.to_str().ok_or_else(|| unexpected("the repository's path", "it is not UTF-8"))?;
    paths::write(&state.template(), &template.replace(CODE, &format!("CodeUri: {dist}/")))
}
