//! The lane: the engine that all targets share (design 4). Desired state in, at most one remote record out.
//!
//! - [`target`]: what a platform must be able to do; [`testing`] has the in-memory one
//! - [`lane`]: one run of a lane: its todos in order, its end, its due times
//! - [`handle`]: one todo: [`create`], [`update`], side [`steps`], [`sweep`] of late doubles
//! - [`subject`]: what a record is about, gathered from facts
//! - [`budget`]: rate windows, the reserve, pauses per class
pub mod budget;
pub mod target;
