//! Which records are shown. Days are the site's; a record's day is that of its fact's id.
use crate::form::Errors;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::visible::{LONGEST_ID, Mapped};
use crate::words;
use domain::fact::{FactBody, FactKind};
use domain::localtime;
use domain::record::{RecordKind, RecordState};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use std::collections::BTreeMap;
use store::directory::Site;
use store::facts::SiteFacts;
use store::lanes::Link;
use ulid::Ulid;

const KINDS: [RecordKind; 3] = [RecordKind::Observation, RecordKind::Incident, RecordKind::DailySummary];
const STATES: [RecordState; 4] = [RecordState::Synced, RecordState::Pending, RecordState::Blocked, RecordState::Failed];
const MOST_ZONES: usize = 500;

pub struct Filter<'a> {
    pub site: &'a Site,
    pub kind: RecordKind,
    state: Option<RecordState>,
    /// The days as they were asked for.
    days: [String; 2],
    zone: String,
    /// Only ids from this one on.
    first: Option<String>,
    /// Only ids before this one.
    pub before: Option<String>,
    /// Id and name.
    zones: Vec<(String, String)>,
    pub errors: Errors,
}

impl<'a> Filter<'a> {
    pub async fn read(app: &AppState, mapped: &'a Mapped, asked: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let text = |name: &str| asked.get(name).map_or("", |text| text.trim()).to_owned();
        let site = mapped.site_named(&text("site")).ok_or_else(Refusal::not_found)?;
        let kind = text("kind").parse().unwrap_or(RecordKind::Observation);
        let days = [text("from"), text("to")];
        let mut errors = Errors::default();
        let [from, to] = [("from", "From"), ("to", "To")].map(|(field, label)| {
            let given = text(field);
            let day = localtime::date(&given);
            if day.is_none() && !given.is_empty() {
                errors.add(field, format!("{label}: give a day as YYYY-MM-DD, or leave it empty."));
            }
            day
        });
        let clock = localtime::zone(&site.time_zone).unwrap_or(TimeZone::UTC);
        let first = from.and_then(|day| first_id(kind, day, &clock));
        let after = to.and_then(|day| first_id(kind, day.checked_add(1.day()).ok()?, &clock));
        let before = Some(text("before")).filter(|before| !before.is_empty() && before.len() <= LONGEST_ID);
        let facts = facts_of(app, site).list(FactKind::Zone, MOST_ZONES).await?;
        let zones = facts.into_iter().filter_map(|fact| match fact.body {
            FactBody::Zone(zone) => Some((zone.zone_id, zone.name)),
            _ => None,
        });
        Ok(Self {
            site,
            kind,
            state: text("state").parse().ok(),
            days,
            zone: text("zone"),
            first,
            before: [after, before].into_iter().flatten().min(),
            zones: zones.collect(),
            errors,
        })
    }

    /// Whether an id, and with it all older ones, is before the days that are asked for.
    pub fn is_before(&self, id: &str) -> bool {
        self.first.as_ref().is_some_and(|first| id < first.as_str())
    }

    /// Those of what was read that are asked for.
    pub async fn matching(&self, app: &AppState, read: Vec<Link>) -> Result<Vec<Link>, Refusal> {
        let mut links = read;
        links
            .retain(|link| !self.is_before(&link.record.fact_id) && self.state.is_none_or(|state| link.state == state));
        let kind = match self.kind {
            RecordKind::Observation => FactKind::Detection,
            RecordKind::Incident => FactKind::Incident,
            // A summary is of the whole site.
            RecordKind::DailySummary => return Ok(links),
        };
        if self.zone.is_empty() {
            return Ok(links);
        }
        let ids: Vec<_> = links.iter().map(|link| (kind, link.record.fact_id.clone())).collect();
        let facts = facts_of(app, self.site).get_many(&ids).await?;
        let zone = |link: &Link| match &facts.get(&(kind, link.record.fact_id.clone()))?.body {
            FactBody::Detection(detection) => Some(&detection.zone_id),
            FactBody::Incident(fact) => fact.incident.as_ref().map(|incident| &incident.zone_id),
            _ => None,
        };
        links.retain(|link| zone(link) == Some(&self.zone));
        Ok(links)
    }

    /// The same, of older records.
    pub fn query(&self, before: &str) -> String {
        let [from, to] = &self.days;
        let state = self.state.map_or("", RecordState::as_str);
        let asked = [
            ("kind", self.kind.as_str()),
            ("state", state),
            ("site", self.site.id.as_str()),
            ("zone", &self.zone),
            ("from", from),
            ("to", to),
            ("before", before),
        ];
        let given = asked.iter().filter(|(_, value)| !value.is_empty());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
    }

    pub fn form(&self, mapped: &Mapped, path: &str) -> Markup {
        let [from, to] = &self.days;
        html! {
            form.filters method="get" action=(path) {
                div.field {
                    label for="kind" { "Kind" }
                    select #kind name="kind" { @for each in KINDS {
                        option value=(each.as_str()) selected[each == self.kind] { (words::kind(each)) }
                    } }
                }
                div.field {
                    label for="state" { "State" }
                    select #state name="state" {
                        option value="" { "Any" }
                        @for each in STATES { option value=(each.as_str()) selected[Some(each) == self.state] { (words::state(each, mapped.connection.provider)) } }
                    }
                }
                @for (id, label, value) in [("from", "From", from), ("to", "To", to)] {
                    div.field {
                        label for=(id) { (label) }
                        input id=(id) type="date" name=(id) value=(value) aria-describedby=[self.errors.described(id)]
                            aria-invalid=[self.errors.has(id).then_some("true")];
                        (self.errors.at(id))
                    }
                }
                @if !self.zones.is_empty() {
                    div.field {
                        label for="zone" { "Zone" }
                        select #zone name="zone" {
                            option value="" { "Any" }
                            @for (id, name) in &self.zones { option value=(id) selected[*id == self.zone] { (name) } }
                        }
                    }
                }
                @if !mapped.former.is_empty() {
                    div.field {
                        label for="site" { "Site" }
                        select #site name="site" { @for site in mapped.sites() {
                            option value=(site.id) selected[site.id == self.site.id] { (site.name) }
                        } }
                    }
                }
                button type="submit" { "Show" }
            }
        }
    }
}

fn facts_of<'a>(app: &'a AppState, site: &'a Site) -> SiteFacts<'a> {
    SiteFacts { table: app.table(), organization_id: &site.organization_id, site_id: &site.id }
}

/// The least id that a fact of that day, or of a later one, can have.
fn first_id(kind: RecordKind, day: Date, clock: &TimeZone) -> Option<String> {
    if kind == RecordKind::DailySummary {
        return Some(day.to_string());
    }
    let begins = day.to_zoned_datetime(clock.clone()).ok()?;
    let milliseconds = u64::try_from(begins.timestamp().as_millisecond()).ok()?;
    Some(Ulid::from_parts(milliseconds, 0).to_string())
}
