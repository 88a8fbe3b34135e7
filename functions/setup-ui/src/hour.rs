//! The hour of a site's daily summary, for a site whose summary only webhooks take too.
use crate::form::{self, Errors};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::fields::{Checks, Members};
use domain::settings::check;
use maud::{Markup, html};
use people::{Role, Visitor};
use serde_json::json;
use store::directory::Site;
use store::summaries;

pub fn path(site: &Site) -> String {
    format!("/sites/{}/hour", site.id)
}

pub async fn show(State(app): State<AppState>, visitor: Visitor, Path(site): Path<String>) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let site = visible::site(&app, &visitor, &site).await?;
    let at = summaries::hour_of(app.table(), &site.organization_id, &site.id).await?;
    Ok(page(&visitor, &site, &at, &at, &Errors::default()))
}

pub async fn save(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(site): Path<String>,
    form: form::Form,
) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let site = visible::site(&app, &visitor, &site).await?;
    let (at, was) = (values.get("at"), values.get("was"));
    let (body, mut checks) = (json!({"at": at}), Checks::default());
    if let Some(members) = Members::of(&body, "", &["at"], &mut checks) {
        check::hour(&members, &mut checks);
    }
    if let Err(wrong) = checks.done() {
        let mut errors = Errors::default();
        wrong.iter().for_each(|error| errors.add("at", format!("Hour of the summary: it {}.", error.detail)));
        let page = page(&visitor, &site, at, was, &errors).status(StatusCode::UNPROCESSABLE_ENTITY);
        return Ok(page.into_response());
    }
    if summaries::hour_of(app.table(), &site.organization_id, &site.id).await? != was {
        return Err(Refusal::changed_meanwhile(path(&site)));
    }
    summaries::set_hour(app.table(), &site, at, app.now()).await?;
    tracing::info!(organization_id = %site.organization_id, site_id = %site.id, "a site's hour was changed by a person");
    Ok(Redirect::to("/setup").into_response())
}

fn page(visitor: &Visitor, site: &Site, at: &str, was: &str, errors: &Errors) -> Page {
    let title = format!("Hour of the daily summary of {}", site.name);
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { (title) }
        p { "On the site's clock, " (site.time_zone) ". It is the same for all platforms and webhooks that take this site's summary. A day \
             runs from this hour to the same hour of the next day." }
        (errors.summary())
        form method="post" action=(path(site)) novalidate {
            (form::token_field(visitor))
            input type="hidden" name="was" value=(was);
            (field(at, errors))
            button #save type="submit" { "Save" }
        }
    };
    Page::new(title, body)
}

pub fn field(at: &str, errors: &Errors) -> Markup {
    html! {
        div.field {
            label for="at" { "Hour" }
            input #at type="time" name="at" value=(at) aria-describedby=[errors.described("at")]
                aria-invalid=[errors.has("at").then_some("true")];
            (errors.at("at"))
        }
    }
}
