//! What a body has, member by member, in words: from its schema.
use super::prose;
use maud::{Markup, html};
use serde_json::Value;

/// Objects within objects are followed so far.
const DEEPEST: usize = 3;

/// The members of an object; of one of several, each with its own.
pub fn of(document: &Value, schema: &Value) -> Markup {
    let schema = found(document, schema);
    let several = schema["oneOf"].as_array().filter(|each| each.iter().all(|one| has_members(document, one)));
    html! {
        @match several {
            Some(each) => { @for one in each { (of(document, one)) } },
            None => (list(document, schema, DEEPEST)),
        }
    }
}

fn list(document: &Value, schema: &Value, deeper: usize) -> Markup {
    let required = |name: &str| schema["required"].as_array().into_iter().flatten().any(|each| each == name);
    html! { @if let Some(members) = schema["properties"].as_object().filter(|members| !members.is_empty()) {
        dl { @for (name, member) in members {
            dt { code { (name) } " " small { @if required(name) { "required" } @else { "optional" } } }
            dd {
                (prose(&kind(document, member)))
                @if let Some(words) = words(document, member) { ". " (prose(words)) }
                @if let Some(inner) = inner(document, member).filter(|_| deeper > 0) { (list(document, inner, deeper - 1)) }
            }
        } }
    } }
}

/// A schema, or the one that it names.
fn found<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let named = schema["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    named.unwrap_or(schema)
}

fn has_members(document: &Value, schema: &Value) -> bool {
    found(document, schema)["properties"].is_object()
}

/// What it may be, apart from null.
fn choices<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = found(document, schema);
    match schema["oneOf"].as_array() {
        Some(each) => each.iter().filter(|one| one["type"] != "null").flat_map(|one| choices(document, one)).collect(),
        None => vec![schema],
    }
}

fn words<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a str> {
    let within = || schema["oneOf"].as_array()?.iter().find_map(|one| words(document, one));
    schema["description"].as_str().or_else(|| found(document, schema)["description"].as_str()).or_else(within)
}

/// The object in a member, or in its list.
fn inner<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let of = |one: &'a Value| found(document, one.get("items").unwrap_or(one));
    choices(document, schema).into_iter().map(of).find(|one| one["properties"].is_object())
}

fn kind(document: &Value, schema: &Value) -> String {
    let kinds: Vec<String> = choices(document, schema).into_iter().map(|one| simple(document, one)).collect();
    kinds.join(", or ")
}

fn simple(document: &Value, schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().filter_map(Value::as_str).map(|value| format!("`{value}`")).collect();
        return values.join(", ");
    }
    let of = |name: &str| {
        schema["type"] == name || schema["type"].as_array().is_some_and(|all| all.iter().any(|t| t == name))
    };
    let bounds = |least: &str, most: &str| match (schema[least].as_f64(), schema[most].as_f64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least > 0.0 => format!(", {least} or more"),
        (None, Some(most)) => format!(", {most} at most"),
        _ => String::new(),
    };
    let format = schema["format"].as_str();
    match () {
        () if of("array") => {
            format!("list of: {}{}", kind(document, &schema["items"]), bounds("minItems", "maxItems"))
        }
        () if of("boolean") => "true or false".to_owned(),
        () if of("integer") => format!("whole number{}", bounds("minimum", "maximum")),
        () if of("number") => format!("number{}", bounds("minimum", "maximum")),
        () if of("string") && format == Some("date-time") => "time (RFC 3339)".to_owned(),
        () if of("string") && format == Some("date") => "date (YYYY-MM-DD)".to_owned(),
        () if of("string") => format!("text{}", bounds("minLength", "maxLength")),
        () => "object".to_owned(),
    }
}
