//! The calls on forms. Their id is ours, so a form that is made again is found, not doubled. Lists of version 2, writes of version 1:
//! neither has the other.
use super::{At, form};
use crate::client::{Acc, Hosts};
use crate::errors::AccManners;
use crate::pages::id;
use crate::request::{Effect, Place, Request, Tool};
use domain::merge::Fields;
use domain::record::Mender;
use jiff::Timestamp;
use platform::{Manners, said, unreadable};
use reqwest::Method;
use serde_json::{Value, json};
use sync::target::{Block, Call, Remote, TargetError};

pub(super) const DRAFT: &str = "draft";
pub(super) const SUBMITTED: &str = "submitted";
/// Values that one call takes.
const AT_ONCE: usize = 10;

pub(super) async fn create(acc: &Acc, call: Call<'_>, at: &At, fields: &Fields) -> Result<Remote, TargetError> {
    let (form, mut body) = (text(fields, form::ID)?, form::members(fields));
    body.insert(form::ID.to_owned(), json!(form));
    let path = format!("v1/projects/{}/form-templates/{}/forms", at.project.bare(), text(fields, form::TEMPLATE)?);
    let request = write(at, Method::POST, &path, Value::Object(body), Place::Record);
    match acc.send(call, &request).await {
        Ok(reply) => {
            let mut made =
                remote(acc.hosts(), at, &reply.body).ok_or_else(|| unreadable::<AccManners>(Effect::Once))?;
            // What an answer leaves out stands as it was sent.
            made.fields.retain(|_, value| !value.is_null());
            for (name, value) in fields {
                made.fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
            Ok(made)
        }
        // Whether Autodesk refuses an id that stands already is not said; where it does, that is our form, made by a create whose
        // answer was lost. People may have written into it since: it is looked for and compared as after any lost answer.
        Err(error @ (TargetError::NotDone { .. } | TargetError::Refused { .. })) => {
            read(acc, call, at, form).await?.ok_or(error)?;
            let why = "the form stands in Autodesk already; it is compared next".to_owned();
            Err(TargetError::Unclear { why, retry_after: None })
        }
        Err(TargetError::NotFound) => {
            Err(TargetError::Project(template_or_project(AccManners::invisible(Place::Project))))
        }
        Err(error) => Err(error),
    }
}

/// Discarded forms are in no list.
pub(super) async fn read(acc: &Acc, call: Call<'_>, at: &At, form: &str) -> Result<Option<Remote>, TargetError> {
    let path = format!("/construction/forms/v2/projects/{}/forms", at.project.bare());
    let request = Request::get(at.region, path, Place::Project, Tool::Forms).with("ids", form);
    let reply = acc.send(call, &request).await?;
    let Some(Value::Array(found)) = reply.body.get("data") else {
        return Err(unreadable::<AccManners>(Effect::Repeatable));
    };
    Ok(found.iter().filter_map(|each| remote(acc.hosts(), at, each)).find(|each| each.id == form))
}

/// `chosen`: the template that the settings name.
pub(super) async fn update(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    chosen: Option<&str>,
    standing: &Remote,
    send: &Fields,
) -> Result<Remote, TargetError> {
    let template = text(&standing.fields, form::TEMPLATE)?;
    let mut now = standing.clone();
    let members = form::members(send);
    // Another template was chosen since: its fields are not this form's.
    let values = if chosen == Some(template) { form::custom_values(send) } else { Vec::new() };
    let writes = !members.is_empty() || !values.is_empty();
    if writes && standing.status != DRAFT {
        return Err(TargetError::Record(closed(standing)));
    }
    if !members.is_empty() {
        let path =
            format!("v1/projects/{}/form-templates/{template}/forms/{}", at.project.bare(), checked(&standing.id)?);
        let request = write(at, Method::PATCH, &path, Value::Object(members), Place::Record);
        answered(&mut now, remote(acc.hosts(), at, &acc.send(call, &request).await?.body))?;
    }
    for chunk in values.chunks(AT_ONCE) {
        let path = format!("v2/projects/{}/forms/{}/values:batch-update", at.project.bare(), checked(&standing.id)?);
        // Written twice it says the same.
        let request = write(at, Method::PUT, &path, json!({"customValues": chunk}), Place::Record).repeatable();
        let reply = acc.send(call, &request).await.map_err(|error| match error {
            TargetError::Refused { words } => TargetError::Record(other_fields(&words)),
            error => error,
        })?;
        answered(&mut now, remote(acc.hosts(), at, &reply.body))?;
    }
    Ok(now)
}

/// Submits it, or whatever else a status says. Given twice it says the same.
pub(super) async fn set_status(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    standing: &Remote,
    status: &str,
) -> Result<Option<Timestamp>, TargetError> {
    let template = text(&standing.fields, form::TEMPLATE)?;
    let path = format!("v1/projects/{}/form-templates/{template}/forms/{}", at.project.bare(), checked(&standing.id)?);
    let request = write(at, Method::PATCH, &path, json!({"status": status}), Place::Record);
    let answer = acc.send(call, &request).await;
    if let Err(TargetError::NotDone { why }) = &answer
        && why.starts_with(&said::<AccManners>(409, ""))
    {
        // Somebody was faster, or it can't be submitted as it is.
        return match read(acc, call, at, &standing.id).await? {
            Some(form) if form.status == DRAFT => Err(TargetError::Record(not_submitted(why.trim_end_matches('.')))),
            _ => Ok(None),
        };
    }
    let reply = answer.map_err(|error| match error {
        TargetError::Refused { words } => TargetError::Record(not_submitted(&words)),
        // Who may fill forms in may not be who may submit them: the next day's form is made all the same.
        TargetError::Project(block) => TargetError::Record(not_submitted(block.reason.trim_end_matches('.'))),
        error => error,
    })?;
    Ok(remote(acc.hosts(), at, &reply.body).and_then(|form| form.updated_at))
}

/// What an answer leaves out stands as it was.
fn answered(now: &mut Remote, answer: Option<Remote>) -> Result<(), TargetError> {
    let answer = answer.ok_or_else(|| unreadable::<AccManners>(Effect::Once))?;
    let shown = answer.fields.into_iter().filter(|(_, value)| !value.is_null());
    now.fields.extend(shown);
    (now.status, now.updated_at) = (answer.status, answer.updated_at);
    Ok(())
}

/// Version 1 and version 2 have words of their own, and their pages mix them: version 1's are taken.
fn status_of(word: &str) -> &str {
    match word {
        "inProgress" | "in_progress" => DRAFT,
        "inReview" => "in_review",
        "closed" => SUBMITTED,
        other => other,
    }
}

fn closed(form: &Remote) -> Block {
    let date = form.fields.get("formDate").and_then(Value::as_str).unwrap_or("this day");
    Block {
        reason: format!("The form of {date} was submitted in Autodesk; nothing is written into it any more."),
        who: Mender::SafetyManager,
        what_to_do: "If the later figures shall stand there, someone who may reopens the form in Autodesk; then press retry. The \
                     report itself stands in HardHat Pulse."
            .into(),
    }
}

/// The address of a create names the template beside the project: a 404 may be of either.
fn template_or_project(block: Block) -> Block {
    Block {
        reason: format!(
            "{} It may be the form template that was chosen: one that was deleted there is not shown either.",
            block.reason
        ),
        who: Mender::SafetyManager,
        what_to_do: format!(
            "Open Hour and shifts of the project and choose a form template that is listed, then press retry. Where none is listed: {}",
            block.what_to_do
        ),
    }
}

fn not_submitted(words: &str) -> Block {
    Block {
        reason: format!("Autodesk does not let the form be submitted: {words}."),
        who: Mender::SafetyManager,
        what_to_do: "Fill in what the template demands in Autodesk and submit the form there, or press retry. All figures stand in it."
            .into(),
    }
}

fn other_fields(words: &str) -> Block {
    Block {
        reason: format!("Autodesk does not take the values of the form's fields: {words}."),
        who: Mender::SafetyManager,
        what_to_do: "Open Hour and shifts of the project and save the form template again: its fields are read anew. Then press \
                     retry. The form's notes have all figures."
            .into(),
    }
}

fn text<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, TargetError> {
    checked(fields.get(name).and_then(Value::as_str).unwrap_or_default())
}

/// What is no id never gets into an address.
fn checked(id: &str) -> Result<&str, TargetError> {
    let fits = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match fits {
        true => Ok(id),
        false => Err(TargetError::Refused { words: format!("{id:?} is not an id of an Autodesk form") }),
    }
}

fn write(at: &At, method: Method, path: &str, body: Value, place: Place) -> Request {
    Request::write(at.region, method, format!("/construction/forms/{path}"), body, place, Tool::Forms)
}

/// A form as Autodesk shows it, in the lane's terms.
fn remote(hosts: &Hosts, at: &At, form: &Value) -> Option<Remote> {
    let id = id(form)?;
    let text = |name: &str| form.get(name).and_then(Value::as_str);
    let time = |name: &str| text(name).and_then(|time| time.parse::<Timestamp>().ok());
    let status = status_of(text("status").unwrap_or_default());
    Some(Remote {
        id: id.to_owned(),
        url: format!("{}/build/forms/projects/{}/forms", hosts.pages(at.region), at.project.bare()),
        writable: None,
        fields: form::fields(form),
        status: status.to_owned(),
        recycled: status == "discarded",
        comments: None,
        created_at: time("createdAt"),
        updated_at: time("updatedAt"),
    })
}
