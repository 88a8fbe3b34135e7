//! Test records: someone who sets up presses once, and one clearly marked observation goes the way of all records, through the
//! lane. A trial is no fact: no list, report or count knows it. Its link, like any other, makes it one record at most.
use crate::again;
use crate::bell::{Bell, fresh_token};
use crate::directory::Connection;
use crate::keys;
use crate::lanes::{Lane, LaneId, Todo};
use crate::table::{Condition, Query, Table, TableError, get_as, item, read};
use domain::ids::SiteId;
use domain::record::{RecordKey, RecordKind};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The record is looked at again then, to be closed.
const CLOSED_AFTER: SignedDuration = SignedDuration::from_secs(30);
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
const LOOKED_AT: usize = 100;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// A ULID, made with the form that was pressed: the same form sent twice is one trial.
    pub id: String,
    pub site_id: SiteId,
    pub project_id: String,
    pub asked_at: Timestamp,
    expires_at: i64,
}

impl Trial {
    pub fn record(&self) -> RecordKey {
        record(&self.site_id, &self.id)
    }
}

/// A trial is shown as an observation.
pub fn record(site: &SiteId, id: &str) -> RecordKey {
    RecordKey { kind: RecordKind::Observation, site_id: site.clone(), fact_id: id.to_owned() }
}

pub async fn get(table: &dyn Table, lane: &LaneId, id: &str) -> Result<Option<Trial>, TableError> {
    get_as(table, "a test record", &keys::trial(&lane.pk(), id)).await
}

/// The last trial of a project, if there was one in the last months.
pub async fn last(table: &dyn Table, lane: &LaneId, project: &str) -> Result<Option<Trial>, TableError> {
    let query = Query::prefix(lane.pk(), keys::TRIAL, LOOKED_AT).backward();
    let trials = table.query(query).await?.into_iter().map(|item| read::<Trial>("a test record", item));
    let trials: Vec<Trial> = trials.collect::<Result<_, _>>()?;
    Ok(trials.into_iter().find(|trial| trial.project_id == project))
}

/// Asks the lane for a test record. Pressed twice, or repeated after a crash, it is the same one.
pub async fn ask(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    site: &SiteId,
    project: &str,
    id: &str,
    now: Timestamp,
) -> Result<Trial, TableError> {
    let lane = connection.lane();
    let new = Trial {
        id: id.to_owned(),
        site_id: site.clone(),
        project_id: project.to_owned(),
        asked_at: now,
        expires_at: (now + KEPT).as_second(),
    };
    let trial = match table.put(item(&keys::trial(&lane.pk(), id), &new)?, Condition::Absent).await {
        Ok(()) => new,
        Err(TableError::Condition(Some(standing))) => read("a test record", standing)?,
        Err(error) => return Err(error),
    };
    let first = Todo::new(trial.record(), now, fresh_token());
    let later = Todo {
        next_try: Some(now + CLOSED_AFTER),
        why: Some("a test record is closed when it stands".into()),
        ..Todo::new(trial.record(), now, fresh_token())
    };
    Lane { table, id: &lane }.ask(&[first, later]).await?;
    again::wake(table, bell, &lane, now).await?;
    Ok(trial)
}
