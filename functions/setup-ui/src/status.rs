//! A project's status: its last record, what waits and why, and what needs someone, with the one button for it.
use crate::layout::Page;
use crate::overview::blocked;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::{self, LONGEST_ID, Mapped, on_clock};
use crate::{form, polling, steps, words};
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::record::{RecordKey, RecordKind, RecordState};
use maud::{Markup, html};
use people::{Role, Visitor};
use std::collections::BTreeSet;
use store::again;
use store::blocks::ProjectBlock;
use store::lanes::{Lane, Link, Todo};

/// The latest records of a kind that are looked at.
const LOOKED_AT: usize = 1_000;
/// Of a list, so many are shown.
const SHOWN: usize = 50;
/// One press tries so many again.
const AGAIN_AT_ONCE: usize = 500;

const KINDS: [RecordKind; 3] = [RecordKind::Incident, RecordKind::Observation, RecordKind::DailySummary];

struct Status {
    /// The latest records, of all kinds.
    links: Vec<Link>,
    /// There are more than were looked at.
    more: bool,
    waiting: Vec<Todo>,
    /// Kinds of records that the platform refuses in this project until somebody acts there.
    paused: Vec<(RecordKind, ProjectBlock)>,
}

impl Status {
    async fn of(app: &AppState, mapped: &Mapped) -> Result<Self, Refusal> {
        let id = mapped.connection.lane();
        let lane = Lane { table: app.table(), id: &id };
        let (mut links, mut more) = (Vec::new(), false);
        for site in mapped.sites() {
            for kind in KINDS {
                let found = lane.links_of(kind, &site.id, None, LOOKED_AT).await?;
                more |= found.len() == LOOKED_AT;
                links.extend(found);
            }
        }
        links.retain(|link| link.project_id == mapped.project.project_id);
        let mut waiting = lane.ready(LOOKED_AT).await?;
        more |= waiting.len() == LOOKED_AT;
        let later = lane.waiting(LOOKED_AT).await?;
        more |= later.len() == LOOKED_AT;
        waiting.extend(later);
        // What waits of a site of before may belong to the project that it goes to now.
        let ours: BTreeSet<&RecordKey> = links.iter().map(|link| &link.record).collect();
        waiting.retain(|todo| todo.record.site_id == mapped.site.id || ours.contains(&todo.record));
        let blocks = lane.project_blocks().await?;
        let block =
            |kind| Some((kind, blocks.get(&mapped.project.project_id, kind).filter(|block| !block.lifted)?.clone()));
        let paused = KINDS.into_iter().filter_map(block).collect();
        Ok(Self { links, more, waiting, paused })
    }

    /// What waits counts as it is listed: also news for a record that stands.
    fn count(&self, state: RecordState) -> usize {
        match state {
            RecordState::Pending => self.waiting.len(),
            _ => self.links.iter().filter(|link| link.state == state).count(),
        }
    }

    fn stuck(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| needs_someone(link))
    }

    /// Those that work, but for a field that both sides changed.
    fn conflicting(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| !link.conflicts.is_empty() && !needs_someone(link))
    }
}

