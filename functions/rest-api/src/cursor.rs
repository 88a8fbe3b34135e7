//! Lists in pages. A cursor holds a position and a mark of the list and organization that it belongs to. It opens nothing: the
//! organization of a query is always the caller's, whatever the cursor says.
use crate::problem::{FieldError, Place, Problem};
use crate::query::Params;
use crate::state::sha256_hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

const DEFAULT: usize = 100;
const MOST: usize = 500;
/// Positions are sort keys of ours; a longer one was made by someone else.
const LONGEST_POSITION: usize = 512;

const NOT_OURS: &str = "is not a cursor of this list: use a `next_cursor` that it gave, or none";

/// A position that the list does not know.
pub fn foreign() -> Problem {
    Problem::invalid_parameter("cursor", NOT_OURS)
}

/// Which part of a list is wanted.
#[derive(Debug)]
pub struct Paging {
    pub limit: usize,
    /// Empty: from the start.
    pub after: String,
    list: String,
}

#[derive(Debug, Serialize)]
pub struct Page<T> {
    data: Vec<T>,
    next_cursor: String,
    has_more: bool,
}

impl Paging {
    /// `list` names the list with its organization.
    pub fn of(params: &Params, list: String) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut fail = |name: &str, detail: String| {
            errors.push(FieldError { place: Place::Parameter(name.into()), detail });
        };
        let limit = match params.get("limit").map_or(Ok(DEFAULT), str::parse) {
            Ok(limit) if (1..=MOST).contains(&limit) => limit,
            _ => {
                fail("limit", format!("must be a whole number from 1 to {MOST}"));
                DEFAULT
            }
        };
        let after = match params.get("cursor").map(|cursor| open(&list, cursor)) {
            None => String::new(),
            Some(Some(position)) => position,
            Some(None) => {
                fail("cursor", NOT_OURS.into());
                String::new()
            }
        };
        match errors.is_empty() {
            true => Ok(Self { limit, after, list }),
            false => Err(Problem::invalid(errors)),
        }
    }

    /// A page that ends at `position`. `next_cursor` is there even at the end, to be asked with later.
    pub fn page<T>(&self, data: Vec<T>, position: &str, has_more: bool) -> Page<T> {
        Page { data, next_cursor: seal(&self.list, position), has_more }
    }

    /// A page of a list that is already at hand, in order.
    pub fn slice<T, U>(&self, all: Vec<T>, position: impl Fn(&T) -> String, show: impl Fn(T) -> U) -> Page<U> {
        let mut rest: Vec<T> = all.into_iter().filter(|entry| position(entry) > self.after).collect();
        let has_more = rest.len() > self.limit;
        rest.truncate(self.limit);
        let end = rest.last().map_or_else(|| self.after.clone(), &position);
        self.page(rest.into_iter().map(show).collect(), &end, has_more)
    }
}

fn mark(list: &str) -> String {
    sha256_hex(&[b"cursor", list.as_bytes()])[..16].to_owned()
}

fn seal(list: &str, position: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{position}", mark(list)))
}

fn open(list: &str, cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(&mark(list)).filter(|position| position.len() <= LONGEST_POSITION).map(str::to_owned)
}
