//! Keys of the REST API, as a manager gives them to a developer or a tool, and takes them back.
use crate::form::{self, Errors, Values};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::sites::Sites;
use crate::state::AppState;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use credentials::Secret;
use domain::ids::{ApiKeyId, OrganizationId};
use domain::validate::FieldError;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use people::api_keys::{self, MOST, Scope};
use people::{Role, Visitor, token};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::directory::ApiKey;
use ulid::Ulid;

pub const PATH: &str = "/setup/api-keys";
/// How long a key may live, in days, with its words. The first is what the form begins with.
const LIVES: [(i64, &str); 4] = [(365, "A year"), (90, "90 days"), (30, "30 days"), (0, "Until it is revoked")];

fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "Read facts and reports",
        Scope::TreatmentWrite => "Tell of treatment (injuries, days away)",
        Scope::WebhooksWrite => "Set webhooks up, and change them",
        Scope::ConnectionsWrite => "Change what goes to connected platforms",
    }
}

/// The form, empty or as just sent.
#[derive(Default)]
struct Fields {
    name: String,
    scopes: Vec<String>,
    all_sites: bool,
    sites: Vec<String>,
    life: String,
    press: String,
}

impl Fields {
    fn new(sites: &Sites, press: String) -> Self {
        Self { all_sites: sites.all, life: LIVES[0].0.to_string(), press, ..Self::default() }
    }

    fn sent(values: &Values, sites: &Sites) -> Self {
        Self {
            name: values.get("name").to_owned(),
            scopes: values.all("scope").map(str::to_owned).collect(),
            // Who sees some sites only chooses among them.
            all_sites: values.get("where") == "all" && sites.all,
            sites: values.all("site").map(str::to_owned).collect(),
            life: values.get("life").to_owned(),
            press: values.get("press").to_owned(),
        }
    }

    /// As the API would be given it.
    fn body(&self, now: Timestamp) -> Result<Value, Refusal> {
        let days = LIVES.into_iter().map(|(days, _)| days).find(|days| days.to_string() == self.life);
        let days = days.ok_or_else(Refusal::unreadable)?;
        let expires_at = (days > 0).then(|| now + SignedDuration::from_hours(24 * days));
        let sites = if self.all_sites { Value::Null } else { json!(self.sites) };
        Ok(json!({"name": self.name, "scopes": self.scopes, "site_ids": sites, "expires_at": expires_at}))
    }

    fn markup(&self, sites: &Sites, errors: &Errors) -> Markup {
        html! {
            input type="hidden" name="press" value=(self.press);
            div.field {
                label for="name" { "Name, for yourself" }
                p.dim #name-hint { "Whom or what it is for, such as “Dashboard of the safety team”." }
                input #name type="text" name="name" value=(self.name) required autocomplete="off"
                    aria-describedby=(format!("name-hint{}", errors.described("name").map(|id| format!(" {id}")).unwrap_or_default()))
                    aria-invalid=[errors.has("name").then_some("true")];
                (errors.at("name"))
            }
            fieldset #scopes tabindex="-1" aria-describedby=[errors.described("scopes")] {
                legend { "What it may do" }
                @for scope in Scope::ALL { label.check {
                    input type="checkbox" name="scope" value=(scope.as_str()) checked[self.scopes.iter().any(|each| each == scope.as_str())];
                    (words(scope))
                } }
                (errors.at("scopes"))
            }
            (sites.choice(self.all_sites, &self.sites, errors))
            div.field {
                label for="life" { "How long it is valid" }
                select #life name="life" { @for (days, words) in LIVES {
                    option value=(days) selected[days.to_string() == self.life] { (words) }
                } }
            }
            button #make type="submit" { "Make the key" }
        }
    }
}

fn placed(wrong: &[FieldError]) -> Errors {
    let mut errors = Errors::default();
    for FieldError { pointer, detail } in wrong {
        let (field, sentence) = match pointer.split('/').nth(1).unwrap_or_default() {
            "name" => ("name", format!("Name: it {detail}.")),
            "scopes" => ("scopes", "What it may do: choose one at least.".to_owned()),
            "site_ids" => ("sites", "Sites: choose one at least of those that are listed, or all.".to_owned()),
            _ => ("life", format!("How long it is valid: it {detail}.")),
        };
        if !errors.has(field) {
            errors.add(field, sentence);
        }
    }
    errors
}

/// Keys of the organization that are for no site which the visitor may not see.
async fn visible(app: &AppState, visitor: &Visitor, sites: &Sites) -> Result<Vec<ApiKey>, Refusal> {
    let mut keys = app.directory().api_keys(&visitor.session.organization_id).await?;
    keys.retain(|key| sites.cover(&key.site_ids));
    Ok(keys)
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let sites = Sites::of(&app, &visitor).await?;
    let press = token::fresh_ulid(app.now())?.to_string();
    let keys = visible(&app, &visitor, &sites).await?;
    let said = if asked.contains_key("revoked") {
        "The key was revoked: the next request with it is refused."
    } else if asked.contains_key("made") {
        "This key was made before, and only the answer to its making shows it. If you did not copy it, revoke it and make another."
    } else {
        ""
    };
    let note = html! { @if !said.is_empty() { div.notice role="status" { p { (said) } } } };
    Ok(page(&app, &visitor, &sites, &keys, &Fields::new(&sites, press), &Errors::default(), &note))
}

