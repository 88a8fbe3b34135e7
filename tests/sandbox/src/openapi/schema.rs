//! OpenAPI 3.0 schemas made into JSON Schema: references put in place, `allOf` merged, `nullable` spelled out.

use serde_json::{Map, Value, json};

/// Requests are read strictly: what a schema does not name is refused, unless it says `additionalProperties: true`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Request,
    Answer,
}

const KEPT: [&str; 11] = [
    "type",
    "enum",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "required",
    "uniqueItems",
];
const CHECKED_FORMATS: [&str; 4] = ["date", "date-time", "uri", "uuid"];

pub(crate) fn normalize(schema: &Value, root: &Value, mode: Mode) -> Value {
    let schema = resolve(schema, root);
    let mut out = Map::new();
    for key in KEPT {
        if let Some(value) = schema.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && CHECKED_FORMATS.contains(&format)
    {
        out.insert("format".to_owned(), json!(format));
    }
    if let Some(items) = schema.get("items") {
        out.insert("items".to_owned(), normalize(items, root, mode));
    }
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        let parts: Vec<Value> = parts.iter().map(|part| normalize(part, root, mode)).collect();
        out.insert("anyOf".to_owned(), Value::Array(parts));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let properties = properties.iter().map(|(name, part)| (name.clone(), normalize(part, root, mode))).collect();
        out.insert("properties".to_owned(), Value::Object(properties));
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(allowed)) => drop(out.insert("additionalProperties".to_owned(), json!(allowed))),
        Some(part) => drop(out.insert("additionalProperties".to_owned(), normalize(part, root, mode))),
        None => {}
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        merge(&mut out, normalize_open(part, root, mode));
    }
    if mode == Mode::Request && out.contains_key("properties") {
        out.entry("additionalProperties").or_insert(json!(false));
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        admit_null(&mut out);
    }
    Value::Object(out)
}

/// A part of an `allOf` must not close the object before its siblings are merged in.
fn normalize_open(part: &Value, root: &Value, mode: Mode) -> Map<String, Value> {
    let source = resolve(part, root);
    let says = source.get("additionalProperties").is_some() || source.get("allOf").is_some();
    match normalize(part, root, mode) {
        Value::Object(mut object) => {
            if !says {
                object.remove("additionalProperties");
            }
            object
        }
        _ => Map::new(),
    }
}

fn merge(into: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        match (key.as_str(), into.get_mut(&key), value) {
            ("properties", Some(Value::Object(have)), Value::Object(more)) => have.extend(more),
            ("required", Some(Value::Array(have)), Value::Array(more)) => have.extend(more),
            ("additionalProperties", Some(have), value) if have == &Value::Bool(false) => *have = value,
            (_, Some(_), _) => {}
            (_, None, value) => drop(into.insert(key, value)),
        }
    }
}

fn admit_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}

/// Follows `$ref` within the document. A dangling one is an empty schema, which `Document::parse` refuses to load.
pub(crate) fn resolve<'a>(mut value: &'a Value, root: &'a Value) -> &'a Value {
    while let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        match reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
            Some(target) => value = target,
            None => return &Value::Null,
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_parts_stay_strict_together() {
        let root = json!({"s": {"type": "object", "properties": {"a": {"type": "string"}}}});
        let schema = json!({"allOf": [{"$ref": "#/s"}, {"type": "object", "required": ["b"], "properties": {"b": {"type": "integer"}}}]});
        let out = normalize(&schema, &root, Mode::Request);
        assert_eq!(out["additionalProperties"], json!(false));
        let check = jsonschema::draft7::new(&out).expect("schema");
        assert!(check.is_valid(&json!({"a": "x", "b": 1})));
        assert!(!check.is_valid(&json!({"a": "x", "b": 1, "c": 2})));
        assert!(!check.is_valid(&json!({"a": "x"})));
    }

    #[test]
    fn an_open_part_opens_the_whole() {
        let schema = json!({"allOf": [
            {"type": "object", "additionalProperties": true, "properties": {}},
            {"type": "object", "properties": {"b": {"type": "integer"}}}]});
        let out = normalize(&schema, &Value::Null, Mode::Request);
        assert_eq!(out["additionalProperties"], json!(true));
    }

    #[test]
    fn nullable_is_spelled_out() {
        let out = normalize(&json!({"type": "string", "nullable": true, "enum": ["a"]}), &Value::Null, Mode::Answer);
        assert_eq!(out, json!({"type": ["string", "null"], "enum": ["a", null]}));
    }
}
