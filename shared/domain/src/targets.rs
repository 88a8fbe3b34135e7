//! What a mapping points to at the platform, and what is wrong with it: gone or switched off there.
use crate::settings::Mapping;
use std::collections::BTreeMap;

/// One thing at the platform that a kind can be mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub id: String,
    pub name: String,
    pub active: bool,
}

/// What stands at a mapping's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Good { name: String },
    SwitchedOff { name: String },
    Gone { id: String },
}

impl Target {
    /// A sentence where something is wrong. `what`: "observation type".
    pub fn trouble(&self, what: &str) -> Option<String> {
        match self {
            Self::Good { .. } => None,
            Self::SwitchedOff { name } => {
                Some(format!("{name} is switched off in Procore. Choose another {what}, or have it switched on there."))
            }
            Self::Gone { id } => Some(format!(
                "No {what} with the id {id} is listed there any more. Choose another {what}, or the default."
            )),
        }
    }
}

pub fn target(id: &str, choices: &[Choice]) -> Target {
    match choices.iter().find(|choice| choice.id == id) {
        Some(Choice { name, active: true, .. }) => Target::Good { name: name.clone() },
        Some(Choice { name, .. }) => Target::SwitchedOff { name: name.clone() },
        None => Target::Gone { id: id.to_owned() },
    }
}

/// The kinds of a map whose target is not good, with the sentence that says why.
pub fn troubles(mapped: &BTreeMap<String, String>, choices: &[Choice], what: &str) -> BTreeMap<String, String> {
    let wrong = mapped.iter().filter_map(|(kind, id)| Some((kind.clone(), target(id, choices).trouble(what)?)));
    wrong.collect()
}

/// Whether everything stands at its default.
pub fn is_default(mapping: &Mapping) -> bool {
    *mapping == Mapping::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_or_off_is_said_and_what_is_good_is_not() {
        let choice = |id: &str, active| Choice { id: id.into(), name: format!("Type {id}"), active };
        let choices = [choice("1", true), choice("2", false)];
        let mapped =
            [("fall", "1"), ("man_down", "2"), ("proximity", "3")].map(|(kind, id)| (kind.to_owned(), id.to_owned()));
        let wrong = troubles(&mapped.into(), &choices, "observation type");
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["man_down", "proximity"]);
        assert!(wrong["man_down"].starts_with("Type 2 is switched off"));
        assert!(wrong["proximity"].contains("No observation type with the id 3"));
    }
}
