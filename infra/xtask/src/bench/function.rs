//! One process of a function under measure, with the environment that the stack gives it, on a runtime API of our own.
use super::runtime_api::RuntimeApi;
use super::usage;
use crate::aws::REGION;
use crate::deploy::STACK;
use crate::error::{Doing, Result, unexpected};
use crate::http;
use crate::process;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Until a process that asked for work is really asleep.
const SETTLE: Duration = Duration::from_millis(3);

pub type Environment = BTreeMap<String, String>;

/// What starts a function.
#[derive(Debug, Clone)]
pub struct Program {
    /// As the stack calls it; memory is noted under it.
    pub name: String,
    pub path: PathBuf,
    pub args: Vec<String>,
    pub environment: Environment,
}

impl Program {
    pub fn new(name: &str, path: &Path, environment: Environment) -> Self {
        Self { name: name.into(), path: path.into(), args: Vec::new(), environment }
    }
}

pub struct Function {
    child: Child,
    api: RuntimeApi,
    log: PathBuf,
}

impl Function {
    pub fn start(program: &Program, endpoint: &str, log: &Path) -> Result<Self> {
        let api = RuntimeApi::start(&program.name)?;
        let file = File::create(log).doing(|| format!("write {}", log.display()))?;
        let errors = file.try_clone().doing(|| format!("write {}", log.display()))?;
        let mut command = Command::new(&program.path);
        command.args(&program.args).env_clear().envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("AWS_LAMBDA_RUNTIME_API", &format!("127.0.0.1:{}", api.port)),
            ("AWS_LAMBDA_FUNCTION_NAME", &program.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", endpoint),
        ]);
        command.envs(&program.environment).stdin(Stdio::null()).stdout(file).stderr(errors);
        let child = command.spawn().doing(|| format!("start {}", program.path.display()))?;
        Ok(Self { child, api, log: log.to_owned() })
    }

    pub fn invoke(&mut self, event: &Value) -> Result<Value> {
        let answer = self.api.invoke(event);
        answer.map_err(|error| unexpected(&error.to_string(), process::tail(&self.log)))
    }

    /// CPU time since the process began.
    pub fn cpu(&self) -> Result<Duration> {
        std::thread::sleep(SETTLE);
        usage::cpu(self.child.id())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The environment that the stack gives a function.
pub fn environment(endpoint: &str, function: &str) -> Result<Environment> {
    let url = format!("{endpoint}/2015-03-31/functions/{STACK}-{function}/configuration");
    let what = format!("the configuration of {function}");
    let configuration = http::request("GET", &url, &[], None)?.ok(&what)?.json(&what)?;
    serde_json::from_value(configuration["Environment"]["Variables"].clone()).map_err(|e| unexpected(&what, e))
}

/// A request as the HTTP API hands it to a function (payload format 2.0).
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Value {
    let headers: BTreeMap<&str, &str> =
        headers.iter().copied().chain([("host", "api.example.com"), ("user-agent", "bench")]).collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "bench", "domainName": "api.example.com", "domainPrefix": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"},
            "requestId": "bench", "routeKey": "$default", "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1_773_342_238_000_u64,
        },
        "body": body, "isBase64Encoded": false,
    })
}
