//! What Procore announces, in any of its payload versions: v2.0 and v3.0 with numbers, v4.0 with texts. Only what was changed is
//! told, never how.
use serde_json::Value;

/// The parts that we go by. Ids are texts: they exceed what a double keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Names the delivery, should it come twice.
    pub id: Option<String>,
    pub resource: Option<String>,
    pub resource_id: Option<String>,
    pub project_id: Option<String>,
    /// Who did it.
    pub user_id: Option<String>,
}

impl Event {
    /// `None`: not JSON, or not an object.
    pub fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let members = value.as_object()?;
        let metadata = members.get("metadata").unwrap_or(&Value::Null);
        let get = |name: &str| members.get(name).and_then(text);
        // Members of the metadata that repeat the outer ones may be null.
        let either = |name: &str, source: &str| get(name).or_else(|| metadata.get(source).and_then(text));
        Some(Self {
            id: get("ulid").or_else(|| get("id")),
            resource: get("resource_type").or_else(|| get("resource_name")),
            resource_id: get("resource_id"),
            project_id: either("project_id", "source_project_id"),
            user_id: either("user_id", "source_user_id"),
        })
    }

    /// Whether it speaks of an incident, however the version spells that.
    pub fn is_incident(&self) -> bool {
        let bare = |name: &String| name.to_ascii_lowercase().replace([' ', '_'], "");
        matches!(self.resource.as_ref().map(bare).as_deref(), Some("incidents" | "incident"))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= 100 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
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
        let event = Event::read(v2).unwrap();
        assert_eq!(Some(&event), Event::read(v4).as_ref());
        assert_eq!(event.resource_id.as_deref(), Some("9007199254740993"));
        assert!(event.is_incident());
    }

    #[test]
    fn an_id_of_nineteen_digits_stays_whole_and_metadata_fills_gaps() {
        let event = Event::read(
            br#"{"id": 5899999999999999999, "metadata": {"source_user_id": 7}, "resource_name": "Locations"}"#,
        );
        let event = event.unwrap();
        assert_eq!((event.id.as_deref(), event.user_id.as_deref()), (Some("5899999999999999999"), Some("7")));
        assert!(!event.is_incident());
        assert_eq!(Event::read(b"[1]"), None);
        assert_eq!(Event::read(b"{"), None);
    }
}
