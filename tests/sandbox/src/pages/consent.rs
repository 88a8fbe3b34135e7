//! The page on which a person lets an application act for them.

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::response::Response;

use maud::{DOCTYPE, Markup, html};

use crate::procore::{Consent, Core, World, authorize, respond};

pub(crate) fn page(world: &World, consent: &Consent) -> Markup {
    let people = world.people.values().filter(|person| !person.service_account);
    let logins = people.filter_map(|person| Some((person.login.as_deref()?, person.name.as_str())));
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Sign in (sandbox)" } }
            body {
                h1 { "Let " (consent.client_id) " act for you?" }
                form method="post" action="/consent" {
                    input type="hidden" name="client_id" value=(consent.client_id);
                    input type="hidden" name="redirect_uri" value=(consent.redirect_uri);
                    @if let Some(state) = &consent.state { input type="hidden" name="state" value=(state); }
                    @for (login, name) in logins {
                        p { button name="login" value=(login) { "Allow as " (name) " (" (login) ")" } }
                    }
                    p { button name="login" value="" { "Deny" } }
                }
            }
        }
    }
}

pub(crate) async fn decide(State(core): State<Arc<Core>>, Form(consent): Form<Consent>) -> Response {
    let now = core.now();
    let reply = authorize(&mut core.world(), &consent, now);
    respond(reply)
}
