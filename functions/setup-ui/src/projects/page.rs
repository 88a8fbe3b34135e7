//! The list of projects: those that can be chosen, each with its form, and those that can't, each with its reason.
use super::{Choice, NEW, Row, Sent};
use crate::connect::{self, admin_step};
use crate::form::{self, Errors};
use crate::layout::Page;
use crate::overview::blocked;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::{consent, words};
use domain::choose::Closed;
use domain::ids::Provider;
use maud::{Markup, html};
use people::Visitor;
use platform::lists::{ListError, Project};
use store::directory::Connection;

/// The id of a project's field.
pub fn field(name: &str, project: &str) -> String {
    format!("{name}-{project}")
}

/// The projects can't be listed: why, and who can mend it.
pub fn trouble(app: &AppState, visitor: &Visitor, connection: &Connection, error: &ListError) -> Page {
    let (name, path) = (words::company(connection), format!("/setup/{}/projects", connection.id));
    let body = html! {
        (steps::nav(Step::Projects))
        h1 { "Projects of " (name) }
        @if connection.blocked.is_some() { (blocked(visitor, connection, None)) }
        div.notice role="status" {
            p { strong { @match error {
                ListError::NotInstalled(_) => "App is not installed",
                ListError::SignInAgain => "Sign in again",
                _ => "The projects can't be listed at the moment",
            } } }
            p { (error) }
            @if let ListError::NotInstalled(block) | ListError::Refused(block) = error {
                dl { dt { "Who can mend it" } dd { (words::mender(block.who, connection.provider)) } dt { "What to do" } dd { (block.what_to_do) } }
            }
        }
        @if matches!(error, ListError::NotInstalled(_)) {
            (admin_step(app, connection.name.as_deref(), Some(&connection.account)))
        }
        @if matches!(error, ListError::SignInAgain) { p { (connect::sign_in(connection.provider, &path)) } }
        p { a.button href=(path) { "Look again" } }
    };
    Page::new(format!("Projects of {name}"), body)
}

pub fn page(visitor: &Visitor, choice: &Choice, sent: &Sent, errors: &Errors) -> Page {
    let (name, provider) = (words::company(&choice.connection), choice.connection.provider);
    let (open, others): (Vec<&Row>, Vec<&Row>) = choice.rows.iter().partition(|row| row.closed.is_none());
    let (mapped, closed): (Vec<&Row>, Vec<&Row>) = others.into_iter().partition(|row| row.can_be_mapped());
    let body = html! {
        (steps::nav(Step::Projects))
        h1 { "Projects of " (name) }
        (errors.summary())
        p { "Map each project to the site whose detections it shall receive. Facts that arrived before are not sent." }
        @if choice.sign_in {
            div.notice {
                p { "You are not signed in at " (words::platform(provider)) ", so only projects that are mapped already or that you saw at your \
                     last visit are listed. Sign in to see all of yours." }
                p { (connect::sign_in(provider, &format!("/setup/{}/projects", choice.connection.id))) }
            }
        }
        @if provider == Provider::Acc { (connect::autodesk::invitation(choice.invited.as_deref())) }
        @if !open.is_empty() { h2 { "These can be chosen" } }
        ul.cards #projects tabindex="-1" {
            @for row in &open { li { (open_project(visitor, choice, row, sent, errors)) } }
        }
        @if open.is_empty() {
            @match &choice.grant {
                Some(grant) => p { "No project can be chosen: the connection works with the consent of " (grant.label) ", and sees what " (grant.label) " can see in " (words::platform(provider)) "." },
                None if provider == Provider::Acc => {
                    p { "No project can be chosen yet. As soon as HardHat Pulse's service account is a member of a project, load this page again." }
                    (consent::change(visitor, &choice.connection, None))
                }
                None => {
                    p { "No project can be chosen. An admin of your company in Procore adds projects to the app's permitted projects in App \
                         Management; after an update or a reinstall of the app that list is empty." }
                    (consent::change(visitor, &choice.connection, None))
                }
            }
        }
        @if !mapped.is_empty() {
            h2 { "Mapped already" }
            ul.cards { @for row in &mapped { li { (closed_project(visitor, choice, row, sent, errors)) } } }
        }
        @if !closed.is_empty() {
            h2 { "These can't be chosen" }
            ul.cards { @for row in &closed { li { (closed_project(visitor, choice, row, sent, errors)) } } }
        }
        p.dim { "Is a project missing here? Your account in " (words::platform(provider)) " does not list it. Someone who works in it can \
                 map it, or an admin there adds you." }
        p { a href="/setup" { "Back to the overview" } }
    };
    Page::new(format!("Projects of {name}"), body)
}

