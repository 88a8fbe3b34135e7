//! What the document says of each route.
use super::requests::{
    ConflictChoice, NewConnection, NewEdge, NewKey, NewOrganization, NewSite, SiteChange, SummaryHour, Treatment,
};
use super::schema::{self, Schemas};
use crate::connections;
use domain::event::{Detection, Incident, PpeSample, WorkerAssignment, Zone};
use domain::settings::ProjectSettings;
use domain::summary::report::Report;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// A body or an answer: an example, and the schema of the type that it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub example: &'static str,
    pub schema: fn(&mut Schemas) -> RefOr<Schema>,
}

pub(super) const fn shown<T: ToSchema>(example: &'static str) -> Shown {
    Shown { example, schema: schema::of::<T> }
}

/// Of what an edge told: its members with ours.
const fn fact<T: ToSchema>(example: &'static str) -> Shown {
    Shown { example, schema: schema::fact::<T> }
}

/// A route in words.
#[derive(Debug, Clone, Copy)]
pub struct Says {
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub query: &'static [&'static str],
    pub headers: &'static [&'static str],
    pub body: Option<Shown>,
    pub status: &'static str,
    pub answers: &'static str,
    /// Of a list: of one entry.
    pub answer: Option<Shown>,
    pub list: bool,
    /// An example of the answer as CSV, where it is given so too.
    pub csv: Option<&'static str>,
}

pub(super) const PAGES: &[&str] = &["limit", "cursor"];
pub(super) const OF_ORGANIZATION: &[&str] = &["organization_id", "limit", "cursor"];
const FEED: &str = "Oldest first, by arrival. `from` and `to` are on the fact's own time. A changed fact comes again, at its new place.";
const OPERATOR: &str = "Only with the operator key.";
pub(super) const REPEATABLE: &[&str] = &["Idempotency-Key"];
pub(super) const CONDITIONAL: &[&str] = &["If-Match"];
const UNCHANGED: &[&str] = &["If-None-Match"];

