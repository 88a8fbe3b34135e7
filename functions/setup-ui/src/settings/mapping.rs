//! What each kind becomes in Procore, by name: the defaults are shown, what is switched off or gone there is flagged.
use super::fields::{Fields, id_of};
use crate::form::Errors;
use crate::platform::Choices;
use domain::settings::is_kind;
use domain::settings::mapping_rows::{HAZARDS, INCIDENT_TYPES, KNOWN_INCIDENTS, KNOWN_KINDS, OBSERVATION_TYPES};
use domain::targets::{self, Choice, Target};
use domain::wording::words;
use maud::{Markup, html};
use procore::lists::{default_hazard, default_type};
use std::collections::BTreeSet;

pub const LABELS: [(&str, &str); 3] =
    [(OBSERVATION_TYPES, "Observation type"), (INCIDENT_TYPES, "Incident type"), (HAZARDS, "Hazard")];

/// A row's choices: groups of name and id.
type Groups = Vec<(String, Vec<Choice>)>;

pub fn editor(fields: &Fields, choices: &Choices, errors: &Errors) -> Markup {
    let types = type_groups(choices);
    let hazards: Groups = vec![(
        "Hazards".to_owned(),
        choices
            .hazards
            .iter()
            .map(|each| Choice { id: each.id.clone(), name: each.name.clone(), active: each.active })
            .collect(),
    )];
    let kinds = rows(fields, OBSERVATION_TYPES, &KNOWN_KINDS, fields.chosen.kinds.iter());
    let incidents = rows(fields, HAZARDS, &KNOWN_INCIDENTS, std::iter::empty());
    html! {
        input type="hidden" name="mapping" value="1";
        fieldset #mapping {
            legend { "What each detection becomes in Procore" }
            p.dim { "Observation types of this project, by name. The default is one of Procore's own safety types." }
            @for kind in &kinds {
                (row(fields, OBSERVATION_TYPES, kind, "observation type", default_type_words(kind, choices), &types, errors))
            }
        }
        fieldset {
            legend { "What each incident becomes in Procore" }
            p.dim { "Hazards of your company, by name." }
            @for incident in &incidents {
                (row(fields, HAZARDS, incident, "hazard", default_hazard_words(incident, choices), &hazards, errors))
            }
            (incident_types(fields, errors))
            div.field {
                label for="another_incident" { "Another incident type of the edge (optional)" }
                input #another_incident type="text" name="another_incident" value=(fields.another_incident) autocapitalize="none"
                    spellcheck="false" aria-describedby=[errors.described("another_incident")]
                    aria-invalid=[errors.has("another_incident").then_some("true")];
                (errors.at("another_incident"))
            }
        }
        p.links {
            button #add-rows.quiet type="submit" name="do" value="add" { "Add rows for what I typed" }
            button #restore-defaults.quiet type="submit" name="do" value="defaults" { "Put all of these back to their defaults" }
        }
    }
}

fn type_groups(choices: &Choices) -> Groups {
    let mut groups: Groups = Vec::new();
    for each in &choices.types {
        let choice = Choice { id: each.id.clone(), name: each.name.clone(), active: each.active };
        match groups.iter_mut().find(|(name, _)| *name == each.category) {
            Some((_, known)) => known.push(choice),
            None => groups.push((each.category.clone(), vec![choice])),
        }
    }
    groups
}

/// The kinds that have a row: known ones, chosen ones, mapped ones.
fn rows<'a>(fields: &'a Fields, part: &str, known: &[&str], chosen: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mapped = fields.mapping.iter().filter_map(|mapping| mapping.get(part)).flat_map(|ids| ids.keys());
    let more: BTreeSet<&String> =
        chosen.chain(mapped).filter(|kind| is_kind(kind) && !known.contains(&kind.as_str())).collect();
    known.iter().map(|kind| (*kind).to_owned()).chain(more.into_iter().cloned()).collect()
}

fn default_type_words(kind: &str, choices: &Choices) -> String {
    default_type(kind, &choices.types).map_or_else(
        || "Default (no Safety type is switched on in Procore)".to_owned(),
        |default| format!("Default ({})", default.name),
    )
}

fn default_hazard_words(incident: &str, choices: &Choices) -> String {
    default_hazard(incident, &choices.hazards)
        .map_or_else(|| "Default (none)".to_owned(), |default| format!("Default ({})", default.name))
}

fn row(
    fields: &Fields,
    part: &str,
    kind: &str,
    what: &str,
    default: String,
    groups: &Groups,
    errors: &Errors,
) -> Markup {
    let (field, chosen) = (id_of(part, kind), fields.id(part, kind));
    let all: Vec<Choice> = groups.iter().flat_map(|(_, choices)| choices.clone()).collect();
    let target = (!chosen.is_empty()).then(|| targets::target(chosen, &all));
    let trouble = target.as_ref().and_then(|target| target.trouble(what)).filter(|_| !errors.has(&field));
    let flag = format!("{field}-flag");
    let described = errors.described(&field).or_else(|| trouble.is_some().then(|| flag.clone()));
    html! {
        div.field {
            label for=(field) { (words(kind)) }
            select id=(field) name={ (part) ":" (kind) } aria-describedby=[described]
                aria-invalid=[(errors.has(&field) || trouble.is_some()).then_some("true")] {
                option value="" selected[chosen.is_empty()] { (default) }
                @match &target {
                    Some(Target::SwitchedOff { name }) => option value=(chosen) selected { (name) " (switched off)" },
                    Some(Target::Gone { .. }) => option value=(chosen) selected { "No longer in Procore" },
                    _ => {},
                }
                @for (name, choices) in groups {
                    optgroup label=(name) {
                        @for choice in choices.iter().filter(|choice| choice.active) {
                            option value=(choice.id) selected[choice.id == chosen] { (choice.name) }
                        }
                    }
                }
            }
            @if let Some(trouble) = trouble { p.error id=(flag) { (trouble) } }
            (errors.at(&field))
        }
    }
}

/// Procore lists its incident types to no app, so that they are the one thing here that goes by a number.
fn incident_types(fields: &Fields, errors: &Errors) -> Markup {
    let kinds = rows(fields, INCIDENT_TYPES, &KNOWN_INCIDENTS, std::iter::empty());
    let filled =
        |kind: &String| !fields.id(INCIDENT_TYPES, kind).is_empty() || errors.has(&id_of(INCIDENT_TYPES, kind));
    html! {
        details open[kinds.iter().any(filled)] {
            summary { "Incident types (optional)" }
            p.dim #incident-types-help { "Left empty, an incident gets your company's General type. Procore shows no app the list of incident \
                types, so that another one goes by its number: ask your Procore admin. A record with a number that Procore does \
                not know is held here, and the project's page says so." }
            @for kind in &kinds {
                @let field = id_of(INCIDENT_TYPES, kind);
                div.field {
                    label for=(field) { "Number of the incident type for: " (words(kind)) }
                    input id=(field) type="text" inputmode="numeric" autocomplete="off" name={ (INCIDENT_TYPES) ":" (kind) }
                        value=(fields.id(INCIDENT_TYPES, kind))
                        aria-describedby=(errors.described(&field).unwrap_or_else(|| "incident-types-help".to_owned()))
                        aria-invalid=[errors.has(&field).then_some("true")];
                    (errors.at(&field))
                }
            }
        }
    }
}
