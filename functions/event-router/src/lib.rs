//! Keeps what edges tell us, as the one writer of facts, decides which records must be looked at again, and rings their lanes.
//!
//! - [`route`]: one message of the site queue, in the order of design 4: facts, todos, due item, ring, arrival entry
//! - [`decide`]: what a message does to what is kept
//! - [`endpoints`]: messages to customers' webhook endpoints
//! - [`handle`]: one delivery; [`patience`]: when one that failed is tried again
//! - [`update`]: what people added to a fact at a platform or through the API, merged into it
pub mod decide;
pub mod endpoints;
pub mod handle;
pub mod patience;
pub mod route;
pub mod update;