fn title(project: &Project) -> Markup {
    html! { h3 { (project.name) @if let Some(number) = &project.number { " (" (number) ")" } } }
}

fn closed_project(visitor: &Visitor, choice: &Choice, row: &Row, sent: &Sent, errors: &Errors) -> Markup {
    html! {
        (title(&row.project))
        @if let Some(closed) = &row.closed {
            p {
                @match (closed, &choice.grant) {
                    (Closed::NotPermitted, Some(grant)) => { (grant.label) ", with whose consent the connection works, can't see it in " (words::platform(choice.connection.provider)) "." }
                    (closed, _) => (closed.words(choice.connection.provider)),
                }
            }
            @if let Closed::Mapped { site } = closed {
                p { a href={ "/setup/" (choice.connection.id) "/projects/" (row.project.id) } { "Status of " (row.project.name) } }
                details open[sent.project == row.project.id] {
                    summary { "Map " (row.project.name) " to another site" }
                    p { "What stands in the project stays there and goes on. From then on it receives what the other site detects, \
                         by the same settings, and nothing new of " (site) "." }
                    (site_form(visitor, choice, row, sent, errors, "Change the site of"))
                }
            }
        }
    }
}

fn open_project(visitor: &Visitor, choice: &Choice, row: &Row, sent: &Sent, errors: &Errors) -> Markup {
    html! {
        (title(&row.project))
        @if let Some(address) = &row.project.address { p.dim { (address) } }
        (site_form(visitor, choice, row, sent, errors, "Map"))
    }
}

/// Which site a project receives, or the name and clock of a new one. `does`: what the button says of the project.
fn site_form(visitor: &Visitor, choice: &Choice, row: &Row, sent: &Sent, errors: &Errors, does: &str) -> Markup {
    let project = &row.project;
    let suggestion = choice.suggestions.get(&project.id);
    let mine = sent.project == project.id;
    let chosen = match (mine, suggestion) {
        (true, _) => sent.site.as_str(),
        (false, Some(suggestion)) => suggestion.site_id.as_str(),
        (false, None) if choice.free.is_empty() => NEW,
        (false, None) => "",
    };
    let new_name = if mine { sent.name.as_str() } else { project.name.as_str() };
    let new_zone = if mine { sent.time_zone.as_str() } else { project.tz_name.as_deref().unwrap_or_default() };
    let [site, name, zone, why] = ["site", "name", "zone", "why"].map(|each| field(each, &project.id));
    let described: Vec<String> = suggestion.map(|_| why.clone()).into_iter().chain(errors.described(&site)).collect();
    html! {
        form method="post" action={ "/setup/" (choice.connection.id) "/projects" } novalidate {
            (form::token_field(visitor))
            input type="hidden" name="project" value=(project.id);
            div.field {
                label for=(site) { "Site of " (project.name) }
                select id=(site) name="site" aria-describedby=[(!described.is_empty()).then(|| described.join(" "))]
                    aria-invalid=[errors.has(&site).then_some("true")] {
                    @if chosen.is_empty() { option value="" selected { "Choose a site" } }
                    @for each in &choice.free { option value=(each.id) selected[each.id.as_str() == chosen] { (each.name) } }
                    option value=(NEW) selected[chosen == NEW] { "A new site" }
                }
                @if let Some(suggestion) = suggestion { p.dim id=(why) { "Suggested: " (suggestion.reason) "." } }
                (errors.at(&site))
            }
            details open[chosen == NEW || choice.free.is_empty()] {
                summary { "Name and clock of a new site" }
                div.field {
                    label for=(name) { "Name of the new site for " (project.name) }
                    input id=(name) type="text" name="name" value=(new_name) aria-describedby=[errors.described(&name)]
                        aria-invalid=[errors.has(&name).then_some("true")];
                    (errors.at(&name))
                }
                div.field {
                    label for=(zone) { "Time zone of the new site for " (project.name) " (IANA name)" }
                    input id=(zone) type="text" name="time_zone" value=(new_zone) autocapitalize="none" spellcheck="false"
                        aria-describedby=[errors.described(&zone)] aria-invalid=[errors.has(&zone).then_some("true")];
                    (errors.at(&zone))
                }
                p.dim { "Both are taken from the project. HardHat Pulse sets up the edge server of a new site: contact@hardhatpulse.com." }
            }
            button type="submit" { (does) " " (project.name) }
        }
    }
}
