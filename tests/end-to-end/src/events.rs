//! CloudEvents as an edge makes them.
use crate::tenant::Tenant;
use serde_json::{Value, json};

pub const AT: &str = "2026-11-24T16:00:00Z";

/// The n-th fact's id.
pub fn id(n: u128) -> String {
    ulid::Ulid::from_parts(1_790_000_000_000, n).to_string()
}

fn event(tenant: &Tenant, kind: &str, data: Value) -> Value {
    static EVENTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let n = EVENTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    json!({
        "specversion": "1.0", "id": format!("evt-{n}"), "source": format!("/edges/{}", tenant.edge),
        "subject": tenant.site, "time": AT, "type": format!("com.hardhatpulse.{kind}.v1"), "data": data,
    })
}

fn worker() -> Value {
    json!({"worker_id": "W-4711", "role": "Rigger", "trade": "Ironwork"})
}

pub fn zone(tenant: &Tenant) -> Value {
    event(
        tenant,
        "zone.configured",
        json!({"zone_id": "crane-2", "revision": 1, "name": "Crane 2", "kind": "crane", "required_ppe": ["hard_hat"],
               "active": true, "location_path": ["Building A", "Crane 2"]}),
    )
}

pub fn detection(tenant: &Tenant, n: u128) -> Value {
    event(
        tenant,
        "detection.recorded",
        json!({"detection_id": id(n), "detected_at": AT, "kind": "zone_breach", "priority": 4, "zone_id": "crane-2",
               "camera_id": "cam-7", "worker": worker(), "frame": {"captured_at": AT, "index": 12}}),
    )
}

pub fn incident(tenant: &Tenant, n: u128, revision: u64, detections: &[u128]) -> Value {
    let kind = if revision == 1 { "incident.confirmed" } else { "incident.updated" };
    let detection_ids: Vec<String> = detections.iter().map(|n| id(*n)).collect();
    event(
        tenant,
        kind,
        json!({"incident_id": id(n), "revision": revision, "occurred_at": AT, "confirmed_at": AT, "recordable": true,
               "incident_type": "struck_by", "classification": "injury",
               "osha_log": {"year": 2026, "case_number": format!("2026-{revision:03}")}, "zone_id": "crane-2",
               "worker": worker(), "detection_ids": detection_ids}),
    )
}

pub fn retraction(tenant: &Tenant, n: u128, revision: u64) -> Value {
    let data = json!({"incident_id": id(n), "revision": revision, "reason": "Entered twice"});
    event(tenant, "incident.retracted", data)
}
