//! The calls on records. Each is one attempt; what an unclear answer means is the lane's to decide.
use super::At;
use super::kind::Kind;
use super::note;
use super::observation;
use super::remote::remote;
use crate::client::{Procore, unreadable};
use crate::request::{Effect, Place, Request};
use domain::marker::carries;
use domain::merge::Fields;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use sync::target::{Call, Remote, Seen, SideWrite, TargetError};

/// Procore's clock and ours may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn create(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    fields: &Fields,
) -> Result<Remote, TargetError> {
    if kind == Kind::Note {
        note::require_open(procore, call, at, fields.get("date")).await?;
    }
    let reply = procore.send(call, &kind.create(at, fields)).await?;
    remote(procore.hosts(), at, kind, &reply.body, false).ok_or_else(|| unreadable(Effect::Once))
}

pub(super) async fn update(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    standing: &Remote,
    send: &Fields,
) -> Result<Remote, TargetError> {
    let fields = match kind {
        Kind::Incident | Kind::Note => send.clone(),
        Kind::Observation => observation::demanded(standing, send),
    };
    if kind == Kind::Note {
        if !note::is_ours(send) {
            return Ok(standing.clone());
        }
        note::require_open(procore, call, at, standing.fields.get("date")).await?;
    }
    let reply = procore.send(call, &kind.update(at, number(&standing.id)?, &fields)).await?;
    remote(procore.hosts(), at, kind, &reply.body, false).ok_or_else(|| unreadable(Effect::Once))
}

/// A 404 is looked into: the record may lie in the recycle bin, and a project that we may not see is an error, not an absence.
pub(super) async fn read(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    id: &str,
) -> Result<Option<Remote>, TargetError> {
    let number = number(id)?;
    match procore.send(call, &kind.show(at, number)).await {
        Ok(reply) => {
            let found = remote(procore.hosts(), at, kind, &reply.body, false);
            return found.map(Some).ok_or_else(|| unreadable(Effect::Repeatable));
        }
        Err(TargetError::NotFound) => {}
        Err(error) => return Err(error),
    }
    let Some(bin) = kind.list_bin(at) else { return Ok(None) };
    let bin = match kind {
        Kind::Incident => bin.with("filters[id][]", number),
        Kind::Observation | Kind::Note => bin,
    };
    let found = binned(procore, call, at, kind, &bin).await?;
    Ok(found.into_iter().find(|each| each.id == id))
}

async fn binned(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    request: &Request,
) -> Result<Vec<Remote>, TargetError> {
    let items = match kind.bin_pages() {
        true => procore.list(call, request).await?,
        false => procore.whole(call, request).await?,
    };
    Ok(items.iter().filter_map(|item| remote(procore.hosts(), at, kind, item, true)).collect())
}

/// Plain lists by time, not the search index, which lags. Observations and both bins filter by the last change only: what was
/// made since was also changed since.
pub(super) async fn look(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    marker: &str,
    since: Timestamp,
) -> Result<Vec<Remote>, TargetError> {
    let range = window(since, call.meter.now());
    let filter = match kind {
        Kind::Incident => "filters[created_at]",
        Kind::Observation => "filters[updated_at]",
        // They are looked for by their day.
        Kind::Note => return Ok(Vec::new()),
    };
    let items = procore.list(call, &kind.list(at).with(filter, &range)).await?;
    let mut found: Vec<Remote> =
        items.iter().filter_map(|item| remote(procore.hosts(), at, kind, item, false)).collect();
    if let Some(bin) = kind.list_bin(at) {
        found.extend(binned(procore, call, at, kind, &bin.with("filters[updated_at]", &range)).await?);
    }
    let ours = |each: &Remote| {
        each.fields.get(kind.title()).and_then(Value::as_str).is_some_and(|title| carries(title, marker))
    };
    found.retain(ours);
    Ok(found)
}

/// What was changed since, by the plain list; what nobody touched since it was made is left out.
pub(super) async fn changed(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    since: Timestamp,
) -> Result<Vec<Remote>, TargetError> {
    const WHOLE: usize = 1_000;
    let request = kind.list(at).with("filters[updated_at]", window(since, call.meter.now()));
    let items = procore.list_by(call, &request, WHOLE).await?;
    let touched = |remote: &Remote| remote.updated_at.is_none() || remote.updated_at != remote.created_at;
    Ok(items.iter().filter_map(|item| remote(procore.hosts(), at, kind, item, false)).filter(touched).collect())
}

