//! What people did to our issues: status and comments. Only the text of a comment is taken in, never who wrote it.
use super::records::{body_of, comments, list, remotes};
use super::{At, CLOSED};
use crate::client::Acc;
use domain::treatment::{Account, LONGEST_TEXT};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use sync::target::{Call, Remote, TargetError};

/// Lists by the last change go back this much further: a page may move while it is read, and clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
/// Statuses of issues that people may still comment on. Autodesk says that there may be more one day: those are read by their changes.
const NOT_CLOSED: &str = "draft,open,pending,in_progress,in_review,completed,not_approved,in_dispute";
/// What all our comments carry.
const REFERENCE: &str = "[HHP-";

pub(super) async fn of_record(acc: &Acc, call: Call<'_>, at: &At, remote: &Remote) -> Result<Account, TargetError> {
    let said = match remote.comments {
        Some(0) => Vec::new(),
        _ => {
            let own = acc.own_ids(call, at.region).await?;
            let all = comments(acc, call, at, &remote.id).await?;
            all.iter().filter(|comment| !is_ours(comment, &own)).filter_map(text).collect()
        }
    };
    let status = Some(remote.status.clone()).filter(|status| !status.is_empty());
    Ok(Account { status, comments: said, updated_at: remote.updated_at, ..Account::default() }.tidy())
}

/// Written in our name, with our reference: what a person quotes of it is theirs.
fn is_ours(comment: &Value, own: &[String]) -> bool {
    let by = comment.get("createdBy").and_then(Value::as_str);
    own.iter().any(|own| by == Some(own)) && body_of(comment).is_some_and(|body| body.contains(REFERENCE))
}

fn text(comment: &Value) -> Option<String> {
    let text: String = body_of(comment)?.trim().chars().take(LONGEST_TEXT).collect();
    (!text.is_empty()).then_some(text)
}

/// What was changed since, deleted ones too, whoever made it: a connection may have worked in another name before. And as a comment may not count as a change, those that stand open and have any.
pub(super) async fn changed(acc: &Acc, call: Call<'_>, at: &At, since: Timestamp) -> Result<Vec<Remote>, TargetError> {
    let from = format!("{}..", since.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
    let since = || list(at).with("filter[updatedAt]", &from).with("sortBy", "updatedAt");
    let mut all = remotes(acc, call, at, &since()).await?;
    all.extend(remotes(acc, call, at, &since().with("filter[deleted]", true)).await?);
    let own = acc.own_ids(call, at.region).await?.join(",");
    let open = list(at).with("filter[createdBy]", own).with("filter[status]", NOT_CLOSED);
    let open = remotes(acc, call, at, &open).await?;
    let talked = |remote: &Remote| remote.comments.is_none_or(|count| count > 0) && remote.status != CLOSED;
    all.extend(open.into_iter().filter(talked));
    let mut seen = BTreeSet::new();
    all.retain(|remote| seen.insert(remote.id.clone()));
    Ok(all)
}
