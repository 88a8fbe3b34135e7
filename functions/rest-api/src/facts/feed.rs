//! Pages of a list of facts in the order of arrival. A position is the next place to read: in the arrival log the number of an
//! entry and a line in it, for zones and workers (few, and without a log of their own) the last fact's arrival and id. Nothing
//! is shown before its arrival entry is written, so nothing can come to stand before a position that was given out.
use crate::cursor::{self, Paging};
use crate::problem::{FieldError, Place, Problem};
use crate::query::Params;
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::{Fact, FactKind};
use domain::settings::is_kind;
use jiff::{SignedDuration, Timestamp};
use store::TableError;
use store::facts::SiteFacts;

/// Entries read at once, and for one page at most. A page may come out short, or empty, while `has_more` is true.
const CHUNK: usize = 50;
const ENTRIES_AT_MOST: usize = 2_000;
/// More zones and workers than a site has.
const FEW: usize = 100_000;
/// An edge's clock may be ahead of ours: what it says happened later than it arrived is still looked for so far back.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(48);

/// What a list is narrowed to.
#[derive(Debug)]
pub struct Filter {
    kind_of_fact: FactKind,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    kind: Option<String>,
    min_priority: Option<u8>,
    zone_id: Option<String>,
}

impl Filter {
    /// The parameters that a list of these facts knows.
    pub fn known(kind: FactKind) -> &'static [&'static str] {
        match kind {
            FactKind::Detection => &["limit", "cursor", "from", "to", "kind", "min_priority", "zone_id"],
            FactKind::Incident | FactKind::Zone => &["limit", "cursor", "from", "to", "kind", "zone_id"],
            FactKind::PpeSample => &["limit", "cursor", "from", "to", "zone_id"],
            FactKind::Worker => &["limit", "cursor", "from", "to"],
        }
    }

    pub fn of(kind_of_fact: FactKind, params: &Params) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut read = |name: &str, must: &str, valid: &dyn Fn(&str) -> bool| {
            let given = params.get(name)?;
            if valid(given) {
                return Some(given.to_owned());
            }
            errors.push(FieldError { place: Place::Parameter(name.into()), detail: must.into() });
            None
        };
        let time = "must be an RFC 3339 time, such as 2026-11-24T06:00:00Z (a + of an offset is written %2B)";
        let is_time = |text: &str| text.parse::<Timestamp>().is_ok();
        let from = read("from", time, &is_time).and_then(|text| text.parse().ok());
        let to = read("to", time, &is_time).and_then(|text| text.parse().ok());
        let kind = read("kind", "must be a kind: [a-z][a-z0-9_]{0,63}", &is_kind);
        let is_priority = |text: &str| text.parse::<u8>().is_ok_and(|priority| (1..=5).contains(&priority));
        let min_priority = read("min_priority", "must be a whole number from 1 to 5", &is_priority);
        let zone_id = read("zone_id", "must be a zone's id", &|text| !text.is_empty() && text.len() <= 128);
        match errors.is_empty() {
            true => Ok(Self {
                kind_of_fact,
                from,
                to,
                kind,
                min_priority: min_priority.and_then(|text| text.parse().ok()),
                zone_id,
            }),
            false => Err(Problem::invalid(errors)),
        }
    }

    /// `from` is inclusive, `to` exclusive.
    fn wants(&self, line: &ArrivalLine) -> bool {
        line.fact == self.kind_of_fact
            && self.from.is_none_or(|from| line.time >= from)
            && self.to.is_none_or(|to| line.time < to)
            && self.kind.as_ref().is_none_or(|kind| line.kind == *kind)
            && self.min_priority.is_none_or(|least| line.priority.is_some_and(|priority| priority >= least))
            && self.zone_id.as_ref().is_none_or(|zone| line.zone_id == *zone)
    }
}

/// A page of facts and where it ends.
pub struct FactPage {
    pub facts: Vec<Fact>,
    pub end: String,
    pub has_more: bool,
}

pub async fn page(facts: &SiteFacts<'_>, filter: &Filter, paging: &Paging) -> Result<FactPage, Problem> {
    match filter.kind_of_fact {
        FactKind::Zone | FactKind::Worker => few(facts, filter, paging).await,
        FactKind::Detection | FactKind::Incident | FactKind::PpeSample => logged(facts, filter, paging).await,
    }
}

