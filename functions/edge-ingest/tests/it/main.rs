//! HTTP in, queue and bucket out: the way in as an edge sees it, on twins.
#![expect(clippy::unwrap_used, reason = "a test whose helpers fail must fail")]
mod harness;
mod packing;
mod privacy;
mod refusals;
