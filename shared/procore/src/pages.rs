//! Lists, read to their end. A list that can't be read whole is an error: what is missing must not pass for "not there".
use crate::client::{Procore, unreadable};
use crate::request::{Effect, Request};
use credentials::Secret;
use platform::Reply;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::BTreeSet;
use sync::target::{Call, TargetError};

const PER_PAGE: usize = 100;
/// A list this long is not what we asked for.
const MOST_PAGES: usize = 100;

impl Procore {
    /// All items of a list that pages.
    pub(crate) async fn list(&self, call: Call<'_>, request: &Request) -> Result<Vec<Value>, TargetError> {
        self.list_by(call, request, PER_PAGE).await
    }

    /// The same in pages of this size, which the platform may cut down.
    pub(crate) async fn list_by(
        &self,
        call: Call<'_>,
        request: &Request,
        per_page: usize,
    ) -> Result<Vec<Value>, TargetError> {
        self.read_list(call, request, per_page, None).await
    }

    /// The same, in a person's name where there is one.
    pub(crate) async fn list_for(
        &self,
        call: Call<'_>,
        request: &Request,
        person: Option<&Secret>,
    ) -> Result<Vec<Value>, TargetError> {
        self.read_list(call, request, PER_PAGE, person).await
    }

    async fn read_list(
        &self,
        call: Call<'_>,
        request: &Request,
        per_page: usize,
        person: Option<&Secret>,
    ) -> Result<Vec<Value>, TargetError> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for page in 1..=MOST_PAGES {
            let asked = request.clone().with("page", page).with("per_page", per_page);
            let reply = match person {
                Some(person) => self.send_for(call, &asked, person).await?,
                None => self.send(call, &asked).await?,
            };
            let more = more(&reply.headers, page);
            let items = items(reply)?;
            let full = items.len() >= per_page;
            let before = seen.len();
            // Records move between pages while others are made.
            all.extend(items.into_iter().filter(|item| id(item).is_none_or(|id| seen.insert(id))));
            match more {
                Some(false) => return Ok(all),
                None if !full => return Ok(all),
                // A list that doesn't page gives the same again.
                None if seen.len() == before => return Ok(all),
                Some(true) | None => {}
            }
        }
        Err(TargetError::NotDone { why: "Procore's list was too long to be read to its end".into() })
    }

    /// All items of a list that comes as one page.
    pub(crate) async fn whole(&self, call: Call<'_>, request: &Request) -> Result<Vec<Value>, TargetError> {
        items(self.send(call, request).await?)
    }
}

fn items(reply: Reply) -> Result<Vec<Value>, TargetError> {
    match reply.body {
        Value::Array(items) => Ok(items),
        _ => Err(unreadable(Effect::Repeatable)),
    }
}

/// Whether there is a page after this one, where the headers say so: `Link` first, else `Total` and `Per-Page`.
pub(crate) fn more(headers: &HeaderMap, page: usize) -> Option<bool> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(link) = text("link").filter(|link| !link.trim().is_empty()) {
        return Some(link.contains("rel=\"next\"") || link.contains("rel=next"));
    }
    let number = |name: &str| text(name).and_then(|text| text.trim().parse::<usize>().ok());
    Some(page.saturating_mul(number("per-page")?) < number("total")?)
}

/// A record's id; they exceed 32 bits, and REST v2 writes them as text.
pub(crate) fn id(item: &Value) -> Option<i64> {
    match item.get("id")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_headers_say_whether_a_page_follows() {
        let next = "<https://x?page=1>; rel=\"first\", <https://x?page=3>; rel=\"next\"";
        for (pairs, page, expected) in [
            (vec![("link", next), ("total", "1"), ("per-page", "100")], 1, Some(true)),
            (vec![("link", "<https://x?page=1>; rel=\"first\"")], 1, Some(false)),
            (vec![("total", "250"), ("per-page", "100")], 2, Some(true)),
            (vec![("total", "250"), ("per-page", "100")], 3, Some(false)),
            (vec![("link", ""), ("total", "250")], 1, None),
            (vec![], 1, None),
        ] {
            let typed = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            assert_eq!(more(&typed.collect::<HeaderMap>(), page), expected, "{pairs:?}");
        }
    }

    #[test]
    fn ids_are_whole_beyond_32_and_53_bits() {
        assert_eq!(id(&json!({"id": 9_007_199_254_740_993_i64})), Some(9_007_199_254_740_993));
        assert_eq!(id(&json!({"id": "8600000001"})), Some(8_600_000_001));
        assert_eq!(id(&json!({"id": null})), None);
    }
}
