//! What people added to an incident where they work, on its page: outcome and days as the OSHA logs count them, each injury as it
//! was told, and when what was changed.
use crate::visible::on_clock;
use domain::event::{Incident, Outcome};
use domain::treatment::{Change, Injury, Source, Treatment};
use domain::wording::words;
use maud::{Markup, html};
use store::directory::Site;

pub fn section(treatment: &Treatment, incident: &Incident, site: &Site) -> Markup {
    let injuries: Vec<(&Source, &Injury)> = treatment.injuries().collect();
    html! {
        h2 #treatment { "Injuries and treatment" }
        @if injuries.is_empty() {
            p { "None so far. What people add to the incident in Procore, or through the API, shows here." }
        } @else {
            dl {
                @if let Some(outcome) = treatment.outcome(incident.recordable) {
                    dt { "Outcome (29 CFR 1904.7)" } dd { (outcome_words(outcome)) }
                }
                @if let Some(days) = treatment.days_away() { dt { "Days away (OSHA 300, column K)" } dd { (days) } }
                @if let Some(days) = treatment.days_restricted_or_transferred() {
                    dt { "Days restricted or transferred (column L)" } dd { (days) }
                }
            }
            ul.cards { @for (at, (source, injury)) in injuries.iter().enumerate() {
                li { (card(at + 1, source, injury, incident.privacy_case, site)) }
            } }
        }
        @if !treatment.history.is_empty() {
            details {
                summary { "What was changed, and when" }
                ul { @for change in treatment.history.iter().rev() { li { (changed(change, site)) } } }
            }
        }
    }
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Death => "Death (column G)",
        Outcome::DaysAway => "Days away from work (column H)",
        Outcome::JobTransferOrRestriction => "Job transfer or restriction (column I)",
        Outcome::OtherRecordable => "Other recordable case (column J)",
    }
}

/// Where it was told.
fn from(source: &str) -> String {
    match source.strip_prefix("api:") {
        Some(key) => format!("the API key {key}"),
        None => words(source),
    }
}

fn card(number: usize, source: &Source, injury: &Injury, privacy_case: bool, site: &Site) -> Markup {
    let yes = |value: Option<bool>| value.map(|value| if value { "Yes" } else { "No" }.to_owned());
    let days = |value: Option<u32>| value.map(|days| days.to_string());
    let rows = [
        ("Filing type", injury.filing_type.as_deref().map(words)),
        ("Disposition", injury.disposition.as_deref().map(words)),
        ("Treatment facility", injury.treatment_facility.clone()),
        ("Treatment provider", injury.treatment_provider.clone()),
        ("Treated in an emergency room", yes(injury.treated_in_er)),
        ("In hospital overnight", yes(injury.hospitalized_overnight)),
        ("Days away", days(injury.days_away)),
        ("Days restricted", days(injury.days_restricted)),
        ("Days transferred", days(injury.days_transferred)),
        ("Back at work", injury.date_returned_to_work.clone()),
        ("Date of death", injury.date_of_death.clone()),
    ];
    html! {
        h3 { "Injury " (number) ", from " (from(&source.label())) }
        dl {
            @for (name, value) in rows { @if let Some(value) = value { dt { (name) } dd { (value) } } }
            @match (&injury.description, privacy_case) {
                (Some(_), true) => { dt { "Description" } dd { "Not shown: a privacy case, 29 CFR 1904.29(b)(7)." } }
                (Some(text), false) => { dt { "Description" } dd { (text) } }
                (None, _) => {}
            }
        }
        @if let Some(at) = injury.updated_at { p.dim { "Last changed there " (on_clock(at, site)) } }
    }
}

/// Members by their names, each once: which injury they are of would be a number of the platform's.
fn changed(change: &Change, site: &Site) -> Markup {
    let mut names: Vec<String> =
        change.changed.iter().map(|path| words(path.rsplit('/').next().unwrap_or(path)).to_lowercase()).collect();
    names.sort();
    names.dedup();
    html! { (on_clock(change.at, site)) ", from " (from(&change.source)) ": " (names.join(", ")) }
}
