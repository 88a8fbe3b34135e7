//! A person says "try again": a record's todo is put anew, and what held it is lifted.
use crate::bell::{Bell, fresh_token};
use crate::directory::{Connection, Directory};
use crate::due;
use crate::lanes::{Lane, LaneId, Link, Todo};
use crate::table::{Table, TableError};
use domain::record::{RecordKey, RecordState};
use futures::future::try_join_all;
use jiff::Timestamp;

const TRIES: usize = 5;
/// Links that are written side by side.
const AT_ONCE: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("it is being changed at this moment")]
    Busy,
    #[error("it is not there any more")]
    Gone,
}

/// Tries one record again; gives its link, if it has one.
pub async fn record(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    record: &RecordKey,
    now: Timestamp,
) -> Result<(Option<Link>, Todo), AgainError> {
    let lane = connection.lane();
    due::arm(table, &lane, now).await?;
    lift(table, connection).await?;
    // Asked before the link changes, so that a process which dies in between leaves a todo; and after it, since a run may have
    // taken the first one while the link still said "blocked".
    let todo = ask(table, &lane, record, now).await?;
    let link = Lane { table, id: &lane }.link(record).await?;
    let link = match link {
        Some(link) => {
            let link = release(table, &lane, link, now).await?;
            ask(table, &lane, record, now).await?;
            Some(link)
        }
        None => None,
    };
    wake(table, bell, &lane, now).await?;
    Ok((link, todo))
}

/// Tries many records again, as one piece of work: the same order of writes as for one.
pub async fn records(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    records: &[RecordKey],
    now: Timestamp,
) -> Result<(), AgainError> {
    let lane = connection.lane();
    let keeping = Lane { table, id: &lane };
    let todos = || records.iter().map(|record| Todo::new(record.clone(), now, fresh_token())).collect::<Vec<_>>();
    due::arm(table, &lane, now).await?;
    lift(table, connection).await?;
    keeping.ask(&todos()).await?;
    for together in records.chunks(AT_ONCE) {
        try_join_all(together.iter().map(|record| release_of(table, &lane, record, now))).await?;
    }
    keeping.ask(&todos()).await?;
    Ok(wake(table, bell, &lane, now).await?)
}

/// Tries a connection again that waits for a person: should the cause stand, the lane blocks it anew.
pub async fn connection(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    now: Timestamp,
) -> Result<(), AgainError> {
    due::arm(table, &connection.lane(), now).await?;
    lift(table, connection).await?;
    Ok(wake(table, bell, &connection.lane(), now).await?)
}

/// Arms, then rings. The alarm is what counts: a ring that is not taken is repeated by the clock.
pub async fn wake(table: &dyn Table, bell: &dyn Bell, lane: &LaneId, now: Timestamp) -> Result<(), TableError> {
    due::arm(table, lane, now).await?;
    if let Err(error) = bell.ring(lane).await {
        tracing::warn!(connection_id = %lane.connection_id, error = %error, "a lane was not rung; the clock will");
    }
    Ok(())
}

async fn ask(table: &dyn Table, lane: &LaneId, record: &RecordKey, now: Timestamp) -> Result<Todo, TableError> {
    let todo = Todo::new(record.clone(), now, fresh_token());
    Lane { table, id: lane }.ask(std::slice::from_ref(&todo)).await?;
    Ok(todo)
}

async fn release_of(table: &dyn Table, lane: &LaneId, record: &RecordKey, now: Timestamp) -> Result<(), AgainError> {
    match (Lane { table, id: lane }).link(record).await? {
        Some(link) => release(table, lane, link, now).await.map(|_| ()),
        None => Ok(()),
    }
}

/// A link that waits for a person goes back to pending; what it knows of the remote record stays.
async fn release(table: &dyn Table, lane: &LaneId, mut link: Link, now: Timestamp) -> Result<Link, AgainError> {
    let keeping = Lane { table, id: lane };
    for _ in 0..TRIES {
        if !matches!(link.state, RecordState::Blocked | RecordState::Failed) {
            return Ok(link);
        }
        (link.state, link.reason, link.who, link.updated_at) = (RecordState::Pending, None, None, now);
        match keeping.put_link(&mut link).await {
            Err(TableError::Condition(_)) => {
                link = keeping.link(&link.record).await?.ok_or(AgainError::Gone)?;
            }
            outcome => {
                outcome?;
                return Ok(link);
            }
        }
    }
    Err(AgainError::Busy)
}

async fn lift(table: &dyn Table, connection: &Connection) -> Result<(), AgainError> {
    let mut connection = connection.clone();
    for _ in 0..TRIES {
        if connection.blocked.take().is_none() {
            return Ok(());
        }
        match Directory(table).put_connection(&mut connection).await {
            Err(TableError::Condition(_)) => {
                let fresh = Directory(table).connection(&connection.organization_id, &connection.id).await?;
                connection = fresh.ok_or(AgainError::Gone)?;
            }
            outcome => {
                outcome?;
                return Ok(());
            }
        }
    }
    Err(AgainError::Busy)
}
