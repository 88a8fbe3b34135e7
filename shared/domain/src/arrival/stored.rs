//! An arrival entry as it is kept: the one write that all detections of a message share. Its lines are one text in which kinds and
//! zones stand once, so that 25 detections cost two write units, and reading a day of them is cheap.
use super::{ArrivalEntry, ArrivalLine};
use crate::fact::FactKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    number: u64,
    message_id: String,
    arrived_at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    newest: String,
    /// JSON of [`Lines`].
    lines: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Lines {
    /// Kinds and zones, which lines name by their place here.
    #[serde(rename = "w")]
    words: Vec<String>,
    #[serde(rename = "l")]
    lines: Vec<Line>,
    /// Places of the lines whose facts stood before.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    again: Vec<usize>,
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    samples: Vec<Sample>,
}

/// Kind of fact, id, time in nanoseconds, kind, zone, priority (0: none).
#[derive(Serialize, Deserialize)]
struct Line(u8, String, i128, usize, usize, u8);

/// Of a PPE sample: the place of its line, checks, how long it took in milliseconds.
#[derive(Serialize, Deserialize)]
struct Sample(usize, BTreeMap<String, (u64, u64)>, i64);

const KINDS: [FactKind; 5] =
    [FactKind::Detection, FactKind::Incident, FactKind::Zone, FactKind::Worker, FactKind::PpeSample];

/// The digit of a kind: its place in [`KINDS`].
fn digit(kind: FactKind) -> u8 {
    match kind {
        FactKind::Detection => 0,
        FactKind::Incident => 1,
        FactKind::Zone => 2,
        FactKind::Worker => 3,
        FactKind::PpeSample => 4,
    }
}

impl From<ArrivalEntry> for Entry {
    fn from(entry: ArrivalEntry) -> Self {
        let mut kept = Lines::default();
        for (at, line) in entry.lines.into_iter().enumerate() {
            let (kind, zone) = (place(&mut kept.words, line.kind), place(&mut kept.words, line.zone_id));
            let (fact, priority) = (digit(line.fact), line.priority.unwrap_or_default());
            kept.lines.push(Line(fact, line.id, line.time.as_nanosecond(), kind, zone, priority));
            if line.again {
                kept.again.push(at);
            }
            if let (Some(checks), Some(sampled_ms)) = (line.checks, line.sampled_ms) {
                kept.samples.push(Sample(at, checks, sampled_ms));
            }
        }
        // Texts and numbers always make JSON; a text that was none would be refused when it is read.
        let lines = serde_json::to_string(&kept).unwrap_or_default();
        let ArrivalEntry { number, message_id, arrived_at, newest, .. } = entry;
        Self { number, message_id, arrived_at, newest, lines }
    }
}

