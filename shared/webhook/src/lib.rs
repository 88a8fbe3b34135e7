//! Sends to addresses that customers enter: receivers of their own, and relays to Trimble Connect and Fieldwire.
//!
//! - [`guard`]: which addresses may be entered and called, with [`address`]: which of the network's are public, and [`names`]: the
//!   one way from a name to an address
//! - [`post`]: one signed request, within time and size; [`excerpt`]: what is kept of its answer
//! - [`settings`]: an endpoint as someone set it, checked; [`sealed`]: its address, token and secrets
//! - [`endpoints`]: what people do with endpoints, for the API and the pages alike
//! - [`lane`]: one run of an endpoint's lane; [`compose`]: a message's body, gathered from facts
pub mod address;
pub mod compose;
pub mod endpoints;
pub mod excerpt;
pub mod guard;
pub mod lane;
pub mod names;
pub mod post;
pub mod sealed;
pub mod settings;

pub use compose::Composer;
pub use guard::{Guard, Refusal};
pub use names::{Names, SystemNames};
pub use post::{HttpPost, Letter, Outcome, Post};
