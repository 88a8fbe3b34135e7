//! The choice of detection kinds, as the settings of a project and of a webhook endpoint both offer it.
use crate::form::{Errors, Values};
use domain::settings::mapping_rows::KNOWN_KINDS;
use domain::settings::{Kinds, is_kind};
use domain::wording::{priority_words, words};
use maud::{Markup, html};
use serde_json::{Value, json};

pub const NAMED_AS_THE_EDGE_DOES: &str =
    "use the name that the edge sends, in small letters, digits and underscores, such as gas_leak.";

/// As shown: as saved, or as just sent.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    pub all: bool,
    pub kinds: Vec<String>,
    pub another: String,
    pub min_priority: String,
}

impl Chosen {
    pub fn saved(kinds: &Kinds, min_priority: u8) -> Self {
        let (all, kinds) = match kinds {
            Kinds::All(_) => (true, Vec::new()),
            Kinds::Only(kinds) => (false, kinds.clone()),
        };
        Self { all, kinds, another: String::new(), min_priority: min_priority.to_string() }
    }

    pub fn sent(values: &Values) -> Self {
        Self {
            all: values.get("which") == "all",
            kinds: values.all("kind").map(str::to_owned).collect(),
            another: values.get("another").to_owned(),
            min_priority: values.get("min_priority").to_owned(),
        }
    }

    fn wanted(&self) -> Vec<String> {
        let mut kinds = self.kinds.clone();
        kinds.extend((!self.another.is_empty()).then(|| self.another.clone()));
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// As the API would be given it: kinds, and the priority.
    pub fn body(&self) -> (Value, Value) {
        let kinds = if self.all { json!("all") } else { json!(self.wanted()) };
        (kinds, self.min_priority.parse::<u64>().map_or(json!(self.min_priority), |priority| json!(priority)))
    }

    /// The field that an error of the API speaks of, and the sentence at it. `steps`: its pointer, from `kinds` or `min_priority` on.
    pub fn placed(&self, steps: &[&str], detail: &str) -> (String, String) {
        match steps {
            ["min_priority", ..] => ("min_priority".into(), "Lowest priority: choose one from 1 to 5.".into()),
            ["kinds", at] => {
                let kinds = self.wanted();
                let kind = at.parse::<usize>().ok().and_then(|at| kinds.get(at));
                match kind == Some(&self.another) {
                    true => ("another".into(), format!("Another kind: {NAMED_AS_THE_EDGE_DOES}")),
                    false => ("kinds".into(), "Kinds of detections: choose those that are listed.".into()),
                }
            }
            _ => ("kinds".into(), format!("Kinds of detections: it {detail}.")),
        }
    }

    pub fn fields(&self, errors: &Errors) -> Markup {
        let own = self.kinds.iter().map(String::as_str).filter(|kind| !KNOWN_KINDS.contains(kind) && is_kind(kind));
        html! {
            fieldset #kinds tabindex="-1" aria-describedby=[errors.described("kinds")] {
                legend { "Kinds of detections" }
                label.check { input type="radio" name="which" value="all" checked[self.all]; "All, and those to come" }
                label.check { input type="radio" name="which" value="these" checked[!self.all]; "Only these:" }
                div.choices { @for kind in KNOWN_KINDS.into_iter().chain(own) {
                    label.check {
                        input type="checkbox" name="kind" value=(kind) checked[self.kinds.iter().any(|each| each == kind)];
                        (words(kind))
                    }
                } }
                (errors.at("kinds"))
                div.field {
                    label for="another" { "Another kind (optional)" }
                    input #another type="text" name="another" value=(self.another) autocapitalize="none" spellcheck="false"
                        aria-describedby=[errors.described("another")] aria-invalid=[errors.has("another").then_some("true")];
                    (errors.at("another"))
                }
            }
            div.field {
                label for="min_priority" { "Lowest priority that is sent" }
                select #min_priority name="min_priority" aria-invalid=[errors.has("min_priority").then_some("true")]
                    aria-describedby=[errors.described("min_priority")] {
                    @for priority in 1..=5u8 {
                        option value=(priority) selected[priority.to_string() == self.min_priority] { (priority_words(priority)) }
                    }
                }
                (errors.at("min_priority"))
            }
        }
    }
}