fn needs_someone(link: &Link) -> bool {
    matches!(link.state, RecordState::Blocked | RecordState::Failed)
}

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
) -> Result<Page, Refusal> {
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let status = Status::of(&app, &mapped).await?;
    let site = &mapped.site;
    let last = status.links.iter().filter(|link| link.state == RecordState::Synced).max_by_key(|link| link.updated_at);
    let open = match visitor.session.role {
        Role::Manager => steps::open(&app, &mapped).await?,
        Role::Viewer => None,
    };
    let polling = polling::notice(&app, &mapped).await?;
    let grant = grants::grant(app.table(), &mapped.connection.lane()).await?;
    let oldest = status.waiting.iter().map(|todo| todo.asked_at).min();
    let body = html! {
        p { a href="/setup" { "Overview" } }
        h1 { "Status of " (site.name) }
        p.dim { "In " (words::platform(mapped.connection.provider)) ": " (words::project(&mapped.project)) ". Times are on the site's clock (" (site.time_zone) ")." }
        (blocked(&visitor, &mapped.connection, Some(site)))
        @if let Some(grant) = &grant {
            p.dim { "It works with the consent of " (grant.label) ", and can do there what " (grant.label) " can." }
        }
        @for (kind, block) in &status.paused { (paused(*kind, block, &mapped)) }
        (polling)
        @if let Some((step, path)) = &open {
            p { a.button #go-on href=(path) { "Go on with the set-up: " (steps::name(*step)) } }
        }
        dl.figures {
            div { dt { "Last record" } dd { @match last {
                Some(link) => { (on_clock(link.updated_at, site)) },
                None => "None yet",
            } } }
            div { dt { "Waiting longest" } dd { @match oldest {
                Some(at) => { (minutes(app.now().duration_since(at).as_mins())) },
                None => "Nothing waits",
            } } }
            @for state in [RecordState::Synced, RecordState::Pending, RecordState::Blocked, RecordState::Failed] {
                div { dt { (words::state(state, mapped.connection.provider)) } dd { @if status.more { "At least " } (status.count(state)) } }
            }
        }
        @if status.more { p.dim { "Of each kind the latest " (LOOKED_AT) " records are counted. Older ones stand under activity." } }
        p.links {
            a href={ (mapped.path()) "/activity" } { "All activity of " (site.name) }
            a href={ "/sites/" (site.id) "/reports" } { "Daily reports of " (site.name) }
            @if visitor.session.role >= Role::Manager {
                a href={ (mapped.path()) "/settings" } { "What " (site.name) " sends" }
                a href={ (mapped.path()) "/schedule" } { "Hour and shifts" }
                a href={ (mapped.path()) "/test" } { "Send a test record" }
            }
        }
        (stuck(&visitor, &mapped, &status))
        (conflicting(&visitor, &mapped, &status))
        (waiting(&mapped, &status))
    };
    Ok(Page::new(format!("Status of {}", site.name), body))
}

/// Of this project alone: all others go on.
fn paused(kind: RecordKind, block: &ProjectBlock, mapped: &Mapped) -> Markup {
    let (blocked, site) = (&block.blocked, &mapped.site);
    html! {
        div.notice role="status" {
            p { strong { (words::kinds(kind)) " of this project wait" } }
            p { (blocked.reason) }
            dl {
                dt { "Who can mend it" } dd { (words::mender(blocked.who, mapped.connection.provider)) }
                dt { "What to do" } dd { (blocked.what_to_do) }
                dt { "Since" } dd { (on_clock(blocked.since, site)) }
                dt { "Asked again by itself" } dd { (on_clock(block.next_probe, site)) }
            }
        }
    }
}

fn minutes(minutes: i64) -> String {
    match minutes {
        ..1 => "Less than a minute".into(),
        1 => "1 minute".into(),
        2..120 => format!("{minutes} minutes"),
        _ => format!("{} hours", minutes / 60),
    }
}

fn stuck(visitor: &Visitor, mapped: &Mapped, status: &Status) -> Markup {
    let total = status.stuck().count();
    if total == 0 {
        return html! { h2 { "Needs someone" } p { "Nothing: no record waits for a person." } };
    }
    html! {
        h2 #needs-someone { "Needs someone" }
        @if visitor.session.role >= Role::Manager {
            form method="post" action={ (mapped.path()) "/again" } {
                (form::token_field(visitor))
                button #retry-all type="submit" {
                    @if total > AGAIN_AT_ONCE { "Try the first " (AGAIN_AT_ONCE) " of these again" } @else { "Try all of these again" }
                }
            }
        }
        ul.cards { @for link in status.stuck().take(SHOWN) { li { (record(visitor, mapped, link)) } } }
        @if total > SHOWN { p.dim { "And " (total - SHOWN) " more, under activity." } }
    }
}

fn conflicting(visitor: &Visitor, mapped: &Mapped, status: &Status) -> Markup {
    let total = status.conflicting().count();
    if total == 0 {
        return html! {};
    }
    html! {
        h2 #conflicts { "Changed on both sides" }
        p { "People changed these in " (words::platform(mapped.connection.provider)) ", and there is news from the site. Nothing is overwritten before somebody decides." }
        ul.cards { @for link in status.conflicting().take(SHOWN) { li { (record(visitor, mapped, link)) } } }
        @if total > SHOWN { p.dim { "And " (total - SHOWN) " more, under activity." } }
    }
}

