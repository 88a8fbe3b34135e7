//! The contract as a document: finds the operation of a request and checks path, query and body against it.
//!
//! Schemas are checked by `jsonschema`; `schema` turns OpenAPI's dialect into JSON Schema first. Requests are read
//! strictly, so that a misspelt member shows at once instead of being ignored.

mod request;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;
use thiserror::Error;

pub(crate) use request::{Incoming, Place, Problem, Valid, check, date_range};
use schema::{Mode, normalize, resolve};

#[derive(Debug, Error)]
pub enum DocumentError {
    #[error("the document is not YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    #[error("{operation}: a schema is not usable: {detail}")]
    Schema { operation: String, detail: String },
    #[error("{0}: the document lacks this part")]
    Missing(String),
}

pub(crate) struct Document {
    routes: Vec<Route>,
}

struct Route {
    method: String,
    segments: Vec<Segment>,
    operation: Arc<Operation>,
}

enum Segment {
    Literal(String),
    Parameter(String),
}

pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) tag: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body_required: bool,
    /// By media type.
    pub(crate) bodies: BTreeMap<String, Body>,
    /// By status; `default` stands under "default".
    answers: BTreeMap<String, Option<Validator>>,
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) validator: Validator,
    /// `a...b` in ISO 8601, which no schema keyword expresses.
    pub(crate) date_range: bool,
    /// Several values stand in one, with commas between them.
    pub(crate) commas: bool,
}

pub(crate) struct Body {
    pub(crate) schema: Value,
    pub(crate) validator: Validator,
}

/// A request's operation with what stands in the template's places.
pub(crate) struct Found {
    pub(crate) operation: Arc<Operation>,
    pub(crate) path: Vec<(String, String)>,
}

impl Document {
    /// Several texts make one document; each resolves its references within itself.
    pub(crate) fn parse(texts: &[&str]) -> Result<Self, DocumentError> {
        let mut routes = Vec::new();
        for text in texts {
            let root: Value = serde_yaml_ng::from_str(text)?;
            let paths = root.get("paths").and_then(Value::as_object).ok_or_else(|| missing("paths"))?;
            for (template, item) in paths {
                for method in ["get", "post", "patch", "put", "delete"] {
                    if let Some(operation) = item.get(method) {
                        routes.push(Route {
                            method: method.to_ascii_uppercase(),
                            segments: segments(template),
                            operation: Arc::new(read_operation(operation, item, &root)?),
                        });
                    }
                }
            }
        }
        Ok(Self { routes })
    }

    /// The most literal template wins, so `/incidents/injuries` is not an incident's id.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Found> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fitting = self.routes.iter().filter(|route| route.method == method && route.fits(&parts));
        let route = fitting.min_by_key(|route| route.parameter_places())?;
        Some(Found { operation: Arc::clone(&route.operation), path: route.values(&parts) })
    }

    #[cfg(test)]
    pub(crate) fn operation_ids(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| route.operation.id.as_str())
    }
}

impl Route {
    fn fits(&self, parts: &[&str]) -> bool {
        self.segments.len() == parts.len()
            && self.segments.iter().zip(parts).all(|(segment, part)| match segment {
                Segment::Literal(text) => text == part,
                Segment::Parameter(_) => !part.is_empty(),
            })
    }

    /// Where parameters stand, counted so that an earlier literal weighs more.
    fn parameter_places(&self) -> u64 {
        self.segments.iter().fold(0, |sum, segment| sum * 2 + u64::from(matches!(segment, Segment::Parameter(_))))
    }

    fn values(&self, parts: &[&str]) -> Vec<(String, String)> {
        let pairs = self.segments.iter().zip(parts).filter_map(|(segment, part)| match segment {
            Segment::Parameter(name) => Some((name.clone(), (*part).to_owned())),
            Segment::Literal(_) => None,
        });
        pairs.collect()
    }
}

impl Operation {
    /// Why an answer of ours is not what the document promises, if it is not.
    pub(crate) fn answer_problem(&self, status: u16, body: Option<&Value>) -> Option<String> {
        let Some(validator) = self.answers.get(&status.to_string()).or_else(|| self.answers.get("default")) else {
            return Some(format!("{}: status {status} is not in the document", self.id));
        };
        let (Some(validator), Some(body)) = (validator, body) else { return None };
        let error = validator.iter_errors(body).next()?;
        Some(format!("{}: {status} at {}: {error}", self.id, error.instance_path()))
    }
}

fn segments(template: &str) -> Vec<Segment> {
    let parts = template.trim_matches('/').split('/').map(|part| {
        match part.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.to_owned()),
            None => Segment::Literal(part.to_owned()),
        }
    });
    parts.collect()
}

fn read_operation(operation: &Value, item: &Value, root: &Value) -> Result<Operation, DocumentError> {
    let id = operation.get("operationId").and_then(Value::as_str).ok_or_else(|| missing("operationId"))?;
    let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut parameters = Vec::new();
    for parameter in [operation, item].into_iter().filter_map(|of| of.get("parameters")?.as_array()).flatten() {
        parameters.push(read_parameter(id, resolve(parameter, root), root)?);
    }
    let mut bodies = BTreeMap::new();
    let body = operation.get("requestBody").map(|body| resolve(body, root));
    for (media, content) in body.and_then(|body| body.get("content")).and_then(Value::as_object).into_iter().flatten() {
        let schema = normalize(content.get("schema").ok_or_else(|| missing(id))?, root, Mode::Request);
        bodies.insert(media.clone(), Body { validator: compile(id, &schema)?, schema });
    }
    let mut answers = BTreeMap::new();
    for (status, answer) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        let schema = resolve(answer, root).pointer("/content/application~1json/schema");
        let validator = schema.map(|schema| compile(id, &normalize(schema, root, Mode::Answer))).transpose()?;
        answers.insert(status.clone(), validator);
    }
    let body_required = body.and_then(|body| body.get("required")) == Some(&Value::Bool(true));
    Ok(Operation { id: id.to_owned(), tag, parameters, body_required, bodies, answers })
}

fn read_parameter(id: &str, parameter: &Value, root: &Value) -> Result<Parameter, DocumentError> {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str);
    let place = match text("in") {
        Some("path") => Place::Path,
        Some("query") => Place::Query,
        Some("header") => Place::Header,
        _ => return Err(missing(id)),
    };
    let source = parameter.get("schema").ok_or_else(|| missing(id))?;
    let schema = normalize(source, root, Mode::Request);
    Ok(Parameter {
        name: text("name").ok_or_else(|| missing(id))?.to_owned(),
        place,
        required: parameter.get("required") == Some(&Value::Bool(true)),
        validator: compile(id, &schema)?,
        schema,
        commas: parameter.get("explode") == Some(&Value::Bool(false)),
        date_range: source.get("$ref").and_then(Value::as_str).is_some_and(|name| name.ends_with("/DateRange")),
    })
}

fn compile(id: &str, schema: &Value) -> Result<Validator, DocumentError> {
    jsonschema::draft7::options()
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| DocumentError::Schema { operation: id.to_owned(), detail: error.to_string() })
}

fn missing(part: &str) -> DocumentError {
    DocumentError::Missing(part.to_owned())
}
