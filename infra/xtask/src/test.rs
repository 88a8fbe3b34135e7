//! `cargo xtask test`: every check, in steps with names and times. The first step that fails ends it.
use crate::args::TestOptions;
use crate::error::{Doing, Error, Result};
use crate::paths::Repo;
use crate::{deny, local, process, tools};
use std::process::Command;
use std::time::Instant;

const END_TO_END: &str = "end-to-end";
const PORT: u16 = 4700;
const STATE: &str = ".local/test";

pub fn run(repo: &Repo, options: &TestOptions) -> Result<()> {
    let mut steps = Steps { repo, done: Vec::new() };
    steps.step("formats", || formats(repo))?;
    if !options.quick {
        steps.step("template", || template(repo))?;
    }
    steps.step("lints", || lints(repo))?;
    steps.step("unit and integration tests", || tests(repo))?;
    if !options.quick {
        steps.step("dependencies", || deny::check(repo))?;
        steps.step("end to end", || end_to_end(repo))?;
    }
    steps.report();
    Ok(())
}

pub fn cargo(repo: &Repo, args: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.current_dir(repo.root()).args(args);
    cargo
}

fn formats(repo: &Repo) -> Result<()> {
    process::show(&mut cargo(repo, &["fmt", "--all", "--check"]), "cargo fmt --check (run `cargo fmt --all`)")
}

fn lints(repo: &Repo) -> Result<()> {
    let args = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    process::show(&mut cargo(repo, &args), "cargo clippy")
}

/// Every test that needs no stack.
fn tests(repo: &Repo) -> Result<()> {
    let mut args = runner(repo);
    args.push("--workspace".into());
    if has_package(repo)? {
        args.extend(["--exclude".into(), END_TO_END.into()]);
    }
    process::show(cargo(repo, &[]).args(args), "cargo test")
}

/// nextest where it is installed: it names a test that hangs. Both print how many passed and failed.
fn runner(repo: &Repo) -> Vec<String> {
    let nextest = cargo(repo, &["nextest", "--version"]).output().is_ok_and(|out| out.status.success());
    let words: &[&str] =
        if nextest { &["nextest", "run", "--cargo-quiet", "--status-level", "fail"] } else { &["test", "--quiet"] };
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn has_package(repo: &Repo) -> Result<bool> {
    let tests = std::fs::read_dir(repo.path("tests")).doing(|| "read the folder tests".into())?;
    let manifest = tests.filter_map(std::result::Result::ok).map(|dir| dir.path().join("Cargo.toml"));
    let is_it = |text: String| text.lines().any(|line| line.trim() == format!("name = \"{END_TO_END}\""));
    Ok(manifest.into_iter().any(|path| std::fs::read_to_string(path).is_ok_and(is_it)))
}

fn template(repo: &Repo) -> Result<()> {
    let bin = tools::ensure(repo, tools::SAM)?;
    let mut lint = Command::new(bin.join("cfn-lint"));
    lint.current_dir(repo.root()).args([
        "--template",
        "template.yaml",
        "--regions",
        "us-east-1",
        "us-west-2",
        "eu-west-2",
    ]);
    process::show(&mut lint, "cfn-lint")?;
    let mut sam = Command::new(bin.join("sam"));
    sam.current_dir(repo.root()).args(["validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"]);
    // It asks for credentials that it does not use.
    sam.envs([("AWS_ACCESS_KEY_ID", "none"), ("AWS_SECRET_ACCESS_KEY", "none"), ("SAM_CLI_TELEMETRY", "0")]);
    process::show(&mut sam, "sam validate --lint")
}

/// A stack of its own beside a developer's, with the sandboxes and short waits, and the tests against it.
fn end_to_end(repo: &Repo) -> Result<()> {
    if !has_package(repo)? {
        println!("  skipped: there is no package {END_TO_END} under tests/ yet");
        return Ok(());
    }
    let mut options =
        local::Options { demo: false, port: PORT, state: Some(STATE.into()), ..local::Options::default() };
    options.set.insert("UnclearAnswerWaitSeconds".into(), "5".into());
    options.set.insert("RereadMinutes".into(), "1".into());
    local::during(repo, &options, |state| {
        let mut command = cargo(repo, &[]);
        command.args(runner(repo)).args(["--package", END_TO_END]).env("HHP_STACK", state.stack());
        process::show(&mut command, END_TO_END)
    })
}

struct Steps<'a> {
    repo: &'a Repo,
    done: Vec<(String, f32)>,
}

impl Steps<'_> {
    fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("== {name}");
        let since = Instant::now();
        work().map_err(|error| Error::Environment(format!("== {name}: failed. {error}")))?;
        let seconds = since.elapsed().as_secs_f32();
        println!("   {name}: passed in {seconds:.0} s");
        self.done.push((name.to_owned(), seconds));
        Ok(())
    }

    fn report(&self) {
        println!("\nAll checks passed in {}:", self.repo.root().display());
        self.done.iter().for_each(|(name, seconds)| println!("  {seconds:>6.0} s  {name}"));
    }
}
