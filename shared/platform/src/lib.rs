//! What the clients of all platforms share: one call, asked of the meter, sent once, classified. Nothing is retried here but a
//! call that a stale token kept from being looked at, no redirect is followed, and neither token nor secret gets into a log or an
//! error.
//!
//! - [`request`]: what a request is made of; [`wire`]: the connection, its time-outs, an answer as it came
//! - [`send`]: a request with its token, and what its answer means: [`errors`] and [`rates`] are pure
//! - [`app`]: the OAuth client that we are there; [`token`]: an access token, cached and renewed early by one caller at a time;
//!   [`login`]: tokens by a person's consent
//! - [`lists`]: what someone who sets up chooses from
//! - [`known`]: what was looked up, as rendering asks for it
//! - [`text`]: the platform's words for a person
pub mod app;
pub mod errors;
pub mod known;
pub mod lists;
pub mod login;
pub mod rates;
pub mod request;
pub mod send;
pub mod text;
pub mod token;
pub mod wire;

pub use app::{CredentialSource, Credentials, ParameterCredentials};
pub use credentials::CredentialError;
pub use errors::{Manners, Refusal, classify, said, words};
pub use login::LoginError;
pub use request::{Ask, Effect, Place, Request};
pub use send::{Bearer, Reply, conclude, once, send, unreadable};
pub use token::{Issuer, Tokens};
pub use wire::{Answer, Broken, SetupError, Timeouts, Wire, host};
