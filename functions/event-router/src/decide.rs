//! What a message does to what is kept. Pure.
use domain::event::Event;
use domain::fact::{Fact, FactBody, FactKind, Kept, keep, subject};
use domain::message::SiteMessage;
use std::collections::{BTreeMap, BTreeSet};

pub type Known = BTreeMap<(FactKind, String), Fact>;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Decision<'a> {
    /// Facts with new content, one per id: the last content that won.
    pub changed: Vec<Fact>,
    /// Events that contradict the fact that stands, by their place in the message.
    pub contradictions: Vec<(usize, &'a Event)>,
    /// Events that made nothing new.
    pub duplicates: usize,
}

/// Decides a message that will be committed at `number`. `unfinished` names facts whose content was written and never committed:
/// theirs or ours, they are written again under this number, so that no fact stands outside the log.
pub fn decide<'a>(
    message: &'a SiteMessage,
    known: &Known,
    unfinished: &BTreeSet<(FactKind, String)>,
    number: u64,
) -> Decision<'a> {
    let mut decision = Decision::default();
    let mut bodies: BTreeMap<(FactKind, String), FactBody> =
        known.iter().map(|(key, fact)| (key.clone(), fact.body.clone())).collect();
    let mut changed: BTreeMap<(FactKind, String), Fact> = BTreeMap::new();
    for (index, event) in message.events.iter().enumerate() {
        let (kind, id) = subject(event);
        let key = (kind, id.to_owned());
        let body = match keep(bodies.get(&key), &event.body) {
            Kept::New(body) => *body,
            Kept::Known if unfinished.contains(&key) && !changed.contains_key(&key) => match bodies.get(&key) {
                Some(body) => body.clone(),
                None => continue,
            },
            Kept::Known => {
                decision.duplicates += 1;
                continue;
            }
            Kept::Contradicts => {
                decision.contradictions.push((index, event));
                continue;
            }
        };
        bodies.insert(key.clone(), body.clone());
        let before = known.get(&key);
        let half_done = unfinished.contains(&key);
        changed.insert(key, fact(message, event, body, number, before, half_done));
    }
    decision.changed = changed.into_values().collect();
    decision
}

/// What people added to a fact stays with it whatever the edge says of it later.
fn fact(
    message: &SiteMessage,
    event: &Event,
    body: FactBody,
    arrival: u64,
    before: Option<&Fact>,
    half_done: bool,
) -> Fact {
    // It stood before, unless all that is known of it is this half-done writing.
    let stood =
        before.filter(|fact| fact.is_confirmed_incident() && !(half_done && fact.first_arrival == fact.arrival));
    let mut fact = Fact {
        first_received_at: before
            .filter(|fact| fact.is_confirmed_incident())
            .map(Fact::first_received)
            .filter(|first| *first < message.received_at),
        first_arrival: stood.map_or(arrival, |fact| fact.first_arrival),
        treatment: before.map(|fact| fact.treatment.clone()).unwrap_or_default(),
        touched_by: None,
        unlisted: false,
        body,
        arrival,
        part: message.part,
        digest: message.digest.clone(),
        event_id: event.id.clone(),
        event_time: event.time,
        received_at: message.received_at,
        origin: message.origin.clone(),
    };
    if !fact.is_confirmed_incident() {
        fact.first_arrival = 0;
    }
    fact
}
