//! Sends a day's events as the edges would: signed with each edge's secret, in batches, in order.
use crate::day::Day;
use crate::error::{Result, unexpected};
use crate::http;
use crate::stack::Edge;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::Sha256;
use std::time::Duration;

const BATCH: usize = 25;
const TRIES: u32 = 10;
const TIMES: [&str; 9] =
    ["time", "detected_at", "captured_at", "occurred_at", "confirmed_at", "sampled_from", "sampled_to", "from", "to"];

/// A site of the day as the stack knows it.
pub struct Sender {
    pub site_id: String,
    pub edge: Edge,
}

/// Sends everything, with `senders` in the order of the day's sites; returns how many events were accepted.
pub fn send(api_url: &str, day: &Day, senders: &[Sender], now: Timestamp) -> Result<usize> {
    let shift = shift_to_past(day, now)?;
    let mut accepted = 0;
    for (site, sender) in day.sites.iter().zip(senders) {
        let of_site = day.events.iter().filter(|event| event["subject"] == site.id.as_str());
        let events: Vec<Value> = of_site.map(|event| as_sent(event, sender, shift)).collect();
        for batch in events.chunks(BATCH) {
            accepted += post(api_url, sender, batch)?;
        }
    }
    Ok(accepted)
}

fn as_sent(event: &Value, sender: &Sender, shift: SignedDuration) -> Value {
    let mut event = event.clone();
    move_times(&mut event, shift);
    event["source"] = Value::from(format!("/edges/{}", sender.edge.id));
    event["subject"] = Value::from(sender.site_id.clone());
    event
}

/// Whole days, so that hours stay what they are on the site's clock (but for a clock change between the two days): the latest
/// day that is over.
fn shift_to_past(day: &Day, now: Timestamp) -> Result<SignedDuration> {
    let times = day.events.iter().filter_map(|event| event["time"].as_str()?.parse::<Timestamp>().ok());
    let last = times.max().ok_or_else(|| unexpected("the day's file", "it has no event"))?;
    let days = now.duration_since(last).as_hours().div_euclid(24);
    Ok(SignedDuration::from_hours(24 * days))
}

fn move_times(value: &mut Value, shift: SignedDuration) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| move_times(item, shift)),
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| {
            let time =
                member.as_str().filter(|_| TIMES.contains(&name.as_str())).and_then(|t| t.parse::<Timestamp>().ok());
            match time.and_then(|time| time.checked_add(shift).ok()) {
                Some(moved) => *member = Value::from(moved.to_string()),
                None => move_times(member, shift),
            }
        }),
        // An id tells when it was made, and an edge makes it when it sees something.
        Value::String(text) => {
            if let Some(moved) = ulid::Ulid::from_string(text).ok().and_then(|id| moved_ulid(id, shift)) {
                *text = moved.to_string();
            }
        }
        _ => {}
    }
}

fn moved_ulid(id: ulid::Ulid, shift: SignedDuration) -> Option<ulid::Ulid> {
    let millis = i128::from(id.timestamp_ms()) + shift.as_millis();
    Some(ulid::Ulid::from_parts(u64::try_from(millis).ok()?, id.random()))
}

/// A batch as an edge sends it.
pub struct Signed {
    pub body: String,
    edge_id: String,
    id: String,
    timestamp: String,
    signature: String,
}

impl Signed {
    /// Signs a batch under a new message id.
    pub fn new(sender: &Sender, batch: &[Value]) -> Result<Self> {
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|e| unexpected("the system's randomness", e))?;
        let body = serde_json::to_string(batch).map_err(|e| unexpected("a batch", e))?;
        let id = format!("msg_{}", ulid::Ulid::from_bytes(random));
        Self { body, edge_id: sender.edge.id.clone(), id, timestamp: String::new(), signature: String::new() }
            .again(sender)
    }

    /// The same message signed now.
    fn again(mut self, sender: &Sender) -> Result<Self> {
        self.timestamp = Timestamp::now().as_second().to_string();
        self.signature = signature(&sender.edge.secret, &self.id, &self.timestamp, self.body.as_bytes())?;
        Ok(self)
    }

    pub fn headers(&self) -> [(&str, &str); 5] {
        [
            ("content-type", "application/cloudevents-batch+json"),
            ("hhp-edge-id", &self.edge_id),
            ("webhook-id", &self.id),
            ("webhook-timestamp", &self.timestamp),
            ("webhook-signature", &self.signature),
        ]
    }
}