/// A place in the log: the next line to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    entry: u64,
    line: usize,
}

impl Spot {
    fn read(text: &str) -> Option<Self> {
        let (entry, line) = text.split_once('.')?;
        Some(Self { entry: entry.parse().ok()?, line: line.parse().ok()? })
    }

    fn text(self) -> String {
        format!("{}.{}", self.entry, self.line)
    }
}

async fn logged(facts: &SiteFacts<'_>, filter: &Filter, paging: &Paging) -> Result<FactPage, Problem> {
    let mut spot = match (paging.after.as_str(), filter.from) {
        ("", None) => Spot { entry: 1, line: 0 },
        ("", Some(from)) => {
            let earliest = from.checked_sub(CLOCKS_DIFFER).unwrap_or(Timestamp::MIN);
            Spot { entry: facts.first_arrival_since(earliest).await?, line: 0 }
        }
        (position, _) => Spot::read(position).ok_or_else(cursor::foreign)?,
    };
    let (mut found, mut entries_read) = (Vec::new(), 0);
    loop {
        let entries = facts.arrivals(spot.entry, CHUNK).await?;
        entries_read += entries.len();
        let last_chunk = entries.len() < CHUNK;
        let end = entries.last().map_or(spot, |entry| Spot { entry: entry.number + 1, line: 0 });
        let wanted = lines(&entries, spot, filter);
        let (taken, full) = take(facts, &wanted, paging.limit - found.len()).await?;
        found.extend(taken);
        if let Some(next) = full {
            return Ok(FactPage { facts: found, end: next.text(), has_more: true });
        }
        spot = end;
        if last_chunk || found.len() == paging.limit || entries_read >= ENTRIES_AT_MOST {
            return Ok(FactPage { facts: found, end: spot.text(), has_more: !last_chunk });
        }
    }
}

/// The lines from a spot on that a list wants, each with its own spot.
fn lines<'a>(entries: &'a [ArrivalEntry], from: Spot, filter: &Filter) -> Vec<(Spot, &'a ArrivalLine)> {
    let all = entries.iter().flat_map(|entry| {
        entry.lines.iter().enumerate().map(|(line, content)| (Spot { entry: entry.number, line }, content))
    });
    all.filter(|(spot, line)| *spot >= from && filter.wants(line)).collect()
}

/// The facts of so many lines, and the spot of the line that did not find room. A fact that names a later entry stands there,
/// not here; one that expired stands nowhere.
async fn take(
    facts: &SiteFacts<'_>,
    wanted: &[(Spot, &ArrivalLine)],
    room: usize,
) -> Result<(Vec<Fact>, Option<Spot>), TableError> {
    let mut taken = Vec::new();
    let mut rest = wanted;
    while taken.len() < room && !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(room - taken.len()));
        rest = later;
        let keys: Vec<(FactKind, String)> = now.iter().map(|(_, line)| (line.fact, line.id.clone())).collect();
        let known = facts.get_many(&keys).await?;
        let here = now
            .iter()
            .zip(&keys)
            .filter_map(|((spot, _), key)| known.get(key).filter(|fact| fact.arrival <= spot.entry).cloned());
        taken.extend(here);
    }
    Ok((taken, rest.first().map(|(spot, _)| *spot)))
}

async fn few(facts: &SiteFacts<'_>, filter: &Filter, paging: &Paging) -> Result<FactPage, Problem> {
    // Read first: what arrives while the list is read is left for the next page.
    let committed = facts.last_arrival().await?.map_or(0, |entry| entry.number);
    let mut all = facts.list(filter.kind_of_fact, FEW).await?;
    all.retain(|fact| fact.arrival <= committed);
    let position = |fact: &Fact| format!("{:012}.{}", fact.arrival, fact.body.id());
    all.sort_by_cached_key(position);
    let mut rest: Vec<Fact> =
        all.into_iter().filter(|fact| position(fact) > paging.after && filter.wants(&ArrivalLine::of(fact))).collect();
    let has_more = rest.len() > paging.limit;
    rest.truncate(paging.limit);
    let end = rest.last().map_or_else(|| paging.after.clone(), position);
    Ok(FactPage { facts: rest, end, has_more })
}
