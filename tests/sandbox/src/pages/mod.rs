//! Plain pages: the records as a person sees them on the platform, and what was called.
//!
//! Addresses of records look like the platform's own, so that a link from elsewhere can be followed here.

mod apps;
mod calls;
pub(crate) mod consent;
mod daily_log;
mod forms;
mod home;
mod incidents;
mod injuries;
pub(crate) mod layout;
mod observations;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::procore::{Core, Project, World};

/// Rows on one page: a burst leaves thousands.
const SHOWN: usize = 500;

const PROJECT: &str = "/webclients/host/companies/{company}/projects/{project}/tools";

pub(crate) fn router(core: Arc<Core>) -> Router {
    let at = |rest: &str| format!("{PROJECT}/{rest}");
    Router::new()
        .route("/", get(home::page))
        .route("/calls", get(calls::page))
        .route(&at("incidents"), get(incidents::list))
        .route(&at("incidents/{id}"), get(incidents::one).post(forms::edit_incident))
        .route(&at("incidents/{id}/injuries"), post(forms::add_injury))
        .route(&at("incidents/{id}/injuries/{injury}"), get(injuries::one).post(forms::edit_injury))
        .route(&at("incidents/{id}/injuries/{injury}/delete"), post(forms::delete_injury))
        .route(&at("incidents/{id}/injuries/{injury}/restore"), post(forms::restore_injury))
        .route(&at("observations"), get(observations::list))
        .route(&at("observations/{id}"), get(observations::one).post(forms::edit_observation))
        .route(&at("observations/{id}/comments"), post(forms::comment))
        .route(&at("{tool}/{id}/delete"), post(forms::delete))
        .route(&at("{tool}/{id}/restore"), post(forms::restore))
        .route(&at("dailylog"), get(daily_log::page).post(forms::add_note))
        .route(&at("dailylog/{id}"), get(daily_log::one).post(forms::edit_note))
        .route(&at("dailylog/{id}/delete"), post(forms::delete_note))
        .route(&at("dailylog/days/{date}"), post(forms::complete_day))
        .route(&at("recyclebin"), get(daily_log::bin))
        .route("/webclients/host/companies/{company}/tools/apps", get(apps::page))
        .route("/webclients/host/companies/{company}/tools/apps/embedded/{client}", get(apps::embedded))
        .route("/webclients/host/companies/{company}/tools/apps/install", post(apps::install))
        .route("/webclients/host/companies/{company}/tools/apps/uninstall", post(apps::uninstall))
        .route("/webclients/host/companies/{company}/tools/apps/permitted-projects", post(apps::permit))
        .route("/login", get(consent::login_page).post(consent::login))
        .route("/logout", post(consent::logout))
        .route("/consent", post(consent::answer))
        .with_state(core)
}

/// Holds the id of the person who signed in. It opens nothing: these pages are open to all.
const COOKIE: &str = "procore_sandbox_person";

pub(crate) fn signed_in(headers: &HeaderMap) -> Option<i64> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE)?.1.parse().ok()
}

/// A box to tick; unticked it says so, since a form leaves such boxes out.
fn check(name: &str, label: &str, ticked: bool) -> Markup {
    html! {
        input type="hidden" name=(name) value="false";
        label.check { input name=(name) type="checkbox" value="true" checked[ticked]; (label) }
    }
}

/// Where the tools of a project stand.
fn tools(project: &Project) -> String {
    format!("/webclients/host/companies/{}/projects/{}/tools", project.company_id, project.id)
}

/// A time on the project's clock.
fn local(project: &Project, at: Timestamp) -> String {
    let zone = TimeZone::get(&project.tz_name).unwrap_or(TimeZone::UTC);
    at.to_zoned_datetime(zone).strftime("%d %b %Y, %H:%M %Z").to_string()
}

fn person(world: &World, id: i64) -> &str {
    world.people.get(&id).map_or("somebody", |person| person.name.as_str())
}

fn location(world: &World, id: Option<i64>) -> Option<&str> {
    id.and_then(|id| world.locations.get(&id)).map(|location| location.name.as_str())
}

fn entry(world: &World, id: Option<i64>) -> Option<&str> {
    id.and_then(|id| world.entries.get(&id)).map(|entry| entry.name.as_str())
}

/// One row of a record's facts; nothing is a dash.
fn fact(name: &str, value: Option<&str>) -> Markup {
    html! { dt { (name) } dd { (value.filter(|value| !value.is_empty()).unwrap_or("–")) } }
}