const SITE: Shown = shown::<crate::sites::View>(
    r#"{"id":"site_01JDN3Z4WQ0000000000000001","organization_id":"org_01JDN3Z4WQ0000000000000001","name":"North Tower","time_zone":"America/Chicago","shifts":[{"name":"day","start":"06:00","end":"14:30"}],"created_at":"2026-11-24T16:03:05Z"}"#,
);
const ORGANIZATION: Shown = shown::<store::directory::Organization>(
    r#"{"id":"org_01JDN3Z4WQ0000000000000001","name":"Acme","created_at":"2026-11-24T16:03:05Z"}"#,
);
const HOUR: Shown = shown::<crate::site_hour::Hour>(A_HOUR);
const A_HOUR: &str = r#"{"at":"17:00"}"#;
const NEW_SITE: Shown = shown::<NewSite>(
    r#"{"name":"North Tower","time_zone":"America/Chicago","shifts":[{"name":"day","start":"06:00","end":"14:30"}]}"#,
);
const EDGE: Shown = shown::<crate::edges::View>(
    r#"{"id":"edge_01JDN3Z4WQ0000000000000001","organization_id":"org_01JDN3Z4WQ0000000000000001","site_id":"site_01JDN3Z4WQ0000000000000001","name":"edge 1","secret":"whsec_…","created_at":"2026-11-24T16:03:05Z"}"#,
);
const CONNECTION: Shown = shown::<connections::view::View>(
    r#"{"id":"con_01JDN3Z4WQ0000000000000001","organization_id":"org_01JDN3Z4WQ0000000000000001","provider":"procore","company_id":"562949953425831","state":"active","reason":null,"who":null,"what_to_do":null,"created_at":"2026-11-24T16:03:05Z"}"#,
);
const REMOVED: Shown = shown::<connections::view::Removed>(
    r#"{"id":"con_01JDN3Z4WQ0000000000000001","organization_id":"org_01JDN3Z4WQ0000000000000001","provider":"procore","company_id":"562949953425831","state":"removed","reason":null,"who":null,"what_to_do":null,"created_at":"2026-11-24T16:03:05Z","stays":[{"kind":"incident","id":"01JDN3Z4WQ0000000000000002","marker":"HHP-7F3K9Q2M","remote_id":"562949953428811","remote_url":"https://app.procore.com/562949953428811"}],"stays_total":1,"stays_more":false,"erased":"What came from the platform is erased here."}"#,
);
const SETTINGS: Shown = shown::<ProjectSettings>(
    r#"{"site_id":"site_01JDN3Z4WQ0000000000000001","observations":{"min_priority":3,"kinds":["zone_breach","ppe_non_compliance"]},"daily_summary":{"enabled":true,"at":"17:00"},"mapping":{"observation_types":{},"incident_types":{},"hazards":{}}}"#,
);
const PREVIEW: Shown = shown::<crate::projects::preview::Shown>(
    r#"{"from":"2026-11-23T16:03:05Z","to":"2026-11-24T16:03:05Z","detections":4,"incidents":0,"observations":1,"observations_by_kind":{"zone_breach":1},"records":[],"note":"Safety summary for Tue, Nov 24, 2026\nMon 17:00 to Tue 17:00 CST\n\nAlerts: 4 (+1 from the day before)\n…"}"#,
);
const RECORD: Shown = shown::<crate::records::View>(
    r#"{"kind":"observation","id":"01JDN3Z4WQ0000000000000001","site_id":"site_01JDN3Z4WQ0000000000000001","state":"synced","reason":null,"who":null,"marker":"HHP-7F3K9Q2M","remote_id":"991","remote_url":"https://app.procore.com/991","updated_at":"2026-11-24T16:03:05Z"}"#,
);
const KEY: Shown = shown::<crate::api_keys::View>(
    r#"{"id":"key_01JDN3Z4WQ0000000000000001","name":"P6","scopes":["read"],"site_ids":null,"expires_at":null,"last_used_at":null,"created_at":"2026-11-24T16:03:05Z"}"#,
);
const NEW_KEY: Shown = shown::<crate::api_keys::Made>(
    r#"{"id":"key_01JDN3Z4WQ0000000000000001","name":"P6","scopes":["read"],"site_ids":null,"expires_at":null,"last_used_at":null,"created_at":"2026-11-24T16:03:05Z","key":"hhp_…"}"#,
);
const SETUP_LINK: Shown = shown::<crate::setup_links::Made>(
    r#"{"url":"https://pulse.example.com/sign-in/link/…","organization_id":"org_01JDN3Z4WQ0000000000000001","role":"manager","expires_at":"2026-12-01T16:03:05Z"}"#,
);
const FOOTAGE: Shown = shown::<crate::footage::View>(
    r#"{"edge_url":"/footage/cam-1/1600.mp4","cloud_url":"https://…","expires_at":"2026-11-24T16:08:05Z"}"#,
);
const DETECTION: Shown = fact::<Detection>(
    r#"{"detection_id":"01JDN3Z4WQ0000000000000001","detected_at":"2026-11-24T16:03:05Z","kind":"zone_breach","priority":4,"zone_id":"zone-3","camera_id":"cam-1","frame":{"captured_at":"2026-11-24T16:03:05Z"},"has_footage":false,"site_id":"site_01JDN3Z4WQ0000000000000001","received_at":"2026-11-24T16:03:06Z","platforms":[]}"#,
);
const INCIDENT: Shown = fact::<Incident>(
    r#"{"incident_id":"01JDN3Z4WQ0000000000000002","revision":1,"occurred_at":"2026-11-24T16:00:00Z","confirmed_at":"2026-11-24T16:30:00Z","recordable":true,"incident_type":"fall","classification":"injury","privacy_case":false,"osha_log":{"year":2026,"case_number":"17"},"zone_id":"zone-3","worker":{"worker_id":"W-7","role":"Rigger","trade":"Ironwork"},"detection_ids":[],"retracted":false,"retraction_reason":null,"site_id":"site_01JDN3Z4WQ0000000000000001","received_at":"2026-11-24T16:30:01Z","treatment":{"revision":1,"injuries":[{"source":"procore","remote_id":"562949953430021","disposition":"days_away","filing_type":"lost_time","treatment_facility":"Mercy Clinic","treatment_provider":null,"treated_in_er":true,"hospitalized_overnight":false,"days_away":3,"days_restricted":null,"days_transferred":null,"date_returned_to_work":null,"date_of_death":null,"description":null,"updated_at":"2026-11-25T09:12:00Z"}],"outcome":"days_away","days_away":3,"days_restricted_or_transferred":null,"history":[{"revision":1,"at":"2026-11-25T09:12:04Z","source":"procore","changed":["injuries/562949953430021/days_away"]}]},"platforms":[{"connection_id":"con_01JDN3Z4WQ0000000000000001","provider":"procore","remote_id":"562949953428811","remote_url":"https://app.procore.com/562949953428811","status":"open","comments":[],"updated_at":"2026-11-25T09:12:00Z"}]}"#,
);
const TREATMENT: Shown = shown::<Treatment>(
    r#"{"remote_id":"1","filing_type":"lost_time","treatment_facility":"Mercy Clinic","treated_in_er":true,"days_away":3,"description":"Sprained wrist"}"#,
);
const ZONE: Shown = fact::<Zone>(
    r#"{"zone_id":"zone-3","revision":1,"name":"Crane 2","kind":"restricted","required_ppe":["hard_hat"],"active":true,"site_id":"site_01JDN3Z4WQ0000000000000001","received_at":"2026-11-24T16:03:06Z"}"#,
);
const WORKER: Shown = fact::<WorkerAssignment>(
    r#"{"worker_id":"W-7","revision":1,"role":"Rigger","trade":"Ironwork","active":true,"from":"2026-11-01T06:00:00Z","site_id":"site_01JDN3Z4WQ0000000000000001","received_at":"2026-11-24T16:03:06Z"}"#,
);
const SAMPLE: Shown = fact::<PpeSample>(
    r#"{"sample_id":"s-1","sampled_from":"2026-11-24T16:00:00Z","sampled_to":"2026-11-24T16:05:00Z","zone_id":"zone-3","checks":{"hard_hat":{"checked":10,"compliant":9}},"site_id":"site_01JDN3Z4WQ0000000000000001","received_at":"2026-11-24T16:05:06Z"}"#,
);
const DAILY: Shown = shown::<Report>(
    r#"{"date":"2026-11-24","time_zone":"America/Chicago","window":{"from":"2026-11-23T23:00:00Z","to":"2026-11-24T23:00:00Z"},"alerts":41,"confirmed_incidents":1,"recordable_incidents":1,"zone_breaches":17,"ppe":{"rate":0.95,"by_shift":[{"shift":"day","rate":0.95,"items":{"hard_hat":{"checked":120,"compliant":114,"rate":0.95}}},{"shift":"night","rate":null,"items":{}}]},"by_kind":{"ppe_non_compliance":24,"zone_breach":17},"by_zone":[{"zone_id":"zone-3","name":"Crane 2","alerts":41}],"previous":{"date":"2026-11-23","window":{"from":"2026-11-22T23:00:00Z","to":"2026-11-23T23:00:00Z"},"alerts":35,"confirmed_incidents":0,"recordable_incidents":0,"zone_breaches":12,"ppe":{"rate":0.97}}}"#,
);
const TREND: Shown = shown::<crate::reports::Trend>(
    r#"{"data":[{"key":"2026-11-23","alerts":35,"confirmed_incidents":0,"zone_breaches":12,"ppe_rate":0.97},{"key":"2026-11-24","alerts":41,"confirmed_incidents":1,"zone_breaches":17,"ppe_rate":0.95}]}"#,
);
const TREND_CSV: &str =
    "key,alerts,confirmed_incidents,zone_breaches,ppe_rate\r\n2026-11-23,35,0,12,0.97\r\n2026-11-24,41,1,17,0.95\r\n";

