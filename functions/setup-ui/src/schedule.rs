//! Step 4, and the page for later changes: the hour of the daily summary and the shifts, on the site's clock; in Autodesk the form
//! template too.
mod form_template;

use crate::form::{self, Errors, Values};
use crate::hour;
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::visible::{self, Mapped};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::fields::{Checks, Members};
use domain::ids::Provider;
use domain::settings::{Mapping, ProjectSettings, Shift, check, shifts};
use domain::validate::FieldError;
use form_template::Templates;
use maud::{Markup, html};
use people::{Role, Visitor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::TableError;
use store::directory::Site;
use store::reports;

/// Empty rows that are shown beside the filled ones.
const SPARE: usize = 2;

/// Two things are saved, one after the other.
const HALF: &str = "Your shifts are saved. Somebody else changed what this project does at the same moment, so the daily summary and its \
                    hour are as they set them: look at them, and save again if need be.";

#[derive(Default)]
struct Row {
    name: String,
    start: String,
    end: String,
}

impl Row {
    fn is_empty(&self) -> bool {
        self.name.is_empty() && self.start.is_empty() && self.end.is_empty()
    }
}

struct Fields {
    summary: bool,
    at: String,
    shifts: Vec<Row>,
    template: String,
    submits: bool,
    version: String,
    site_version: String,
    setup: bool,
}

impl Fields {
    fn saved(mapped: &Mapped, setup: bool) -> Self {
        let summary = &mapped.project.settings.daily_summary;
        let row = |shift: &Shift| Row { name: shift.name.clone(), start: shift.start.clone(), end: shift.end.clone() };
        Self {
            summary: summary.enabled,
            at: summary.at.clone(),
            shifts: mapped.site.shifts.iter().map(row).collect(),
            template: mapped.project.settings.mapping.form_template_id.clone().unwrap_or_default(),
            submits: mapped.project.settings.mapping.submit_form,
            version: mapped.project.version.to_string(),
            site_version: mapped.site.version.to_string(),
            setup,
        }
    }

    fn sent(values: &Values) -> Self {
        let columns = ["shift_name", "shift_start", "shift_end"].map(|name| values.all(name).collect::<Vec<&str>>());
        let rows = columns[0].len().min(shifts::MOST + SPARE);
        let cell = |column: usize, at: usize| columns[column].get(at).copied().unwrap_or_default().to_owned();
        let shifts = (0..rows).map(|at| Row { name: cell(0, at), start: cell(1, at), end: cell(2, at) });
        Self {
            summary: values.get("summary") == "on",
            at: values.get("at").to_owned(),
            shifts: shifts.filter(|row| !row.is_empty()).collect(),
            template: values.get(form_template::FIELD).to_owned(),
            submits: values.get(form_template::SUBMIT) == "on",
            version: values.get("version").to_owned(),
            site_version: values.get("site_version").to_owned(),
            setup: values.get("setup") == "1",
        }
    }

    /// Checked by the rules of the API's bodies.
    fn read(&self, standing: &ProjectSettings, provider: Provider) -> Result<(ProjectSettings, Vec<Shift>), Errors> {
        let mut errors = Errors::default();
        let mut body = standing.as_given(provider);
        body["daily_summary"] = json!({"enabled": self.summary, "at": self.at});
        let settings = check::read(&body, provider, Some(standing.site_id.clone()));
        for error in settings.as_ref().err().into_iter().flatten() {
            errors.add("at", format!("Hour of the summary: it {}.", error.detail));
        }
        let rows: Vec<Value> =
            self.shifts.iter().map(|row| json!({"name": row.name, "start": row.start, "end": row.end})).collect();
        let body = json!({"shifts": rows});
        let mut checks = Checks::default();
        let read = Members::of(&body, "", &["shifts"], &mut checks).map(|members| shifts::read(&members, &mut checks));
        for error in checks.done().err().into_iter().flatten() {
            let (field, sentence) = placed(&error);
            errors.add(field, sentence);
        }
        match (settings, read) {
            (Ok(settings), Some(shifts)) if errors.is_empty() => Ok((settings, shifts)),
            _ => Err(errors),
        }
    }
}

/// `/shifts/0/start` is the field `shift_start-0`.
fn placed(error: &FieldError) -> (String, String) {
    let steps: Vec<&str> = error.pointer.split('/').skip(1).collect();
    match steps.as_slice() {
        ["shifts", at, member] => {
            let number = at.parse::<usize>().map_or(0, |at| at + 1);
            (format!("shift_{member}-{at}"), format!("Shift {number}, {member}: it {}.", error.detail))
        }
        _ => ("shifts".into(), format!("Shifts: it {}.", error.detail)),
    }
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let fields = Fields::saved(&mapped, asked.contains_key("setup"));
    let templates = form_template::templates(&app, &mapped).await?;
    Ok(page(&visitor, &mapped, &fields, templates.as_ref(), &Errors::default(), None))
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
    let fields = Fields::sent(&values);
    let templates = form_template::templates(&app, &mapped).await?;
    let refused = |errors: &Errors| {
        let page = page(&visitor, &mapped, &fields, templates.as_ref(), errors, None);
        Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let (mut settings, shifts) = match fields.read(&mapped.project.settings, mapped.connection.provider) {
        Ok(read) => read,
        Err(errors) => return refused(&errors),
    };
    match form_template::choose(&app, &mapped, &fields.template, templates.as_ref()).await? {
        Ok(mapping) => settings.mapping = Mapping { submit_form: fields.submits && templates.is_some(), ..mapping },
        Err(errors) => return refused(&errors),
    }
    if values.get("do") == "preview" {
        let note = match settings.daily_summary.enabled {
            true => Some(note(&app, &mapped, &settings.daily_summary.at, &shifts).await?),
            false => None,
        };
        let saved = settings == mapped.project.settings && shifts == mapped.site.shifts;
        let preview = previewed(note.as_deref(), mapped.connection.provider, saved);
        let page = page(&visitor, &mapped, &fields, templates.as_ref(), &Errors::default(), Some(preview));
        return Ok(page.into_response());
    }
    let changed = || Refusal::changed_meanwhile(format!("{}/schedule", mapped.path()));
    let stands = (mapped.project.version.to_string(), mapped.site.version.to_string());
    if (fields.version.clone(), fields.site_version.clone()) != stands {
        return Err(changed());
    }
    let shifts_kept = shifts != mapped.site.shifts;
    if shifts_kept {
        let mut site = Site { shifts, ..mapped.site.clone() };
        match app.directory().put_site(&mut site).await {
            Err(TableError::Condition(_)) => return Err(changed()),
            outcome => outcome?,
        }
        tracing::info!(organization_id = %site.organization_id, site_id = %site.id, "a site's shifts were changed");
    }
    if crate::settings::keep(&app, &mapped, settings).await?.is_none() {
        return Err(match shifts_kept {
            true => Refusal::not_now(HALF.into(), &format!("{}/schedule", mapped.path())),
            false => changed(),
        });
    }
    let onward = if fields.setup { format!("{}/test?setup=1", mapped.path()) } else { mapped.path() };
    Ok(Redirect::to(&onward).into_response())
}

/// Today's note in the words that Procore would show, with an hour and shifts as typed.
async fn note(app: &AppState, mapped: &Mapped, at: &str, shifts: &[Shift]) -> Result<String, Refusal> {
    let url = app.people().url().as_str();
    Ok(reports::note_so_far(app.table(), &mapped.site, at, shifts, url, app.now()).await?)
}

/// `None`: the note is switched off.
fn previewed(note: Option<&str>, provider: Provider, saved: bool) -> Markup {
    let place = if provider == Provider::Acc { "a form" } else { "the Daily Log" };
    html! {
        section.notice aria-labelledby="preview" {
            h2 #preview { "Today's note, as it would read now" }
            @match note {
                Some(note) => {
                    pre { (note) }
                    p { "Nothing was put into " (place) @if !saved { ", and this hour and these shifts are not saved yet" } "." }
                },
                None => p { "The note is switched off here: nothing would be put into " (place) "." },
            }
        }
    }
}

fn page(
    visitor: &Visitor,
    mapped: &Mapped,
    fields: &Fields,
    templates: Option<&Templates>,
    errors: &Errors,
    preview: Option<Markup>,
) -> Page {
    let title = format!("Hour and shifts of {}", mapped.site.name);
    let spare = Row::default();
    let rows = fields.shifts.iter().chain(std::iter::repeat_n(&spare, SPARE)).take(shifts::MOST);
    let body = html! {
        @if fields.setup { (steps::nav(Step::Schedule)) } @else { p { a href=(mapped.path()) { "Status of " (mapped.site.name) } } }
        h1 { (title) }
        p { "All times are on the site's clock, " (mapped.site.time_zone) "." }
        (errors.summary())
        @if let Some(preview) = preview { (preview) }
        form method="post" action={ (mapped.path()) "/schedule" } novalidate {
            (form::token_field(visitor))
            input type="hidden" name="version" value=(fields.version);
            input type="hidden" name="site_version" value=(fields.site_version);
            @if fields.setup { input type="hidden" name="setup" value="1"; }
            fieldset {
                legend { "Daily summary" }
                @if mapped.connection.provider == Provider::Acc {
                    p.dim { "At that hour a form of the date is made from a template of your project." }
                }
                label.check { input #summary type="checkbox" name="summary" value="on" checked[fields.summary];
                    @if mapped.connection.provider == Provider::Acc { "Make one form a day" } @else { "Put one note a day into the Daily Log" } }
                (hour::field(&fields.at, errors))
                p.dim { "The hour is the site's: it changes for all platforms that the site goes to." }
                @if let Some(templates) = templates {
                    (form_template::field(mapped, &fields.template, templates, errors))
                    (form_template::submit(fields.submits))
                }
            }
            fieldset #shifts tabindex="-1" aria-describedby=[errors.described("shifts")] {
                legend { "Shifts (optional)" }
                p.dim { "Reports count by shift. A shift may cross midnight. A row whose three fields are empty is left out." }
                (errors.at("shifts"))
                @for (at, row) in rows.enumerate() { (shift(at, row, errors)) }
            }
            p.links {
                button #save type="submit" { @if fields.setup { "Save and go on" } @else { "Save" } }
                button #show-preview.quiet type="submit" name="do" value="preview" { "Show today's note" }
            }
        }
    };
    Page::new(title, body)
}

fn shift(at: usize, row: &Row, errors: &Errors) -> Markup {
    let number = at + 1;
    let cell = |name: &str, label: &str, kind: &str, value: &str| {
        let id = format!("shift_{name}-{at}");
        html! {
            div.field {
                label for=(id) { "Shift " (number) ": " (label) }
                input id=(id) type=(kind) name={ "shift_" (name) } value=(value) aria-describedby=[errors.described(&id)]
                    aria-invalid=[errors.has(&id).then_some("true")];
                (errors.at(&id))
            }
        }
    };
    html! {
        div.row {
            (cell("name", "name", "text", &row.name))
            (cell("start", "start", "time", &row.start))
            (cell("end", "end", "time", &row.end))
        }
    }
}
