//! The command line.
use crate::day::Plan;
use crate::error::{Error, Result};
use crate::local::Options;
use lexopt::{Arg, Parser, ValueExt};
use std::path::PathBuf;
use std::str::FromStr;

pub const HELP: &str = "\
cargo xtask local [options]     the whole system on this machine, until Ctrl-C
    --no-demo                   no demo contractor, and no provider sandboxes (but see --sandbox)
    --sandbox                   with --no-demo: provider sandboxes all the same
    --set Name=Value            a parameter of template.yaml (repeatable)
    --port N                    first port (4600): emulator N, Procore sandbox N+1, webhook inbox N+3, API N+4
    --detach                    return when ready; `cargo xtask local stop` ends it
    --state DIR                 where stack.json and logs go (.local; also HHP_LOCAL_DIR)
    --procore-client-id ID, --procore-client-secret SECRET, --aps-client-id ID, --aps-client-secret SECRET
cargo xtask local stop [--state DIR]
cargo xtask test [--quick]      every check; --quick leaves out the stack and the template
cargo xtask bench [--only PART] [--detections N] [--stored N] [--json FILE] [--write] [--port N]
                                builds release binaries and measures against the bounds
    --only PART                 startup, cpu, counts (with the bills), speed, deliveries, reads or summary (repeatable; left out: all, and memory)
    --write                     puts what was measured into docs/performance.md
cargo xtask day --detections N [--seed S] [--sites N] [--out FILE]
                                a day of events, as events/demo-day.json is made
cargo xtask capabilities        writes docs/capabilities.md from what the code says";

pub enum Command {
    Help,
    Local(Box<Options>),
    LocalStop { state: Option<PathBuf> },
    Day(DayOptions),
    Capabilities,
    Test(TestOptions),
    Bench(BenchOptions),
}

/// A part of the bench that can be run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Startup,
    Cpu,
    Counts,
    Speed,
    Deliveries,
    Reads,
    Summary,
}

impl Part {
    pub const ALL: [(&'static str, Part); 7] = [
        ("startup", Part::Startup),
        ("cpu", Part::Cpu),
        ("counts", Part::Counts),
        ("speed", Part::Speed),
        ("deliveries", Part::Deliveries),
        ("reads", Part::Reads),
        ("summary", Part::Summary),
    ];
}

impl FromStr for Part {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Part::ALL.iter().find(|(name, _)| *name == word);
        found
            .map(|(_, part)| *part)
            .ok_or_else(|| format!("--only {word}: expected startup, cpu, counts, speed, deliveries, reads or summary"))
    }
}

/// What is measured, how large the burst is, and where figures go.
pub struct BenchOptions {
    /// Empty: all.
    pub only: Vec<Part>,
    pub detections: usize,
    /// Detections that stand at the site that is read from.
    pub stored: usize,
    pub port: u16,
    pub json: Option<PathBuf>,
    pub write: bool,
}

impl BenchOptions {
    pub fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

pub struct DayOptions {
    pub plan: Plan,
    pub out: Option<PathBuf>,
}

#[derive(Default)]
pub struct TestOptions {
    pub quick: bool,
}

pub fn parse(mut args: Parser) -> Result<Command> {
    command(&mut args).map_err(|error| Error::Usage(format!("{error}\n\n{HELP}")))
}

fn command(args: &mut Parser) -> Result<Command, lexopt::Error> {
    match args.next()? {
        Some(Arg::Value(name)) if name == "local" => local(args),
        Some(Arg::Value(name)) if name == "day" => day(args),
        Some(Arg::Value(name)) if name == "capabilities" => Ok(Command::Capabilities),
        Some(Arg::Value(name)) if name == "test" => test(args),
        Some(Arg::Value(name)) if name == "bench" => bench(args),
        None | Some(Arg::Long("help") | Arg::Short('h')) => Ok(Command::Help),
        Some(other) => Err(other.unexpected()),
    }
}

fn bench(args: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut options =
        BenchOptions { only: Vec::new(), detections: 20_000, stored: 100_000, port: 5000, json: None, write: false };
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("only") => options.only.push(args.value()?.parse()?),
            Arg::Long("detections") => options.detections = args.value()?.parse()?,
            Arg::Long("stored") => options.stored = args.value()?.parse()?,
            Arg::Long("port") => options.port = args.value()?.parse()?,
            Arg::Long("json") => options.json = Some(args.value()?.into()),
            Arg::Long("write") => options.write = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Bench(options))
}

fn local(args: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let (mut stop, mut sandbox) = (false, false);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Value(word) if word == "stop" => stop = true,
            Arg::Long("no-demo") => options.demo = false,
            Arg::Long("sandbox") => sandbox = true,
            Arg::Long("detach") => options.detach = true,
            Arg::Long("port") => options.port = args.value()?.parse()?,
            Arg::Long("state") => options.state = Some(args.value()?.into()),
            Arg::Long("set") => {
                let pair = args.value()?.string()?;
                let (name, value) = pair.split_once('=').ok_or_else(|| format!("--set {pair}: expected Name=Value"))?;
                options.set.insert(name.to_owned(), value.to_owned());
            }
            Arg::Long("procore-client-id") => options.apps[0].client_id = args.value()?.string()?,
            Arg::Long("procore-client-secret") => options.apps[0].client_secret = args.value()?.string()?,
            Arg::Long("aps-client-id") => options.apps[1].client_id = args.value()?.string()?,
            Arg::Long("aps-client-secret") => options.apps[1].client_secret = args.value()?.string()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    options.sandbox = options.demo || sandbox;
    match stop {
        true => Ok(Command::LocalStop { state: options.state }),
        false => Ok(Command::Local(Box::new(options))),
    }
}

fn day(args: &mut Parser) -> Result<Command, lexopt::Error> {
    let (mut plan, mut out) = (Plan::default(), None);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("detections") => plan.detections = args.value()?.parse()?,
            Arg::Long("seed") => plan.seed = args.value()?.parse()?,
            Arg::Long("sites") => plan.sites = args.value()?.parse()?,
            Arg::Long("out") => out = Some(args.value()?.into()),
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Day(DayOptions { plan, out }))
}

fn test(args: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut options = TestOptions::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("quick") => options.quick = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Test(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        parse(Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn without_demo_there_is_no_sandbox_unless_asked_for() {
        let sandbox = |line| match parsed(line) {
            Ok(Command::Local(options)) => options.sandbox,
            _ => panic!("{line} is not understood"),
        };
        assert!(sandbox("local"));
        assert!(!sandbox("local --no-demo"));
        assert!(sandbox("local --no-demo --sandbox"));
    }

    #[test]
    fn a_parameter_may_hold_equals_signs() {
        let Ok(Command::Local(options)) = parsed("local --set ProcoreApiUrl=http://h/?a=b --port 4800") else {
            panic!("not understood")
        };
        assert_eq!(options.set["ProcoreApiUrl"], "http://h/?a=b");
        assert_eq!(options.port, 4800);
    }

    #[test]
    fn the_bench_takes_parts_by_name() {
        let Ok(Command::Bench(options)) = parsed("bench --only cpu --only counts --write") else {
            panic!("not understood")
        };
        assert_eq!(options.only, [Part::Cpu, Part::Counts]);
        assert!(options.write);
    }

    #[test]
    fn what_is_not_known_is_refused_with_the_help() {
        for line in ["lokal", "local --prot 1", "local --set Name", "day --detections many", "bench --only all"] {
            let Err(Error::Usage(text)) = parsed(line) else { panic!("{line} was accepted") };
            assert!(text.contains("cargo xtask local"), "{text}");
        }
    }
}
