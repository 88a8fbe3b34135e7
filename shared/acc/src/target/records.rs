//! The calls on issues and their comments. Each is one attempt; what an unclear answer means is the lane's to decide.
use super::{At, CLOSED, OPEN, issue};
use crate::client::{Acc, Hosts};
use crate::errors::AccManners;
use crate::pages::id;
use crate::request::{Effect, Place, Request, Tool};
use domain::marker::carries;
use domain::merge::Fields;
use jiff::{SignedDuration, Timestamp};
use platform::unreadable;
use reqwest::Method;
use serde_json::{Value, json};
use sync::target::{Call, Remote, Seen, SideWrite, TargetError};

pub(super) const PER_PAGE: usize = 100;
/// Autodesk's clock and ours may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

pub(super) async fn create(acc: &Acc, call: Call<'_>, at: &At, fields: &Fields) -> Result<Remote, TargetError> {
    let mut body = issue::body(fields);
    body.insert("status".to_owned(), json!(OPEN));
    // Unpublished, it would be seen by us alone.
    body.insert("published".to_owned(), json!(true));
    let request =
        Request::write(at.region, Method::POST, at.issues("issues"), Value::Object(body), Place::Project, Tool::Issues);
    let reply = acc.send(call, &request).await?;
    remote(acc.hosts(), at, &reply.body).ok_or_else(|| unreadable::<AccManners>(Effect::Once))
}

pub(super) async fn update(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    standing: &Remote,
    send: &Fields,
) -> Result<Remote, TargetError> {
    let reply = patch(acc, call, at, &standing.id, Value::Object(issue::body(send))).await?;
    remote(acc.hosts(), at, &reply).ok_or_else(|| unreadable::<AccManners>(Effect::Once))
}

async fn patch(acc: &Acc, call: Call<'_>, at: &At, id: &str, body: Value) -> Result<Value, TargetError> {
    let request = Request::write(at.region, Method::PATCH, one(at, id, "")?, body, Place::Record, Tool::Issues);
    Ok(acc.send(call, &request).await?.body)
}

/// A 404 is looked into: the issue may be deleted, and a project that we may not see is an error, not an absence.
pub(super) async fn read(acc: &Acc, call: Call<'_>, at: &At, id: &str) -> Result<Option<Remote>, TargetError> {
    let request = Request::get(at.region, one(at, id, "")?, Place::Record, Tool::Issues);
    match acc.send(call, &request).await {
        Ok(reply) => {
            let found = remote(acc.hosts(), at, &reply.body);
            return found.map(Some).ok_or_else(|| unreadable::<AccManners>(Effect::Repeatable));
        }
        Err(TargetError::NotFound) => {}
        Err(error) => return Err(error),
    }
    let deleted = list(at).with("filter[id]", id).with("filter[deleted]", true);
    Ok(remotes(acc, call, at, &deleted).await?.into_iter().find(|each| each.id == id))
}

/// What was made since, by the plain list and among the deleted, not by the search, which may lag. By anybody: the connection may have
/// worked in another name then.
pub(super) async fn look(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    marker: &str,
    since: Timestamp,
) -> Result<Vec<Remote>, TargetError> {
    let from = format!("{}..", since.saturating_sub(SKEW).unwrap_or(Timestamp::MIN));
    let made = || list(at).with("filter[createdAt]", &from);
    let mut found = remotes(acc, call, at, &made()).await?;
    found.extend(remotes(acc, call, at, &made().with("filter[deleted]", true)).await?);
    let carries =
        |each: &Remote| each.fields.get("title").and_then(Value::as_str).is_some_and(|title| carries(title, marker));
    found.retain(carries);
    Ok(found)
}

