//! A person decides a conflict: a field that people changed at the platform while we had news for it.
use crate::again::{AgainError, wake};
use crate::bell::{Bell, fresh_token};
use crate::directory::Connection;
use crate::due;
use crate::lanes::{Lane, Link, Todo};
use crate::table::{Table, TableError};
use domain::merge::{Written, hash};
use domain::record::{RecordKey, RecordKind};
use jiff::Timestamp;

const TRIES: usize = 5;

/// Whose value shall stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Ours is sent, over the value that was shown; should a person have changed that since, it is a conflict again.
    Ours,
    /// Theirs stays. Later news of ours for this field is a conflict again.
    Theirs,
}

impl std::str::FromStr for Choice {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "ours" => Ok(Choice::Ours),
            "theirs" => Ok(Choice::Theirs),
            _ => Err(()),
        }
    }
}

/// Decides a field's conflict. `None`: there is no such conflict (any more).
pub async fn settle(
    table: &dyn Table,
    bell: &dyn Bell,
    connection: &Connection,
    record: &RecordKey,
    (field, choice): (&str, Choice),
    now: Timestamp,
) -> Result<Option<Link>, AgainError> {
    let id = connection.lane();
    let lane = Lane { table, id: &id };
    for _ in 0..TRIES {
        let Some(mut link) = lane.link(record).await? else { return Ok(None) };
        let Some(at) = link.conflicts.iter().position(|conflict| conflict.field == field) else { return Ok(None) };
        let shown = hash(&link.conflicts[at].theirs);
        let unknown = || Written { wrote: String::new(), base: String::new(), sending: Default::default() };
        let written = link.written.entry(field.to_owned()).or_insert_with(unknown);
        match choice {
            // Also over an "ours" that the lane has not come to.
            Choice::Theirs => {
                written.sending.remove(&shown);
                written.wrote = hash(&link.conflicts.remove(at).ours);
            }
            // Ours counts as not sent yet, and what was shown may be written over like what we sent ourselves. The lane takes the
            // conflict away when that is done.
            Choice::Ours => {
                written.wrote.clear();
                written.sending.insert(shown);
            }
        }
        link.updated_at = now;
        due::arm(table, &id, now).await?;
        match lane.put_link(&mut link).await {
            Ok(()) => {}
            Err(TableError::Condition(_)) => continue,
            Err(error) => return Err(error.into()),
        }
        // A day's form may have waited for it to be submitted.
        if choice == Choice::Ours || record.kind == RecordKind::DailySummary {
            lane.ask(&[Todo::new(record.clone(), now, fresh_token())]).await?;
            wake(table, bell, &id, now).await?;
        }
        return Ok(Some(link));
    }
    Err(AgainError::Busy)
}
