//! Lists: pages with `Link`, `Total` and `Per-Page`, and what a lagging index does not show yet.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;

/// What a list answers beyond an endpoint's own ceiling is cut down without a word.
const CEILING: usize = 1000;

pub(crate) fn page(call: &Call, items: Vec<Value>) -> Reply {
    page_by(call, items, 100, |item| item)
}

/// Renders what stands on the page and nothing else: a list may be long.
pub(crate) fn page_by<T>(call: &Call, items: Vec<T>, default: usize, view: impl Fn(T) -> Value) -> Reply {
    paged(call, items, default, CEILING, view, |page| page)
}

/// REST v2: ten by default, wrapped in `data`.
pub(crate) fn page_v2(call: &Call, items: Vec<Value>) -> Reply {
    paged(call, items, 10, 100, |item| item, |page| json!({"data": page}))
}

fn paged<T>(
    call: &Call,
    items: Vec<T>,
    default: usize,
    ceiling: usize,
    view: impl Fn(T) -> Value,
    wrap: impl Fn(Value) -> Value,
) -> Reply {
    let number =
        |name: &str| call.query_id(name).and_then(|value| usize::try_from(value).ok()).filter(|value| *value > 0);
    let page = number("page").unwrap_or(1);
    let per_page = number("per_page").unwrap_or(default).min(ceiling);
    let total = items.len();
    let last = total.div_ceil(per_page).max(1);
    let shown = items.into_iter().skip((page - 1).saturating_mul(per_page)).take(per_page).map(view);
    let mut links = vec![(1, "first"), (last, "last")];
    if page > 1 {
        links.push((page - 1, "prev"));
    }
    if page < last {
        links.push((page + 1, "next"));
    }
    let links: Vec<String> =
        links.iter().map(|(page, rel)| format!("<{}>; rel=\"{rel}\"", address(call, *page, per_page))).collect();
    Reply::ok(wrap(shown.collect())).with("Link", links.join(", ")).with("Total", total).with("Per-Page", per_page)
}

fn address(call: &Call, page: usize, per_page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.raw_query.iter().filter(|(name, _)| name != "page" && name != "per_page"));
    query.append_pair("page", &page.to_string()).append_pair("per_page", &per_page.to_string());
    format!("{}{}?{}", call.base_url, call.path, query.finish())
}

/// Whether an index that lags by `seconds` knows by now of what happened `at`.
pub(crate) fn indexed(at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    seconds <= 0 || now.duration_since(at) >= SignedDuration::from_secs(seconds)
}

pub(crate) fn within(range: Option<(Timestamp, Timestamp)>, at: Option<Timestamp>) -> bool {
    range.is_none_or(|(from, to)| at.is_some_and(|at| from <= at && at <= to))
}

/// Whether a filter by ids lets a value through.
pub(crate) fn among(ids: Option<&[i64]>, value: Option<i64>) -> bool {
    ids.is_none_or(|ids| value.is_some_and(|value| ids.contains(&value)))
}

/// Free text search: every word must stand somewhere, whatever its case.
pub(crate) fn mentions(query: Option<&str>, texts: &[Option<&str>]) -> bool {
    let Some(query) = query else { return true };
    let all = texts.iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n");
    query.to_lowercase().split_whitespace().all(|word| all.contains(word))
}
