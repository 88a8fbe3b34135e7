//! `cargo xtask local`: the whole system on this machine (contracts 6.1).
use crate::aws::REGION;
use crate::deploy::{self, ProviderApp};
use crate::emulator::{self, Ports};
use crate::error::{Error, Result};
use crate::functions::{self, Profile};
use crate::paths::{Repo, State};
use crate::process::Run;
use crate::stack::{Sandbox, Stack};
use crate::supervisor::Supervisor;
use crate::{demo, sandbox, tools};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

pub struct Options {
    pub demo: bool,
    pub sandbox: bool,
    pub detach: bool,
    pub port: u16,
    pub set: BTreeMap<String, String>,
    pub apps: Vec<ProviderApp>,
    pub state: Option<PathBuf>,
    pub profile: Profile,
    /// Lanes and sites that run at once.
    pub lanes: u16,
}

pub const DEFAULT_PORT: u16 = 4600;

/// What was started, by the name of its log.
type Children = Vec<(&'static str, Child)>;

impl Default for Options {
    fn default() -> Self {
        let app =
            |name| ProviderApp { name, client_id: "sandbox-client".into(), client_secret: "sandbox-secret".into() };
        let apps = vec![app("procore"), app("aps")];
        Self {
            demo: true,
            sandbox: true,
            detach: false,
            port: DEFAULT_PORT,
            set: BTreeMap::new(),
            apps,
            state: None,
            lanes: 8,
            profile: Profile::Dev,
        }
    }
}

/// Where the stack's files lie: the flag, else the environment, else `.local`.
pub fn state(repo: &Repo, named: Option<PathBuf>) -> Result<State> {
    let dir = named.or_else(|| std::env::var_os("HHP_LOCAL_DIR").map(PathBuf::from)).unwrap_or_else(|| ".local".into());
    State::open(repo.root().join(dir))
}

/// Starts everything and stays until Ctrl-C, or with `--detach` returns once it is ready.
pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    let supervisor = supervise(repo, options)?;
    let children = start(repo, &supervisor, options).inspect_err(|_| stop_after_failure(&supervisor))?;
    if options.detach {
        return Ok(());
    }
    let outcome = stay(&supervisor, children);
    supervisor.stop()?;
    outcome
}

/// Starts everything, does `work` while it runs, and stops it whatever came of that.
pub fn during(repo: &Repo, options: &Options, work: impl FnOnce(&State) -> Result<()>) -> Result<()> {
    let supervisor = supervise(repo, options)?;
    let children = start(repo, &supervisor, options).inspect_err(|_| stop_after_failure(&supervisor))?;
    let outcome = work(&supervisor.state);
    let survived = check(&supervisor, children);
    supervisor.stop()?;
    outcome.and(survived.map(drop))
}

fn supervise(repo: &Repo, options: &Options) -> Result<Supervisor> {
    let state = state(repo, options.state.clone())?;
    refuse_second(&state)?;
    check_names(repo, &options.set)?;
    Ports::from(options.port)?.check_free()?;
    Supervisor::new(state, options.port)
}

fn stop_after_failure(supervisor: &Supervisor) {
    if let Err(error) = supervisor.stop() {
        eprintln!("{error}");
    }
}

/// `cargo xtask local stop`.
pub fn stop(repo: &Repo, named: Option<PathBuf>) -> Result<()> {
    let state = state(repo, named)?;
    match Run::load(&state)? {
        Some(run) => {
            run.stop(&state)?;
            println!("Stopped.");
        }
        None => println!("Nothing is running."),
    }
    Ok(())
}

fn refuse_second(state: &State) -> Result<()> {
    match Run::load(state)? {
        Some(run) if run.is_alive() => Err(Error::Environment(format!(
            "A stack is already running, its first port is {}. `cargo xtask local stop` ends it.",
            run.port
        ))),
        Some(run) => run.stop(state),
        None => Ok(()),
    }
}

fn check_names(repo: &Repo, set: &BTreeMap<String, String>) -> Result<()> {
    let known = functions::parameters(repo)?;
    match set.keys().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Error::Usage(format!(
            "--set {name}: template.yaml has no such parameter; it has {}.",
            known.join(", ")
        ))),
    }
}

