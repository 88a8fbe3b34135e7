//! Schemas: of parameters, what a caller's tools can check before they ask; of bodies and answers, from types.
use crate::facts::view;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AllOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};

/// The document's own, by name.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// A type's, which with all that it names then stands among the document's.
pub fn of<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let mut named = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut named);
    schemas.extend(named);
    Ref::from_schema_name(T::name()).into()
}

/// What an edge told, and what is added here.
pub fn fact<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let parts = AllOfBuilder::new().item(of::<T>(schemas)).item(of::<view::View>(schemas));
    RefOr::T(parts.into())
}

/// Of a path's, query's or header's parameter.
pub fn parameter(operation: &str, name: &str) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let whole = |least: u64, most: u64| {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least)).maximum(Some(most))
    };
    let time = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
    let one_of = |words: &[&str]| ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.to_vec()));
    match name {
        "limit" => whole(1, 500),
        "min_priority" => whole(1, 5),
        "date" => time(KnownFormat::Date),
        "from" | "to" if operation == "getTrend" => time(KnownFormat::Date),
        "from" | "to" => time(KnownFormat::DateTime),
        "by" => one_of(&["day", "shift", "zone", "kind"]),
        "state" => one_of(&["pending", "synced", "blocked", "failed"]),
        "send" => one_of(&["true", "false"]),
        "Idempotency-Key" => text.min_length(Some(1)).max_length(Some(255)).pattern(Some("^[ -~]+$")),
        "cursor" | "kind" | "zone_id" | "organization_id" | "site_id" => text.min_length(Some(1)),
        _ => text,
    }
}
