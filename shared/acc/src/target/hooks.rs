//! Our hooks on a project: one for each event that people cause, in the account's region. Each has a secret of its own, so that no
//! other customer's hooks hang on it; it is set right after the hook is made, and what comes before is unsigned and refused at our
//! door, so Autodesk sends it again. For the lane they are one: their ids side by side.
use super::At;
use crate::client::Acc;
use crate::errors::AccManners;
use crate::request::{Effect, Place, Request, Tool};
use platform::unreadable;
use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use sync::target::{Call, FoundHook, TargetError};

const SYSTEM: &str = "autodesk.construction.issues";
/// Not `created`: we make our issues ourselves.
const EVENTS: [&str; 3] = ["issue.updated-1.0", "issue.deleted-1.0", "issue.restored-1.0"];
/// Between the ids of one project's hooks, each at its event's place.
const BETWEEN: &str = "+";
/// Lists of hooks are of all our customers in a region, 200 to a page.
const MOST_PAGES: usize = 100;

/// Ids by event; `None`: there is no such hook.
type Ids = [Option<String>; EVENTS.len()];

pub(super) async fn find(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    url: &str,
    known: Option<&str>,
) -> Result<Option<FoundHook>, TargetError> {
    let known = known.map(parted).unwrap_or_default();
    let (mut ids, mut sound) = (Ids::default(), true);
    for (place, event) in EVENTS.into_iter().enumerate() {
        let standing = standing(acc, call, at, event, url, known[place].as_deref()).await?;
        sound &= standing.as_ref().is_some_and(|(_, active)| *active);
        ids[place] = standing.map(|(id, _)| id);
    }
    Ok(ids.iter().any(Option::is_some).then(|| FoundHook { id: joined(&ids), sound }))
}

/// Makes those that are missing, and gives all a new secret and life.
pub(super) async fn mend(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    url: &str,
    secret: &str,
    standing: Option<String>,
) -> Result<String, TargetError> {
    let mut ids = standing.as_deref().map(parted).unwrap_or_default();
    for (place, event) in EVENTS.into_iter().enumerate() {
        let id = match ids[place].take() {
            Some(id) => id,
            None => made(acc, call, at, event, url).await?,
        };
        let body = json!({"status": "active", "autoReactivateHook": true, "token": secret});
        let patch =
            Request::write(at.region, Method::PATCH, address(event, Some(&id))?, body, Place::Record, Tool::Webhooks);
        acc.send(call, &patch.repeatable()).await?;
        ids[place] = Some(id);
    }
    Ok(joined(&ids))
}

async fn made(acc: &Acc, call: Call<'_>, at: &At, event: &str, url: &str) -> Result<String, TargetError> {
    let body = json!({"callbackUrl": url, "scope": {"project": at.project.bare()}, "autoReactivateHook": true});
    let request = Request::write(at.region, Method::POST, address(event, None)?, body, Place::Project, Tool::Webhooks);
    // No body: the id ends the address of what was made.
    let reply = acc.send(call, &request).await?;
    let location = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = location.trim_end_matches('/').rsplit('/').next().filter(|id| is_id(id));
    id.map(str::to_owned).ok_or_else(|| unreadable::<AccManners>(Effect::Once))
}

/// Deletes all of ours that ring there.
pub(super) async fn drop(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    url: &str,
    known: Option<&str>,
) -> Result<(), TargetError> {
    let known = known.map(parted).unwrap_or_default();
    for (place, event) in EVENTS.into_iter().enumerate() {
        let Some((id, _)) = standing(acc, call, at, event, url, known[place].as_deref()).await? else { continue };
        let request = Request::get(at.region, address(event, Some(&id))?, Place::Record, Tool::Webhooks);
        match acc.send(call, &request.method(Method::DELETE)).await {
            Ok(_) | Err(TargetError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Its id and whether it rings: by the id that was kept, else by the list, as one may stand there whose making was not answered.
async fn standing(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    event: &str,
    url: &str,
    known: Option<&str>,
) -> Result<Option<(String, bool)>, TargetError> {
    if let Some(id) = known {
        let request = Request::get(at.region, address(event, Some(id))?, Place::Record, Tool::Webhooks);
        match acc.send(call, &request).await {
            Ok(reply) => return Ok(ours(&reply.body, at, url)),
            Err(TargetError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    listed(acc, call, at, event, url).await
}

async fn listed(
    acc: &Acc,
    call: Call<'_>,
    at: &At,
    event: &str,
    url: &str,
) -> Result<Option<(String, bool)>, TargetError> {
    let mut request = Request::get(at.region, address(event, None)?, Place::Project, Tool::Webhooks);
    for _ in 0..MOST_PAGES {
        // Where there is none, no body at all.
        let page = acc.send(call, &request).await?.body;
        let hooks = page.get("data").and_then(Value::as_array).into_iter().flatten();
        if let Some(found) = hooks.filter_map(|hook| ours(hook, at, url)).next() {
            return Ok(Some(found));
        }
        let next = page.pointer("/links/next").and_then(Value::as_str).and_then(page_state);
        let Some(state) = next else { return Ok(None) };
        request =
            Request::get(at.region, address(event, None)?, Place::Project, Tool::Webhooks).with("pageState", state);
    }
    Err(TargetError::NotDone { why: "Autodesk's list of hooks was too long to be read to its end".into() })
}

fn page_state(next: &str) -> Option<String> {
    let (_, query) = next.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "pageState").map(|(_, state)| state.into_owned()).filter(|state| !state.is_empty())
}

fn ours(hook: &Value, at: &At, url: &str) -> Option<(String, bool)> {
    let text = |pointer: &str| hook.pointer(pointer).and_then(Value::as_str);
    let ours = text("/callbackUrl") == Some(url) && text("/scope/project") == Some(at.project.bare());
    let id = text("/hookId").filter(|id| ours && is_id(id))?;
    Some((id.to_owned(), text("/status") == Some("active")))
}

fn address(event: &str, id: Option<&str>) -> Result<String, TargetError> {
    let base = format!("/webhooks/v1/systems/{SYSTEM}/events/{event}/hooks");
    match id {
        None => Ok(base),
        Some(id) if is_id(id) => Ok(format!("{base}/{id}")),
        Some(id) => Err(TargetError::Refused { words: format!("{id:?} is not an id of an Autodesk hook") }),
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn joined(ids: &Ids) -> String {
    ids.each_ref().map(|id| id.as_deref().unwrap_or_default()).join(BETWEEN)
}

fn parted(text: &str) -> Ids {
    let mut ids = Ids::default();
    for (id, part) in ids.iter_mut().zip(text.split(BETWEEN)) {
        *id = Some(part.to_owned()).filter(|part| is_id(part));
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_events_place() {
        let ids = [Some("a-1".to_owned()), None, Some("c-3".to_owned())];
        assert_eq!(joined(&ids), "a-1++c-3");
        assert_eq!(parted("a-1++c-3"), ids);
        assert_eq!(parted("a/../b"), Ids::default());
        assert_eq!(page_state("/systems/x/hooks?pageState=a%2Fb&region=US").as_deref(), Some("a/b"));
        assert_eq!(page_state("/systems/x/hooks"), None);
    }
}
