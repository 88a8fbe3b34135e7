//! Step 5: a test record through the very lane that all records take. One per press; closed with a comment when it stands.
use crate::form;
use crate::layout::Page;
use crate::overview::blocked;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::visible::{self, Mapped, on_clock};
use crate::{polling, words};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::Provider;
use domain::record::RecordState;
use maud::{Markup, html};
use people::{Role, Visitor, token};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use store::lanes::{Lane, Link, Todo};
use store::trials::{self, Trial};

const LOOK_EACH: Duration = Duration::from_millis(400);
const LOOKED_AT: usize = 200;

/// Where a pressed test record stands.
struct Outcome {
    trial: Trial,
    link: Option<Link>,
    waits: Option<Todo>,
}

impl Outcome {
    async fn of(app: &AppState, mapped: &Mapped, trial: Trial) -> Result<Self, Refusal> {
        let id = mapped.connection.lane();
        let lane = Lane { table: app.table(), id: &id };
        let link = lane.link(&trial.record()).await?;
        let waiting = lane.waiting(LOOKED_AT).await?;
        // The look that closes it is put off by design, and says nothing of trouble.
        let waits = waiting.into_iter().find(|todo| todo.record == trial.record() && todo.tries > 0);
        Ok(Self { trial, link, waits })
    }

    fn works(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.state == RecordState::Synced)
    }

    fn is_settled(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.state != RecordState::Pending)
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
    let outcome = match asked.get("press").filter(|press| is_press(press)) {
        Some(press) => pressed(&app, &mapped, press).await?,
        None => None,
    };
    let press = token::fresh_ulid(app.now())?.to_string();
    // The lane makes its webhook on the way of the first record.
    let polling = polling::notice(&app, &mapped).await?;
    Ok(page(&visitor, &mapped, outcome.as_ref(), &polling, &press, asked.contains_key("setup")))
}

fn is_press(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// What became of a press; waits a few seconds where nothing is settled yet, so that nobody has to reload at once.
async fn pressed(app: &AppState, mapped: &Mapped, press: &str) -> Result<Option<Outcome>, Refusal> {
    let lane = mapped.connection.lane();
    let trial = trials::get(app.table(), &lane, press).await?;
    let Some(trial) = trial.filter(|trial| trial.project_id == mapped.project.project_id) else { return Ok(None) };
    let until = Instant::now() + app.platform().patience;
    loop {
        let outcome = Outcome::of(app, mapped, trial.clone()).await?;
        if outcome.is_settled() || Instant::now() >= until || mapped.connection.blocked.is_some() {
            return Ok(Some(outcome));
        }
        tokio::time::sleep(LOOK_EACH).await;
    }
}

pub async fn send(
    State(app): State<AppState>,
    visitor: Visitor,
    Path((connection, project)): Path<(String, String)>,
    form: form::Form,
) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let mapped = visible::project(&app, &visitor, &connection, &project).await?;
    let press = values.get("press");
    if !is_press(press) {
        return Err(Refusal::unreadable());
    }
    let (site, project) = (&mapped.site.id, &mapped.project.project_id);
    trials::ask(app.table(), app.bell(), &mapped.connection, site, project, press, app.now()).await?;
    tracing::info!(
        organization_id = %mapped.connection.organization_id, connection_id = %mapped.connection.id,
        person_id = %visitor.person.id, "a test record was asked for"
    );
    let setup = if values.get("setup") == "1" { "&setup=1" } else { "" };
    Ok(Redirect::to(&format!("{}/test?press={press}{setup}", mapped.path())).into_response())
}

fn page(
    visitor: &Visitor,
    mapped: &Mapped,
    outcome: Option<&Outcome>,
    polling: &Markup,
    press: &str,
    setup: bool,
) -> Page {
    let title = format!("Test record for {}", mapped.site.name);
    let body = html! {
        @if setup { (steps::nav(Step::Test)) } @else { p { a href=(mapped.path()) { "Status of " (mapped.site.name) } } }
        h1 { (title) }
        @if mapped.connection.blocked.is_some() { (blocked(visitor, &mapped.connection, Some(&mapped.site))) }
        @if let Some(outcome) = outcome { (result(visitor, mapped, outcome, setup)) }
        (polling)
        p { "One press puts one " @if mapped.connection.provider == Provider::Acc { "issue" } @else { "observation" } " named “TEST - HardHat Pulse” into " (words::project(&mapped.project)) ", on the way \
             that all records take. When it stands, it is closed with a comment by itself. Nobody gets a mail, it is in no report of \
             ours, and you may delete it in " (words::platform(mapped.connection.provider)) "." }
        form method="post" action={ (mapped.path()) "/test" } {
            (form::token_field(visitor))
            input type="hidden" name="press" value=(press);
            @if setup { input type="hidden" name="setup" value="1"; }
            button #send-test.quiet[outcome.is_some()] type="submit" {
                @if outcome.is_some() { "Send another test record" } @else { "Send a test record" }
            }
        }
        p { a.button.quiet[!outcome.is_some_and(Outcome::is_settled)] #done href=(mapped.path()) { "Done: see the status of " (mapped.site.name) } }
    };
    Page::new(title, body)
}

fn result(visitor: &Visitor, mapped: &Mapped, outcome: &Outcome, setup: bool) -> Markup {
    let platform = words::platform(mapped.connection.provider);
    let look_again = html! {
        p { a.button #look-again href={
            (mapped.path()) "/test?press=" (outcome.trial.id) @if setup { "&setup=1" }
        } { "Look again" } }
    };
    html! {
        section.notice.good[outcome.works()] #result aria-labelledby="result-title" role="status" {
            @match &outcome.link {
                Some(link) if outcome.works() => {
                    h2 #result-title { "It works: the test record stands in " (platform) }
                    p { (link.marker) ", sent " (on_clock(outcome.trial.asked_at, &mapped.site)) "." }
                    @if let Some(url) = &link.remote_url { p { a href=(url) rel="noopener" target="_top" { "Open " (link.marker) " in " (platform) } } }
                    p { @if link.steps.is_empty() { "It is closed by itself within two minutes." } @else { "It is closed already." } }
                },
                Some(link) if link.state != RecordState::Pending => {
                    h2 #result-title { "It did not arrive" }
                    @if let Some(reason) = &link.reason { p { (reason) } }
                    @if let Some(who) = link.who { p { "Who can mend it: " (words::mender(who, mapped.connection.provider)) } }
                    form method="post" action={ (mapped.path()) "/again" } {
                        (form::token_field(visitor))
                        input type="hidden" name="kind" value=(link.record.kind.as_str());
                        input type="hidden" name="id" value=(link.record.fact_id);
                        button type="submit" { "It is mended: try it again" }
                    }
                },
                _ => {
                    h2 #result-title { "It is on its way" }
                    @match &outcome.waits {
                        Some(Todo { why: Some(why), next_try: Some(at), .. }) =>
                            p { (why) ". The next try is made by itself at " (on_clock(*at, &mapped.site)) "." },
                        _ => p { "Nothing is known of it yet. Most test records arrive within seconds." },
                    }
                    (look_again)
                },
            }
        }
    }
}
