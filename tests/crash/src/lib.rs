//! A world in which every single step of I/O can be made to fail: the router and the lane over the table's twin, a platform's real
//! target, and its sandbox on loopback, all on one simulated clock.
//!
//! - [`fault`]: at the n-th step, die before or after it took effect, or lose its answer
//! - [`world`]: one organization, one site, one project; redelivery, the clock's rings, and time itself
//! - [`days`]: days of a site going by in it, and the notes that come of them
//! - [`platform`]: Procore's sandbox or Autodesk's, what stands there in one form, and what people do there
//! - [`receiver`]: the same around a customer's webhook endpoint
//! - [`facts`]: events to feed it
//! - [`history`]: a fault at every step in turn
pub mod days;
pub mod facts;
pub mod fault;
pub mod history;
pub mod platform;
pub mod receiver;
pub mod world;
