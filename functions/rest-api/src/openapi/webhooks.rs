//! What each operation on webhook endpoints says of itself.
use super::operations::{CONDITIONAL, OF_ORGANIZATION, PAGES, REPEATABLE, Says, Shown, get, list, make, shown};
use super::requests::{EndpointChange, NewEndpoint, RecoverFrom};
use crate::webhook_endpoints::deliveries::{self, Recovery};
use crate::webhook_endpoints::{Made, Tested, View};

const NEW: Shown = shown::<NewEndpoint>(
    r#"{"platform":"fieldwire","name":"Relay to Fieldwire","url":"https://hooks.example.com/pulse","token":"3f1c…","min_priority":3,"kinds":["zone_breach","fall"],"daily_summary":true,"format":"cloudevents"}"#,
);
const ENDPOINT: Shown = shown::<View>(
    r#"{"id":"whe_01JDN3Z4WQ0000000000000001","organization_id":"org_01JDN3Z4WQ0000000000000001","platform":"fieldwire","name":"Relay to Fieldwire","url":"https://hooks.example.com/pulse","has_token":true,"site_ids":null,"min_priority":3,"kinds":"all","daily_summary":true,"format":"cloudevents","state":"active","disabled_reason":null,"created_at":"2026-11-24T16:03:05Z"}"#,
);
const MADE: Shown = shown::<Made>(
    r#"{"id":"whe_01JDN3Z4WQ0000000000000001","organization_id":"org_01JDN3Z4WQ0000000000000001","platform":"fieldwire","name":"Relay to Fieldwire","url":"https://hooks.example.com/pulse","has_token":true,"site_ids":null,"min_priority":3,"kinds":"all","daily_summary":true,"format":"cloudevents","state":"untested","disabled_reason":null,"created_at":"2026-11-24T16:03:05Z","secret":"whsec_…"}"#,
);
const TESTED: Shown = shown::<Tested>(
    r#"{"delivered":false,"status_code":401,"duration_ms":184,"response_excerpt":"bad signature","error":"answered 401: the receiver does not accept the token or the signature: compare both with what it expects"}"#,
);
const DELIVERY: Shown = shown::<deliveries::View>(
    r#"{"id":"msg_7F3K9Q2M4VX8T1B6N0R5C2WYZD","type":"com.hardhatpulse.detection.recorded.v1","subject_id":"01JDN3Z4WQ0000000000000001","sequence":42,"state":"pending","attempts":[{"at":"2026-11-24T16:03:06Z","status_code":503,"duration_ms":91,"response_excerpt":"","error":"answered 503: the receiver failed"}],"next_attempt_at":"2026-11-24T16:03:11Z","created_at":"2026-11-24T16:03:06Z"}"#,
);

const SINCE: &str = r#"{"since":"2026-11-24T00:00:00Z"}"#;

const MAKE: &str = "Incidents of the sites are always sent, detections by `min_priority` and `kinds`. `site_ids` left out: all sites of the \
    key. The address must be https and reach a public host; it is kept sealed, as is the token, which goes out as `Authorization: \
    Bearer`. A ping is sent at once: the first 2xx makes `untested` `active`. The operator names `organization_id`. Needs the scope \
    `webhooks:write`.";
const CHANGE: &str = "What is named changes; `token` null takes it away. A new address is `untested` and gets a ping; on another host the token \
    must be named again, or null. What waits of sites that `site_ids` names no more is not sent. `{\"state\":\"active\"}` \
    tries a disabled endpoint again: what waited goes out, and what came in meanwhile can be recovered.";
const TEST: &str = "Sends a ping and waits for the answer, 15 seconds at most. It stands among the deliveries, and is not tried again.";
const DELIVERIES: &str = "A row per message, for 30 days, in the order of `sequence`. What is still to be sent for the first time has none yet and \
    stands at the end, as does, once more on later pages, what was sent while one before it is under way. A row whose state changes does not come \
    again after the cursor passed it. Of each answer the first 4 kB are kept, without the token and what may be secret in the address. A key \
    of some sites sees the rows of these.";
const RECOVER: &str = "Sends again what failed since then, at once what waits for its next try, and makes what is missing: from while the endpoint was disabled, not there yet, or wanted \
    less. `since` is within the last 30 days.";

/// What a route does, by its method and the rest of its path.
pub fn says(method: &str, path: &str) -> Option<Says> {
    let tag = "webhooks";
    let asked = |says: Says| Says { status: "202", answers: "Asked for", ..says };
    let says = match (method, path.strip_prefix("/v1/webhook-endpoints")?) {
        ("post", "") => Says {
            description: MAKE,
            ..make("makeEndpoint", tag, "Make a webhook endpoint; its secret is shown once", Some(NEW), MADE)
        },
        ("get", "") => Says { query: OF_ORGANIZATION, ..list("listEndpoints", tag, "Webhook endpoints", ENDPOINT) },
        ("get", "/{endpoint}") => get("getEndpoint", tag, "A webhook endpoint", ENDPOINT),
        ("patch", "/{endpoint}") => Says {
            description: CHANGE,
            headers: CONDITIONAL,
            body: Some(shown::<EndpointChange>(r#"{"min_priority":4,"state":"active"}"#)),
            answers: "Changed",
            ..get("changeEndpoint", tag, "Change a webhook endpoint", ENDPOINT)
        },
        ("delete", "/{endpoint}") => Says {
            description: "Nothing more is sent to it, from this moment.",
            headers: &[],
            status: "204",
            answers: "Removed",
            answer: None,
            ..get("removeEndpoint", tag, "Remove a webhook endpoint", ENDPOINT)
        },
        ("post", "/{endpoint}/test") => Says {
            description: TEST,
            headers: REPEATABLE,
            answers: "What came of it",
            ..get("testEndpoint", tag, "Send a test and see the receiver's own answer", TESTED)
        },
        ("post", "/{endpoint}/rotate-secret") => Says {
            description: "Both sign for 24 hours, so that the receiver can change over without a gap.",
            ..make("rotateEndpointSecret", tag, "A new signing secret", None, MADE)
        },
        ("get", "/{endpoint}/deliveries") => Says {
            description: DELIVERIES,
            query: PAGES,
            ..list("listDeliveries", tag, "What came of each message", DELIVERY)
        },
        ("post", "/{endpoint}/deliveries/{delivery}/retry") => Says {
            description: "The same message, under the same webhook-id. 409 while the endpoint is disabled, or is not for the message's site any more.",
            headers: REPEATABLE,
            ..asked(get("retryDelivery", tag, "Send a message again", DELIVERY))
        },
        ("post", "/{endpoint}/recover") => asked(Says {
            description: RECOVER,
            ..make(
                "recoverEndpoint",
                tag,
                "Send again what failed or is missing",
                Some(shown::<RecoverFrom>(SINCE)),
                shown::<Recovery>(SINCE),
            )
        }),
        _ => return None,
    };
    Some(says)
}
