//! Records of a connection: where each stands, and who can mend it.
//!
//! The list goes by the order of the links' keys, then what is asked for and has no link yet. A walk through it notes when it
//! began: the cursor at its end begins another one, of what changed since then, so that a cursor that is kept misses nothing. That
//! costs reads when someone asks, and no write when a record changes: a log of changes, or an index by time, would be a sixth write
//! for each record. A link's own state is shown as it is, also while the lane is asked to look again.
use crate::auth::{Caller, Scope};
use crate::cursor::{self, Paging};
use crate::problem::{FieldError, Place, Problem};
use crate::query::Params;
use crate::state::AppState;
use crate::{etag, visible};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::ids::SiteId;
use domain::marker::marker;
use domain::merge::Conflict;
use domain::record::{Mender, RecordKey, RecordKind, RecordState};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use store::TableError;
use store::keys;
use store::lanes::{LaneId, Link, Todo};
use store::table::{Item, Query, Table, read};
use utoipa::ToSchema;

/// Items that one request reads at most. A page may come out short, or empty, while `has_more` is true.
const READ_AT_MOST: usize = 5_000;
/// A change is noted at the time of its clock, and written within the time-out of a function after that.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);
const CHUNK: usize = 500;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub struct View {
    kind: RecordKind,
    id: String,
    site_id: SiteId,
    state: RecordState,
    reason: Option<String>,
    who: Option<Mender>,
    marker: String,
    remote_id: Option<String>,
    remote_url: Option<String>,
    /// Fields that people changed at the platform while we had news for them: theirs stand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<Conflict>,
    updated_at: Timestamp,
}

impl View {
    pub fn of_link(link: Link) -> Self {
        let Link { record, state, reason, who, marker, remote_id, remote_url, conflicts, updated_at, .. } = link;
        let RecordKey { kind, site_id, fact_id: id } = record;
        Self { kind, id, site_id, state, reason, who, marker, remote_id, remote_url, conflicts, updated_at }
    }

    /// What is asked for and has no link yet.
    pub fn of_todo(lane: &LaneId, todo: Todo) -> Self {
        let RecordKey { kind, site_id, fact_id: id } = todo.record;
        let marker = marker(&lane.organization_id, site_id.as_str(), kind, &id);
        let (state, reason) = (RecordState::Pending, todo.why);
        Self {
            kind,
            id,
            site_id,
            state,
            reason,
            who: None,
            marker,
            remote_id: None,
            remote_url: None,
            conflicts: Vec::new(),
            updated_at: todo.asked_at,
        }
    }
}

pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Path(connection): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Scope::Read)?;
    let connection = visible::connection(&app, &caller, &connection).await?;
    params.only(&["state", "limit", "cursor"])?;
    let state = params.get("state").map(str::parse::<RecordState>).transpose().map_err(|()| {
        let detail = "must be one of pending, synced, blocked, failed".to_owned();
        Problem::invalid(vec![FieldError { place: Place::Parameter("state".into()), detail }])
    })?;
    let paging = Paging::of(&params, format!("{}/{}/records", connection.organization_id, connection.id))?;
    let place = Position::read(&paging.after, app.now()).ok_or_else(cursor::foreign)?;
    let lane = connection.lane();
    let mut walk = Walk {
        table: app.table(),
        lane: &lane,
        caller: &caller,
        state,
        since: place.since,
        seen: place.seen,
        limit: paging.limit,
        found: Vec::new(),
        read: 0,
    };
    let end = walk.from(&place.after).await?;
    let has_more = end.is_some();
    let next = Position { seen: walk.seen, ..place }.next(end);
    etag::current_content(&headers, &paging.page(walk.found, &next, has_more))
}

/// Where a walk stands.
struct Position {
    began: Timestamp,
    /// It gives what changed since then; all, where this is none.
    since: Option<Timestamp>,
    /// The latest change that it came by.
    seen: Option<Timestamp>,
    /// A sort key.
    after: String,
}

impl Position {
    fn read(text: &str, now: Timestamp) -> Option<Self> {
        let time = |text: &str| match text {
            "" => Some(None),
            text => Timestamp::from_millisecond(text.parse().ok()?).ok().map(Some),
        };
        let mut parts = text.splitn(4, '|');
        let mut times = [None; 3];
        for at in &mut times {
            *at = time(parts.next().unwrap_or_default())?;
        }
        let [began, since, seen] = times;
        Some(Self { began: began.unwrap_or(now), since, seen, after: parts.next().unwrap_or_default().to_owned() })
    }

