//! What goes to each platform and what comes back: the one source of docs/capabilities.md and of the page that shows the same.

/// Whether something is there, and the words of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Yes(&'static str),
    /// There, but less or later than people may expect.
    Partly(&'static str),
    /// Not there, and why.
    No(&'static str),
}

use Cell::{No, Partly, Yes};

impl Cell {
    /// "Yes", "Partly" or "No" begins it: no colour or sign says it alone.
    pub fn words(self) -> String {
        let (begin, rest) = match self {
            Yes(rest) => ("Yes", rest),
            Partly(rest) => ("Partly", rest),
            No(rest) => ("No", rest),
        };
        if rest.is_empty() { begin.to_owned() } else { format!("{begin}: {rest}") }
    }
}

/// Its place among the platforms.
pub const AUTODESK: usize = 1;
pub const PLATFORMS: [&str; 5] =
    ["Procore", "Autodesk Construction Cloud", "Trimble Connect", "Fieldwire", "Own systems (webhooks and REST API)"];

/// What a row asks, and the answer of each platform, in the order of [`PLATFORMS`].
pub struct Row {
    pub feature: &'static str,
    pub cells: [Cell; 5],
}

pub const TREATMENT: &str = "Injuries and treatment come back";
pub const STATUS: &str = "Status and comments come back";
pub const DAILY_REPORTS: &str = "Daily reports";

/// What a platform answers to one of these questions.
pub fn cell(platform: usize, feature: &str) -> String {
    ROWS.iter().find(|row| row.feature == feature).map_or_else(String::new, |row| row.cells[platform].words())
}

const RELAY_TC: Cell = Partly("a signed message with a ready-made topic; a relay of yours makes the topic");
const RELAY_FW: Cell = Partly("a signed message with a ready-made task; a relay of yours makes the task");

pub const ROWS: &[Row] = &[
    Row {
        feature: "Detections",
        cells: [
            Yes("as Observations of the category Safety, by kind and priority"),
            Yes("as Issues of the type chosen for the project, by kind and priority"),
            RELAY_TC,
            RELAY_FW,
            Yes("a signed message, and read by the API"),
        ],
    },
    Row {
        feature: "Confirmed incidents",
        cells: [
            Yes("recordable ones as Incidents"),
            Yes("recordable ones as Issues"),
            RELAY_TC,
            RELAY_FW,
            Yes("a signed message, recordable or not, and read by the API"),
        ],
    },
    Row {
        feature: "Changes and retractions of an incident",
        cells: [
            Yes("in the record, around what people changed there"),
            Yes("in the issue, around what people changed there"),
            Partly("a further message; the sample relay adds it as a comment"),
            Partly("a further message; the sample relay adds it as a comment"),
            Yes("a further message, and a new place in the API's list"),
        ],
    },
    Row {
        feature: DAILY_REPORTS,
        cells: [
            Yes("a note in the Daily Log at the site's hour"),
            Yes(
                "a form of that date at the site's hour, from a template of your project; people submit it, or we after 73 hours if you say so",
            ),
            Yes("a message to your relay at the site's hour; the sample relay makes a topic of it"),
            Yes("a message to your relay at the site's hour; the sample relay makes a task of it"),
            Yes("a message at the site's hour; the API gives each day and trends, as JSON or CSV"),
        ],
    },
    Row {
        feature: "Footage",
        cells: [
            Partly("a link, which asks for a login; the film stays here"),
            Partly("a link, which asks for a login; the film stays here"),
            Partly("a link, which asks for a login; the film stays here"),
            Partly("a link, which asks for a login; the film stays here"),
            Partly("the API gives a link that is good for five minutes"),
        ],
    },
    Row {
        feature: "Workers",
        cells: [
            Partly("role and trade; never a name or an id"),
            Partly("role and trade; never a name or an id"),
            Partly("role and trade; never a name or an id"),
            Partly("role and trade; never a name or an id"),
            Partly("role and trade in messages; the API has the site's own worker ids, never a name"),
        ],
    },
    Row {
        feature: TREATMENT,
        cells: [
            Yes("from the incident's injuries"),
            No("an issue has no place for them; tell the API, or enter them in your OSHA log"),
            No("nothing of a topic is read back"),
            No("nothing of a task is read back"),
            Yes("your tool tells the API"),
        ],
    },
    Row {
        feature: STATUS,
        cells: [
            Partly("the status; comments are not given out"),
            Yes("status and comments, at the latest by the next timed reading"),
            No("the platform tells nobody by webhook"),
            No("nothing is read back"),
            No("there is nothing to read"),
        ],
    },
    Row {
        feature: "How soon",
        cells: [
            Yes("within seconds, as fast as the platform's limits let"),
            Yes("within seconds, as fast as the platform's limits let"),
            Yes("within seconds to your relay; it decides the rest"),
            Yes("within seconds to your relay; it decides the rest"),
            Yes("within seconds; by polling whenever you ask"),
        ],
    },
    Row {
        feature: "After an outage of the other side",
        cells: [
            Yes("waits here and is written when it is back"),
            Yes("waits here and is written when it is back"),
            Yes("tried again for up to 72 hours, then by a press for 30 days"),
            Yes("tried again for up to 72 hours, then by a press for 30 days"),
            Yes("tried again for up to 72 hours, then by a press for 30 days; a kept cursor of the API misses nothing"),
        ],
    },
    Row {
        feature: "Never twice",
        cells: [
            Yes("found again by its marker"),
            Yes("found again by its marker"),
            Yes("the topic's guid is ours; a repeat is refused by the platform"),
            Partly("the message's id is the same; the sample relay looks for the task before it makes one again"),
            Yes("the message's id is the same on every attempt"),
        ],
    },
    Row {
        feature: "What it takes on their side",
        cells: [
            Yes("the app installed, and its permitted projects"),
            Yes("a custom integration in the account, and a service account that is a member of each project"),
            Partly("a business plan, an application registered with Trimble, and a person who agrees for the relay"),
            Partly("API access: part of Enterprise, else a paid add-on"),
            Yes("an https address, or a program that asks"),
        ],
    },
];

/// docs/capabilities.md.
pub fn markdown() -> String {
    let mut text = String::from(ABOUT);
    text.push_str(&format!("| | {} |\n|---|{}\n", PLATFORMS.join(" | "), "---|".repeat(PLATFORMS.len())));
    for Row { feature, cells } in ROWS {
        let cells: Vec<String> = cells.iter().map(|cell| cell.words()).collect();
        text.push_str(&format!("| **{feature}** | {} |\n", cells.join(" | ")));
    }
    text
}

const ABOUT: &str = "\
# What goes where, and what comes back

The set-up pages show the same table (\"What each platform can show\"); both come from `shared/domain/src/capabilities.rs`. After a change
there: `cargo xtask capabilities`.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_docs_says_what_the_source_says() {
        let file = include_str!("../../../docs/capabilities.md");
        assert_eq!(file, markdown(), "run `cargo xtask capabilities`");
    }

    #[test]
    fn what_is_not_there_or_less_says_why() {
        for Row { feature, cells } in ROWS {
            for cell in cells {
                let said = cell.words();
                assert!(said == "Yes" || said.contains(": "), "{feature}: {said}");
                assert!(!said.contains('|') && !said.contains('\n'), "{feature}");
            }
        }
    }
}