/// A comment, or a status: the lane asks for one at a time.
pub(super) async fn side_write(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    id: &str,
    write: &SideWrite,
) -> Result<Option<Timestamp>, TargetError> {
    let mut answered = None;
    if let Some(status) = write.status {
        let issue = patch(acc, call, at, id, json!({"status": status})).await?;
        answered = remote(acc.hosts(), at, &issue).and_then(|remote| remote.updated_at);
    }
    if !write.comment.is_empty() {
        comment(acc, call, at, id, &write.comment).await?;
    }
    Ok(answered)
}

async fn comment(acc: &Acc, call: Call<'_>, at: &At, id: &str, text: &str) -> Result<(), TargetError> {
    let body = json!({"body": text});
    let request = Request::write(at.region, Method::POST, one(at, id, "/comments")?, body, Place::Record, Tool::Issues);
    acc.send(call, &request).await.map(|_| ())
}

/// Closes a second record of ours. The note comes first: once it is closed, the lane is done with it.
pub(super) async fn close_double(acc: &Acc, call: Call<'_>, at: &At, id: &str, note: &str) -> Result<(), TargetError> {
    let said = comments(acc, call, at, id).await?;
    if !said.iter().any(|each| body_of(each) == Some(note)) {
        comment(acc, call, at, id, note).await?;
    }
    patch(acc, call, at, id, json!({"status": CLOSED})).await.map(|_| ())
}

pub(super) async fn commented(acc: &Acc, call: Call<'_>, at: &At, id: &str, marker: &str) -> Result<Seen, TargetError> {
    let ours = |each: &Value| body_of(each).is_some_and(|body| carries(body, marker));
    let comments = comments(acc, call, at, id).await?;
    Ok(if comments.iter().any(ours) { Seen::Yes } else { Seen::No })
}

pub(super) async fn comments(acc: &Acc, call: Call<'_>, at: &At, id: &str) -> Result<Vec<Value>, TargetError> {
    let request = Request::get(at.region, one(at, id, "/comments")?, Place::Record, Tool::Issues);
    acc.list(call, &request, PER_PAGE).await
}

pub(super) fn body_of(comment: &Value) -> Option<&str> {
    comment.get("body").and_then(Value::as_str)
}

pub(super) fn list(at: &At) -> Request {
    Request::get(at.region, at.issues("issues"), Place::Project, Tool::Issues)
}

pub(super) async fn remotes(acc: &Acc, call: Call<'_>, at: &At, request: &Request) -> Result<Vec<Remote>, TargetError> {
    let items = acc.list(call, request, PER_PAGE).await?;
    Ok(items.iter().filter_map(|item| remote(acc.hosts(), at, item)).collect())
}

/// The address of one issue; what is no id never gets into it.
fn one(at: &At, id: &str, rest: &str) -> Result<String, TargetError> {
    let fits = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match fits {
        true => Ok(at.issues(&format!("issues/{id}{rest}"))),
        false => Err(TargetError::Refused { words: format!("{id:?} is not an id of an Autodesk issue") }),
    }
}

/// An issue as Autodesk shows it, in the lane's terms. `None`: there is no id in it, so it is no issue.
fn remote(hosts: &Hosts, at: &At, issue: &Value) -> Option<Remote> {
    let id = id(issue)?;
    let text = |name: &str| issue.get(name).and_then(Value::as_str);
    let time = |name: &str| text(name).and_then(|time| time.parse::<Timestamp>().ok());
    let fields = issue::fields(issue);
    let (pages, project) = (hosts.pages(at.region), at.project.bare());
    Some(Remote {
        id: id.to_owned(),
        url: format!("{pages}/build/issues/projects/{project}/issues/{id}"),
        writable: issue::writable(issue, &fields),
        fields,
        status: text("status").unwrap_or_default().to_owned(),
        recycled: issue.get("deleted").and_then(Value::as_bool) == Some(true) || text("deletedAt").is_some(),
        comments: issue.get("commentCount").and_then(Value::as_u64),
        created_at: time("createdAt"),
        updated_at: time("updatedAt"),
    })
}