fn place(words: &mut Vec<String>, word: String) -> usize {
    words.iter().position(|known| *known == word).unwrap_or_else(|| {
        words.push(word);
        words.len() - 1
    })
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the lines of an arrival entry do not read: {0}")]
    Lines(#[from] serde_json::Error),
    #[error("line {0} of an arrival entry names what is not there")]
    Line(usize),
}

impl TryFrom<Entry> for ArrivalEntry {
    type Error = Unreadable;

    fn try_from(entry: Entry) -> Result<Self, Unreadable> {
        let kept: Lines = serde_json::from_str(&entry.lines)?;
        let mut samples: BTreeMap<usize, Sample> = kept.samples.into_iter().map(|sample| (sample.0, sample)).collect();
        let mut lines = Vec::with_capacity(kept.lines.len());
        for (at, line) in kept.lines.into_iter().enumerate() {
            let read = read(line, &kept.words, kept.again.contains(&at), samples.remove(&at));
            lines.push(read.ok_or(Unreadable::Line(at))?);
        }
        let Entry { number, message_id, arrived_at, newest, .. } = entry;
        Ok(Self { number, message_id, arrived_at, newest, lines })
    }
}

fn read(line: Line, words: &[String], again: bool, sample: Option<Sample>) -> Option<ArrivalLine> {
    let Line(fact, id, time, kind, zone, priority) = line;
    let word = |place: usize| words.get(place).cloned();
    let (checks, sampled_ms) = sample.map(|Sample(_, checks, milliseconds)| (checks, milliseconds)).unzip();
    Some(ArrivalLine {
        fact: *KINDS.get(usize::from(fact))?,
        id,
        time: Timestamp::from_nanosecond(time).ok()?,
        kind: word(kind)?,
        zone_id: word(zone)?,
        priority: Some(priority).filter(|priority| *priority > 0),
        again,
        checks,
        sampled_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::super::CommitMark;
    use super::*;
    use proptest::prelude::*;

    fn line() -> impl Strategy<Value = ArrivalLine> {
        let sample = (proptest::collection::btree_map("[a-z]{1,8}", (0u64..9, 0u64..9), 0..3), 0i64..90_000);
        let time = (0i64..7_000_000_000, 0i32..1_000_000_000);
        let parts = (
            0usize..5,
            "[0-9A-Z]{1,26}",
            time,
            "[a-z_]{0,9}",
            "\\PC{0,9}",
            0u8..6,
            any::<bool>(),
            proptest::option::of(sample),
        );
        parts.prop_map(|(fact, id, (second, nanosecond), kind, zone_id, priority, again, sample)| {
            let (checks, sampled_ms) = sample.unzip();
            let time = Timestamp::new(second, nanosecond).unwrap();
            let priority = Some(priority).filter(|priority| *priority > 0);
            ArrivalLine { fact: KINDS[fact], id, time, kind, zone_id, priority, again, checks, sampled_ms }
        })
    }

    proptest! {
        #[test]
        fn an_entry_reads_back_as_it_was_written(lines in proptest::collection::vec(line(), 0..20), number in 0u64..9) {
            let last = CommitMark { number, ..CommitMark::default() };
            let entry = ArrivalEntry::after(&last, "M".into(), Timestamp::UNIX_EPOCH, lines);
            let text = serde_json::to_string(&entry).unwrap();
            prop_assert_eq!(serde_json::from_str::<ArrivalEntry>(&text).unwrap(), entry);
        }

        #[test]
        fn what_was_committed_is_looked_up(messages in proptest::collection::vec(proptest::collection::vec(line(), 1..5), 1..5)) {
            let mut mark = CommitMark::default();
            for lines in &messages {
                mark = ArrivalEntry::after(&mark, "M".into(), Timestamp::UNIX_EPOCH, lines.clone()).mark();
            }
            prop_assert!(messages.iter().flatten().all(|line| mark.may_hold(line.fact, &line.id)));
        }
    }

    #[test]
    fn every_kind_has_the_digit_of_its_place() {
        assert!((0..).zip(KINDS).all(|(at, kind)| digit(kind) == at));
    }

    #[test]
    fn lines_that_name_nothing_are_refused() {
        for lines in [
            "",
            "{}",
            r#"{"w":[],"l":[[0,"A",0,0,0,1]]}"#,
            r#"{"w":["a"],"l":[[9,"A",0,0,0,1]]}"#,
            r#"{"w":["a"],"l":[[0,"A",1e40,0,0,1]]}"#,
        ] {
            let entry = serde_json::json!({"number": 1, "message_id": "M", "arrived_at": "1970-01-01T00:00:00Z", "lines": lines});
            assert!(serde_json::from_value::<ArrivalEntry>(entry).is_err(), "{lines}");
        }
    }

    /// The bound of 1.2 write units per detection rests on it.
    #[test]
    fn an_entry_of_25_detections_stays_below_two_kilobytes() {
        let lines = (0..25).map(|n| ArrivalLine {
            fact: FactKind::Detection,
            id: format!("01KB{n:022}"),
            time: "2026-11-24T16:03:05.123456789Z".parse().unwrap(),
            kind: "ppe_non_compliance".into(),
            zone_id: format!("tower-b-level-{}-east", n % 5),
            priority: Some(3),
            again: false,
            checks: None,
            sampled_ms: None,
        });
        let entry = ArrivalEntry::after(&CommitMark::default(), "M".repeat(20), Timestamp::UNIX_EPOCH, lines.collect());
        let key_and_names = 200;
        assert!(serde_json::to_value(&entry).unwrap()["lines"].as_str().unwrap().len() + key_and_names < 2048);
    }
}
