//! What single values must be. Each rule says it in words, for the sender, and whether a valid value may be kept of an event
//! that is refused otherwise (it can't hold a person's text).
use crate::event::{Classification, Outcome};
use crate::settings::is_kind;
use jiff::Timestamp;
use serde_json::Value;

pub(super) struct Rule<T> {
    /// Ends the sentence "`field` must be …".
    pub must: &'static str,
    pub read: fn(&Value) -> Option<T>,
    pub keep: bool,
}

pub(super) const TYPE_PREFIX: &str = "com.hardhatpulse.";
const TYPES: [&str; 7] = [
    "detection.recorded.v1",
    "incident.confirmed.v1",
    "incident.updated.v1",
    "incident.retracted.v1",
    "zone.configured.v1",
    "worker.assigned.v1",
    "ppe.sampled.v1",
];
/// The greatest integer that every JSON reader keeps exactly.
const EXACT: i64 = (1 << 53) - 1;

pub(super) const EVENT_TYPE: Rule<String> = Rule {
    must: "`com.hardhatpulse.` followed by one of detection.recorded.v1, incident.confirmed.v1, incident.updated.v1, \
           incident.retracted.v1, zone.configured.v1, worker.assigned.v1, ppe.sampled.v1",
    read: |v| text(v, |t| t.strip_prefix(TYPE_PREFIX).is_some_and(|rest| TYPES.contains(&rest))),
    keep: true,
};

pub(super) const EVENT_ID: Rule<String> = Rule {
    must: "1 to 256 visible ASCII characters, unique for this edge",
    read: |v| text(v, |t| (1..=256).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic())),
    keep: true,
};

pub(super) const JSON_MEDIA_TYPE: Rule<()> = Rule {
    must: "application/json, or left out",
    read: |v| {
        let essence = v.as_str()?.split(';').next()?.trim();
        essence.eq_ignore_ascii_case("application/json").then_some(())
    },
    keep: false,
};

pub(super) const ULID: Rule<String> = Rule {
    must: "a ULID: 26 upper-case characters of Crockford's base32, the first at most 7",
    read: |v| text(v, is_ulid),
    keep: true,
};

pub(super) const ID: Rule<String> = Rule {
    must: "an id of 1 to 128 letters, digits or `. _ : -`, beginning with a letter or digit",
    read: |v| text(v, |t| is_id(t, 128)),
    keep: true,
};

/// An id of a person is valid as any, but never kept of a refused event: a careless edge might send a name as one.
pub(super) const WORKER_ID: Rule<String> = Rule {
    must: "a worker's id, not a name: 1 to 128 letters, digits or `. _ : -`, beginning with a letter or digit",
    keep: false,
    ..ID
};

pub(super) const KIND: Rule<String> = Rule {
    must: "1 to 64 lower-case letters, digits or `_`, beginning with a letter, such as zone_breach",
    read: |v| text(v, is_kind),
    keep: true,
};

/// Names of things that an edge makes up: PPE items, kinds of zones.
pub(super) const TAG: Rule<String> = Rule {
    must: "1 to 64 letters, digits or `. _ : -`, beginning with a letter or digit, such as hard_hat",
    read: |v| text(v, |t| is_id(t, 64)),
    keep: true,
};

pub(super) const ROLE: Rule<String> = Rule {
    must: "a role on the site such as Rigger, never a name: 1 to 80 characters in one line",
    read: |v| line(v, 80),
    keep: false,
};

pub(super) const TRADE: Rule<String> = Rule {
    must: "a trade such as Ironwork, never a name: 1 to 80 characters in one line",
    read: |v| line(v, 80),
    keep: false,
};

pub(super) const NAME_OF_PLACE: Rule<String> =
    Rule { must: "the name of a place: 1 to 200 characters in one line", read: |v| line(v, 200), keep: false };

pub(super) const CASE_NUMBER: Rule<String> = Rule {
    must: "the case number on the OSHA 300 log: 1 to 32 characters in one line",
    read: |v| line(v, 32),
    keep: false,
};

pub(super) const PATH: Rule<String> =
    Rule { must: "1 to 1024 characters in one line", read: |v| line(v, 1024), keep: false };

pub(super) const SUMMARY: Rule<String> = Rule {
    must: "text of at most 2000 characters, without control characters but line breaks, and without a person's name",
    read: |v| prose(v, 0, 2000),
    keep: false,
};

pub(super) const REASON: Rule<String> = Rule {
    must: "text of 1 to 2000 characters, without control characters but line breaks, and without a person's name",
    read: |v| prose(v, 1, 2000),
    keep: false,
};

pub(super) const TIME: Rule<Timestamp> = Rule {
    must: "a time of RFC 3339 with its offset, from 1970 to 2199, such as 2026-11-24T16:03:05Z",
    read: |v| time(v.as_str()?),
    keep: true,
};

pub(super) const PRIORITY: Rule<u8> = Rule {
    must: "an integer from 1 to 5, 5 being the worst",
    read: |v| integer(v, 1, 5).and_then(|n| n.try_into().ok()),
    keep: true,
};

pub(super) const CONFIDENCE: Rule<f64> = Rule { must: "a number from 0 to 1", read: confidence, keep: true };

/// What is next to nothing is nothing: the table keeps no number below 1e-130.
fn confidence(value: &Value) -> Option<f64> {
    let number = value.as_f64().filter(|n| (0.0..=1.0).contains(n))?;
    Some(if number < 1e-9 { 0.0 } else { number })
}

