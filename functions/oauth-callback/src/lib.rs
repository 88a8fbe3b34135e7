//! Signing in at Procore, and at Autodesk for who is here already: the way there, and the end of a consent.
//!
//! - [`routes`]: `/sign-in/procore` leads to Procore's login, `/oauth/procore/callback` is where it comes back,
//!   `/oauth/procore/choose` takes the choice of who belongs to several organizations
//! - `start`, `callback`, `choose`: one each; `enter`: the last step of both, a session
//! - `autodesk`: `/sign-in/autodesk` and `/oauth/acc/callback`
//! - `grant`: a connection that works with a person's consent gets one
//! - `admission`: which organizations a person may enter, and what they can see there
//! - `refusal`: every way that it can end otherwise, as a calm page with the next step
mod admission;
mod autodesk;
mod callback;
mod choose;
mod enter;
mod grant;
mod refusal;
mod routes;
mod start;
mod state;

pub use routes::{AUTODESK_CALLBACK, CALLBACK, ROUTES, app};
pub use state::{AppState, Services};
