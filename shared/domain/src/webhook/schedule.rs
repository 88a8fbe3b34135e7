//! When a message that was not taken is tried again: the schedule of Standard Webhooks, within three days.
use crate::marker::crockford;
use jiff::{SignedDuration, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// Seconds after each failed try.
const WAITS: [i64; 9] = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 20 * HOUR];
/// A receiver may ask for this much patience, and no more.
const LONGEST_WISH: SignedDuration = SignedDuration::from_hours(24);
/// An endpoint that took nothing for so long, though it was tried, is disabled.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// When to try again after `failed` failed tries (from 1); `None`: that was the last one. Waits vary by a fifth either way, the
/// same for the same message, so that what failed together does not come back together. `wish` is the receiver's Retry-After.
pub fn next_try(message: &str, failed: usize, now: Timestamp, wish: Option<SignedDuration>) -> Option<Timestamp> {
    let wait = WAITS.get(failed.checked_sub(1)?)?;
    let wait = SignedDuration::from_millis(wait * jitter(message, failed));
    let wish = wish.unwrap_or_default().min(LONGEST_WISH);
    now.checked_add(wait.max(wish)).ok()
}

/// Thousandths, from 800 to 1200.
fn jitter(message: &str, failed: usize) -> i64 {
    let text = crockford(format!("{message}\n{failed}").as_bytes(), 8);
    let number = text.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    800 + i64::try_from(number % 401).unwrap_or(200)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn nine_more_tries_in_seventy_two_hours_and_then_no_more() {
        let waits: Vec<i64> =
            (1..).map_while(|failed| next_try("msg_1", failed, NOW, None)).map(|at| at.as_second()).collect();
        assert_eq!(waits.len(), 9);
        assert!((4..=6).contains(&waits[0]) && (57_600..=86_400).contains(&waits[8]), "{waits:?}");
        assert!(WAITS.iter().sum::<i64>() <= 72 * HOUR);
        assert_eq!(next_try("msg_1", 0, NOW, None), None);
    }

    #[test]
    fn a_receiver_may_ask_for_a_day_and_never_for_haste() {
        let at =
            |failed, wish: i64| next_try("m", failed, NOW, Some(SignedDuration::from_secs(wish))).unwrap().as_second();
        assert_eq!(at(1, 90), 90);
        assert_eq!(at(1, 40 * 86_400), 86_400);
        assert!(at(4, 1) >= 2 * HOUR * 8 / 10);
    }

    proptest! {
        #[test]
        fn waits_vary_by_a_fifth_at_most(message in "msg_[A-Z0-9]{26}", failed in 1usize..=9) {
            let wait = next_try(&message, failed, NOW, None).unwrap().as_millisecond();
            let base = WAITS[failed - 1] * 1000;
            prop_assert!((base * 8 / 10..=base * 12 / 10).contains(&wait));
            prop_assert_eq!(next_try(&message, failed, NOW, None), next_try(&message, failed, NOW, None));
        }
    }
}
