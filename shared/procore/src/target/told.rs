//! What people in Procore added to an incident: its status and its injuries. Listed members only: the affected person, and every
//! other name of a person, is passed over. Read whole, or not at all.
use super::At;
use super::kind::Kind;
use crate::client::Procore;
use crate::pages::id;
use crate::request::{Place, Request, Tool};
use crate::text::plain;
use domain::treatment::{Account, Injury, LONGEST_MEMBER, LONGEST_TEXT};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use sync::target::{Call, Remote, Standing, TargetError};

/// A project's lists come in one page where the platform allows it.
const WHOLE: usize = 1_000;

/// Of one record that was just read.
pub(super) async fn of_record(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    kind: Kind,
    remote: &Remote,
) -> Result<Account, TargetError> {
    let mut account = Account { updated_at: remote.updated_at, ..Account::default() };
    account.status = Some(remote.status.clone()).filter(|status| !status.is_empty());
    if kind == Kind::Incident {
        let listed = procore.list(call, &injuries(at).with("incident_id", &remote.id)).await?;
        account.injuries = listed.iter().filter(|each| is_of(each, &remote.id)).filter_map(injury).collect();
    }
    Ok(account.tidy())
}

/// Of all incidents of a project: one list of them, and one of the project's injuries.
pub(super) async fn of_project(procore: &Procore, call: Call<'_>, at: At) -> Result<Vec<Standing>, TargetError> {
    let incidents = procore.list_by(call, &Kind::Incident.list(at), WHOLE).await?;
    let listed = procore.list_by(call, &injuries(at), WHOLE).await?;
    let mut by_incident: BTreeMap<i64, Vec<Injury>> = BTreeMap::new();
    for each in &listed {
        if let (Some(incident), Some(injury)) = (incident_of(each), injury(each)) {
            by_incident.entry(incident).or_default().push(injury);
        }
    }
    let standing = incidents.iter().filter_map(|incident| {
        let id = id(incident)?;
        let account = Account {
            injuries: by_incident.remove(&id).unwrap_or_default(),
            status: text(incident, "status", LONGEST_MEMBER),
            comments: Vec::new(),
            updated_at: time(incident, "updated_at"),
        };
        Some(Standing { id: id.to_string(), account: account.tidy() })
    });
    Ok(standing.collect())
}

/// The ids of an incident's injuries that lie in the recycle bin.
pub(super) async fn discarded(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    incident: &str,
) -> Result<BTreeSet<String>, TargetError> {
    let path = format!("/rest/v1.0/projects/{}/recycle_bin/incidents/injuries", at.project);
    let request = Request::get(at.company, path, Place::Project, Tool::Incidents).with("incident_id", incident);
    let listed = procore.list(call, &request).await?;
    Ok(listed.iter().filter_map(id).map(|id| id.to_string()).collect())
}

fn injuries(at: At) -> Request {
    let path = format!("/rest/v1.0/projects/{}/incidents/injuries", at.project);
    Request::get(at.company, path, Place::Project, Tool::Incidents)
}

fn incident_of(record: &Value) -> Option<i64> {
    match record.get("incident_id")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A platform that passes a filter over must not put a stranger's injury on this incident.
fn is_of(record: &Value, incident: &str) -> bool {
    incident_of(record).is_none_or(|id| id.to_string() == incident)
}

fn injury(record: &Value) -> Option<Injury> {
    let member = |name: &str| text(record, name, LONGEST_MEMBER);
    let flag = |name: &str| record.get(name).and_then(Value::as_bool);
    let days = |name: &str| record.get(name).and_then(days);
    Some(Injury {
        remote_id: id(record)?.to_string(),
        disposition: None,
        filing_type: member("filing_type"),
        treatment_facility: member("treatment_facility"),
        treatment_provider: member("treatment_provider"),
        treated_in_er: flag("treated_in_er"),
        hospitalized_overnight: flag("hospitalized_overnight"),
        days_away: days("work_days_absent"),
        days_restricted: days("work_days_restricted"),
        days_transferred: days("work_days_transferred"),
        date_returned_to_work: member("date_returned_to_work"),
        date_of_death: member("date_of_death"),
        description: description(record),
        updated_at: time(record, "updated_at"),
    })
}

/// Whole days, also where they come as a text or with a fraction of nothing.
fn days(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => {
            let whole = number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64));
            whole.and_then(|days| u32::try_from(days).ok())
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn description(record: &Value) -> Option<String> {
    let rich = || record.get("description").and_then(Value::as_str).map(plain);
    cut(&text(record, "description_plain_text", LONGEST_TEXT).or_else(rich)?, LONGEST_TEXT)
}

fn text(record: &Value, name: &str, longest: usize) -> Option<String> {
    cut(record.get(name)?.as_str()?, longest)
}

fn cut(text: &str, longest: usize) -> Option<String> {
    let text: String = text.trim().chars().take(longest).collect();
    (!text.is_empty()).then_some(text)
}

fn time(record: &Value, name: &str) -> Option<Timestamp> {
    record.get(name)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn listed_members_are_taken_in_and_no_name() {
        let record = json!({
            "id": 8_600_000_001_i64, "incident_id": "8600000000", "filing_type": "lost_time", "treatment_facility": " Mercy ",
            "treatment_provider": "", "treated_in_er": true, "hospitalized_overnight": null, "work_days_absent": 3,
            "work_days_restricted": "4", "work_days_transferred": -1, "date_of_death": null,
            "date_returned_to_work": "2026-11-30", "description": "<p>Sprain</p>", "updated_at": "2026-11-24T16:00:00Z",
            "affected_party": {"id": 1, "name": "Jo Doe"}, "affected_person": {"id": 1, "name": "Jo Doe", "login": "jo@doe"},
            "incident_created_by": {"name": "Jo Doe"}, "summary": "Jo Doe",
        });
        let told = injury(&record).unwrap();
        assert_eq!((told.remote_id.as_str(), told.treatment_facility.as_deref()), ("8600000001", Some("Mercy")));
        assert_eq!((told.days_away, told.days_restricted, told.days_transferred), (Some(3), Some(4), None));
        assert_eq!((told.treatment_provider.as_deref(), told.treated_in_er), (None, Some(true)));
        assert_eq!(told.description.as_deref(), Some("Sprain"));
        assert!(!serde_json::to_string(&told).unwrap().contains("Doe"));
        assert!(is_of(&record, "8600000000") && !is_of(&record, "8600000009"));
    }
}
