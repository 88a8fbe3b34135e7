//! `cargo xtask test`: every check, in steps with names and times. The first step that fails ends it.
use crate::args::TestOptions;
use crate::error::{Error, Result};
use crate::paths::Repo;
use crate::stack::Stack;
use crate::{browser, contract, deny, local, log_scan, process, tools};
use std::process::Command;
use std::time::Instant;

/// The packages that need a running stack.
const ON_A_STACK: [&str; 2] = ["end-to-end", "browser"];
const PORT: u16 = 4700;
/// What a first run of all checks takes of the disk, without incremental files.
const NEEDED_GIB: u64 = 12;
const STATE: &str = ".local/test";

pub fn run(repo: &Repo, options: &TestOptions) -> Result<()> {
    room(repo)?;
    let mut steps = Steps { repo, done: Vec::new() };
    steps.step("formats", || formats(repo))?;
    if !options.quick {
        steps.step("template", || template(repo))?;
    }
    steps.step("lints", || lints(repo))?;
    steps.step("unit and integration tests", || tests(repo))?;
    if !options.quick {
        steps.step("examples", || contract::examples(repo))?;
        steps.step("dependencies", || deny::check(repo))?;
        steps.step("end to end, and in a browser", || on_a_stack(repo))?;
    }
    steps.report();
    Ok(())
}

/// A linker that finds the disk full ends with "Bus error", which tells nobody what is wrong.
fn room(repo: &Repo) -> Result<()> {
    let disk = rustix::fs::statvfs(repo.root())
        .map_err(|error| Error::Environment(format!("cannot see how much of the disk is free: {error}")))?;
    let free = disk.f_bavail * disk.f_frsize / (1 << 30);
    let built = repo.root().join("target/debug").exists();
    match free {
        ..=1 => {
            Err(Error::Environment(format!("{free} GiB of disk are free, too few for any build. Make room first.")))
        }
        ..NEEDED_GIB if !built => {
            println!(
                "WARNING: {free} GiB of disk are free; a first build takes up to {NEEDED_GIB}. Make room if it fails."
            );
            Ok(())
        }
        _ => Ok(()),
    }
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
    ON_A_STACK.iter().for_each(|package| args.extend(["--exclude".to_owned(), (*package).to_owned()]));
    process::show(cargo(repo, &[]).args(args), "cargo test")
}

/// nextest where it is installed: it names a test that hangs. Both print how many passed and failed.
fn runner(repo: &Repo) -> Vec<String> {
    let nextest = cargo(repo, &["nextest", "--version"]).output().is_ok_and(|out| out.status.success());
    let words: &[&str] =
        if nextest { &["nextest", "run", "--cargo-quiet", "--status-level", "fail"] } else { &["test", "--quiet"] };
    words.iter().map(|word| (*word).to_owned()).collect()
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
fn on_a_stack(repo: &Repo) -> Result<()> {
    let (driver, axe) = (browser::driver(repo)?, browser::axe(repo)?);
    let mut options =
        local::Options { demo: false, port: PORT, state: Some(STATE.into()), ..local::Options::default() };
    options.set.insert("UnclearAnswerWaitSeconds".into(), "5".into());
    options.set.insert("RereadMinutes".into(), "1".into());
    local::during(repo, &options, |state| {
        let mut command = cargo(repo, &[]);
        command.args(runner(repo));
        ON_A_STACK.iter().for_each(|package| {
            command.args(["--package", package]);
        });
        command.env("HHP_STACK", state.stack()).env("HHP_CHROMEDRIVER", &driver).env("HHP_AXE", &axe);
        process::show(&mut command, "the tests on a stack")?;
        contract::on_a_stack(repo, state)?;
        log_scan::scan(&Stack::load(state)?.aws_endpoint)
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
