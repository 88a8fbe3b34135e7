//! The commands of this repository: `cargo xtask local`, `test`, `bench`, `day` (contracts 6.1).
//!
//! `local` = `tools` (pinned Python environments) + `functions` (cargo builds) + `emulator`, `sandbox` under `supervisor` +
//! `deploy` (SAM) + `demo` (through the public API only). `test` runs every check, `bench` measures. `day` makes events.
#![allow(clippy::print_stdout)] // A command-line tool speaks to its terminal.

mod args;
mod aws;
mod bench;
mod browser;
mod contract;
mod day;
mod demo;
mod deny;
mod deploy;
mod emulator;
mod error;
mod functions;
mod http;
mod local;
mod log_scan;
mod paths;
mod process;
mod replay;
mod sandbox;
mod stack;
mod supervisor;
mod test;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse(lexopt::Parser::from_env()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: args::Command) -> error::Result<()> {
    match command {
        args::Command::Help => {
            println!("{}", args::HELP);
            Ok(())
        }
        args::Command::Bench(options) => bench::run(&paths::Repo::find()?, &options),
        args::Command::Local(options) => local::run(&paths::Repo::find()?, &options),
        args::Command::LocalStop { state } => local::stop(&paths::Repo::find()?, state),
        args::Command::Capabilities => {
            paths::write(&paths::Repo::find()?.path("docs/capabilities.md"), &domain::capabilities::markdown())
        }
        args::Command::Day(options) => day::write(&options),
        args::Command::Test(options) => test::run(&paths::Repo::find()?, &options),
    }
}