fn start(repo: &Repo, supervisor: &Supervisor, options: &Options) -> Result<Children> {
    let ports = Ports::from(options.port)?;
    let steps = Steps::default();
    // Cargo has the processor, pip the network: side by side.
    let (emulator_bin, sam_bin) = steps.time("build, and the tools it runs on", || {
        std::thread::scope(|scope| {
            let tools = scope.spawn(|| Ok((tools::ensure(repo, tools::EMULATOR)?, tools::ensure(repo, tools::SAM)?)));
            functions::build(repo, options.sandbox, options.profile)?;
            tools.join().map_err(|_| crate::error::unexpected("installing the tools", "it panicked"))?
        })
    })?;
    let mut children = Vec::new();
    if options.sandbox {
        children.push(("sandbox", steps.time("provider sandboxes", || sandbox::start(repo, supervisor, ports))?));
    }
    let (child, aws) =
        steps.time("AWS emulator", || emulator::start(repo, supervisor, &emulator_bin, ports, options.lanes))?;
    children.push(("emulator", child));
    let parameters = parameters(options, ports);
    let operator_key = steps.time("sam deploy of template.yaml", || {
        deploy::deploy(repo, &supervisor.state, &sam_bin, &aws, &parameters, options.profile)?;
        if options.sandbox {
            sandbox::put_service_accounts(repo, &aws)?;
        }
        deploy::put_secrets(&aws, &options.apps)
    })?;
    let mut stack = describe(options, ports, aws.endpoint, operator_key);
    if options.demo {
        stack.demo = Some(steps.time("demo contractor and demo day", || demo::set_up(repo, &stack))?);
    }
    stack.save(&supervisor.state)?;
    announce(&stack, supervisor, options);
    Ok(children)
}

/// The template's parameters here. What `--set` names wins.
fn parameters(options: &Options, ports: Ports) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: String| parameters.insert(name.to_owned(), value);
    set("Architecture", deploy::architecture().into());
    set("DeletionProtection", "false".into());
    set("AllowPrivateWebhookTargets", "true".into());
    set("PublicUrl", ports.api_url());
    if options.sandbox {
        for name in ["ProcoreLoginUrl", "ProcoreApiUrl", "ProcoreWebUrl"] {
            set(name, ports.procore_url());
        }
        let apps = format!("{}/webclients/host/companies/{{company}}/tools/apps", ports.procore_url());
        set("ProcoreInstallUrl", apps);
        for name in ["ApsUrl", "AutodeskProfileUrl"] {
            set(name, ports.acc_url());
        }
    }
    parameters.extend(options.set.clone());
    parameters
}

fn describe(options: &Options, ports: Ports, aws_endpoint: String, operator_key: String) -> Stack {
    let api_url = ports.api_url();
    let webhook_inbox_url = Some(ports.inbox_url());
    let sandbox = Sandbox { procore_url: ports.procore_url(), acc_url: Some(ports.acc_url()), webhook_inbox_url };
    Stack {
        aws_endpoint,
        region: REGION.into(),
        setup_url: format!("{api_url}/setup"),
        procore_webhook_url: format!("{api_url}/hooks/procore"),
        acc_webhook_url: format!("{api_url}/hooks/acc"),
        api_url,
        operator_key,
        sandbox: options.sandbox.then_some(sandbox),
        demo: None,
    }
}

fn announce(stack: &Stack, supervisor: &Supervisor, options: &Options) {
    println!("\nReady. Everything that a tool needs stands in {}", supervisor.state.stack().display());
    println!("  API           {}/v1   (openapi.json beside it)", stack.api_url);
    println!("  AWS emulator  {}", stack.aws_endpoint);
    if let Some(sandbox) = &stack.sandbox {
        println!("  Procore       {}   <- open this: the sandbox's pages", sandbox.procore_url);
        sandbox.acc_url.iter().for_each(|url| println!("  Autodesk      {url}   <- and its other platform's"));
        if let Some(inbox) = &sandbox.webhook_inbox_url {
            println!("  Webhooks      {inbox}   <- every path below it is a receiver; open it to see what came");
        }
    }
    if let Some(link) = stack.demo.as_ref().and_then(|demo| demo.setup_link.as_ref()) {
        println!("  Set-up pages  {link}   <- and this: signs you in once, as the demo contractor's safety manager");
    }
    match options.detach {
        true => println!("It goes on by itself; `cargo xtask local stop` ends it."),
        false => println!("Ctrl-C ends it."),
    }
}

/// Until Ctrl-C, which ends the process from the supervisor's thread, or until something stops by itself.
fn stay(supervisor: &Supervisor, mut children: Children) -> Result<()> {
    loop {
        children = check(supervisor, children)?;
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// An error if something that should stay has ended by itself.
fn check(supervisor: &Supervisor, mut children: Children) -> Result<Children> {
    children.iter_mut().try_for_each(|(name, child)| supervisor.check(child, name))?;
    Ok(children)
}

/// Says what is being done and how long it took.
struct Steps(Instant);

impl Default for Steps {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Steps {
    fn time<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let since = Instant::now();
        println!("- {what}");
        let result = work()?;
        println!("  {:.1} s ({:.0} s in all)", since.elapsed().as_secs_f32(), self.0.elapsed().as_secs_f32());
        Ok(result)
    }
}
