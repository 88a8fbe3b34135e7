//! What of a site is sent to its project, and when its day is summed up. The mapping of fields is left as it stands.
use crate::form::{self, Errors, Values};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::{self, Mapped, on_clock};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::localtime::time_of_day;
use domain::settings::{AllWord, Kinds, ProjectSettings, is_kind};
use domain::wording::{priority_words, words};
use maud::{Markup, html};
use people::{Role, Visitor};
use store::preview::{self, Preview};
use store::{TableError, again};

/// Kinds that edges of today send; a project's own come beside them.
const KNOWN: [&str; 6] = ["zone_breach", "ppe_non_compliance", "fall", "man_down", "proximity", "unsafe_act"];
const MOST_KINDS: usize = 200;

/// The form's fields as they are shown: as saved, or as just sent.
struct Fields {
    all: bool,
    kinds: Vec<String>,
    another: String,
    min_priority: String,
    summary: bool,
    at: String,
    version: String,
}

impl Fields {
    fn saved(mapped: &Mapped) -> Self {
        let ProjectSettings { observations, daily_summary, .. } = &mapped.project.settings;
        let (all, kinds) = match &observations.kinds {
            Kinds::All(_) => (true, Vec::new()),
            Kinds::Only(kinds) => (false, kinds.clone()),
        };
        Self {
            all,
            kinds,
            another: String::new(),
            min_priority: observations.min_priority.to_string(),
            summary: daily_summary.enabled,
            at: daily_summary.at.clone(),
            version: mapped.project.version.to_string(),
        }
    }

    fn sent(values: &Values) -> Self {
        Self {
            all: values.get("which") == "all",
            kinds: values.all("kind").map(str::to_owned).collect(),
            another: values.get("another").to_owned(),
            min_priority: values.get("min_priority").to_owned(),
            summary: values.get("summary") == "on",
            at: values.get("at").to_owned(),
            version: values.get("version").to_owned(),
        }
    }

