//! The lane: the engine that all targets share (design 4). Desired state in, at most one remote record out.
//!
//! - [`target`]: what a platform must be able to do
//! - [`lane`]: one run of a lane: its todos in order, its end, its due times
//! - [`handle`]: one todo, by [`create`] (intent, quiet time, two looks), [`update`] (three-way merge), [`steps`] (side writes)
//!   and [`sweep`] (late doubles); `announce`: a day's note stands
//! - [`subject`]: what a record should say, gathered from facts
//! - [`budget`]: rate windows, the reserve, pauses per class; [`meter`] applies it to each call, [`visit`] to those of pages
//! - [`app_limit`]: a limit that all customers of the app share
//! - [`outage`]: a platform that does not answer holds everything, for a pause that doubles
//! - [`project_blocks`]: a project that the platform refuses pauses by itself
//! - [`clock`]: time, injectable
mod announce;
pub mod app_limit;
pub mod budget;
pub mod clock;
pub mod create;
pub mod handle;
pub mod hooks;
pub mod lane;
pub mod meter;
pub mod outage;
pub mod project_blocks;
pub mod readback;
pub mod removal;
pub mod reread;
pub mod steps;
pub mod subject;
pub mod sweep;
pub mod target;
pub mod update;
pub mod visit;