    /// The cursor's position after this page. A walk that ended is followed by one of what changed since: whatever it came by was
    /// written before it began, or may have been on its way then. While nothing changes, the cursor stays the same.
    fn next(self, end: Option<String>) -> String {
        let text = |at: Option<Timestamp>| at.map(|at| at.as_millisecond().to_string()).unwrap_or_default();
        match end {
            Some(after) => format!("{}|{}|{}|{after}", text(Some(self.began)), text(self.since), text(self.seen)),
            None => {
                let settled = self.seen.map(|seen| seen + SignedDuration::from_millis(1));
                let since = settled.map(|settled| settled.min(self.began - MARGIN)).max(self.since);
                format!("|{}||", text(since))
            }
        }
    }
}

/// One page being gathered.
struct Walk<'a> {
    table: &'a dyn Table,
    lane: &'a LaneId,
    caller: &'a Caller,
    state: Option<RecordState>,
    since: Option<Timestamp>,
    seen: Option<Timestamp>,
    limit: usize,
    found: Vec<View>,
    read: usize,
}

/// The parts of the list, in order, by what their sort keys begin with.
const PARTS: [&str; 3] = [keys::LINK, keys::READY, keys::WAITING];

impl Walk<'_> {
    /// Goes on after a sort key. Gives the sort key where the page ended, or none at the list's end.
    async fn from(&mut self, after: &str) -> Result<Option<String>, TableError> {
        let first = PARTS.iter().position(|part| after.starts_with(part)).unwrap_or(0);
        for (number, part) in PARTS.iter().enumerate().skip(first) {
            if *part != keys::LINK && self.state.is_some_and(|state| state != RecordState::Pending) {
                break;
            }
            let start = if number == first { after } else { "" };
            if let Some(end) = self.part(part, start).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    async fn part(&mut self, part: &str, after: &str) -> Result<Option<String>, TableError> {
        let mut after = if after.starts_with(part) { after.to_owned() } else { part.to_owned() };
        loop {
            let mut query = Query::prefix(self.lane.pk(), part, CHUNK);
            query.from = format!("{after}\u{0}");
            if query.from > query.to {
                return Ok(None);
            }
            let items = self.table.query(query).await?;
            let whole = items.len() < CHUNK;
            self.read += items.len();
            let linked = match part {
                keys::LINK => BTreeSet::new(),
                _ => self.linked(&items).await?,
            };
            for item in items {
                if self.found.len() == self.limit {
                    return Ok(Some(after));
                }
                after = text(&item, "sk");
                self.take(part, item, &linked)?;
            }
            if whole {
                return Ok(None);
            }
            if self.read >= READ_AT_MOST {
                return Ok(Some(after));
            }
        }
    }

    fn take(&mut self, part: &str, item: Item, linked: &BTreeSet<RecordKey>) -> Result<(), TableError> {
        let view = match part {
            keys::LINK => View::of_link(read("a link", item)?),
            _ => {
                let todo: Todo = read("a todo", item)?;
                if linked.contains(&todo.record) {
                    return Ok(());
                }
                View::of_todo(self.lane, todo)
            }
        };
        self.seen = self.seen.max(Some(view.updated_at));
        if self.since.is_some_and(|since| view.updated_at < since) {
            return Ok(());
        }
        let twice = || self.found.iter().any(|v| (v.kind, &v.site_id, &v.id) == (view.kind, &view.site_id, &view.id));
        if self.caller.sees_site(&view.site_id) && self.state.is_none_or(|state| state == view.state) && !twice() {
            self.found.push(view);
        }
        Ok(())
    }

    /// Which of these todos' records have a link, and so were shown with it.
    async fn linked(&self, todos: &[Item]) -> Result<BTreeSet<RecordKey>, TableError> {
        let mut records = BTreeSet::new();
        for item in todos {
            records.insert(read::<Todo>("a todo", item.clone())?.record);
        }
        let keys: Vec<_> = records.iter().map(|record| keys::link(&self.lane.pk(), record)).collect();
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        let links = self.table.get_many(&keys).await?;
        links.into_iter().map(|item| Ok(read::<Link>("a link", item)?.record)).collect()
    }
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
