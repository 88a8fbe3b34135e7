//! Who belongs to several organizations says which one this session is for. What they may choose among was found before, and
//! is kept on our side: the form names one of it.
use crate::enter::{self, Newcomer};
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use credentials::{Context, Secret};
use domain::ids::OrganizationId;
use maud::html;
use people::Identity;
use people::sign_in::{Choice, Projects};

/// The token belongs to no organization yet.
fn context(identity: &Identity) -> Context {
    Context::new("none", "sign-in-choice").with("user", &identity.user_id)
}

pub async fn offer(
    app: &AppState,
    headers: &HeaderMap,
    newcomer: Newcomer,
    organizations: Vec<(OrganizationId, Projects)>,
) -> Result<Response, Refusal> {
    let mut names = Vec::new();
    for (id, _) in &organizations {
        let found = app.directory().organization(id).await?;
        names.push((id.clone(), found.map_or_else(|| id.to_string(), |organization| organization.name)));
    }
    names.sort_by(|(_, a), (_, b)| a.cmp(b));
    let sealed_token = app.vault().seal(&context(&newcomer.identity), &newcomer.token).await?;
    let Newcomer { identity, label, next, token_ends_at, .. } = newcomer;
    let choice = Choice { identity, label, next, organizations, sealed_token, token_ends_at };
    let code = app.people().offer_choice(headers, choice).await?;
    let content = html! {
        p { "Your Procore account belongs to several organizations here. Each session is for one of them." }
        @for (id, name) in &names {
            form method="post" action="/oauth/procore/choose" {
                input type="hidden" name="choice" value=(code);
                p { button name="organization" value=(id) { (name) } }
            }
        }
    };
    Ok(people::page(StatusCode::OK, "Choose an organization", &content.into_string()))
}

pub async fn choose(State(app): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let fields = form_urlencoded::parse(&body);
    let text = |name: &str| fields.clone().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let (code, wanted) = (text("choice").unwrap_or_default(), text("organization").unwrap_or_default());
    let choice = app.people().take_choice(&headers, &code).await?.map_err(Refusal::NotOurs)?;
    let Choice { identity, label, next, organizations, sealed_token, token_ends_at } = choice;
    let chosen = organizations.into_iter().find(|(id, _)| id.as_str() == wanted);
    let Some((organization, projects)) = chosen else { return Err(Refusal::NotHere) };
    let token: Secret = app.vault().open(&context(&identity), &sealed_token).await?;
    let newcomer = Newcomer { identity, label, by_link: None, already: None, token, token_ends_at, next };
    enter::enter(&app, newcomer, &organization, projects).await
}
