//! What a record says (design 7), in words that no platform owns. Everything here goes out of the house: no worker id, no name,
//! and of a privacy case (29 CFR 1904.29(b)(7)) neither role, trade nor free text.
mod summary;

pub use summary::{percent, summary_note, summary_title};

use crate::event::{Detection, Incident};
use crate::localtime::on_site;
use jiff::{Timestamp, tz::TimeZone};

/// What the words need to know beside the fact.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub zone_name: &'a str,
    pub time_zone: &'a TimeZone,
    pub marker: &'a str,
    /// Opens a page that asks for a login.
    pub link: &'a str,
}

/// Titles and names end there at every platform. Counted in UTF-16 units: never fewer than characters, whichever a platform counts.
const TITLE_LENGTH: usize = 255;

/// `zone_breach` as people write it: `Zone breach`.
pub fn words(kind: &str) -> String {
    let known = match kind {
        "ppe_non_compliance" => "PPE non-compliance",
        "man_down" => "Man down",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let text = kind.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// 1 (least) to 5 (worst).
pub fn priority_words(priority: u8) -> &'static str {
    match priority {
        0 | 1 => "1 (lowest)",
        2 => "2 (low)",
        3 => "3 (medium)",
        4 => "4 (high)",
        _ => "5 (worst)",
    }
}

/// A title that every platform takes: where it is too long it ends on a word, before the marker at its end, which is never cut,
/// since the record is found again by it.
pub fn shortened(title: &str) -> String {
    let length = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    if length(title) <= TITLE_LENGTH {
        return title.to_owned();
    }
    let (said, marker) = title.rfind(" [").map_or((title, ""), |at| title.split_at(at));
    let room = TITLE_LENGTH.saturating_sub(length(marker) + length("…"));
    let fits = |(at, letter): (usize, char)| {
        (length(&said[..at]) + letter.len_utf16() <= room).then_some(at + letter.len_utf8())
    };
    let end = said.char_indices().map_while(fits).last().unwrap_or(0);
    // A word as long as half the title is no reason to say only the other half.
    let word = said[..end].rfind(char::is_whitespace).filter(|at| *at >= end / 2);
    let whole = said[end..].starts_with(char::is_whitespace);
    let end = if whole { end } else { word.unwrap_or(end) };
    format!("{}…{marker}", said[..end].trim_end_matches([' ', '-', ',']))
}

/// What happened, where, and the marker.
fn title(kind: &str, place: &Place) -> String {
    shortened(&format!("{} - {} [{}]", words(kind), place.zone_name, place.marker))
}

pub fn incident_title(incident: &Incident, place: &Place) -> String {
    title(&incident.incident_type, place)
}

pub fn incident_description(incident: &Incident, retracted: Option<&str>, place: &Place) -> String {
    let first = match retracted {
        Some(reason) => Some(retracted_line((!incident.privacy_case).then_some(reason))),
        None if incident.recordable => None,
        None => Some("Now classified as not recordable (29 CFR 1904.7) in HardHat Pulse.".to_owned()),
    };
    incident_lines(first, incident, place)
}

/// That an incident was retracted. The reason is free text: not of a privacy case.
pub fn retracted_line(reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("RETRACTED in HardHat Pulse: {reason}"),
        None => "RETRACTED in HardHat Pulse.".to_owned(),
    }
}

/// What is known of an incident, below a first line.
pub fn incident_lines(first: Option<String>, incident: &Incident, place: &Place) -> String {
    let mut lines: Vec<String> = first.into_iter().collect();
    if incident.privacy_case {
        lines.push("Privacy case (29 CFR 1904.29(b)(7)): details are kept in HardHat Pulse only.".to_owned());
    } else {
        lines.push(format!("Role: {}", incident.worker.role));
        lines.push(format!("Trade: {}", incident.worker.trade));
    }
    lines.push(format!("Zone: {}", place.zone_name));
    lines.push(format!("Occurred: {}", on_site(incident.occurred_at, place.time_zone)));
    lines.push(format!("Classification (OSHA 300, column M): {}", incident.classification.words()));
    lines.push(format!("OSHA 300 log: {}, case {}", incident.osha_log.year, incident.osha_log.case_number));
    if let (false, Some(summary)) = (incident.privacy_case, &incident.summary) {
        lines.push(format!("Summary: {summary}"));
    }
    lines.push(format!("HardHat Pulse: {}", place.link));
    lines.join("\n")
}

pub fn observation_name(detection: &Detection, place: &Place) -> String {
    title(&detection.kind, place)
}

pub fn observation_description(detection: &Detection, place: &Place) -> String {
    let mut lines = vec![
        format!("Detected: {}", on_site(detection.detected_at, place.time_zone)),
        format!("Detection: {}", words(&detection.kind)),
        format!("Zone: {}", place.zone_name),
        format!("Priority: {}", priority_words(detection.priority)),
    ];
    if !detection.missing_ppe.is_empty() {
        let items: Vec<String> = detection.missing_ppe.iter().map(|item| item.replace('_', " ")).collect();
        lines.push(format!("Missing PPE: {}", items.join(", ")));
    }
    let frame = on_site(detection.frame.captured_at, place.time_zone);
    lines.push(format!("Camera: {}, frame of {frame}", detection.camera_id));
    lines.push(format!("Detection id: {}", detection.detection_id));
    lines.push(format!("HardHat Pulse: {}", place.link));
    lines.join("\n")
}

