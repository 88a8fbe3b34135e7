//! What of a site's day goes into fields of an Autodesk form. Fields are found by their labels when a template is chosen, and kept by
//! their ids.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Figures by their names in the settings, each with the label of the field that takes it.
pub const FIGURES: [(&str, &str); 7] = [
    ("alerts", "Alerts"),
    ("zone_breaches", "Zone breaches"),
    ("confirmed_incidents", "Confirmed incidents"),
    ("recordable_incidents", "Recordable incidents"),
    ("ppe_compliance", "PPE compliance"),
    ("summary", "Summary"),
    ("report", "Report"),
];

/// A field of a form's template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FormField {
    pub id: String,
    /// The member of a value that the field takes, as Autodesk's template says.
    pub takes: Takes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Takes {
    #[serde(rename = "numberVal")]
    Number,
    #[serde(rename = "textVal")]
    Text,
}

impl Takes {
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "numberVal" => Some(Self::Number),
            "textVal" => Some(Self::Text),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "numberVal",
            Self::Text => "textVal",
        }
    }
}

/// Which figures a template has fields for, of its fields' labels: in any case of letters, the first of equal labels. One that takes
/// neither a number nor a text is left to people.
pub fn by_label<'a>(fields: impl IntoIterator<Item = (&'a str, FormField)>) -> BTreeMap<String, FormField> {
    let mut found = BTreeMap::new();
    for (label, field) in fields {
        let figure = FIGURES.iter().find(|(_, known)| label.trim().eq_ignore_ascii_case(known));
        if let Some((name, _)) = figure {
            found.entry((*name).to_owned()).or_insert(field);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_any_case_and_the_first_one_counts() {
        let field = |id: &str| FormField { id: id.into(), takes: Takes::Number };
        let found = by_label([(" ALERTS ", field("1")), ("Alerts", field("2")), ("Weather", field("3"))]);
        assert_eq!(found, BTreeMap::from([("alerts".to_owned(), field("1"))]));
    }
}
