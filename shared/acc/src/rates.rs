//! What an answer says about rates: Autodesk tells nothing before it refuses. Pure.
use jiff::Timestamp;
use platform::rates::{is_down, pause_until};
use reqwest::header::HeaderMap;
use sync::budget::Answered;

pub fn answered(status: u16, headers: &HeaderMap, now: Timestamp) -> Answered {
    Answered { pause_until: pause_until(status, headers, None, now), down: is_down(status), ..Answered::default() }
}
