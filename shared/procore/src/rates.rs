//! What an answer's headers say about rate windows and pauses. Pure.
use jiff::{SignedDuration, Timestamp};
use platform::rates::{is_down, pause_until};
use reqwest::header::HeaderMap;
use sync::budget::Answered;

/// No window is longer than this; a reset beyond it is no help.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_secs(3600 + 10);

/// The windows as the headers tell of them. `pause_until` is set where the platform asks for a pause: 429, or 503 with a time.
pub fn answered(status: u16, headers: &HeaderMap, now: Timestamp) -> Answered {
    let reset = number(headers, "x-rate-limit-reset").and_then(|seconds| Timestamp::from_second(seconds).ok());
    let ends = reset.filter(|reset| *reset > now && reset.duration_since(now) <= LONGEST_WINDOW);
    let pause_until = pause_until(status, headers, ends, now);
    let count = |name| number(headers, name).and_then(|count| u32::try_from(count).ok());
    let (limit, remaining) = (count("x-rate-limit-limit"), count("x-rate-limit-remaining"));
    Answered { limit, remaining, reset, pause_until, down: is_down(status) }
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
