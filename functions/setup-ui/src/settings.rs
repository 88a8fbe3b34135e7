//! Step 3, and the page for later changes: which detections are sent, and what they become at the platform.
mod fields;
mod mapping;

use crate::form::{self, Errors};
use crate::layout::Page;
use crate::platform::{self, Choices};
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::visible::{self, Mapped, on_clock};
use crate::words;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use fields::Fields;
use maud::{Markup, html};
use people::{Role, Visitor};
use std::collections::BTreeMap;
use store::mapping::{MapError, Wanted};
use store::preview::{self, Preview};

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let choices = choices(&app, &mapped).await?;
    let fields = Fields::saved(&mapped, asked.contains_key("setup"));
    Ok(page(&visitor, &mapped, &fields, &choices, &Errors::default(), None))
}

/// What a mapping chooses from, or why that can't be listed now.
async fn choices(app: &AppState, mapped: &Mapped) -> Result<Result<Choices, String>, Refusal> {
    let found = platform::choices(app, &mapped.connection, &mapped.project.project_id).await?;
    Ok(found.map_err(|error| error.to_string()))
}

pub async fn save(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    form: form::Form,
) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let mut fields = Fields::sent(&values);
    let choices = choices(&app, &mapped).await?;
    let redo = values.get("do");
    if redo == "defaults" {
        fields.forget_mapping();
        return Ok(page(&visitor, &mapped, &fields, &choices, &Errors::default(), None).into_response());
    }
    let settings = match fields.settings(&mapped.project.settings, mapped.connection.provider, choices.as_ref().ok()) {
        Ok(settings) => settings,
        Err(errors) => {
            let page = page(&visitor, &mapped, &fields, &choices, &errors, None);
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    if redo == "add" {
        fields.take_in_another();
        return Ok(page(&visitor, &mapped, &fields, &choices, &Errors::default(), None).into_response());
    }
    if redo == "preview" {
        let preview =
            preview::last_day(app.table(), &mapped.site, &settings, app.people().url().as_str(), app.now()).await?;
        return Ok(page(&visitor, &mapped, &fields, &choices, &Errors::default(), Some(&preview)).into_response());
    }
    let changed = || Refusal::changed_meanwhile(format!("{}/settings", mapped.path()));
    if fields.version != mapped.project.version.to_string() {
        return Err(changed());
    }
    keep(&app, &mapped, settings).await?.ok_or_else(changed)?;
    let onward = if fields.setup { format!("{}/schedule?setup=1", mapped.path()) } else { mapped.path() };
    Ok(Redirect::to(&onward).into_response())
}

/// Keeps settings. `None`: somebody else changed them meanwhile.
pub async fn keep(
    app: &AppState,
    mapped: &Mapped,
    settings: domain::settings::ProjectSettings,
) -> Result<Option<()>, Refusal> {
    let wanted = Wanted {
        project_id: mapped.project.project_id.clone(),
        name: None,
        settings,
        standing: Some(mapped.project.clone()),
    };
    match store::mapping::apply(app.table(), app.bell(), &mapped.connection, wanted, app.now()).await {
        Ok(_) => Ok(Some(())),
        Err(MapError::Table(error)) => Err(error.into()),
        Err(MapError::SiteTaken(_) | MapError::ProjectTaken | MapError::Stale) => Ok(None),
    }
}

fn page(
    visitor: &Visitor,
    mapped: &Mapped,
    fields: &Fields,
    choices: &Result<Choices, String>,
    errors: &Errors,
    preview: Option<&Preview>,
) -> Page {
    let title = format!("What {} sends", mapped.site.name);
    let body = html! {
        @if fields.setup { (steps::nav(Step::Sends)) } @else { p { a href=(mapped.path()) { "Status of " (mapped.site.name) } } }
        h1 { (title) }
        p { "Recordable incidents are always sent. Choose here which detections are sent as observations." }
        (errors.summary())
        @if let Some(preview) = preview { (previewed(preview, mapped)) }
        form method="post" action={ (mapped.path()) "/settings" } novalidate {
            (form::token_field(visitor))
            input type="hidden" name="version" value=(fields.version);
            @if fields.setup { input type="hidden" name="setup" value="1"; }
            (fields.chosen.fields(errors))
            @match choices {
                Ok(choices) => (mapping::editor(fields, choices, errors)),
                Err(why) => div.notice role="status" {
                    p { "What detections become in " (words::platform(mapped.connection.provider)) " can't be changed at the moment, and stays as it is. " (why) }
                },
            }
            p.links {
                button #save type="submit" { @if fields.setup { "Save and go on" } @else { "Save" } }
                button #show-preview.quiet type="submit" name="do" value="preview" { "Show what the last day would have sent" }
            }
        }
        @if !fields.setup { p { a href={ (mapped.path()) "/schedule" } { "Hour of the summary, and shifts" } } }
    };
    Page::new(title, body)
}

/// What these settings would have sent of the last day's events. Nothing is sent, and nothing is saved yet.
fn previewed(preview: &Preview, mapped: &Mapped) -> Markup {
    let shown = preview.records.len();
    let more = (preview.incidents + preview.observations).saturating_sub(shown);
    html! {
        section.notice aria-labelledby="preview" {
            h2 #preview { "The last day, with these settings" }
            p {
                "Of " (preview.detections) " detections, " strong { (preview.observations) } " would have become observations; "
                strong { (preview.incidents) } " incidents would have been sent. Nothing was sent, and these settings are not \
                 saved yet."
            }
            @if shown > 0 {
                details {
                    summary { "Show them" }
                    ul { @for record in &preview.records { li { (record.title) ", " (on_clock(record.at, &mapped.site)) } } }
                    @if more > 0 { p { "And " (more) " more." } }
                }
            }
        }
    }
}
