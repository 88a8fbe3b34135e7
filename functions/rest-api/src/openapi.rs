//! The OpenAPI 3.1 document, built from the table of routes: a route that [`operations`] says nothing of fails a test.
mod messages;
mod operations;
mod requests;
mod schema;
mod webhooks;

use crate::retiring;
use crate::routes::ROUTES;
use operations::{Says, Shown, says};
use schema::Schemas;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Deprecated, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, Response,
    ResponseBuilder,
};

const ABOUT: &str = "Reads the facts of your sites, and sets up where they go. Lists are in the order of arrival; a kept \
    `next_cursor` never expires and later gives what has arrived since. Refusals are `application/problem+json`.";

/// Refusals that an operation may answer with, beside its own.
const REFUSALS: [(&str, &str); 8] = [
    ("401", "No valid key"),
    ("403", "The key may not do this: `detail` names the scope that it lacks"),
    ("404", "It does not exist for this key"),
    ("405", "An id is not one, so that the path is another, which does not know the method"),
    ("422", "Some values are not valid: `errors` names each"),
    ("429", "Too many requests: `Retry-After` says when to come again"),
    ("500", "An error on our side, logged under the request id"),
    ("503", "Not available at the moment: `Retry-After` says when to come again"),
];

/// Of an operation with a body.
const WITH_BODY: [(&str, &str); 3] = [
    ("400", "The body is not JSON"),
    ("413", "The body is too large"),
    ("415", "`Content-Type` is not `application/json`"),
];
/// Of one that changes what exists.
const CONDITIONAL: [(&str, &str); 2] =
    [("412", "It was changed since: read it again"), ("428", "`If-Match` with the ETag that you last read is needed")];

/// All of it: what can be asked of us, and what we send to receivers.
pub fn document() -> Value {
    let mut document = serde_json::to_value(asked()).unwrap_or_default();
    document["webhooks"] = messages::webhooks();
    document
}

fn asked() -> OpenApi {
    let (mut paths, mut schemas) = (Paths::new(), Schemas::from([("Problem".to_owned(), RefOr::T(problem()))]));
    for (method_name, path) in ROUTES {
        if let (Some(says), Some(method)) = (says(method_name, path), http_method(method_name)) {
            paths.add_path_operation(*path, vec![method], operation(method_name, path, &says, &mut schemas));
        }
    }
    let key =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`hhp_…`, shown once when it is made"));
    let mut components = Components::new();
    components.add_security_scheme("key", SecurityScheme::Http(key.build()));
    components.schemas = schemas;
    let info = InfoBuilder::new().title("HardHat Pulse").version("1").description(Some(ABOUT)).build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

fn http_method(method: &str) -> Option<HttpMethod> {
    match method {
        "get" => Some(HttpMethod::Get),
        "post" => Some(HttpMethod::Post),
        "put" => Some(HttpMethod::Put),
        "patch" => Some(HttpMethod::Patch),
        "delete" => Some(HttpMethod::Delete),
        _ => None,
    }
}

fn operation(method: &str, path: &str, says: &Says, schemas: &mut Schemas) -> Operation {
    let deprecated = retiring::of(retiring::RETIRING, method, path).map(|_| Deprecated::True);
    let mut operation = OperationBuilder::new()
        .deprecated(deprecated)
        .summary(Some(says.summary))
        .description(Some(says.description))
        .operation_id(Some(says.id))
        .tag(says.tag)
        .security(SecurityRequirement::new("key", Vec::<String>::new()))
        .request_body(says.body.map(|shown| body(shown, schemas)))
        .response(says.status, answer(says, schemas));
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        operation = operation.parameter(parameter(says.id, name, ParameterIn::Path, ""));
    }
    for name in says.query {
        operation = operation.parameter(parameter(says.id, name, ParameterIn::Query, operations::query(says.id, name)));
    }
    for name in says.headers {
        operation = operation.parameter(parameter(says.id, name, ParameterIn::Header, operations::header(name)));
    }
    let unacceptable = says.headers.contains(&"Accept").then_some(("406", "`Accept` takes none of what there is"));
    let with_body = says.body.is_some().then_some(WITH_BODY).into_iter().flatten();
    let conditional = says.headers.contains(&"If-Match").then_some(CONDITIONAL).into_iter().flatten();
    let repeatable = says.headers.contains(&"Idempotency-Key") || says.headers.contains(&"If-Match");
    let conflict = repeatable.then_some(("409", "Not as things stand, or the same `Idempotency-Key` is under way"));
    let refusals = REFUSALS.into_iter().chain(unacceptable).chain(with_body).chain(conditional).chain(conflict);
    if says.id == "mapProject" {
        operation = operation.response("201", answer(says, schemas));
    }
    if says.headers.contains(&"If-None-Match") {
        let unchanged = ResponseBuilder::new().description("Unchanged since the ETag that you named; there is no body");
        operation = operation.response("304", unchanged.build());
    }
    for (status, words) in refusals {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let refusal = ResponseBuilder::new().description(words).content("application/problem+json", content);
        operation = operation.response(status, refusal.build());
    }
    operation.build()
}

fn parameter(operation: &str, name: &str, place: ParameterIn, words: &str) -> Parameter {
    let required = if matches!(place, ParameterIn::Path) { Required::True } else { Required::False };
    let words = (!words.is_empty()).then_some(words);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(words)
        .schema(Some(schema::parameter(operation, name)))
        .build()
}

fn example(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn body(shown: Shown, schemas: &mut Schemas) -> RequestBody {
    let content = ContentBuilder::new().schema(Some((shown.schema)(schemas))).example(example(shown.example)).build();
    RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
}

fn answer(says: &Says, schemas: &mut Schemas) -> Response {
    let answer = ResponseBuilder::new().description(says.answers);
    let Some(shown) = says.answer else { return answer.build() };
    let (schema, example) = ((shown.schema)(schemas), example(shown.example));
    let (schema, example) = match says.list {
        true => {
            let page = ObjectBuilder::new()
                .property("data", ArrayBuilder::new().items(schema))
                .property("next_cursor", ObjectBuilder::new().schema_type(Type::String))
                .property("has_more", ObjectBuilder::new().schema_type(Type::Boolean));
            let page = ["data", "next_cursor", "has_more"].into_iter().fold(page, ObjectBuilder::required);
            let shown = json!({"data": [example], "next_cursor": "ZjM0YTliMjE3NmMwOGQ1ZTQyLjA", "has_more": false});
            (RefOr::T(page.into()), shown)
        }
        false => (schema, json!(example)),
    };
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    let answer = answer.content("application/json", content);
    let Some(csv) = says.csv else { return answer.build() };
    let text = ObjectBuilder::new().schema_type(Type::String);
    answer.content("text/csv", ContentBuilder::new().schema(Some(text)).example(Some(csv.into())).build()).build()
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

fn problem() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let error = object().property("pointer", text()).property("parameter", text()).property("detail", text());
    let problem = object()
        .property("type", text())
        .property("title", text())
        .property("status", ObjectBuilder::new().schema_type(Type::Integer))
        .property("detail", text())
        .property("request_id", text())
        .property("errors", ArrayBuilder::new().items(error));
    let required = ["type", "title", "status", "detail", "request_id", "errors"]
        .into_iter()
        .fold(problem, ObjectBuilder::required);
    required.into()
}
