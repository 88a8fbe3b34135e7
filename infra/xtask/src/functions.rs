//! The functions that `template.yaml` names: built with the dev profile for this machine, laid where SAM takes them from.
use crate::error::{Doing, Result, unexpected};
use crate::paths::{self, Repo, State};
use crate::process;
use std::path::Path;
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

/// Builds the functions (and the sandbox, where asked for) and copies what changed to `dist/<function>/bootstrap`.
pub fn build(repo: &Repo, with_sandbox: bool) -> Result<()> {
    let names = names(repo)?;
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.current_dir(repo.root()).arg("build").arg("--quiet");
    names.iter().for_each(|name| {
        cargo.args(["--package", name]);
    });
    if with_sandbox {
        cargo.args(["--package", "sandbox"]);
    }
    process::show(&mut cargo, "cargo build")?;
    names.iter().try_for_each(|name| lay_out(&repo.binaries().join(name), &repo.path(&format!("dist/{name}"))))
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
pub fn built_template(repo: &Repo, state: &State) -> Result<()> {
    let template = paths::read(&repo.path("template.yaml"))?;
    let dist = repo.path("dist");
    let dist = dist.to_str().ok_or_else(|| unexpected("the repository's path", "it is not UTF-8"))?;
    paths::write(&state.template(), &template.replace(CODE, &format!("CodeUri: {dist}/")))
}
