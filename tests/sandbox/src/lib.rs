//! The platforms as strict, stateful fakes: what a test or a person needs to see records arrive as they would there.
//!
//! `procore` speaks the contract document in `openapi/` (every request is validated against it) and is as unkind as
//! the platform: rate windows, expiring tokens, lagging lists, lost answers. `aps` is Autodesk's side, as unkind; `inbox` is a
//! customer's own receiver of webhooks. `faults`
//! makes chosen calls go wrong, `control` drives all that from outside under /_control, `pages` shows the records as
//! people would see them.
//! Nothing here knows the product: it is the other side.

pub mod aps;
pub mod clock;
mod control;
pub mod faults;
mod http;
pub mod inbox;
mod intake;
pub mod journal;
pub mod limits;
mod openapi;
mod pages;
pub mod procore;
mod reply;
mod steering;
