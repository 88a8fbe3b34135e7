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
    let taken = taken(repo)?;
    let mut text = INTRODUCTION.to_owned();
    sections.iter().for_each(|section| text.push_str(&section.markdown(&taken)));
    Ok(text)
}

/// A document with some sections taken anew, the others as they stand.
pub fn replaced(document: &str, repo: &Repo, sections: &[Section]) -> Result<String> {
    Ok(replace(document, sections, &taken(repo)?))
}

const INTRODUCTION: &str = "# Performance

Taken by `cargo xtask bench --write`, each part when and where it says. Functions are built with the release profile and run on the
embedded emulator. What is held to a bound is a count or CPU time of a process: those hold on a busy machine too. Times in seconds are
the machine's, with whatever else it was doing.
";
const HEADING: &str = "\n## ";

/// When, where and of what.
fn taken(repo: &Repo) -> Result<String> {
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut git = Command::new("git");
    git.current_dir(repo.root()).args(["rev-parse", "--short", "HEAD"]);
    let commit = process::output(&mut git, "git rev-parse")?;
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    Ok(format!("{day}, {cores} cores ({}), commit {}", model.unwrap_or("unknown processor"), commit.trim()))
}

impl Section {
    fn markdown(&self, taken: &str) -> String {
        let mut text = format!("{HEADING}{}\n\nTaken on {taken}.", self.title);
        if !self.note.is_empty() {
            text.push_str(&format!(" {}", self.note));
        }
        text.push_str("\n\n| figure | measured | bound | |\n|---|---|---|---|\n");
        self.figures.iter().for_each(|figure| text.push_str(&figure.row()));
        text
    }
}

fn replace(document: &str, sections: &[Section], taken: &str) -> String {
    let mut parts = document.split(HEADING);
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut left: Vec<&Section> = sections.iter().collect();
    for part in parts {
        let title = part.lines().next().unwrap_or_default();
        match left.iter().position(|section| section.title == title) {
            Some(at) => text.push_str(&left.remove(at).markdown(taken)),
            None => text.push_str(&format!("{HEADING}{part}")),
        }
    }
    left.iter().for_each(|section| text.push_str(&section.markdown(taken)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(title: &'static str, value: f64) -> Section {
        Section { title, note: "", figures: vec![Figure::at_most("ms", value, 2.0)] }
    }

    #[test]
    fn a_part_taken_anew_takes_the_place_of_the_old_and_leaves_the_others() {
        let old =
            format!("# Performance\n{}{}", section("One", 1.0).markdown("then"), section("Two", 1.5).markdown("then"));
        let new = replace(&old, &[section("One", 3.0), section("Three", 1.0)], "now");
        let part = |title: &str| new.split(HEADING).find(|part| part.starts_with(title)).unwrap().to_owned();
        assert!(part("One").contains("Taken on now") && part("One").contains("| ms | 3 | ≤ 2 | **missed** |"));
        assert!(part("Two").contains("Taken on then") && part("Two").contains("| ms | 1.5 | ≤ 2 | held |"));
        assert!(part("Three").contains("Taken on now"));
        assert_eq!(new.matches(HEADING).count(), 3);
    }
}
