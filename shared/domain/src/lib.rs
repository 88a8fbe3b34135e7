//! Types and rules of HardHat Pulse: events, facts, records, settings. No AWS, no HTTP, no clock of its own.
//!
//! - [`event`]: what an edge tells us, typed; [`validate`]: from untrusted JSON to it, with JSON pointers
//! - [`fact`]: what we keep of it; [`arrival`]: the order it came in; [`message`]: what travels on the site queue
//! - [`fields`]: checks of what someone sets, all of it at once
//! - [`settings`], [`route`]: what one platform project does with one site, and which records follow from a fact
//! - [`choose`], [`targets`]: which project goes to which site and why one can't; what is wrong with a mapping's target
//! - [`record`], [`marker`]: what a connection should show, and the reference it is found by
//! - [`wording`]: what a record says; [`merge`]: three-way merge of a record's fields; [`localtime`]: the site's clock
//! - [`summary`]: a site's day in figures, and when it is cut off
//! - [`treatment`]: what people add to a fact at a platform or through the API, with the outcome by 29 CFR 1904.7
//! - [`footage`]: whose footage a key of the bucket is
//! - [`autodesk`]: what Autodesk's ids and regions look like
//! - [`capabilities`]: what goes to each platform and what comes back, as the docs and the pages tell it
//! - [`signature`]: Standard Webhooks signing
//! - [`webhook`]: what a customer's own receiver is sent, in which words and when again
pub mod arrival;
pub mod autodesk;
pub mod capabilities;
pub mod choose;
pub mod event;
pub mod fact;
pub mod fields;
pub mod footage;
pub mod ids;
pub mod localtime;
pub mod marker;
pub mod merge;
pub mod message;
pub mod record;
pub mod route;
pub mod settings;
pub mod signature;
pub mod summary;
pub mod targets;
pub mod treatment;
pub mod validate;
pub mod webhook;
pub mod wording;
