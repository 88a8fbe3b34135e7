//! One request against its operation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{Found, Operation, Parameter};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// What a request gets wrong.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    /// The parameter's name, or the body's member with its parents.
    pub(crate) name: String,
    pub(crate) detail: String,
}

impl Problem {
    fn new(place: Place, name: &str, detail: impl Into<String>) -> Self {
        Self { place, name: name.to_owned(), detail: detail.into() }
    }
}

/// A body before its check.
pub(crate) enum Incoming {
    None,
    Json(Value),
    /// Form fields in their order, names with brackets.
    Fields {
        media: &'static str,
        fields: Vec<(String, String)>,
    },
    /// Not readable as what it says it is, or of a kind that the document does not name.
    Unreadable(String),
}

impl Incoming {
    /// Passes over members that the caller may give although the document does not name them.
    pub(crate) fn without(self, names: &[&str]) -> Self {
        match self {
            Self::Json(Value::Object(mut members)) => {
                members.retain(|name, _| !names.contains(&name.as_str()));
                Self::Json(Value::Object(members))
            }
            Self::Fields { media, mut fields } => {
                fields.retain(|(name, _)| !names.contains(&name.as_str()));
                Self::Fields { media, fields }
            }
            other => other,
        }
    }
}

/// A request in the document's terms: typed parameters and the body as JSON.
#[derive(Debug, Default)]
pub(crate) struct Valid {
    pub(crate) path: BTreeMap<String, Value>,
    pub(crate) query: BTreeMap<String, Value>,
    pub(crate) body: Value,
}

pub(crate) fn check(found: &Found, query: &[(String, String)], body: Incoming) -> Result<Valid, Problem> {
    let operation = &found.operation;
    let mut valid = Valid::default();
    for (name, text) in &found.path {
        let parameter = parameter(operation, Place::Path, name)
            .ok_or_else(|| Problem::new(Place::Path, name, "the document does not describe it"))?;
        valid.path.insert(name.clone(), typed(parameter, json!(text))?);
    }
    valid.query = check_query(operation, query)?;
    valid.body = check_body(operation, body)?;
    Ok(valid)
}

fn parameter<'a>(operation: &'a Operation, place: Place, name: &str) -> Option<&'a Parameter> {
    operation.parameters.iter().find(|parameter| parameter.place == place && parameter.name == name)
}

fn check_query(operation: &Operation, pairs: &[(String, String)]) -> Result<BTreeMap<String, Value>, Problem> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, text) in pairs {
        let known = parameter(operation, Place::Query, name)
            .or_else(|| name.strip_suffix("[]").and_then(|bare| parameter(operation, Place::Query, bare)))
            .ok_or_else(|| Problem::new(Place::Query, name, "unknown parameter"))?;
        if !is_array(&known.schema) && name != &known.name {
            return Err(Problem::new(Place::Query, name, "takes one value, not a list"));
        }
        let values = found.entry(known.name.clone()).or_default();
        if known.commas && is_array(&known.schema) {
            values.extend(text.split(',').map(|text| json!(text)));
        } else {
            values.push(json!(text));
        }
    }
    let mut query = BTreeMap::new();
    for known in operation.parameters.iter().filter(|known| known.place == Place::Query) {
        let Some(mut values) = found.remove(&known.name) else {
            if known.required {
                return Err(Problem::new(Place::Query, &known.name, "is missing"));
            }
            continue;
        };
        let value = if is_array(&known.schema) {
            Value::Array(values)
        } else if values.len() == 1 {
            values.remove(0)
        } else {
            return Err(Problem::new(Place::Query, &known.name, "stands there more than once"));
        };
        query.insert(known.name.clone(), typed(known, value)?);
    }
    Ok(query)
}

fn typed(parameter: &Parameter, text: Value) -> Result<Value, Problem> {
    let value = coerce(text, &parameter.schema);
    if let Some(error) = parameter.validator.iter_errors(&value).next() {
        return Err(Problem::new(parameter.place, &parameter.name, error.to_string()));
    }
    if parameter.date_range && value.as_str().and_then(date_range).is_none() {
        return Err(Problem::new(parameter.place, &parameter.name, "is not a range a...b of ISO 8601 times"));
    }
    Ok(value)
}

