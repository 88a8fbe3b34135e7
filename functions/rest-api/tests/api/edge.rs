//! What a site's edge sends, kept by the real router.
use crate::world::World;
use domain::event::Event;
use domain::message::{Origin, SiteMessage};
use event_router::route::Router;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::bus::MemoryBus;

/// An edge of one site.
pub struct Edge<'a> {
    pub world: &'a World,
    pub organization: String,
    pub site: String,
}

/// A detection's id, by a number.
pub fn detection_id(number: usize) -> String {
    format!("01JDN3Z4WQ{number:016}")
}

pub fn detection(number: usize, at: Timestamp, kind: &str, priority: u8) -> Value {
    json!({"type": "com.hardhatpulse.detection.recorded.v1", "data": {
        "detection_id": detection_id(number), "detected_at": at, "kind": kind, "priority": priority, "zone_id": "zone-3",
        "camera_id": "cam-1", "worker": {"worker_id": "W-7", "role": "Rigger", "trade": "Ironwork"},
        "frame": {"captured_at": at}, "footage": {"edge_path": format!("/footage/{number}.mp4")},
    }})
}

pub fn incident(number: usize, revision: u64, at: Timestamp, recordable: bool, detections: &[usize]) -> Value {
    json!({"type": "com.hardhatpulse.incident.updated.v1", "data": {
        "incident_id": format!("01JDN9Z4WQ{number:016}"), "revision": revision, "occurred_at": at, "confirmed_at": at,
        "recordable": recordable, "incident_type": "fall", "classification": "injury",
        "osha_log": {"year": 2026, "case_number": "17"}, "zone_id": "zone-3",
        "worker": {"worker_id": "W-7", "role": "Rigger", "trade": "Ironwork"},
        "detection_ids": detections.iter().map(|n| detection_id(*n)).collect::<Vec<_>>(),
    }})
}

pub fn zone(id: &str, revision: u64, name: &str) -> Value {
    json!({"type": "com.hardhatpulse.zone.configured.v1", "data": {
        "zone_id": id, "revision": revision, "name": name, "kind": "restricted", "required_ppe": ["hard_hat"], "active": true,
    }})
}

impl Edge<'_> {
    /// One message, received now.
    pub async fn send(&self, events: &[Value]) {
        let now = self.world.now();
        let bus = MemoryBus::default();
        let router = Router {
            table: self.world.table.as_ref(),
            bell: self.world.bell.as_ref(),
            bus: &bus,
            detection_retention_days: 400,
        };
        let event = |(at, body): (usize, &Value)| -> Event {
            let body = serde_json::from_value(body.clone()).unwrap();
            Event { id: format!("e{at}"), time: now, body }
        };
        let events: Vec<Event> = events.iter().enumerate().map(event).collect();
        let message = SiteMessage {
            organization_id: self.organization.parse().unwrap(),
            site_id: self.site.parse().unwrap(),
            origin: Origin {
                edge_id: "edge_00000000000000000000000001".parse().unwrap(),
                webhook_id: store::bell::fresh_token(),
                webhook_timestamp: now.as_second(),
                signature: "v1,x".into(),
                body_sha256: "x".into(),
            },
            part: 0,
            received_at: now,
            digest: domain::message::digest(&serde_json::to_string(&events).unwrap()),
            events,
        };
        router.route(&message, now).await.unwrap();
    }
}