/// Sends one batch, signed; asked to wait, it waits.
pub fn post(api_url: &str, sender: &Sender, batch: &[Value]) -> Result<usize> {
    let url = format!("{api_url}/v1/edge/events");
    let mut signed = Signed::new(sender, batch)?;
    for attempt in 0..TRIES {
        let answer = http::request("POST", &url, &signed.headers(), Some(signed.body.as_bytes()))?;
        if answer.status == 503 && attempt + 1 < TRIES {
            std::thread::sleep(Duration::from_secs(1));
            signed = signed.again(sender)?;
            continue;
        }
        let answer = answer.ok("POST /v1/edge/events")?.json("POST /v1/edge/events")?;
        let rejected = answer["rejected"].as_array().map_or(0, Vec::len);
        if rejected > 0 {
            return Err(unexpected("the demo day", format!("events were rejected: {}", answer["rejected"])));
        }
        return Ok(batch.len());
    }
    Err(unexpected("POST /v1/edge/events", "it stayed 503"))
}

/// Standard Webhooks: HMAC-SHA256 over `id.timestamp.body` with the secret's bytes.
fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Result<String> {
    let encoded = secret.strip_prefix("whsec_").ok_or_else(|| unexpected("an edge's secret", "no whsec_ before it"))?;
    let key = STANDARD.decode(encoded).map_err(|e| unexpected("an edge's secret", e))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|e| unexpected("an edge's secret", e))?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::{Plan, make};

    #[test]
    fn the_signature_is_that_of_the_standards_own_example() {
        let made = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(made.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_day_is_moved_by_whole_days_to_just_before_now() {
        let day = make(&Plan { detections: 20, ..Plan::default() }).unwrap();
        let now: Timestamp = "2027-01-05T12:00:00Z".parse().unwrap();
        let shift = shift_to_past(&day, now).unwrap();
        assert_eq!(shift.as_secs() % 86_400, 0);
        let sender = Sender { site_id: "s".into(), edge: Edge { id: "e".into(), secret: String::new() } };
        let moved: Vec<Value> = day.events.iter().map(|event| as_sent(event, &sender, shift)).collect();
        let times = moved.iter().map(|event| event["time"].as_str().unwrap().parse::<Timestamp>().unwrap());
        let last = times.max().unwrap();
        assert!(last <= now && now.duration_since(last) < SignedDuration::from_hours(24));
        assert_eq!(moved[0]["source"], "/edges/e");
    }

    #[test]
    fn times_inside_the_data_move_along_and_nothing_else_does() {
        let mut event = serde_json::json!({"id": "x", "time": "2026-03-10T10:00:00Z", "data": {"from": "2026-03-10T00:00:00Z",
            "frame": {"captured_at": "2026-03-10T09:59:59.5Z"}, "summary": "2026-03-10T00:00:00Z"}});
        move_times(&mut event, SignedDuration::from_hours(24));
        assert_eq!(event["time"], "2026-03-11T10:00:00Z");
        assert_eq!(event["data"]["from"], "2026-03-11T00:00:00Z");
        assert_eq!(event["data"]["frame"]["captured_at"], "2026-03-11T09:59:59.5Z");
        assert_eq!(event["data"]["summary"], "2026-03-10T00:00:00Z");
    }

    #[test]
    fn ids_are_moved_alike_wherever_they_stand() {
        let made = |time: &str| {
            ulid::Ulid::from_parts(time.parse::<Timestamp>().unwrap().as_millisecond() as u64, 7).to_string()
        };
        let (before, after) = (made("2026-03-10T10:00:00Z"), made("2026-03-11T10:00:00Z"));
        let mut event = serde_json::json!({"id": before, "data": {"incident_id": before, "detection_ids": [before]}});
        move_times(&mut event, SignedDuration::from_hours(24));
        let moved = serde_json::json!({"id": after, "data": {"incident_id": after, "detection_ids": [after]}});
        assert_eq!(event, moved);
    }
}
