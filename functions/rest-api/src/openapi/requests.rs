//! Bodies of requests, for the document: each member with its words, type and bounds. What a body means is read by the code of its
//! route, which refuses a member that it does not know; that both have the same members is tried by a test.
#![expect(dead_code, reason = "read by the derive of their schemas alone")]
use domain::autodesk::Region;
use domain::ids::{OrganizationId, SiteId};
use domain::settings::{Kinds, Shift};
use domain::treatment::FILING_TYPES;
use domain::webhook::{Format, Platform};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// As people read it, on one line.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// As people read it, on one line.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// IANA name, such as America/Chicago: the clock of the site's days and shifts.
    time_zone: String,
    /// None where left out. They may cross midnight and must not overlap.
    #[schema(max_items = 24)]
    shifts: Option<Vec<Shift>>,
}

/// What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteChange {
    /// As people read it, on one line.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// IANA name, such as America/Chicago: the clock of the site's days and shifts.
    #[schema(nullable = false)]
    time_zone: Option<String>,
    /// All of them: those not named are gone. They may cross midnight and must not overlap.
    #[schema(max_items = 24)]
    shifts: Option<Vec<Shift>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSummaryHour)]
pub struct SummaryHour {
    /// `HH:MM` on the site's clock.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    at: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEdge {
    /// As people read it, on one line.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Whose it is, as people read it, on one line.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may do.
    #[schema(min_items = 1, max_items = 4)]
    scopes: Vec<KeyScope>,
    /// The sites that it is for; left out or null: all of the organization, also later ones.
    #[schema(min_items = 1, max_items = 500)]
    site_ids: Option<Vec<SiteId>>,
    /// RFC 3339, in the future; left out or null: until it is revoked.
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize, ToSchema)]
pub enum KeyScope {
    #[serde(rename = "read")]
    Read,
    #[serde(rename = "treatment:write")]
    TreatmentWrite,
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
    #[serde(rename = "connections:write")]
    ConnectionsWrite,
}

/// Members that are named replace, null clears, what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TreatmentChange)]
pub struct Treatment {
    /// Your own id of the injury: letters, digits and signs without spaces. "1" where left out.
    #[schema(min_length = 1, max_length = 64)]
    remote_id: Option<String>,
    /// How the case stands, in the platform's or your own words; `death`, `days_away`,
    /// `job_transfer_or_restriction` and `other_recordable` count for the outcome (29 CFR 1904.7).
    #[schema(min_length = 1, max_length = 200)]
    disposition: Option<String>,
    #[schema(schema_with = filing_type)]
    filing_type: Option<String>,
    /// Where it was treated, as on OSHA's Form 301.
    #[schema(min_length = 1, max_length = 200)]
    treatment_facility: Option<String>,
    /// Who treated it, as on OSHA's Form 301.
    #[schema(min_length = 1, max_length = 200)]
    treatment_provider: Option<String>,
    /// Whether it was treated in an emergency room.
    treated_in_er: Option<bool>,
    /// Whether the person stayed in a hospital overnight as an in-patient.
    hospitalized_overnight: Option<bool>,
    /// Calendar days away from work, not capped: totals are, at 180 (29 CFR 1904.7(b)(3)(vii)).
    #[schema(maximum = 36_500)]
    days_away: Option<u32>,
    /// Calendar days of restricted work.
    #[schema(maximum = 36_500)]
    days_restricted: Option<u32>,
    /// Calendar days of transfer to another job.
    #[schema(maximum = 36_500)]
    days_transferred: Option<u32>,
    date_returned_to_work: Option<Date>,
    date_of_death: Option<Date>,
    /// What happened, free text. No person's name: there is no field for one.
    #[schema(min_length = 1, max_length = 2_000)]
    description: Option<String>,
}

fn filing_type() -> Object {
    let names = FILING_TYPES.iter().map(|(name, _)| json!(name)).chain([json!(null)]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(names))
        .description(Some("How it is filed, in Procore's words."))
        .build()
}

/// A Procore company, or an Autodesk account.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum NewConnection {
    Procore(ProcoreCompany),
    Autodesk(AutodeskAccount),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcoreCompany {
    organization_id: OrganizationId,
    provider: ProcoreWord,
    /// The company's id at Procore.
    company_id: CompanyId,
}

#[derive(Deserialize, ToSchema)]
pub enum ProcoreWord {
    #[serde(rename = "procore")]
    Procore,
}

/// A whole number, or its digits as text.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CompanyId {
    Number(u64),
    Digits(String),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutodeskAccount {
    organization_id: OrganizationId,
    provider: AccWord,
    /// The account's id at Autodesk, such as 5a0db0c5-0000-4000-8000-000000000001.
    account_id: String,
    region: Region,
    /// The account's own; left out: ours of that region, whose e-mail the answer names, to be invited to the projects.
    service_account: Option<OwnServiceAccount>,
}

#[derive(Deserialize, ToSchema)]
pub enum AccWord {
    #[serde(rename = "acc")]
    Acc,
}

/// A Secure Service Account of the customer's. Its key is kept sealed and never shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnServiceAccount {
    id: String,
    key_id: String,
    /// RSA, as PEM.
    private_key: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictChoice {
    r#use: Use,
}

/// `ours`: our value is sent over the one that was shown. `theirs`: that one stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    Ours,
    Theirs,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// With the operator key: whose it is.
    organization_id: Option<OrganizationId>,
    /// Decides what stands ready-made under `ready` in each message; `own`: nothing.
    platform: Platform,
    /// As people read it, on one line.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// https, to a public host. Kept sealed.
    url: String,
    /// Sent as `Authorization: Bearer`: letters, digits and signs without blanks. Kept sealed.
    #[schema(min_length = 1, max_length = 2_048)]
    token: Option<String>,
    /// The sites that it is for; left out or null: all that the key is for, also later ones.
    #[schema(min_items = 1, max_items = 500)]
    site_ids: Option<Vec<SiteId>>,
    /// Detections from this priority on: 3 where left out. Incidents are always sent.
    #[schema(minimum = 1, maximum = 5)]
    min_priority: Option<u8>,
    /// `all` (where left out), or a list of detection kinds.
    kinds: Option<Kinds>,
    /// Whether each day's summary is sent: yes where left out.
    daily_summary: Option<bool>,
    /// `cloudevents` where left out.
    format: Option<Format>,
}

/// What is named changes, what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointChange {
    /// As people read it, on one line.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// https, to a public host. On another host than before `token` must be named too.
    url: Option<String>,
    /// Null takes it away.
    #[schema(min_length = 1, max_length = 2_048)]
    token: Option<String>,
    /// Null: all that the key is for.
    #[schema(min_items = 1, max_items = 500)]
    site_ids: Option<Vec<SiteId>>,
    /// Detections from this priority on.
    #[schema(minimum = 1, maximum = 5)]
    min_priority: Option<u8>,
    /// `all`, or a list of detection kinds.
    kinds: Option<Kinds>,
    /// Whether each day's summary is sent.
    daily_summary: Option<bool>,
    format: Option<Format>,
    /// Tries a disabled endpoint again.
    state: Option<ActiveWord>,
}

#[derive(Deserialize, ToSchema)]
pub enum ActiveWord {
    #[serde(rename = "active")]
    Active,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverFrom {
    /// RFC 3339, within the last 30 days.
    since: Timestamp,
}