pub(super) fn get(id: &'static str, tag: &'static str, summary: &'static str, answer: Shown) -> Says {
    let (status, answers) = ("200", "As it stands, with its ETag");
    let answer = Some(answer);
    Says {
        id,
        tag,
        summary,
        description: "",
        query: &[],
        headers: UNCHANGED,
        body: None,
        status,
        answers,
        answer,
        list: false,
        csv: None,
    }
}

pub(super) fn list(id: &'static str, tag: &'static str, summary: &'static str, entry: Shown) -> Says {
    Says { query: PAGES, answers: "A page, with its ETag", list: true, ..get(id, tag, summary, entry) }
}

fn feed(id: &'static str, summary: &'static str, query: &'static [&'static str], entry: Shown) -> Says {
    Says { description: FEED, query, ..list(id, "facts", summary, entry) }
}

pub(super) fn make(
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    body: Option<Shown>,
    answer: Shown,
) -> Says {
    Says { headers: REPEATABLE, body, status: "201", answers: "Made", ..get(id, tag, summary, answer) }
}

/// What a route does, by its method and path.
pub fn says(method: &str, path: &str) -> Option<Says> {
    let site = "/v1/sites/{site}";
    let connection = "/v1/connections/{connection}";
    let operator = |says: Says| Says { tag: "operator", description: OPERATOR, ..says };
    let tail = path.strip_prefix(site).or_else(|| path.strip_prefix(connection)).unwrap_or(path);
    let says = match (method, path.starts_with(site), tail) {
        ("post", false, "/v1/organizations") => operator(make(
            "makeOrganization",
            "directory",
            "Make an organization",
            Some(shown::<NewOrganization>(r#"{"name":"Acme"}"#)),
            ORGANIZATION,
        )),
        ("post", false, "/v1/organizations/{organization}/sites") => {
            operator(make("makeSite", "directory", "Make a site", Some(NEW_SITE), SITE))
        }
        ("post", false, "/v1/organizations/{organization}/api-keys") => operator(make(
            "makeKey",
            "directory",
            "Make an API key, shown once",
            Some(shown::<NewKey>(r#"{"name":"P6","scopes":["read"],"site_ids":null}"#)),
            NEW_KEY,
        )),
        ("get", false, "/v1/organizations/{organization}/api-keys") => {
            operator(list("listKeys", "directory", "API keys of an organization", KEY))
        }
        ("delete", false, "/v1/organizations/{organization}/api-keys/{id}") => Says {
            headers: &[],
            status: "204",
            answers: "Revoked",
            answer: None,
            ..operator(get("revokeKey", "directory", "Revoke an API key", KEY))
        },
        ("post", false, "/v1/organizations/{organization}/setup-links") => operator(make(
            "makeSetupLink",
            "directory",
            "Make a link that lets one person in as a manager, once",
            None,
            SETUP_LINK,
        )),
        ("get", false, "/v1/sites") => {
            Says { query: OF_ORGANIZATION, ..list("listSites", "directory", "Sites that the key is for", SITE) }
        }
        ("get", true, "") => get("getSite", "directory", "A site", SITE),
        ("patch", true, "") => Says {
            headers: CONDITIONAL,
            body: Some(shown::<SiteChange>(r#"{"name":"North Tower"}"#)),
            answers: "Changed",
            ..get("changeSite", "directory", "Change a site", SITE)
        },
        ("get", true, "/daily-summary") => Says {
            headers: UNCHANGED,
            ..get("getSummaryHour", "directory", "The hour of a site's daily summary", HOUR)
        },
        ("put", true, "/daily-summary") => Says {
            description: "`HH:MM` on the site's clock. It is the site's: it changes for all its platforms and webhook endpoints, and `daily_summary.at` of its projects' settings is the same.",
            headers: CONDITIONAL,
            body: Some(shown::<SummaryHour>(A_HOUR)),
            answers: "Changed",
            ..get("setSummaryHour", "directory", "Set the hour of a site's daily summary", HOUR)
        },
        ("post", true, "/edges") => operator(make(
            "makeEdge",
            "directory",
            "Make an edge; its secret is shown once",
            Some(shown::<NewEdge>(r#"{"name":"edge 1"}"#)),
            EDGE,
        )),
        ("post", true, "/edges/{edge}/rotate-secret") => operator(make(
            "rotateEdgeSecret",
            "directory",
            "A new secret; the one before is good for a day",
            None,
            EDGE,
        )),
        ("get", true, "/detections") => feed(
            "listDetections",
            "Detections",
            &["limit", "cursor", "from", "to", "kind", "min_priority", "zone_id"],
            DETECTION,
        ),
        ("get", true, "/detections/{id}") => get("getDetection", "facts", "A detection", DETECTION),
        ("get", true, "/detections/{id}/footage") => Says {
            description: "`edge_url` is a path on the site's edge server, `cloud_url` a link that is good until `expires_at`; 404 where there is neither.",
            ..get("getFootage", "facts", "Where a detection's footage lies", FOOTAGE)
        },
        ("get", true, "/incidents") => {
            feed("listIncidents", "Incidents", &["limit", "cursor", "from", "to", "kind", "zone_id"], INCIDENT)
        }
        ("get", true, "/incidents/{id}") => get("getIncident", "facts", "An incident", INCIDENT),
        ("patch", true, "/incidents/{id}/treatment") => Says {
            description: "One injury, by your own `remote_id` (default \"1\"). Members that you name replace, null clears, others stay. `If-Match` is the incident's ETag. Needs the scope `treatment:write`.",
            headers: &["If-Match", "Idempotency-Key"],
            body: Some(TREATMENT),
            answers: "The incident as it is then",
            ..get("writeTreatment", "facts", "Tell of an injury's treatment", INCIDENT)
        },
        ("get", true, "/zones") => {
            feed("listZones", "Zones", &["limit", "cursor", "from", "to", "kind", "zone_id"], ZONE)
        }
        ("get", true, "/zones/{id}") => get("getZone", "facts", "A zone", ZONE),
        ("get", true, "/workers") => {
            feed("listWorkers", "Worker assignments", &["limit", "cursor", "from", "to"], WORKER)
        }
        ("get", true, "/workers/{id}") => get("getWorker", "facts", "A worker assignment", WORKER),
        ("get", true, "/ppe-samples") => {
            feed("listPpeSamples", "PPE samples", &["limit", "cursor", "from", "to", "zone_id"], SAMPLE)
        }
        ("get", true, "/ppe-samples/{id}") => get("getPpeSample", "facts", "A PPE sample", SAMPLE),
        ("get", true, "/reports/daily") => Says {
            description: "From the last cut-off to this one: `window` is what it counts, `from` inside and `to` outside, at the hour of the site's summary (17:00 where none is set). While `to` lies ahead it is counted so far. What arrived late counts, however late. A `rate` is null where nothing was sampled; what lies outside every shift is in `other`.",
            query: &["date"],
            headers: UNCHANGED,
            ..get("getDailyReport", "reports", "A day in figures", DAILY)
        },
        ("get", true, "/reports/trend") => Says {
            description: "Figures of at most 366 days, each from cut-off to cut-off as in the daily report. By day: each of them, in order. By shift, zone or kind: the sums over all days, most alerts first; `key` is a shift's name or `other`, a zone's id, or a detection's kind or incident's type. With `Accept: text/csv` as CSV (RFC 4180, with a header row); a key that a spreadsheet would take for a formula stands behind an apostrophe.",
            query: &["from", "to", "by"],
            headers: &["Accept", "If-None-Match"],
            csv: Some(TREND_CSV),
            ..get("getTrend", "reports", "Figures over a stretch of days", TREND)
        },
        ("post", false, "/v1/connections") => Says {
            description: "Autodesk: the answer's `service_account.email` is whom the account's admin invites to the projects, where none of the customer's own was named.",
            ..operator(make(
                "makeConnection",
                "connections",
                "Connect a Procore company or an Autodesk account",
                Some(shown::<NewConnection>(
                    r#"{"organization_id":"org_01JDN3Z4WQ0000000000000001","provider":"procore","company_id":"562949953425831"}"#,
                )),
                CONNECTION,
            ))
        },
        ("get", false, "/v1/connections") => {
            Says { query: OF_ORGANIZATION, ..list("listConnections", "connections", "Connections", CONNECTION) }
        }
        ("get", false, "") => Says {
            description: "`polling_only`, where it is there, names the projects in which the platform lets no webhook be made, each with the reason: what people change there comes back by the timed reading.",
            ..get("getConnection", "connections", "A connection", CONNECTION)
        },
        ("delete", false, "") => Says {
            description: "Queued work ends, hooks are removed, projects are free to be mapped by others. What was made at the platform stays there and is listed; what came from there is erased. A key of some sites may remove a connection only if it is for all sites that the connection's projects show or showed; else 403.",
            headers: &[],
            answers: "Removed: what stays at the platform",
            ..get("removeConnection", "connections", "Remove a connection", REMOVED)
        },
        ("get", false, "/projects/{project}") => get("getProject", "connections", "How a project is mapped", SETTINGS),
        ("put", false, "/projects/{project}") => Says {
            description: "What is left out has its default. Where a person made the connection on the set-up page, a project is mapped there first, by somebody who can list it at the platform: a key that maps it gets 403, and from then on changes its settings.",
            headers: CONDITIONAL,
            body: Some(SETTINGS),
            answers: "Mapped; 201 when it was not before",
            ..get("mapProject", "connections", "Map a project to a site", SETTINGS)
        },
        ("post", false, "/projects/{project}/preview") => Says {
            description: "`note` is the daily summary of the day that is under way as it would read now; null where none is wanted. With `send=true` the records shown are sent, also those from before the mapping: 202.",
            query: &["send"],
            headers: REPEATABLE,
            body: Some(SETTINGS),
            answers: "The last 24 hours' arrivals",
            ..get("previewProject", "connections", "What the last day would have sent", PREVIEW)
        },
        ("get", false, "/records") => Says {
            description: "In the order of kind, site and id, not of change. A `next_cursor` that is kept gives, later, each record that changed since, in the same order; one that changed within two minutes before may come twice. Asked for and not begun: `pending`.",
            query: &["state", "limit", "cursor"],
            ..list("listRecords", "connections", "Where each record stands", RECORD)
        },
        ("post", false, "/records/{kind}/{id}/retry") => Says {
            query: &["site_id"],
            headers: REPEATABLE,
            status: "202",
            answers: "Asked for",
            ..get("retryRecord", "connections", "Try a record again", RECORD)
        },
        ("post", false, "/records/{kind}/{id}/conflicts/{field}") => Says {
            description: "A field that people changed at the platform while HardHat Pulse had news for it. `ours` is sent over the value that was shown; with `theirs` the conflict is closed.",
            query: &["site_id"],
            headers: REPEATABLE,
            body: Some(shown::<ConflictChoice>(r#"{"use":"ours"}"#)),
            status: "202",
            answers: "Decided",
            ..get("settleConflict", "connections", "Decide a conflict", RECORD)
        },
        _ => return super::webhooks::says(method, path),
    };
    Some(says)
}

/// Query parameters in words.
pub fn query(operation: &str, name: &str) -> &'static str {
    match name {
        "date" => "Required: a date whose window has begun",
        "from" if operation == "getTrend" => "Required: the first date",
        "to" if operation == "getTrend" => "Required: the last date, whose window has begun",
        "by" => "day (also where left out), shift, zone or kind",
        "limit" => "1 to 500; 100 where left out",
        "cursor" => "A `next_cursor` of this list; left out: from the start",
        "from" => "RFC 3339, inclusive, on the fact's own time",
        "to" => "RFC 3339, exclusive, on the fact's own time",
        "kind" => "A detection's kind, an incident's type, a zone's kind",
        "min_priority" => "1 to 5",
        "organization_id" => "Required with the operator key",
        "state" => "pending, synced, blocked or failed",
        "send" => "true: send what the preview shows",
        "site_id" => "Where several sites have a record of this id",
        _ => "",
    }
}

/// Headers in words.
pub fn header(name: &str) -> &'static str {
    match name {
        "If-Match" => "The ETag that you last read: required where something exists already",
        "Accept" => "`application/json` (also where left out) or `text/csv`; 406 for any other",
        "If-None-Match" => "An ETag: 304 if nothing changed",
        "Idempotency-Key" => "A repeat within 24 hours gets the whole first answer",
        _ => "",
    }
}
