//! One attempt over real sockets: what a receiver gets, and what is made of whatever it answers.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic, in its helpers too")]
mod attempts;
mod private;
mod receiver;
mod settings;
