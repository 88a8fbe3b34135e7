//! From which form template a project's daily summary is made in Autodesk, chosen by its name. Its fields are found by their labels when
//! it is saved, and kept by their ids.
use crate::form::Errors;
use crate::platform;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::Mapped;
use acc::lists::Template;
use domain::ids::Provider;
use domain::settings::Mapping;
use domain::settings::form_fields::FIGURES;
use maud::{Markup, html};

pub const FIELD: &str = "form_template";
pub const SUBMIT: &str = "submit_form";

/// What can be chosen, or why nothing can be at the moment.
pub type Templates = Result<Vec<Template>, String>;

/// `None`: the platform has no forms.
pub async fn templates(app: &AppState, mapped: &Mapped) -> Result<Option<Templates>, Refusal> {
    if mapped.connection.provider != Provider::Acc {
        return Ok(None);
    }
    let found = platform::form_templates(app, &mapped.connection, &mapped.project.project_id).await?;
    Ok(Some(found.map_err(|error| error.to_string())))
}

/// The mapping with the template that was chosen and the fields that it has for figures.
pub async fn choose(
    app: &AppState,
    mapped: &Mapped,
    chosen: &str,
    templates: Option<&Templates>,
) -> Result<Result<Mapping, Errors>, Refusal> {
    let standing = &mapped.project.settings.mapping;
    let wrong = |sentence: String| {
        let mut errors = Errors::default();
        errors.add(FIELD, format!("Form template: {sentence}"));
        Ok(Err(errors))
    };
    let template = match templates {
        None => return Ok(Ok(standing.clone())),
        Some(_) if chosen.is_empty() => None,
        // What was saved before stands.
        Some(Err(_)) if standing.form_template_id.as_deref() == Some(chosen) => return Ok(Ok(standing.clone())),
        Some(Err(why)) => return wrong(format!("{why} Save again in a minute.")),
        Some(Ok(templates)) => match templates.iter().find(|template| template.id == chosen) {
            Some(template) => Some(template),
            None => return wrong("choose one of those that are listed.".into()),
        },
    };
    let mut mapping = standing.clone();
    mapping.form_template_id = template.map(|template| template.id.clone());
    mapping.form_fields = match template {
        None => Default::default(),
        Some(template) => {
            let project = &mapped.project.project_id;
            match platform::form_fields(app, &mapped.connection, project, template).await? {
                Ok(fields) => fields,
                // What was saved before stands.
                Err(_) if standing.form_template_id.as_deref() == Some(chosen) => standing.form_fields.clone(),
                Err(error) => return wrong(format!("its fields can't be read. {error} Save again in a minute.")),
            }
        }
    };
    Ok(Ok(mapping))
}

/// Who submits a day's form.
pub fn submit(chosen: bool) -> Markup {
    html! {
        label.check {
            input id=(SUBMIT) type="checkbox" name=(SUBMIT) value="on" checked[chosen] aria-describedby="submit-hint";
            "Submit each form when nothing changes it any more"
        }
        p.dim #submit-hint {
            "That is 73 hours after its hour: until then what cameras sent late changes the figures. It is submitted as it stands then, \
             with what people wrote into it, and takes no change until somebody reopens it. One with an open conflict waits until that is \
             decided. Not ticked: people submit it."
        }
    }
}

pub fn field(mapped: &Mapped, chosen: &str, templates: &Templates, errors: &Errors) -> Markup {
    let known = templates.as_ref().map(Vec::as_slice).unwrap_or_default();
    let first = known.iter().find(|template| template.daily);
    let saved = &mapped.project.settings.mapping;
    let gone = !chosen.is_empty() && known.iter().all(|template| template.id != chosen);
    html! {
        div.field {
            label for=(FIELD) { "Form template" }
            select id=(FIELD) name=(FIELD) aria-describedby={ "form-hint " (errors.described(FIELD).unwrap_or_default()) }
                aria-invalid=[errors.has(FIELD).then_some("true")] {
                option value="" selected[chosen.is_empty()] {
                    "The first one for daily reports" @if let Some(first) = first { " (" (first.name) ")" }
                }
                @for template in known {
                    option value=(template.id) selected[template.id == chosen] { (template.name) }
                }
                @if gone { option value=(chosen) selected { "The one that was chosen (not listed any more)" } }
            }
            (errors.at(FIELD))
            @match templates {
                Err(why) => p.notice role="status" { "The templates can't be listed at the moment. " (why) },
                Ok(_) if first.is_none() => p.notice role="status" {
                    "This project has no template for daily reports that HardHat Pulse may use. Someone who manages Forms in Autodesk makes \
                     one of the type Daily report, and lets HardHat Pulse's service account, or the person whose access the connection works with, fill it in."
                },
                Ok(_) => {}
            }
            p.dim #form-hint {
                @if saved.form_fields.is_empty() {
                    "All figures stand in the form's notes. A template that you choose here gets them into fields too, where these are called "
                    (FIGURES.map(|(_, label)| label).join(", ")) "."
                } @else {
                    "Filled in beside the notes: "
                    (FIGURES.iter().filter(|(name, _)| saved.form_fields.contains_key(*name)).map(|(_, label)| *label).collect::<Vec<_>>().join(", "))
                    ". Was the template changed in Autodesk? Save here, and its fields are read anew; while Autodesk does not answer, those saved before stand."
                }
            }
        }
    }
}
