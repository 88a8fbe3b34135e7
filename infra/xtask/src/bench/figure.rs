//! One line of the table, and the table.
use crate::error::Result;
use crate::paths::Repo;
use crate::process;
use serde::Serialize;
use std::process::Command;

#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: String,
    pub bound: String,
    /// Left out where there is no bound.
    pub held: Option<bool>,
}

impl Figure {
    /// A number that must not be above its bound.
    pub fn at_most(name: &str, value: f64, bound: f64) -> Self {
        let (value_text, bound_text) = (short(value), format!("≤ {}", short(bound)));
        Self { name: name.into(), value: value_text, bound: bound_text, held: Some(value <= bound) }
    }

    pub fn at_least(name: &str, value: f64, bound: f64) -> Self {
        let held = Some(value >= bound);
        Self { name: name.into(), value: format!("{value:.1}"), bound: format!("≥ {}", short(bound)), held }
    }

    pub fn told(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), bound: String::new(), held: None }
    }

    fn row(&self) -> String {
        let held = self.held.map_or("", |held| if held { "held" } else { "**missed**" });
        format!("| {} | {} | {} | {held} |\n", self.name, self.value, self.bound)
    }
}

/// At most three decimals, without zeros at the end.
pub fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Figures under a heading, with a word on how they were taken.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub title: &'static str,
    pub note: &'static str,
    pub figures: Vec<Figure>,
}

/// The document as Markdown.
pub fn document(repo: &Repo, sections: &[Section]) -> Result<String> {
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut git = Command::new("git");
    git.current_dir(repo.root()).args(["rev-parse", "--short", "HEAD"]);
    let commit = process::output(&mut git, "git rev-parse")?;
    let mut text = format!(
        "# Performance\n\nTaken by `cargo xtask bench --write` on {}, {cores} cores ({}), commit {}. Functions are built with the\n\
         release profile and run on the embedded emulator. What is held to a bound is a count or CPU time of a process: those hold on\n\
         a busy machine too. Times in seconds are this machine's, with whatever else it was doing.\n",
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        model.unwrap_or("unknown processor"),
        commit.trim(),
    );
    for section in sections {
        text.push_str(&format!("\n## {}\n\n", section.title));
        if !section.note.is_empty() {
            text.push_str(&format!("{}\n\n", section.note));
        }
        text.push_str("| figure | measured | bound | |\n|---|---|---|---|\n");
        section.figures.iter().for_each(|figure| text.push_str(&figure.row()));
    }
    Ok(text)
}