    /// The settings that these fields make of the standing ones; everything wrong at once.
    fn settings(&self, standing: &ProjectSettings) -> Result<ProjectSettings, Errors> {
        let (mut settings, mut errors) = (standing.clone(), Errors::default());
        let mut kinds = self.kinds.clone();
        if !self.another.is_empty() {
            kinds.push(self.another.clone());
        }
        kinds.sort();
        kinds.dedup();
        if !self.another.is_empty() && !is_kind(&self.another) {
            errors.add(
                "another",
                "Another kind: use the name that the edge sends, in small letters, digits and underscores, such as gas_leak.",
            );
        } else if kinds.len() > MOST_KINDS || kinds.iter().any(|kind| !is_kind(kind)) {
            errors.add("kinds", format!("Kinds of detections: choose at most {MOST_KINDS} of those that are listed."));
        }
        settings.observations.kinds = if self.all { Kinds::All(AllWord::All) } else { Kinds::Only(kinds) };
        match self.min_priority.parse::<u8>().ok().filter(|priority| (1..=5).contains(priority)) {
            Some(priority) => settings.observations.min_priority = priority,
            None => errors.add("min_priority", "Lowest priority: choose one from 1 to 5."),
        }
        settings.daily_summary.enabled = self.summary;
        match time_of_day(&self.at) {
            Ok(_) => settings.daily_summary.at.clone_from(&self.at),
            Err(error) => errors.add("at", format!("Hour of the summary: it {error}.")),
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    Ok(page(&visitor, &mapped, &Fields::saved(&mapped), &Errors::default(), None))
}

pub async fn save(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    form: form::Form,
) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let mut mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let fields = Fields::sent(&values);
    let settings = match fields.settings(&mapped.project.settings) {
        Ok(settings) => settings,
        Err(errors) => {
            let page = page(&visitor, &mapped, &fields, &errors, None).status(StatusCode::UNPROCESSABLE_ENTITY);
            return Ok(page.into_response());
        }
    };
    if values.get("do") == "preview" {
        let preview =
            preview::last_day(app.table(), &mapped.site, &settings, app.people().url().as_str(), app.now()).await?;
        return Ok(page(&visitor, &mapped, &fields, &Errors::default(), Some(&preview)).into_response());
    }
    let changed = || Refusal::changed_meanwhile(format!("{}/settings", mapped.path()));
    if fields.version != mapped.project.version.to_string() {
        return Err(changed());
    }
    let lane = mapped.connection.lane();
    let mut project = mapped.project.clone();
    project.settings = settings;
    match app.directory().put_project(&lane, &mut project).await {
        Err(TableError::Condition(_)) => return Err(changed()),
        outcome => outcome?,
    }
    app.directory().share_hour(&lane, &project).await?;
    again::wake(app.table(), app.bell(), &lane, app.now()).await?;
    tracing::info!(
        organization_id = %lane.organization_id, connection_id = %lane.connection_id, site_id = %mapped.site.id,
        "a project's settings were changed"
    );
    mapped.project = project;
    Ok(Redirect::to(&mapped.path()).into_response())
}

fn page(visitor: &Visitor, mapped: &Mapped, fields: &Fields, errors: &Errors, preview: Option<&Preview>) -> Page {
    let title = format!("What {} sends", mapped.site.name);
    let body = html! {
        p { a href=(mapped.path()) { "Status of " (mapped.site.name) } }
        h1 { (title) }
        p { "Recordable incidents are always sent. Choose here which detections are sent as observations." }
        (errors.summary())
        @if let Some(preview) = preview { (previewed(preview, mapped)) }
        form method="post" action={ (mapped.path()) "/settings" } novalidate {
            (form::token_field(visitor))
            input type="hidden" name="version" value=(fields.version);
            (kinds(fields, errors))
            div.field {
                label for="min_priority" { "Lowest priority that is sent" }
                select #min_priority name="min_priority" aria-invalid=[errors.has("min_priority").then_some("true")]
                    aria-describedby=[errors.described("min_priority")] {
                    @for priority in 1..=5u8 {
                        option value=(priority) selected[priority.to_string() == fields.min_priority] { (priority_words(priority)) }
                    }
                }
                (errors.at("min_priority"))
            }
            fieldset {
                legend { "Daily summary" }
                label.check { input #summary type="checkbox" name="summary" value="on" checked[fields.summary];
                    "Put one note a day into the Daily Log" }
                div.field {
                    label for="at" { "Hour, on the site's clock (" (mapped.site.time_zone) ")" }
                    input #at type="time" name="at" value=(fields.at) aria-describedby=[errors.described("at")]
                        aria-invalid=[errors.has("at").then_some("true")];
                    (errors.at("at"))
                }
                p.dim { "The hour is the site's: it changes for all platforms that the site goes to." }
            }
            p.links {
                button #save type="submit" { "Save" }
                button #show-preview.quiet type="submit" name="do" value="preview" { "Show what the last day would have sent" }
            }
        }
    };
    Page::new(title, body)
}

fn kinds(fields: &Fields, errors: &Errors) -> Markup {
    let own = fields.kinds.iter().map(String::as_str).filter(|kind| !KNOWN.contains(kind) && is_kind(kind));
    html! {
        fieldset #kinds {
            legend { "Kinds of detections" }
            label.check { input type="radio" name="which" value="all" checked[fields.all]; "All, and those to come" }
            label.check { input type="radio" name="which" value="these" checked[!fields.all]; "Only these:" }
            div.choices { @for kind in KNOWN.into_iter().chain(own) {
                label.check {
                    input type="checkbox" name="kind" value=(kind) checked[fields.kinds.iter().any(|each| each == kind)];
                    (words(kind))
                }
            } }
            (errors.at("kinds"))
            div.field {
                label for="another" { "Another kind (optional)" }
                input #another type="text" name="another" value=(fields.another) autocapitalize="none" spellcheck="false"
                    aria-describedby=[errors.described("another")] aria-invalid=[errors.has("another").then_some("true")];
                (errors.at("another"))
            }
        }
    }
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