/// One record: what it is, where it stands, why, and what can be done.
pub fn record(visitor: &Visitor, mapped: &Mapped, link: &Link) -> Markup {
    let key = &link.record;
    let site = mapped.site_named(key.site_id.as_str()).unwrap_or(&mapped.site);
    let (provider, platform) = (mapped.connection.provider, words::platform(mapped.connection.provider));
    html! {
        h3 { (words::kind(key.kind)) " " (link.marker) " " (words::tag(link.state, provider)) }
        @if let Some(reason) = &link.reason { p { (reason) } }
        @if let Some(who) = link.who { p { "Who can mend it: " (words::mender(who, provider)) } }
        p.dim {
            "Last changed " (on_clock(link.updated_at, site))
            @if site.id != mapped.site.id { ", of " (site.name) ", which the project was mapped to before" }
        }
        p.links {
            a href=(key.link("")) { "What " (link.marker) " is about" }
            @if let Some(url) = &link.remote_url { a href=(url) rel="noopener" target="_top" { "Open " (link.marker) " in " (platform) } }
        }
        @if !link.conflicts.is_empty() {
            table {
                caption { "Changed in " (platform) " while we had news. The value of " (platform) " stands." }
                thead { tr {
                    th scope="col" { "Field" } th scope="col" { "In " (platform) } th scope="col" { "Ours" }
                    @if decides(visitor) { th scope="col" { "Which shall stand?" } }
                } }
                tbody { @for conflict in &link.conflicts {
                    tr {
                        th scope="row" { (conflict.field) } td { (value(&conflict.theirs)) } td { (value(&conflict.ours)) }
                        @if decides(visitor) { td { (choice(visitor, mapped, link, &conflict.field)) } }
                    }
                } }
            }
        }
        @if needs_someone(link) && visitor.session.role >= Role::Manager {
            form method="post" action={ (mapped.path()) "/again" } {
                (form::token_field(visitor))
                (names(key))
                button type="submit" aria-label={ "Try " (link.marker) " again" } { "Try again" }
            }
        }
    }
}

/// The hidden fields that name a record.
fn names(record: &RecordKey) -> Markup {
    html! {
        input type="hidden" name="site" value=(record.site_id);
        input type="hidden" name="kind" value=(record.kind.as_str());
        input type="hidden" name="id" value=(record.fact_id);
    }
}

/// The record that a form names, of one of the project's sites.
pub fn named(mapped: &Mapped, values: &form::Values) -> Option<RecordKey> {
    let (kind, id) = (values.get("kind").parse().ok()?, values.get("id"));
    let site = mapped.site_named(values.get("site"))?;
    (!id.is_empty() && id.len() <= LONGEST_ID).then(|| RecordKey {
        kind,
        site_id: site.id.clone(),
        fact_id: id.to_owned(),
    })
}

fn decides(visitor: &Visitor) -> bool {
    visitor.session.role >= Role::Manager
}

/// The two buttons that decide a conflict.
fn choice(visitor: &Visitor, mapped: &Mapped, link: &Link, field: &str) -> Markup {
    html! {
        form method="post" action={ (mapped.path()) "/conflicts" } {
            (form::token_field(visitor))
            (names(&link.record))
            input type="hidden" name="field" value=(field);
            button type="submit" name="use" value="ours" aria-label={ "Use our " (field) " in " (link.marker) } { "Use ours" }
            button type="submit" name="use" value="theirs" aria-label={ "Keep their " (field) " in " (link.marker) } { "Keep theirs" }
        }
    }
}

fn value(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "(empty)".into(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn waiting(mapped: &Mapped, status: &Status) -> Markup {
    let total = status.waiting.len();
    html! {
        h2 #waiting { "Waiting" }
        @if total == 0 { p { "Nothing waits." } } @else {
            ul { @for todo in status.waiting.iter().take(SHOWN) {
                li {
                    (words::kind(todo.record.kind)) ": "
                    @match (&todo.why, todo.next_try) {
                        (Some(why), Some(at)) => { (why) ". Next try by itself at " (on_clock(at, &mapped.site)) "." },
                        _ if todo.read_back => "what people changed is read as soon as its turn comes.",
                        _ => "is sent as soon as its turn comes.",
                    }
                }
            } }
            @if total > SHOWN { p.dim { "And " (total - SHOWN) " more." } }
        }
    }
}

/// Tries one record again, or all that need someone.
pub async fn try_again(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    form: form::Form,
) -> Result<Redirect, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let id = mapped.connection.lane();
    let records: Vec<RecordKey> = match (values.get("id").is_empty(), named(&mapped, &values)) {
        (true, _) => {
            let status = Status::of(&app, &mapped).await?;
            status.stuck().take(AGAIN_AT_ONCE).map(|link| link.record.clone()).collect()
        }
        // However old it is.
        (false, Some(record)) => {
            let link = Lane { table: app.table(), id: &id }.link(&record).await?;
            let stuck = |link: &Link| link.project_id == mapped.project.project_id && needs_someone(link);
            link.filter(stuck).map(|link| link.record).into_iter().collect()
        }
        (false, None) => Vec::new(),
    };
    again::records(app.table(), app.bell(), &mapped.connection, &records, app.now()).await?;
    tracing::info!(
        organization_id = %mapped.connection.organization_id, connection_id = %mapped.connection.id,
        site_id = %mapped.site.id, records = records.len(), "records are tried again"
    );
    Ok(Redirect::to(&mapped.path()))
}