pub(super) const REVISION: Rule<u64> = Rule {
    must: "an integer from 1 to 9007199254740991, growing with each change",
    read: |v| count(v, 1, EXACT),
    keep: true,
};

pub(super) const INDEX: Rule<u64> =
    Rule { must: "an integer from 0 to 9007199254740991", read: |v| count(v, 0, EXACT), keep: true };

pub(super) const COUNT: Rule<u64> =
    Rule { must: "an integer from 0 to 1000000000", read: |v| count(v, 0, 1_000_000_000), keep: true };

pub(super) const YEAR: Rule<i16> = Rule {
    must: "a year from 1971 to 2200",
    read: |v| integer(v, 1971, 2200).and_then(|n| n.try_into().ok()),
    keep: true,
};

pub(super) const FLAG: Rule<bool> = Rule { must: "true or false", read: Value::as_bool, keep: true };

pub(super) const CLASSIFICATION: Rule<Classification> = Rule {
    must: "one of injury, skin_disorder, respiratory_condition, poisoning, hearing_loss, other_illness",
    read: |v| Classification::ALL.iter().find(|(word, _)| Some(*word) == v.as_str()).map(|(_, it)| *it),
    keep: true,
};

pub(super) const OUTCOME: Rule<Outcome> = Rule {
    must: "one of death, days_away, job_transfer_or_restriction, other_recordable",
    read: |v| Outcome::ALL.iter().find(|(word, _)| Some(*word) == v.as_str()).map(|(_, it)| *it),
    keep: true,
};

fn text(value: &Value, valid: impl FnOnce(&str) -> bool) -> Option<String> {
    value.as_str().filter(|text| valid(text)).map(str::to_owned)
}

fn line(value: &Value, most: usize) -> Option<String> {
    text(value, |t| {
        t.chars().count() <= most && !t.chars().any(char::is_control) && t.chars().any(|c| !c.is_whitespace())
    })
}

fn prose(value: &Value, least: usize, most: usize) -> Option<String> {
    text(value, |t| {
        (least..=most).contains(&t.chars().count())
            && !t.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    })
}

fn is_id(text: &str, most: usize) -> bool {
    text.len() <= most
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}

fn is_ulid(text: &str) -> bool {
    text.len() == 26
        && text.as_bytes()[0] <= b'7'
        && text.bytes().all(|b| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b)))
}

/// JSON knows one kind of number: `3.0` is an integer.
fn integer(value: &Value, least: i64, most: i64) -> Option<i64> {
    let exact = value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= EXACT as f64).then_some(number as i64)
    })?;
    (least..=most).contains(&exact).then_some(exact)
}

fn count(value: &Value, least: i64, most: i64) -> Option<u64> {
    integer(value, least, most).and_then(|n| n.try_into().ok())
}

/// Strictly RFC 3339, since jiff reads more of ISO 8601 than that. A leap second counts as the second before it.
fn time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(19)?;
    let shape = head.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(b, form)| match form {
        b'd' => b.is_ascii_digit(),
        form => b.eq_ignore_ascii_case(form),
    });
    let fraction = match tail.strip_prefix(b".") {
        Some(rest) => rest.iter().take_while(|b| b.is_ascii_digit()).count(),
        None => 0,
    };
    let dotted = tail.first() == Some(&b'.');
    let offset = &tail[fraction + usize::from(dotted)..];
    let zoned = match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', a, b, b':', c, d] => {
            [a, b, c, d].iter().all(|d| d.is_ascii_digit()) && [*a, *b] <= *b"23" && [*c, *d] <= *b"59"
        }
        _ => false,
    };
    if !shape || !zoned || fraction > 9 || (dotted && fraction == 0) {
        return None;
    }
    // jiff reads a leap second at any minute; RFC 3339 knows them at the end of a UTC day only, where they are.
    let leap = &head[17..] == b"60";
    let parsed: Timestamp = text.parse().ok()?;
    let minute = parsed.as_second().rem_euclid(86_400) / 60;
    let year: u16 = text[..4].parse().ok()?;
    ((1970..=2199).contains(&year) && (!leap || minute == 1439)).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_times_are_read() {
        for good in [
            "2026-11-24T16:03:05Z",
            "2026-11-24t16:03:05z",
            "2026-11-24T16:03:05.123456789+01:00",
            "2026-11-24T16:03:05-00:00",
            "2016-12-31T23:59:60Z",
            "2016-12-31T17:59:60.5-06:00",
            "2024-02-29T00:00:00Z",
        ] {
            assert!(time(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-11-24",
            "2026-11-24T16:03:05",
            "2026-11-24 16:03:05Z",
            "20261124T160305Z",
            "2026-11-24T16:03Z",
            "2026-11-24T16:03:05+01",
            "2026-11-24T16:03:05.Z",
            "2026-11-24T16:03:05.1234567890Z",
            "2026-11-24T16:03:05Z[UTC]",
            "2026-11-24T16:03:05+01:00[Europe/Berlin]",
            "2025-02-29T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T16:03:60Z",
            "2026-11-24T16:03:05+25:00",
            "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "２026-11-24T16:03:05Z",
            "2026-11-24T16:03:05Zé",
        ] {
            assert!(time(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn integers_are_exact_and_bounded() {
        let read = |text: &str| integer(&serde_json::from_str(text).unwrap(), 1, 5);
        assert_eq!(read("3"), Some(3));
        assert_eq!(read("3.0"), Some(3));
        for bad in
            ["0", "6", "3.5", "-3", "1e300", "18446744073709551615", "123456789012345678901234567890", "\"3\"", "true"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
