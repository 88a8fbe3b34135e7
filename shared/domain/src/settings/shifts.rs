//! A site's shifts, as someone sets them.
use super::Shift;
use crate::fields::{Checks, Members, child};
use crate::localtime::time_of_day;
use serde_json::Value;

pub const MOST: usize = 24;
/// What reports call the time outside every shift.
const RESERVED: &str = "other";

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
        shifts.push(shift);
    }
    shifts
}

fn shift(value: &Value, place: &str, checks: &mut Checks) -> Option<Shift> {
    let members = Members::of(value, place, &["name", "start", "end"], checks)?;
    let name = members.required_name("name", checks);
    if name.as_deref() == Some(RESERVED) {
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
