//! HTTP in, queue and bucket out: the way in as an edge sees it, on twins.
mod harness;
mod packing;
mod privacy;
mod refusals;
