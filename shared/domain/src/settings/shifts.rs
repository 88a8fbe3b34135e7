//! A site's shifts, as someone sets them.
use super::Shift;
use crate::fields::{Checks, Members, child};
use crate::localtime::time_of_day;
use crate::summary::shifts::OTHER;
use serde_json::Value;

pub const MOST: usize = 24;

/// Shifts as given in the member `shifts`; left out or null: none.
pub fn read(members: &Members<'_>, checks: &mut Checks) -> Vec<Shift> {
    let pointer = members.pointer("shifts");
    let mut shifts: Vec<Shift> = Vec::new();
    for (at, value) in members.array("shifts", MOST, checks).into_iter().flatten().enumerate() {
        let place = child(&pointer, &at.to_string());
        let Some(shift) = shift(value, &place, checks) else { continue };
        if shifts.iter().any(|earlier| earlier.name == shift.name) {
            checks.fail(child(&place, "name"), "is the name of an earlier shift");
        }
        if let Some(other) = shifts.iter().position(|earlier| overlap(earlier, &shift)) {
            let detail = format!("must lie outside shift {} of the list: an hour can be in one only", other + 1);
            checks.fail(child(&place, "start"), detail);
        }
        shifts.push(shift);
    }
    shifts
}

fn shift(value: &Value, place: &str, checks: &mut Checks) -> Option<Shift> {
    let members = Members::of(value, place, &["name", "start", "end"], checks)?;
    let name = members.required_name("name", checks);
    if name.as_deref() == Some(OTHER) {
        checks.fail(members.pointer("name"), "is what reports call the time outside every shift");
    }
    let (start, end) = (time(&members, "start", checks), time(&members, "end", checks));
    if start.is_some() && start == end {
        checks.fail(members.pointer("end"), "must differ from start");
    }
    Some(Shift { name: name?, start: start?, end: end? })
}

fn time(members: &Members<'_>, name: &str, checks: &mut Checks) -> Option<String> {
    let text = members.required_text(name, checks)?;
    match time_of_day(text) {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            checks.fail(members.pointer(name), error.to_string());
            None
        }
    }
}

/// Whether two shifts share a moment: one of them then starts within the other. One that ends as it starts is refused for that.
fn overlap(a: &Shift, b: &Shift) -> bool {
    a.start != a.end && b.start != b.end && (starts_within(a, b) || starts_within(b, a))
}

/// Times of day as `HH:MM` sort as text.
fn starts_within(shift: &Shift, other: &Shift) -> bool {
    let (at, start, end) = (&shift.start, &other.start, &other.end);
    match start < end {
        true => start <= at && at < end,
        false => start <= at || at < end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(shifts: Value) -> Vec<String> {
        let (body, mut checks) = (json!({"shifts": shifts}), Checks::default());
        if let Some(members) = Members::of(&body, "", &["shifts"], &mut checks) {
            read(&members, &mut checks);
        }
        checks.done().err().unwrap_or_default().into_iter().map(|e| format!("{} {}", e.pointer, e.detail)).collect()
    }

    #[test]
    fn shifts_may_meet_and_cross_midnight_and_may_not_overlap() {
        let day = json!({"name": "Day", "start": "06:00", "end": "14:30"});
        let night = json!({"name": "Night", "start": "22:00", "end": "06:00"});
        let swing = json!({"name": "Swing", "start": "14:30", "end": "22:00"});
        assert_eq!(wrong(json!([day, night, swing])), Vec::<String>::new());
        let early = json!({"name": "Early", "start": "05:00", "end": "09:00"});
        assert_eq!(
            wrong(json!([night, early])),
            ["/shifts/1/start must lie outside shift 1 of the list: an hour can be in one only"]
        );
        let all = json!({"name": "All", "start": "05:00", "end": "23:00"});
        assert_eq!(wrong(json!([swing, all])).len(), 1);
    }
}
