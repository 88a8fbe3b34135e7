//! An injury as someone's tool changes it: members given replace, null clears, members left out stay.
use super::{FILING_TYPES, Injury, LONGEST_MEMBER, LONGEST_TEXT};
use crate::fields::{Checks, Members};
use jiff::civil::Date;
use serde_json::Value;

/// The members that may be given. There is none for a person's name.
pub const MEMBERS: [&str; 13] = [
    "remote_id",
    "disposition",
    "filing_type",
    "treatment_facility",
    "treatment_provider",
    "treated_in_er",
    "hospitalized_overnight",
    "days_away",
    "days_restricted",
    "days_transferred",
    "date_returned_to_work",
    "date_of_death",
    "description",
];
/// Nobody counts more days of one case.
const MOST_DAYS_GIVEN: u64 = 36_500;

/// The caller's own id of the injury: `"1"` where left out.
pub fn remote_id(members: &Members<'_>, checks: &mut Checks) -> String {
    let Some(value) = members.given("remote_id") else { return "1".into() };
    let short = |text: &&str| (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    match value.as_str().filter(short) {
        Some(text) => text.to_owned(),
        None => {
            checks.fail(members.pointer("remote_id"), "must be a text of 1 to 64 ASCII characters without spaces");
            String::new()
        }
    }
}

/// Changes what the body names.
pub fn change(injury: &mut Injury, members: &Members<'_>, checks: &mut Checks) {
    let mut reader = Reader { members, checks };
    reader.text("disposition", LONGEST_MEMBER, &mut injury.disposition);
    reader.filing_type(&mut injury.filing_type);
    reader.text("treatment_facility", LONGEST_MEMBER, &mut injury.treatment_facility);
    reader.text("treatment_provider", LONGEST_MEMBER, &mut injury.treatment_provider);
    reader.flag("treated_in_er", &mut injury.treated_in_er);
    reader.flag("hospitalized_overnight", &mut injury.hospitalized_overnight);
    reader.days("days_away", &mut injury.days_away);
    reader.days("days_restricted", &mut injury.days_restricted);
    reader.days("days_transferred", &mut injury.days_transferred);
    reader.date("date_returned_to_work", &mut injury.date_returned_to_work);
    reader.date("date_of_death", &mut injury.date_of_death);
    reader.text("description", LONGEST_TEXT, &mut injury.description);
}

struct Reader<'a, 'b> {
    members: &'a Members<'b>,
    checks: &'a mut Checks,
}

impl Reader<'_, '_> {
    fn read<T>(&mut self, name: &str, must: String, into: &mut Option<T>, read: impl Fn(&Value) -> Option<T>) {
        match self.members.get(name) {
            None => {}
            Some(Value::Null) => *into = None,
            Some(value) => match read(value) {
                Some(value) => *into = Some(value),
                None => self.checks.fail(self.members.pointer(name), must),
            },
        }
    }

    fn text(&mut self, name: &str, longest: usize, into: &mut Option<String>) {
        let must = format!("must be a text of 1 to {longest} characters, or null");
        let fits = |text: &&str| !text.trim().is_empty() && text.chars().count() <= longest;
        self.read(name, must, into, |value| value.as_str().filter(fits).map(str::to_owned));
    }

    fn filing_type(&mut self, into: &mut Option<String>) {
        let names: Vec<&str> = FILING_TYPES.iter().map(|(name, _)| *name).collect();
        let must = format!("must be one of {}, or null", names.join(", "));
        self.read("filing_type", must, into, |value| {
            value.as_str().filter(|text| names.contains(text)).map(str::to_owned)
        });
    }

    fn flag(&mut self, name: &str, into: &mut Option<bool>) {
        self.read(name, "must be true, false or null".into(), into, Value::as_bool);
    }

    fn days(&mut self, name: &str, into: &mut Option<u32>) {
        let must = format!("must be a whole number from 0 to {MOST_DAYS_GIVEN}, or null");
        self.read(name, must, into, |value| {
            value.as_u64().filter(|days| *days <= MOST_DAYS_GIVEN).and_then(|days| u32::try_from(days).ok())
        });
    }

    fn date(&mut self, name: &str, into: &mut Option<String>) {
        let must = "must be a date such as 2026-11-24, or null".to_owned();
        let is_date = |text: &&str| text.len() == 10 && text.parse::<Date>().is_ok();
        self.read(name, must, into, |value| value.as_str().filter(is_date).map(str::to_owned));
    }
}
