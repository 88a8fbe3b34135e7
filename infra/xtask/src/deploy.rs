//! `sam deploy` to the emulator, and the secrets that a person would put into SSM by hand.
use crate::aws::{Aws, REGION};
use crate::error::{Result, unexpected};
use crate::functions::{self, Profile};
use crate::paths::{self, Repo, State};
use crate::process;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

pub const STACK: &str = "hardhat-pulse";

/// The processor of this machine in the template's words.
pub fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

pub type Outputs = BTreeMap<String, String>;

/// Deploys the template and returns its outputs.
pub fn deploy(
    repo: &Repo,
    state: &State,
    sam: &Path,
    aws: &Aws,
    parameters: &BTreeMap<String, String>,
    profile: Profile,
) -> Result<Outputs> {
    functions::built_template(repo, state, profile)?;
    let mut command = Command::new(sam.join("sam"));
    let capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
    command.arg("deploy").arg("--template-file").arg(state.template());
    command.args([
        "--stack-name",
        STACK,
        "--region",
        REGION,
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-progressbar",
    ]);
    command.arg("--capabilities").args(capabilities).arg("--parameter-overrides");
    command.args(parameters.iter().map(|(name, value)| format!("{name}={value}")));
    process::run(for_emulator(&mut command, aws), "sam deploy", &state.log("deploy"))?;
    let outputs = outputs(sam, aws)?;
    let text = serde_json::to_string_pretty(&outputs).map_err(|e| unexpected("the stack's outputs", e))?;
    paths::write(&state.outputs(), &text)?;
    let table = outputs.get("TableName").ok_or_else(|| unexpected("the stack", "no output TableName"))?;
    aws.expire_items(table)?;
    Ok(outputs)
}

fn outputs(sam: &Path, aws: &Aws) -> Result<Outputs> {
    let mut command = Command::new(sam.join("sam"));
    command.args(["list", "stack-outputs", "--stack-name", STACK, "--region", REGION, "--output", "json"]);
    let text = process::output(for_emulator(&mut command, aws), "sam list stack-outputs")?;
    let rows: Vec<Value> = serde_json::from_str(&text).map_err(|e| unexpected("the stack's outputs", e))?;
    let pair = |row: &Value| Some((row["OutputKey"].as_str()?.to_owned(), row["OutputValue"].as_str()?.to_owned()));
    Ok(rows.iter().filter_map(pair).collect())
}

/// Names the emulator as AWS, and keeps a person's own AWS settings and proxies out of it.
fn for_emulator<'a>(command: &'a mut Command, aws: &Aws) -> &'a mut Command {
    for name in
        ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE", "SAM_CLI_CONTAINER_CONNECTION_TIMEOUT"]
    {
        command.env_remove(name);
    }
    command.envs([
        ("AWS_ENDPOINT_URL", aws.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", REGION),
        ("SAM_CLI_TELEMETRY", "0"),
        ("NO_PROXY", "127.0.0.1,localhost"),
        ("no_proxy", "127.0.0.1,localhost"),
    ])
}

/// A provider app's credentials, as its developer portal shows them.
#[derive(Clone)]
pub struct ProviderApp {
    pub name: &'static str,
    pub client_id: String,
    pub client_secret: String,
}

/// Puts the secrets where the functions look for them, and returns the new operator key.
pub fn put_secrets(aws: &Aws, apps: &[ProviderApp]) -> Result<String> {
    for app in apps {
        aws.put_secret(&format!("/{STACK}/{}/client-id", app.name), &app.client_id)?;
        aws.put_secret(&format!("/{STACK}/{}/client-secret", app.name), &app.client_secret)?;
    }
    let key = operator_key()?;
    let hash: String = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    aws.put_secret(&format!("/{STACK}/operator-key-sha256"), &hash)?;
    Ok(key)
}

fn operator_key() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).map_err(|e| unexpected("the system's randomness", e))?;
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    Ok(format!("hhp_op_{}", letters.collect::<String>()))
}
