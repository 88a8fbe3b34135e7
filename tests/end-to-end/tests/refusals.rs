//! What is not taken: who it was not signed by, what it is not, and what would carry a name.
use end_to_end::events::{detection, zone};
use end_to_end::http;
use end_to_end::tenant::Tenant;
use serde_json::{Value, json};

#[test]
fn bad_signatures_stale_times_and_unknown_edges_get_one_answer() {
    let tenant = Tenant::new();
    let body = Value::from(vec![detection(&tenant, 1)]).to_string();
    let now = jiff::Timestamp::now().as_second();
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let unknown = "edge_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let answers = [
        tenant.send_signed(&tenant.edge, "msg_1", now, other, body.as_bytes()),
        tenant.send_signed(&tenant.edge, "msg_2", now - 3_600, &tenant.secret, body.as_bytes()),
        tenant.send_signed(unknown, "msg_3", now, &tenant.secret, body.as_bytes()),
    ];
    let told = |answer: &http::Answer| {
        let mut body = answer.json();
        for changing in ["instance", "request_id"] {
            body.as_object_mut().map(|members| members.remove(changing));
        }
        (answer.status, body)
    };
    assert_eq!(answers[0].status, 401);
    assert_eq!(told(&answers[0]), told(&answers[1]));
    assert_eq!(told(&answers[0]), told(&answers[2]));
    tenant.take(&[zone(&tenant)]);
    assert!(tenant.remote("observations").is_empty());
}

#[test]
fn what_is_no_batch_says_so() {
    let tenant = Tenant::new();
    assert_eq!(tenant.send_as("msg_1", b"{not json").status, 400);
    let many: Vec<Value> = (0..1_001).map(|_| json!({})).collect();
    assert_eq!(tenant.send(&many).status, 413);
    let url = format!("{}/v1/edge/events", tenant.stack.api);
    assert_eq!(http::call("POST", &url, &[("content-type", "text/plain")], b"[]").status, 415);
}

#[test]
fn malformed_events_are_named_and_their_neighbours_go_on_and_a_name_goes_nowhere() {
    let tenant = Tenant::new();
    let mut named = detection(&tenant, 2);
    named["data"]["worker"]["name"] = "Zebulon Quagmire".into();
    let mut wrong = detection(&tenant, 3);
    wrong["data"]["priority"] = 9.into();
    let answer = tenant.send(&[zone(&tenant), detection(&tenant, 1), named, wrong]);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let told = answer.json();
    assert_eq!(told["accepted"], 2);
    let places: Vec<(u64, &str)> = told["rejected"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| (r["index"].as_u64().unwrap_or(99), r["errors"][0]["pointer"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(places, [(2, "/data/worker/name"), (3, "/data/priority")]);
    assert!(!answer.text.contains("Zebulon"), "{}", answer.text);
    tenant.settled("observations", 1);
    let state = http::call("GET", &format!("{}/_control/state", tenant.stack.sandbox), &[], b"").text;
    assert!(!state.contains("Zebulon"));
}