/// A test record's name, which nobody can take for a detection.
pub fn trial_name(place: &Place) -> String {
    format!("TEST - HardHat Pulse [{}]", place.marker)
}

pub fn trial_description(asked_at: Timestamp, place: &Place) -> String {
    let lines = [
        "This is a test of the connection. Nothing happened on the site, and nothing has to be done.".to_owned(),
        format!("Asked for: {}", on_site(asked_at, place.time_zone)),
        "It is closed by itself and may be deleted.".to_owned(),
        format!("HardHat Pulse: {}", place.link),
    ];
    lines.join("\n")
}

/// The comment with which a test record is closed.
pub fn trial_closed(marker: &str) -> String {
    format!("The test of the connection is done: this record may be deleted. [{marker}]")
}

/// The comment with which an observation is closed when its detection became part of an incident.
pub fn observation_joined(incident_marker: &str, marker: &str) -> String {
    format!("Part of the recordable incident {incident_marker}, which is followed up there. [{marker}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Classification, OshaLog, Worker};

    fn incident(privacy_case: bool) -> Incident {
        Incident {
            incident_id: "01JD0000000000000000000001".into(),
            revision: 1,
            occurred_at: "2026-11-24T16:00:00Z".parse().unwrap(),
            confirmed_at: "2026-11-24T16:30:00Z".parse().unwrap(),
            recordable: true,
            incident_type: "struck_by".into(),
            classification: Classification::Injury,
            outcome: None,
            privacy_case,
            osha_log: OshaLog { year: 2026, case_number: "2026-017".into() },
            zone_id: "z1".into(),
            worker: Worker { worker_id: "W-4711".into(), role: "Rigger".into(), trade: "Ironwork".into() },
            detection_ids: vec![],
            summary: Some("Load swung while being landed".into()),
        }
    }

    #[test]
    fn an_incident_says_what_design_7_names_and_never_the_worker_id() {
        let zone = crate::localtime::zone("America/Chicago").unwrap();
        let place =
            Place { zone_name: "Crane 2", time_zone: &zone, marker: "HHP-7F3K9Q2M", link: "https://x/incidents/1" };
        assert_eq!(incident_title(&incident(false), &place), "Struck by - Crane 2 [HHP-7F3K9Q2M]");
        let text = incident_description(&incident(false), None, &place);
        for part in [
            "Rigger",
            "Ironwork",
            "Crane 2",
            "2026-11-24 10:00:00 CST",
            "Injury",
            "2026-017",
            "https://x",
            "Load swung",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("W-4711"));
    }

    #[test]
    fn a_title_that_is_too_long_ends_on_a_word_before_its_marker() {
        let zone = format!("Level 3{}", " north wing".repeat(30));
        let short = shortened(&format!("Zone breach - {zone} [HHP-7F3K9Q2M]"));
        assert!(short.starts_with("Zone breach - Level 3 north wing north"), "{short}");
        assert!(short.ends_with(" north wing… [HHP-7F3K9Q2M]") || short.ends_with(" north… [HHP-7F3K9Q2M]"), "{short}");
        assert_eq!(short.chars().count(), 252);
        assert_eq!(shortened(&format!("Fall - {} [HHP-7F3K9Q2M]", "x".repeat(300))).chars().count(), 255);
        let without = shortened(&"word ".repeat(60));
        assert!(without.ends_with("word…") && without.chars().count() <= 255, "{without}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_kind_and_zone_a_title_fits_and_keeps_its_marker(kind in "[a-z][a-z0-9_]{0,63}", zone in "\\PC{1,200}") {
            let utc = TimeZone::UTC;
            let place = Place { zone_name: &zone, time_zone: &utc, marker: "HHP-7F3K9Q2M", link: "" };
            let said = title(&kind, &place);
            let whole = format!("{} - {zone} [HHP-7F3K9Q2M]", words(&kind));
            proptest::prop_assert!(said.encode_utf16().count() <= TITLE_LENGTH);
            proptest::prop_assert!(crate::marker::carries(&said, "HHP-7F3K9Q2M"));
            match said.strip_suffix("… [HHP-7F3K9Q2M]").filter(|_| said != whole) {
                None => proptest::prop_assert_eq!(said, whole),
                Some(kept) => {
                    proptest::prop_assert!(whole.encode_utf16().count() > TITLE_LENGTH);
                    proptest::prop_assert!(whole.starts_with(kept));
                    proptest::prop_assert!(kept.encode_utf16().count() > TITLE_LENGTH / 2 - 20, "little is left: {said}");
                }
            }
        }
    }

    #[test]
    fn a_privacy_case_goes_out_without_role_trade_and_free_text() {
        let zone = crate::localtime::zone("America/Chicago").unwrap();
        let place =
            Place { zone_name: "Crane 2", time_zone: &zone, marker: "HHP-7F3K9Q2M", link: "https://x/incidents/1" };
        let text = incident_description(&incident(true), Some("typed by someone"), &place);
        for part in ["Rigger", "Ironwork", "Load swung", "W-4711", "typed by"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("2026-017") && text.contains("RETRACTED"));
    }
}