fn page(
    app: &AppState,
    visitor: &Visitor,
    sites: &Sites,
    keys: &[ApiKey],
    fields: &Fields,
    errors: &Errors,
    note: &Markup,
) -> Page {
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { "API keys" }
        (note)
        p { "The REST API lets your developers and tools read what your sites' edges reported, follow it as it arrives, and set webhooks up. \
             What it offers stands in " a href="/docs" { "its reference" } "." }
        (errors.summary())
        h2 { "Keys of " @if sites.all { "your organization" } @else { "the sites that you see" } }
        @if keys.is_empty() { p { "There is none yet." } } @else {
            ul.cards { @for key in keys { li { (card(app, visitor, sites, key)) } } }
        }
        h2 { "A new key" }
        form method="post" action=(PATH) novalidate {
            (form::token_field(visitor))
            (fields.markup(sites, errors))
        }
    };
    Page::new("API keys", body)
}

fn card(app: &AppState, visitor: &Visitor, sites: &Sites, key: &ApiKey) -> Markup {
    let scopes = Scope::ALL.into_iter().filter(|scope| key.scopes.iter().any(|each| each == scope.as_str()));
    let expired = key.expires_at.is_some_and(|at| at <= app.now());
    html! {
        h3 { (key.name) @if expired { " " span.tag.blocked { "Expired" } } }
        dl {
            dt { "May" } dd { (scopes.map(words).collect::<Vec<_>>().join("; ")) }
            dt { "Sites" } dd { (sites.names(&key.site_ids)) }
            dt { "Made" } dd { (sites.clock(key.created_at)) }
            dt { "Valid until" } dd { @match key.expires_at { Some(at) => (sites.clock(at)), None => "It is revoked" } }
            dt { "Last used" } dd { @match key.last_used_at {
                Some(at) => { (sites.clock(at)) " (noted once an hour)" },
                None => "Never",
            } }
        }
        form method="post" action={ (PATH) "/" (key.id) "/revoke" } {
            (form::token_field(visitor))
            button.quiet type="submit" aria-label={ "Revoke " (key.name) } { "Revoke it" }
        }
    }
}

/// The key stands in this answer alone.
pub async fn make(State(app): State<AppState>, visitor: Visitor, form: form::Form) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let sites = Sites::of(&app, &visitor).await?;
    let fields = Fields::sent(&values, &sites);
    let press: Ulid = fields.press.parse().map_err(|_| Refusal::unreadable())?;
    let keys = visible(&app, &visitor, &sites).await?;
    let new = match api_keys::read(&fields.body(app.now())?, &sites.ids(), app.now()) {
        Ok(new) => new,
        Err(wrong) => {
            let page = page(&app, &visitor, &sites, &keys, &fields, &placed(&wrong), &html! {});
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let organization_id = visitor.session.organization_id.clone();
    let id = id_of(&organization_id, press);
    let all = app.directory().api_keys(&organization_id).await?;
    if all.iter().any(|key| key.id == id) {
        // The page was loaded again: the key that was shown stays good.
        return Ok(Redirect::to(&format!("{PATH}?made")).into_response());
    }
    if all.len() >= MOST {
        let sentence = format!("An organization may have {MOST} API keys: revoke one that is not used.");
        return Err(Refusal::not_now(sentence, PATH));
    }
    let (key, text) = api_keys::make(&app.directory(), organization_id, id, new, app.now()).await?;
    tracing::info!(
        organization_id = %key.organization_id, api_key_id = %key.id, person_id = %visitor.person.id, "by a person"
    );
    Ok(Page::new("The key is made", made(&app, &key, &text)).into_response())
}

fn made(app: &AppState, key: &ApiKey, text: &Secret) -> Markup {
    let public = app.people().url();
    html! {
        h1 { (key.name) " is made" }
        section.notice.good aria-labelledby="secret-title" role="status" {
            h2 #secret-title { "This is the key" }
            p { code #secret { (text.expose()) } }
            p { "Copy it now: it is shown this once. Whoever has it can do what it may do, so send it over a channel that only its user \
                 reads, and keep it on servers, never in a web page or an app." }
        }
        p { "The first call:" }
        pre.code tabindex="0" role="region" aria-label="The first call" { "curl -H \"Authorization: Bearer $KEY\" " (public.as_str().trim_end_matches('/')) "/v1/sites" }
        p { a.button href=(PATH) { "Done: back to the keys" } }
    }
}

/// The same press makes the same key; nobody's press makes somebody else's.
fn id_of(organization: &OrganizationId, press: Ulid) -> ApiKeyId {
    ApiKeyId::new(token::ulid_of(&format!("API key\n{organization}\n{press}"), press.timestamp_ms()))
}

pub async fn revoke(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(key): Path<String>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    let id: ApiKeyId = key.parse().map_err(|_| Refusal::not_found())?;
    let found = app.directory().api_key_by_id(&visitor.session.organization_id, &id).await?;
    let key = found.ok_or_else(Refusal::not_found)?;
    visitor.require(Role::Manager)?;
    if !Sites::of(&app, &visitor).await?.cover(&key.site_ids) {
        return Err(Refusal::not_found());
    }
    form.verified(&visitor)?;
    api_keys::revoke(&app.directory(), &key).await?;
    tracing::info!(
        organization_id = %key.organization_id, api_key_id = %key.id, person_id = %visitor.person.id, "by a person"
    );
    Ok(Redirect::to(&format!("{PATH}?revoked")))
}
