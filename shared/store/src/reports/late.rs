//! Pointers to entries of the arrival log that tell of another hour than they arrived in ([`crate::counting`]), from where a count
//! left off.
use crate::facts::SiteFacts;
use crate::keys;
use crate::table::{Item, Query, TableError};
use domain::summary::window::Window;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::collections::BTreeSet;

/// With more pointers than this in a stretch, each day reads its own, from where it left off.
const AT_ONCE: usize = 2_000;

fn utc_date(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

/// The pointers of a stretch of days.
pub enum Late {
    All(Vec<(Date, u64)>),
    Many,
}

pub async fn between(facts: &SiteFacts<'_>, from: Timestamp, to: Timestamp) -> Result<Late, TableError> {
    let found = read(facts, (utc_date(from), 0), utc_date(to), AT_ONCE).await?;
    Ok(if found.len() < AT_ONCE { Late::All(found) } else { Late::Many })
}

async fn read(
    facts: &SiteFacts<'_>,
    (from, number): (Date, u64),
    to: Date,
    limit: usize,
) -> Result<Vec<(Date, u64)>, TableError> {
    let (organization, site) = (facts.organization_id, facts.site_id);
    let (first, last) =
        (keys::stray(organization, site, from, number), keys::stray(organization, site, to, 999_999_999_999));
    let query = Query { pk: first.pk, from: first.sk, to: last.sk, forward: true, limit };
    let pointer = |item: &Item| -> Option<(Date, u64)> {
        let date = item.get("sk").and_then(Value::as_str)?.split('#').next()?;
        Some((date.parse().ok()?, item.get("number").and_then(Value::as_u64)?))
    };
    let malformed =
        || TableError::Malformed { what: "a pointer to a late entry", why: "date or number is missing".into() };
    facts.table.query(query).await?.iter().map(|item| pointer(item).ok_or_else(malformed)).collect()
}

impl Late {
    /// Entries above `after` that tell of a window late, in order.
    pub async fn of(&self, facts: &SiteFacts<'_>, window: Window, after: u64) -> Result<BTreeSet<u64>, TableError> {
        let (first, last) = (utc_date(window.from), utc_date(window.to));
        let own = match self {
            Late::All(all) => all.iter().filter(|(date, _)| (first..=last).contains(date)).copied().collect(),
            Late::Many => {
                let mut own = Vec::new();
                let mut date = first;
                while date <= last {
                    own.extend(read(facts, (date, after + 1), date, usize::MAX >> 1).await?);
                    let Ok(next) = date.tomorrow() else { break };
                    date = next;
                }
                own
            }
        };
        Ok(own.into_iter().map(|(_, number)| number).filter(|number| *number > after).collect())
    }
}
