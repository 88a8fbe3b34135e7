//! cargo-deny: licences, bans and sources always; advisories where their database can be had.
use crate::error::Result;
use crate::paths::Repo;
use crate::process;
use crate::test::cargo;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const VERSION: &str = "0.20.2";
const DATABASE_HOST: &str = "github.com:443";

pub fn check(repo: &Repo) -> Result<()> {
    let deny = ensure(repo)?;
    let run = |args: &[&str], what: &str| {
        let mut command = Command::new(&deny);
        command.current_dir(repo.root()).args(["--log-level", "error"]).args(args);
        process::show(&mut command, what)
    };
    run(&["check", "licenses", "bans", "sources"], "cargo deny check licenses bans sources")?;
    if database_is_near() && run(&["fetch", "db"], "cargo deny fetch db").is_ok() {
        return run(&["check", "advisories"], "cargo deny check advisories");
    }
    println!("  advisories: SKIPPED, their database ({DATABASE_HOST}) cannot be reached from here");
    Ok(())
}

/// The one on the path, else our own, made once.
fn ensure(repo: &Repo) -> Result<PathBuf> {
    let installed = Command::new("cargo-deny").arg("--version").output().is_ok_and(|out| out.status.success());
    if installed {
        return Ok("cargo-deny".into());
    }
    let root = repo.path(".local/tools");
    let binary = root.join("bin/cargo-deny");
    if !binary.exists() {
        println!("  cargo-deny {VERSION}: building it (once, some minutes)");
        let mut install = cargo(repo, &["install", "--quiet", "--locked", "--version", VERSION]);
        install.arg("--root").arg(&root).arg("cargo-deny");
        process::show(&mut install, "cargo install cargo-deny")?;
    }
    Ok(binary)
}

fn database_is_near() -> bool {
    let near = |address| TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok();
    DATABASE_HOST.to_socket_addrs().is_ok_and(|mut addresses| addresses.any(near))
}
