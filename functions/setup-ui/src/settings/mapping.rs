//! What each kind becomes in Procore, by name: the defaults are shown, what is switched off or gone there is flagged.
use super::fields::{ALL_ISSUES, Fields, id_of};
use crate::form::Errors;
use crate::platform::Choices;
use acc::lists::IssueTypes;
use domain::settings::is_kind;
use domain::settings::mapping_rows::{
    CUSTOM_ATTRIBUTES, HAZARDS, INCIDENT_TYPES, ISSUE_SUBTYPE, KNOWN_INCIDENTS, KNOWN_KINDS, OBSERVATION_TYPES,
};
use domain::targets::{self, Choice, Target};
use domain::wording::words;
use maud::{Markup, html};
use procore::lists::{Hazard, ObservationType, default_hazard, default_type};
use std::collections::BTreeSet;

pub const LABELS: [(&str, &str); 5] = [
    (OBSERVATION_TYPES, "Observation type"),
    (INCIDENT_TYPES, "Incident type"),
    (HAZARDS, "Hazard"),
    (ISSUE_SUBTYPE, "Issue type"),
    (CUSTOM_ATTRIBUTES, "Custom field"),
];

/// A row's choices: groups of name and id.
type Groups = Vec<(String, Vec<Choice>)>;

pub fn editor(fields: &Fields, choices: &Choices, errors: &Errors) -> Markup {
    match choices {
        Choices::Procore { types, hazards } => procore(fields, types, hazards, errors),
        Choices::Autodesk(types) => autodesk(fields, types, errors),
    }
}

fn procore(fields: &Fields, all_types: &[ObservationType], all_hazards: &[Hazard], errors: &Errors) -> Markup {
    let types = grouped(all_types.iter().map(|each| {
        let ObservationType { id, name, active, category, .. } = each;
        (category, Choice { id: id.clone(), name: name.clone(), active: *active })
    }));
    let hazards = grouped(all_hazards.iter().map(|Hazard { id, name, active }| {
        ("Hazards", Choice { id: id.clone(), name: name.clone(), active: *active })
    }));
    let of_detection = |kind| Row {
        part: OBSERVATION_TYPES,
        kind,
        label: words(kind),
        what: "observation type",
        default: default_type_words(kind, all_types),
        groups: &types,
    };
    let of_incident = |kind| Row {
        part: HAZARDS,
        kind,
        label: words(kind),
        what: "hazard",
        default: default_hazard_words(kind, all_hazards),
        groups: &hazards,
    };
    let kinds = rows(fields, OBSERVATION_TYPES, &KNOWN_KINDS, fields.chosen.kinds.iter());
    let incidents = rows(fields, HAZARDS, &KNOWN_INCIDENTS, std::iter::empty());
    html! {
        input type="hidden" name="mapping" value="1";
        fieldset #mapping {
            legend { "What each detection becomes in Procore" }
            p.dim { "Observation types of this project, by name. The default is one of Procore's own safety types." }
            @for kind in &kinds {
                (row(fields, of_detection(kind.as_str()), errors))
            }
        }
        fieldset {
            legend { "What each incident becomes in Procore" }
            p.dim { "Hazards of your company, by name." }
            @for incident in &incidents {
                (row(fields, of_incident(incident.as_str()), errors))
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

/// All issues have one type, and the custom fields that Autodesk demands of it have one value each.
fn autodesk(fields: &Fields, types: &IssueTypes, errors: &Errors) -> Markup {
    let groups =
        grouped(types.subtypes.iter().map(|each| {
            (&each.type_title, Choice { id: each.id.to_lowercase(), name: each.title.clone(), active: true })
        }));
    let default = types.suggested().map_or_else(
        || "Choose a type: none of this project says Safety".to_owned(),
        |suggested| format!("Suggested ({})", suggested.title),
    );
    let (part, kind, label, what) = (ISSUE_SUBTYPE, ALL_ISSUES, "Issue type".to_owned(), "issue type");
    let choosing = Row { part, kind, label, what, default, groups: &groups };
    html! {
        input type="hidden" name="mapping" value="1";
        fieldset #mapping {
            legend { "What each record becomes in Autodesk" }
            p.dim { "Incidents and detections become issues of one type. A type that you choose is kept by its id, and stays chosen when \
                its title changes; the suggested one is looked for by the word Safety." }
            (row(fields, choosing, errors))
            @for field in fields.demanded(types) {
                @let attribute = field.id.to_lowercase();
                @let id = id_of(CUSTOM_ATTRIBUTES, &attribute);
                div.field {
                    label for=(id) { (field.title) " (Autodesk demands it of each issue)" }
                    input id=(id) type="text" name={ (CUSTOM_ATTRIBUTES) ":" (attribute) } value=(fields.id(CUSTOM_ATTRIBUTES, &attribute))
                        aria-describedby=[errors.described(&id)] aria-invalid=[errors.has(&id).then_some("true")];
                    (errors.at(&id))
                }
            }
        }
        p.links {
            button #restore-defaults.quiet type="submit" name="do" value="defaults" { "Put all of these back to their defaults" }
        }
    }
}

/// Choices under their groups, in the order of both.
fn grouped(choices: impl Iterator<Item = (impl AsRef<str>, Choice)>) -> Groups {
    let mut groups: Groups = Vec::new();
    for (group, choice) in choices {
        match groups.iter_mut().find(|(name, _)| name == group.as_ref()) {
            Some((_, known)) => known.push(choice),
            None => groups.push((group.as_ref().to_owned(), vec![choice])),
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

fn default_type_words(kind: &str, types: &[ObservationType]) -> String {
    default_type(kind, types).map_or_else(
        || "Default (no Safety type is switched on in Procore)".to_owned(),
        |default| format!("Default ({})", default.name),
    )
}

fn default_hazard_words(incident: &str, hazards: &[Hazard]) -> String {
    default_hazard(incident, hazards)
        .map_or_else(|| "Default (none)".to_owned(), |default| format!("Default ({})", default.name))
}

/// A row: which kind of which part, and what it is chosen from.
struct Row<'a> {
    part: &'a str,
    kind: &'a str,
    label: String,
    what: &'a str,
    /// What it is where nothing is chosen.
    default: String,
    groups: &'a Groups,
}

fn row(fields: &Fields, row: Row<'_>, errors: &Errors) -> Markup {
    let Row { part, kind, label, what, default, groups } = row;
    let (field, chosen) = (id_of(part, kind), fields.id(part, kind));
    let all: Vec<Choice> = groups.iter().flat_map(|(_, choices)| choices.clone()).collect();
    let target = (!chosen.is_empty()).then(|| targets::target(chosen, &all));
    let trouble = target.as_ref().and_then(|target| target.trouble(what)).filter(|_| !errors.has(&field));
    let flag = format!("{field}-flag");
    let described = errors.described(&field).or_else(|| trouble.is_some().then(|| flag.clone()));
    html! {
        div.field {
            label for=(field) { (label) }
            select id=(field) name={ (part) ":" (kind) } aria-describedby=[described]
                aria-invalid=[(errors.has(&field) || trouble.is_some()).then_some("true")] {
                option value="" selected[chosen.is_empty()] { (default) }
                @match &target {
                    Some(Target::SwitchedOff { name }) => option value=(chosen) selected { (name) " (switched off)" },
                    Some(Target::Gone { .. }) => option value=(chosen) selected { "No longer there" },
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
