//! Lists, read to their end. A list that can't be read whole is an error: what is missing must not pass for "not there".
use crate::client::Acc;
use crate::errors::AccManners;
use crate::request::{Effect, Request};
use platform::unreadable;
use serde_json::Value;
use std::collections::BTreeSet;
use sync::target::{Call, TargetError};

/// A list this long is not what we asked for.
const MOST_PAGES: usize = 100;
/// A list that moves under us this often is left for the next time.
const MOST_PASSES: usize = 4;

impl Acc {
    /// All items of a list of Issues, which pages by limit and offset. One that is changed or deleted meanwhile moves those behind it
    /// up, past a page's end: a list that moved is read again.
    pub(crate) async fn list(
        &self,
        call: Call<'_>,
        request: &Request,
        per_page: usize,
    ) -> Result<Vec<Value>, TargetError> {
        for _ in 0..MOST_PASSES {
            if let Some(all) = self.unmoved(call, request, per_page).await? {
                return Ok(all);
            }
        }
        Err(TargetError::NotDone { why: "Autodesk's list changed each time while it was read".into() })
    }

    /// Each page begins with the one that ended the page before, or something moved (`None`). Each record is taken once.
    async fn unmoved(
        &self,
        call: Call<'_>,
        request: &Request,
        per_page: usize,
    ) -> Result<Option<Vec<Value>>, TargetError> {
        let (mut all, mut seen, mut last) = (Vec::new(), BTreeSet::new(), None::<String>);
        for page in 0..MOST_PAGES {
            let offset = page * (per_page - 1);
            let asked = request.clone().with("limit", per_page).with("offset", offset);
            let reply = self.send(call, &asked).await?;
            let Some(Value::Array(items)) = reply.body.get("results") else {
                return Err(unreadable::<AccManners>(Effect::Repeatable));
            };
            if last.is_some() && !items.iter().any(|item| id(item) == last.as_deref()) {
                return Ok(None);
            }
            let total = reply.body.pointer("/pagination/totalResults").and_then(Value::as_u64);
            let more = match total.and_then(|total| usize::try_from(total).ok()) {
                Some(total) => offset + items.len() < total && !items.is_empty(),
                None => items.len() >= per_page,
            };
            all.extend(items.iter().filter(|item| id(item).is_none_or(|id| seen.insert(id.to_owned()))).cloned());
            if !more {
                return Ok(Some(all));
            }
            last = items.last().and_then(id).map(str::to_owned);
        }
        Err(TargetError::NotDone { why: "Autodesk's list was too long to be read to its end".into() })
    }
}

/// A record's id, opaque.
pub(crate) fn id(item: &Value) -> Option<&str> {
    item.get("id")?.as_str().filter(|id| !id.is_empty())
}