fn check_body(operation: &Operation, incoming: Incoming) -> Result<Value, Problem> {
    if operation.bodies.is_empty() {
        return match incoming {
            Incoming::None => Ok(Value::Null),
            Incoming::Json(Value::Object(members)) if members.is_empty() => Ok(Value::Null),
            _ => Err(Problem::new(Place::Body, "", "this operation takes no body")),
        };
    }
    let (media, value) = match incoming {
        Incoming::None if operation.body_required => return Err(Problem::new(Place::Body, "", "the body is missing")),
        Incoming::None => return Ok(Value::Null),
        Incoming::Unreadable(reason) => return Err(Problem::new(Place::Body, "", reason)),
        Incoming::Json(value) => ("application/json", value),
        Incoming::Fields { media, fields } => (media, nest(fields)),
    };
    let Some(body) = operation.bodies.get(media) else {
        return Err(Problem::new(Place::Body, "", format!("{media} is not taken here")));
    };
    let value = if media == "application/json" { value } else { coerce(value, &body.schema) };
    let problem = body.validator.iter_errors(&value).next().map(|error| {
        let name = error.instance_path().to_string();
        Problem::new(Place::Body, name.trim_start_matches('/'), error.to_string())
    });
    problem.map_or(Ok(value), Err)
}

/// Texts of a query or form become what the schema asks for; what does not fit stays text and fails the check.
fn coerce(value: Value, schema: &Value) -> Value {
    let kind = |name: &str| match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    };
    match value {
        Value::String(text) if kind("integer") => text.parse::<i64>().map_or(Value::String(text), Value::from),
        Value::String(text) if kind("boolean") => text.parse::<bool>().map_or(Value::String(text), Value::from),
        Value::Array(values) => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(values.into_iter().map(|value| coerce(value, items)).collect())
        }
        Value::Object(members) => {
            let of = |name: &str| schema.get("properties").and_then(|known| known.get(name)).unwrap_or(&Value::Null);
            Value::Object(members.into_iter().map(|(name, value)| (name.clone(), coerce(value, of(&name)))).collect())
        }
        other => other,
    }
}

/// `observation[name]=x` and `ids[]=1` as nested JSON.
fn nest(fields: Vec<(String, String)>) -> Value {
    let mut root = Map::new();
    for (name, text) in fields {
        let (head, rest) = name.split_once('[').map_or((name.as_str(), ""), |(head, rest)| (head, rest));
        let keys: Vec<&str> =
            rest.split('[').filter(|key| !key.is_empty()).map(|key| key.trim_end_matches(']')).collect();
        insert(root.entry(head).or_insert(Value::Null), &keys, text);
    }
    Value::Object(root)
}

fn insert(slot: &mut Value, keys: &[&str], text: String) {
    match keys.split_first() {
        None => *slot = Value::String(text),
        Some((&"", _)) => match slot {
            Value::Array(values) => values.push(Value::String(text)),
            _ => *slot = json!([text]),
        },
        Some((key, rest)) => {
            if !slot.is_object() {
                *slot = json!({});
            }
            if let Value::Object(members) = slot {
                insert(members.entry(*key).or_insert(Value::Null), rest, text);
            }
        }
    }
}

fn is_array(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("array"))
}

/// Both ends count. A bare date stands for its first or last instant in UTC.
pub(crate) fn date_range(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (from, to) = text.trim_matches('"').split_once("...")?;
    Some((instant(from, "T00:00:00Z")?, instant(to, "T23:59:59Z")?))
}

fn instant(text: &str, day_time: &str) -> Option<Timestamp> {
    match text.parse::<Timestamp>() {
        Ok(at) => Some(at),
        Err(_) => format!("{}{day_time}", text.parse::<Date>().ok()?).parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_nest() {
        let fields =
            [("project_id", "7"), ("observation[name]", "x"), ("observation[ids][]", "1"), ("observation[ids][]", "2")];
        let fields = fields.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
        assert_eq!(nest(fields), json!({"project_id": "7", "observation": {"name": "x", "ids": ["1", "2"]}}));
    }

    #[test]
    fn a_single_instant_is_no_range() {
        assert!(date_range("2026-05-01T00:00:00Z").is_none());
        assert!(date_range("\"2026-05-01T00:00:00Z...2026-05-02T00:00:00Z\"").is_some());
        assert!(date_range("2026-05-01...2026-05-02").is_some());
    }
}
