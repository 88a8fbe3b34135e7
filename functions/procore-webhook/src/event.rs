//! What Procore announces, in any of its payload versions: v2.0 and v3.0 with numbers, v4.0 with texts. Only what was changed is
//! told, never how.
use hook_function::{Announced, id};
use serde_json::Value;

/// `None`: not JSON, or not an object. Of what is no incident, no record is told: nothing else is read back by events.
pub fn read(body: &[u8]) -> Option<Announced> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let members = value.as_object()?;
    let metadata = members.get("metadata").unwrap_or(&Value::Null);
    let get = |name: &str| members.get(name).and_then(id);
    // Members of the metadata that repeat the outer ones may be null.
    let either = |name: &str, source: &str| get(name).or_else(|| metadata.get(source).and_then(id));
    let resource = get("resource_type").or_else(|| get("resource_name"));
    Some(Announced {
        delivery: get("ulid").or_else(|| get("id")),
        record: get("resource_id").filter(|_| resource.is_some_and(|resource| is_incident(&resource))),
        project_id: either("project_id", "source_project_id"),
        user_id: either("user_id", "source_user_id"),
        updated_at: None,
    })
}

/// However the version spells it.
fn is_incident(resource: &str) -> bool {
    let bare = resource.to_ascii_lowercase().replace([' ', '_'], "");
    matches!(bare.as_str(), "incidents" | "incident")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_read_the_same() {
        let v2 =
            br#"{"id": 5899999999999999999, "ulid": "01JDN3Z4WQ0000000000000001", "timestamp": "2026-11-24T16:00:00Z",
            "metadata": {"source_user_id": null, "source_project_id": null}, "user_id": 8600000001, "company_id": 1,
            "project_id": 562949953425831, "api_version": "v2", "event_type": "update", "resource_name": "Incidents",
            "resource_id": 9007199254740993}"#;
        let v4 = br#"{"id": "01JDN3Z4WQ0000000000000001", "timestamp": "2026-11-24T16:00:00Z", "reason": "update",
            "resource_type": "Incidents", "resource_id": "9007199254740993", "company_id": "1",
            "project_id": "562949953425831", "user_id": "8600000001", "data": {"may": "grow"}}"#;
        let event = read(v2).unwrap();
        assert_eq!(Some(&event), read(v4).as_ref());
        assert_eq!(event.record.as_deref(), Some("9007199254740993"));
    }

    #[test]
    fn an_id_of_nineteen_digits_stays_whole_and_metadata_fills_gaps() {
        let event =
            read(br#"{"id": 5899999999999999999, "metadata": {"source_user_id": 7}, "resource_name": "Locations"}"#);
        let event = event.unwrap();
        assert_eq!((event.delivery.as_deref(), event.user_id.as_deref()), (Some("5899999999999999999"), Some("7")));
        assert_eq!(event.record, None);
        assert_eq!(read(b"[1]"), None);
        assert_eq!(read(b"{"), None);
    }
}
