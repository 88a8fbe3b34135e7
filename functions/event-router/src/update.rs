//! What people added to a fact where they work, merged into it by the one writer of facts.
//!
//! No lane is asked: no record is rendered from what comes in here, so nothing read back causes a write (invariant 6).
use crate::route::{Routed, Router, RouterError};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::{Fact, FactBody};
use domain::message::UpdateMessage;
use domain::treatment::{Applied, Source};
use jiff::Timestamp;
use serde_json::json;
use store::TableError;
use store::counting::{Counting, stray_days};
use store::facts::SiteFacts;

impl Router<'_> {
    /// Handles a message. After an error it may be handled again, any number of times.
    pub async fn update(&self, message: &UpdateMessage, now: Timestamp) -> Result<Routed, RouterError> {
        let message_id = message.id();
        let place = (&message.organization_id, &message.site_id);
        let Some((facts, last)) = self.open(place, &message_id).await? else {
            return Ok(Routed { redelivery: true, ..Routed::default() });
        };
        let (arrived_at, committed) = (last.next_at(now), last.number);
        // A detection may have expired since it was read back.
        let Some(mut fact) = facts.get(message.fact, &message.fact_id).await? else { return Ok(Routed::default()) };
        let half_done = half_done(&facts, &fact, committed).await?;
        let applied = fact.treatment.apply(&message.update);
        let expires_at = self.expiry(fact.received_at);
        if applied != Applied::Changed && !half_done {
            if applied == Applied::Same {
                facts.put_many(&[fact], Some(expires_at)).await?;
            }
            return Ok(Routed { duplicates: 1, ..Routed::default() });
        }
        if fact.first_arrival == fact.arrival && fact.arrival > committed {
            fact.first_arrival = committed + 1;
        }
        if half_done {
            // Whoever died over it may have died before asking, and finds it done when it comes back.
            let changed = std::slice::from_ref(&fact);
            Counting(facts).point(&stray_days(changed, arrived_at), committed + 1).await?;
            self.ask_all(&message.organization_id, &message.site_id, changed, now).await?;
        }
        // An update that died over it noted whether the fact stands in an entry of its own.
        let listed = !half_done || (fact.touched_by.is_some() && !fact.unlisted);
        (fact.arrival, fact.touched_by, fact.unlisted) = (committed + 1, Some(message_id.clone()), !listed);
        let lines = vec![ArrivalLine { again: listed, ..ArrivalLine::of(&fact) }];
        facts.put_many(std::slice::from_ref(&fact), Some(expires_at)).await?;
        self.announce_update(message, &fact).await;
        facts.commit(&ArrivalEntry::after(&last, message_id, now, lines)).await?;
        Ok(Routed { changed: 1, ..Routed::default() })
    }

    /// Tells the bus of incidents. Neither what was added nor who added it is repeated there: a rule that wants it asks the API.
    async fn announce_update(&self, message: &UpdateMessage, fact: &Fact) {
        let FactBody::Incident(incident) = &fact.body else { return };
        let recordable = incident.stands_recordable();
        let mut detail = json!({
            "organization_id": message.organization_id,
            "site_id": message.site_id,
            "incident_id": incident.incident_id,
            "treatment_revision": fact.treatment.revision,
            "outcome": fact.treatment.outcome(recordable),
            "source": message.update.source.label(),
        });
        let detail_type = match &message.update.source {
            Source::Platform { connection_id, .. } => {
                detail["connection_id"] = json!(connection_id);
                "Incident Updated From Platform"
            }
            Source::Api { .. } => "Incident Updated Through API",
        };
        let at = (&message.organization_id, &message.site_id);
        self.publish(at, &incident.incident_id, detail_type, detail).await;
    }
}

/// Whether the fact's content was written and its arrival entry never was (see [`Router::route`]).
async fn half_done(facts: &SiteFacts<'_>, fact: &Fact, committed: u64) -> Result<bool, TableError> {
    if fact.arrival > committed {
        return Ok(true);
    }
    let entry = facts.arrival(fact.arrival).await?;
    Ok(entry.is_none_or(|entry| entry.message_id != fact.message_id()))
}