/// `a...b`: a single instant is no range.
fn window(since: Timestamp, now: Timestamp) -> String {
    let from = since.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
    let to = now.max(since).saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    format!("{}...{}", whole(from), whole(to))
}

/// An observation's comment may move its status in the same call. An incident has no comments: its description says what
/// happened, so that only the status is written.
pub(super) async fn side_write(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    id: &str,
    write: &SideWrite,
) -> Result<(), TargetError> {
    let id = number(id)?;
    let request = match (kind, write.status) {
        (Kind::Observation, status) => {
            let mut body = json!({"project_id": at.project, "response_log": {"comment": write.comment}});
            if let Some(status) = status {
                body["status"] = json!(status);
            }
            Request::write(at.company, Method::POST, response_logs(id), body, Place::Record, kind.tool())
        }
        (Kind::Incident, Some(status)) => kind.update(at, id, &Fields::from([("status".to_owned(), json!(status))])),
        (Kind::Incident, None) | (Kind::Note, _) => return Ok(()),
    };
    procore.send(call, &request).await.map(|_| ())
}

/// Closes a second record of ours. An incident has no comments, so that the note goes before its description; whatever a person
/// wrote there stays below it. Of a day's note nothing is left but that it was made twice: figures that stand twice are added up.
pub(super) async fn close_double(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    double: &Remote,
    words: &str,
) -> Result<(), TargetError> {
    const CLOSED: &str = "closed";
    if kind == Kind::Observation {
        let write = SideWrite { comment: words.to_owned(), status: Some(CLOSED) };
        return side_write(procore, call, at, kind, &double.id, &write).await;
    }
    if kind == Kind::Note {
        note::require_open(procore, call, at, double.fields.get("date")).await?;
        let send = Fields::from([("comment".to_owned(), json!(words))]);
        return procore.send(call, &kind.update(at, number(&double.id)?, &send)).await.map(|_| ());
    }
    let mut send = Fields::from([("status".to_owned(), json!(CLOSED))]);
    let standing = double.fields.get("description").and_then(Value::as_str).unwrap_or_default();
    if !standing.starts_with(words) {
        send.insert("description".to_owned(), json!(format!("{words}\n{standing}").trim_end()));
    }
    procore.send(call, &kind.update(at, number(&double.id)?, &send)).await.map(|_| ())
}

/// Procore's guides name a list of comments, its reference does not: where there is none, nobody can tell.
pub(super) async fn commented(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    id: &str,
    marker: &str,
) -> Result<Seen, TargetError> {
    if kind != Kind::Observation {
        return Ok(Seen::Unknown);
    }
    let request =
        Request::get(at.company, response_logs(number(id)?), Place::Record, kind.tool()).with("project_id", at.project);
    let logs = match procore.list(call, &request).await {
        Ok(logs) => logs,
        Err(TargetError::NotFound) => return Ok(Seen::Unknown),
        Err(error) => return Err(error),
    };
    let ours = |log: &Value| log.get("comment").and_then(Value::as_str).is_some_and(|comment| carries(comment, marker));
    Ok(if logs.iter().any(ours) { Seen::Yes } else { Seen::No })
}

fn response_logs(id: i64) -> String {
    format!("/rest/v1.0/observations/items/{id}/response_logs")
}

/// A record's id as it goes into an address.
fn number(id: &str) -> Result<i64, TargetError> {
    id.parse().map_err(|_| TargetError::Refused { words: format!("{id:?} is not an id of a Procore record") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_before_and_ends_after_and_is_a_range() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let range = window(at("2026-11-24T16:00:00.250Z"), at("2026-11-24T16:02:00Z"));
        assert_eq!(range, "2026-11-24T15:55:00Z...2026-11-25T16:02:00Z");
        let odd_clock = window(at("2026-11-24T16:00:00Z"), at("2020-01-01T00:00:00Z"));
        assert_eq!(odd_clock, "2026-11-24T15:55:00Z...2026-11-25T16:00:00Z");
    }
}
