//! What an answer says about pauses, on every platform. Pure.
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::HeaderMap;

const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// A 429 that names no time: longer than most windows, far shorter than an hour.
pub const UNTOLD_PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// `Retry-After`, as seconds or as an HTTP date; at least a second, at most a day.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    let wait = match text.parse::<i64>() {
        Ok(seconds) => SignedDuration::from_secs(seconds),
        Err(_) => rfc2822::parse(text).ok()?.timestamp().duration_since(now),
    };
    Some(wait.clamp(SignedDuration::from_secs(1), LONGEST_PAUSE))
}

/// Until when the platform asks for a pause: 429, or 503 with a time. `reset`: the end of the window that is used up.
pub fn pause_until(status: u16, headers: &HeaderMap, reset: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let told = retry_after(headers, now).and_then(|wait| now.checked_add(wait).ok());
    match status {
        429 => Some(told.max(reset).unwrap_or_else(|| now.saturating_add(UNTOLD_PAUSE).unwrap_or(Timestamp::MAX))),
        503 => told,
        _ => None,
    }
}

/// Whether the platform is not well.
pub fn is_down(status: u16) -> bool {
    status == 408 || status >= 500 || (300..400).contains(&status)
}
