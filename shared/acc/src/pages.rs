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

impl Acc {
    /// All items of a list of Issues, which pages by limit and offset. Records move between pages while others are changed: each
    /// is taken once, and whoever reads on from a time goes back a little.
    pub(crate) async fn list(
        &self,
        call: Call<'_>,
        request: &Request,
        per_page: usize,
    ) -> Result<Vec<Value>, TargetError> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for page in 0..MOST_PAGES {
            let asked = request.clone().with("limit", per_page).with("offset", page * per_page);
            let reply = self.send(call, &asked).await?;
            let Some(Value::Array(items)) = reply.body.get("results") else {
                return Err(unreadable::<AccManners>(Effect::Repeatable));
            };
            let total = reply.body.pointer("/pagination/totalResults").and_then(Value::as_u64);
            let read = page * per_page + items.len();
            let more = match total.and_then(|total| usize::try_from(total).ok()) {
                Some(total) => read < total && !items.is_empty(),
                None => items.len() >= per_page,
            };
            all.extend(items.iter().filter(|item| id(item).is_none_or(|id| seen.insert(id.to_owned()))).cloned());
            if !more {
                return Ok(all);
            }
        }
        Err(TargetError::NotDone { why: "Autodesk's list was too long to be read to its end".into() })
    }
}

/// A record's id, opaque.
pub(crate) fn id(item: &Value) -> Option<&str> {
    item.get("id")?.as_str().filter(|id| !id.is_empty())
}
