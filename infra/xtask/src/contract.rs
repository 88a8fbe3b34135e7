//! What outside tools make of us, in Python: public libraries verify what webhooks carry, a fuzzer drives the API by its own
//! description, and the examples of the guides run.
use crate::error::Result;
use crate::paths::{Repo, State};
use crate::{process, tools};
use std::path::Path;
use std::process::Command;

/// Examples with tests of their own, which need nothing but Python.
const EXAMPLES: [&str; 2] = ["docs/examples/relay", "docs/examples/primavera-p6"];
const CONTRACT: &str = "tests/contract";

pub fn examples(repo: &Repo) -> Result<()> {
    let bin = tools::ensure(repo, tools::CONTRACT)?;
    EXAMPLES.iter().try_for_each(|folder| process::show(&mut tests(repo, &bin, folder), folder))
}

/// Against a running stack.
pub fn on_a_stack(repo: &Repo, state: &State) -> Result<()> {
    let bin = tools::ensure(repo, tools::CONTRACT)?;
    let stack = std::path::absolute(state.stack()).unwrap_or_else(|_| state.stack());
    process::show(tests(repo, &bin, CONTRACT).env("HHP_STACK", stack), CONTRACT)
}

fn tests(repo: &Repo, bin: &Path, folder: &str) -> Command {
    let mut python = Command::new(bin.join("python"));
    python.current_dir(repo.path(folder)).args(["-B", "-m", "unittest"]);
    python
}
