//! A site's day in figures, for the daily summary, the reports and the trend alike: target-neutral and pure.
//!
//! - [`window`]: from the last cut-off to this one, on the site's clock, each instant in exactly one window
//! - [`occurrence`]: what counts, and the time that decides which window it counts in
//! - [`shifts`]: which shift an instant lies in
//! - [`tally`]: what was counted in a window, to be kept and added to; [`count`]: from occurrences to it and to the report
//! - [`report`]: the daily report of contracts 6.3; [`trend`]: figures over a stretch of days, also as CSV
pub mod count;
pub mod occurrence;
pub mod report;
pub mod shifts;
pub mod tally;
pub mod trend;
pub mod window;

use jiff::SignedDuration;

/// What arrives within this time after a cut-off amends the note. Later, the report alone changes.
pub const AMENDED_FOR: SignedDuration = SignedDuration::from_hours(72);
/// Then nothing changes the note any more: what arrived at the last moment is counted.
pub const FINAL_AFTER: SignedDuration = SignedDuration::from_hours(73);
/// A site's hour where none is set.
pub const DEFAULT_HOUR: &str = "17:00";
