//! An incident's treatment as it is shown: every member of an injury, null where nobody told it.
use domain::event::Outcome;
use domain::fact::{Fact, FactBody};
use domain::treatment::{Change, Injury, Source};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Treatment)]
pub struct TreatmentView {
    revision: u64,
    injuries: Vec<InjuryView>,
    outcome: Option<Outcome>,
    days_away: Option<u32>,
    days_restricted_or_transferred: Option<u32>,
    /// The last changes: when, where from, which members.
    history: Vec<ChangeView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
struct ChangeView {
    revision: u64,
    at: Timestamp,
    source: String,
    changed: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Injury)]
struct InjuryView {
    source: String,
    remote_id: String,
    /// As it came; where nothing came, the outcome that follows from the other members.
    disposition: Value,
    filing_type: Option<String>,
    treatment_facility: Option<String>,
    treatment_provider: Option<String>,
    treated_in_er: Option<bool>,
    hospitalized_overnight: Option<bool>,
    days_away: Option<u32>,
    days_restricted: Option<u32>,
    days_transferred: Option<u32>,
    date_returned_to_work: Option<String>,
    date_of_death: Option<String>,
    description: Option<String>,
    updated_at: Option<Timestamp>,
}

/// Incidents have one, told or not.
pub fn treatment(fact: &Fact) -> Option<TreatmentView> {
    let FactBody::Incident(incident) = &fact.body else { return None };
    let told = &fact.treatment;
    let change =
        |told: Change| ChangeView { revision: told.revision, at: told.at, source: told.source, changed: told.changed };
    Some(TreatmentView {
        revision: told.revision,
        injuries: told.injuries().map(|(source, each)| injury(source, each.clone())).collect(),
        outcome: told.outcome(incident.stands_recordable()),
        days_away: told.days_away(),
        days_restricted_or_transferred: told.days_restricted_or_transferred(),
        history: told.history.iter().cloned().map(change).collect(),
    })
}

fn injury(source: &Source, told: Injury) -> InjuryView {
    let follows = told.outcome().map_or(Value::Null, |outcome| json!(outcome));
    InjuryView {
        source: source.label(),
        remote_id: told.remote_id,
        disposition: told.disposition.map_or(follows, Value::from),
        filing_type: told.filing_type,
        treatment_facility: told.treatment_facility,
        treatment_provider: told.treatment_provider,
        treated_in_er: told.treated_in_er,
        hospitalized_overnight: told.hospitalized_overnight,
        days_away: told.days_away,
        days_restricted: told.days_restricted,
        days_transferred: told.days_transferred,
        date_returned_to_work: told.date_returned_to_work,
        date_of_death: told.date_of_death,
        description: told.description,
        updated_at: told.updated_at,
    }
}
