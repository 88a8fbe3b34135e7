//! Packs events into messages, each within what SQS bills as one.
use crate::auth::Sender;
use domain::event::Event;
use domain::message::{Origin, SiteMessage, digest};
use jiff::Timestamp;

/// The greatest message, in bytes: SQS bills by 64 KiB.
pub const MESSAGE_MAX: usize = 60_000;
/// The most events of a message: the router handles one message in one go.
pub const EVENTS_MAX: usize = 100;
/// Room for what surrounds the events.
const ENVELOPE: usize = 2_000;

/// Where one message ends and the next begins depends on the events alone, not on when or in which attempt they came: a part
/// that an earlier attempt already sent is dropped by the queue as a duplicate, so it must hold the very same events.
pub fn pack(sender: &Sender, origin: &Origin, events: &[Event], now: Timestamp) -> Vec<SiteMessage> {
    let parts = split(events);
    let message = |(part, events): (u32, &[Event])| SiteMessage {
        organization_id: sender.organization_id.clone(),
        site_id: sender.site_id.clone(),
        origin: origin.clone(),
        part,
        received_at: now,
        digest: digest(events),
        events: events.to_vec(),
    };
    (0..).zip(parts).map(message).collect()
}

fn split(events: &[Event]) -> Vec<&[Event]> {
    let mut parts = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (at, event) in events.iter().enumerate() {
        let length = json_length(event) + 1;
        if at > start && (size + length > MESSAGE_MAX - ENVELOPE || at - start == EVENTS_MAX) {
            parts.push(&events[start..at]);
            (start, size) = (at, 0);
        }
        size += length;
    }
    if start < events.len() {
        parts.push(&events[start..]);
    }
    parts
}

/// Counts without writing.
fn json_length(event: &Event) -> usize {
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
    // What can't be written takes a message of its own, which fails with its reason when it is sent.
    serde_json::to_writer(&mut length, event).map_or(MESSAGE_MAX, |()| length.0)
}
