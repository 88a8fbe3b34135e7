//! Packs events into messages, each within what SQS bills as one. Events are written once: their text is what is measured, hashed
//! and sent.
use crate::auth::Sender;
use domain::event::Event;
use domain::message::{Origin, SiteMessage, digest};
use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};

/// The greatest message, in bytes: SQS bills by 64 KiB.
pub const MESSAGE_MAX: usize = 60_000;
/// The most events of a message: the router handles one message in one go.
pub const EVENTS_MAX: usize = 100;
/// Room for the events; 2 KB stay for what surrounds them.
const ROOM: usize = MESSAGE_MAX - 2_000;

/// A message whose events are written.
pub type Packed = SiteMessage<Box<RawValue>>;

/// Where one message ends and the next begins depends on the events alone, not on when or in which attempt they came: a part
/// that an earlier attempt already sent is dropped by the queue as a duplicate, so it must hold the very same events.
pub fn pack(
    sender: &Sender,
    origin: &Origin,
    events: &[Event],
    now: Timestamp,
) -> Result<Vec<Packed>, serde_json::Error> {
    let message = |(part, events): (u32, Box<RawValue>)| SiteMessage {
        organization_id: sender.organization_id.clone(),
        site_id: sender.site_id.clone(),
        origin: origin.clone(),
        part,
        received_at: now,
        digest: digest(events.get()),
        events,
    };
    Ok((0..).zip(parts(events)?).map(message).collect())
}

fn parts(events: &[Event]) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let all = to_raw_value(events)?;
    if events.len() <= EVENTS_MAX && all.get().len() <= ROOM {
        return Ok(vec![all]);
    }
    split(events)?.into_iter().map(to_raw_value).collect()
}

fn split(events: &[Event]) -> Result<Vec<&[Event]>, serde_json::Error> {
    let mut parts = Vec::new();
    // The brackets: then a text that fits is one part here, too.
    let (mut start, mut size) = (0, 1);
    for (at, event) in events.iter().enumerate() {
        let length = json_length(event)? + 1;
        if at > start && (size + length > ROOM || at - start == EVENTS_MAX) {
            parts.push(&events[start..at]);
            (start, size) = (at, 1);
        }
        size += length;
    }
    if start < events.len() {
        parts.push(&events[start..]);
    }
    Ok(parts)
}

/// Counts without writing.
fn json_length(event: &Event) -> Result<usize, serde_json::Error> {
    struct Length(usize);
    impl std::io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    serde_json::to_writer(&mut length, event)?;
    Ok(length.0)
}
