//! What an answer's headers say about rate windows and pauses. Pure.
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::HeaderMap;
use sync::budget::Answered;

/// A 429 that names no time: longer than the spike window, far shorter than the hour.
const UNTOLD_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// No window is longer than this; a reset beyond it is no help.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_secs(3600 + 10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// The windows as the headers tell of them. `pause_until` is set where the platform asks for a pause: 429, or 503 with a time.
pub fn answered(status: u16, headers: &HeaderMap, now: Timestamp) -> Answered {
    let reset = number(headers, "x-rate-limit-reset").and_then(|seconds| Timestamp::from_second(seconds).ok());
    let wait = retry_after(headers, now);
    let pause_until = match status {
        429 => Some(paused_until(wait, reset, now)),
        503 => wait.and_then(|wait| now.checked_add(wait).ok()),
        _ => None,
    };
    let count = |name| number(headers, name).and_then(|count| u32::try_from(count).ok());
    let (limit, remaining) = (count("x-rate-limit-limit"), count("x-rate-limit-remaining"));
    let down = status == 408 || status >= 500 || (300..400).contains(&status);
    Answered { limit, remaining, reset, pause_until, down }
}

/// The later of what `Retry-After` and the window's reset say.
fn paused_until(wait: Option<SignedDuration>, reset: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let told = wait.and_then(|wait| now.checked_add(wait).ok());
    let reset = reset.filter(|reset| *reset > now && reset.duration_since(now) <= LONGEST_WINDOW);
    told.max(reset).unwrap_or_else(|| now.saturating_add(UNTOLD_PAUSE).unwrap_or(Timestamp::MAX))
}

/// `Retry-After`, as seconds or as an HTTP date; at least a second, at most a day.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    let wait = match text.parse::<i64>() {
        Ok(seconds) => SignedDuration::from_secs(seconds),
        Err(_) => rfc2822::parse(text).ok()?.timestamp().duration_since(now),
    };
    Some(wait.clamp(SignedDuration::from_secs(1), LONGEST_PAUSE))
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn now() -> Timestamp {
        "2026-11-24T16:00:00Z".parse().unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let typed = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(typed).collect()
    }

    #[test]
    fn windows_are_read_and_what_is_unreadable_is_left_out() {
        let reset = (now().as_second() + 7).to_string();
        let all =
            headers(&[("x-rate-limit-limit", "25"), ("x-rate-limit-remaining", " 3 "), ("x-rate-limit-reset", &reset)]);
        let expected = Answered {
            limit: Some(25),
            remaining: Some(3),
            reset: Some(now() + SignedDuration::from_secs(7)),
            pause_until: None,
            down: false,
        };
        assert_eq!(answered(200, &all, now()), expected);
        let odd = headers(&[
            ("x-rate-limit-limit", "-1"),
            ("x-rate-limit-remaining", "many"),
            ("x-rate-limit-reset", "99999999999999999"),
        ]);
        assert_eq!(answered(200, &odd, now()), Answered::default());
    }

    #[test]
    fn a_pause_lasts_as_long_as_the_platform_says() {
        let reset = |seconds: i64| (now().as_second() + seconds).to_string();
        type Row<'a> = (u16, &'a [(&'static str, &'a str)], Option<i64>);
        let table: [Row; 10] = [
            (200, &[("retry-after", "9")], None),
            (429, &[("retry-after", "9")], Some(9)),
            (429, &[("retry-after", "Tue, 24 Nov 2026 16:00:30 GMT")], Some(30)),
            (429, &[("retry-after", "Tue, 24 Nov 2026 15:00:30 GMT")], Some(1)),
            (429, &[("retry-after", "2"), ("x-rate-limit-reset", &reset(8))], Some(8)),
            (429, &[("x-rate-limit-reset", &reset(3000))], Some(3000)),
            (429, &[("x-rate-limit-reset", &reset(-5))], Some(60)),
            (429, &[("retry-after", "soon"), ("x-rate-limit-reset", &reset(90_000))], Some(60)),
            (503, &[("retry-after", "999999")], Some(86_400)),
            (503, &[("x-rate-limit-reset", &reset(8))], None),
        ];
        for (status, pairs, seconds) in table {
            let pause = answered(status, &headers(pairs), now()).pause_until;
            assert_eq!(pause, seconds.map(|seconds| now() + SignedDuration::from_secs(seconds)), "{status} {pairs:?}");
        }
    }
}
