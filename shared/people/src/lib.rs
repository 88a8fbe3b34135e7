//! Who may look, and how that is known (design section 4).
//!
//! - [`People`]: persons of an organization, their sessions, and all that is kept of both
//! - [`Person`], [`Role`], [`Identity`]; [`Session`]
//! - [`Visitor`]: the extractor that each page begins with; [`csrf`]: what each form is checked by
//! - [`cookie`]: the cookies' rules, from the public address; [`token`]: random texts of which only the hash is kept
//! - [`links`]: setup and invite links
//! - [`sign_in`]: a sign-in at a platform, under way in one browser; its last step: which organization
//! - [`People::platform_token`]: what a session may ask the person's platform with
//! - [`passkeys`]: passkeys of people whom a link let in; `relying_party`: the checks themselves, over the library
//! - [`hand_over`]: from the sign-in window to Procore's frame
//! - [`access`]: which sites a person may see; [`api_keys`]: keys for their tools
pub mod access;
pub mod api_keys;
pub mod cookie;
pub mod csrf;
mod error;
pub mod hand_over;
pub mod links;
mod page;
pub mod passkeys;
mod person;
mod platform_token;
mod relying_party;
mod session;
pub mod sign_in;
mod store_people;
pub mod token;
mod visitor;

pub use cookie::PublicUrl;
pub use error::PeopleError;
pub use page::{calm, page};
pub use person::{Identity, Person, Role};
pub use session::{Opened, SESSION_LIFE, Session};
pub use store_people::{Clock, People};
pub use visitor::{Forbidden, SignInFirst, Visitor, is_framed, local, sign_in_path};
