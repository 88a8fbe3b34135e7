//! Records and retry.
use crate::world::{Answer, OPERATOR, Tenant, World, id};
use domain::ids::Provider;
use domain::marker::marker;
use domain::record::{Mender, RecordKey, RecordKind, RecordState};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::directory::{Blocked, Directory};
use store::due;
use store::lanes::{Lane, LaneId, Link, Todo};

const FACT: &str = "01JDN3Z4WQ0000000000000001";

struct Records {
    world: World,
    tenant: Tenant,
    connection: String,
}

impl Records {
    async fn new() -> Self {
        let world = World::new();
        let tenant = world.tenant("Acme").await;
        let connection = world.connection(&tenant.organization, "42").await;
        Self { world, tenant, connection }
    }

    fn lane(&self) -> LaneId {
        LaneId {
            organization_id: self.tenant.organization.parse().unwrap(),
            connection_id: self.connection.parse().unwrap(),
            provider: Provider::Procore,
        }
    }

    fn record(&self, kind: RecordKind, site: &str, fact: &str) -> RecordKey {
        RecordKey { kind, site_id: site.parse().unwrap(), fact_id: fact.into() }
    }

    async fn link(&self, record: RecordKey, state: RecordState) -> Link {
        let bad = matches!(state, RecordState::Blocked | RecordState::Failed);
        let mut link = Link {
            marker: marker(&self.lane().organization_id, record.site_id.as_str(), record.kind, &record.fact_id),
            record,
            project_id: "7".into(),
            state,
            reason: bad.then(|| "the day is completed".into()),
            who: bad.then_some(Mender::PlatformAdmin),
            waits_for_project: false,
            remote_id: Some("991".into()),
            remote_url: Some("https://app.procore.com/991".into()),
            gave_status: None,
            answered_at: None,
            intent_at: None,
            first_intent_at: None,
            looks: 0,
            looked_at: None,
            sweep_at: None,
            sweeps: 0,
            written: BTreeMap::new(),
            conflicts: Vec::new(),
            read: None,
            steps: BTreeMap::new(),
            updated_at: self.world.now(),
            version: 0,
        };
        let lane = self.lane();
        Lane { table: self.world.table.as_ref(), id: &lane }.put_link(&mut link).await.unwrap();
        link
    }

    async fn todos(&self) -> Vec<Todo> {
        let lane = self.lane();
        Lane { table: self.world.table.as_ref(), id: &lane }.ready(100).await.unwrap()
    }

    async fn ask(&self, record: RecordKey) -> Todo {
        let todo = Todo::new(record, self.world.now(), store::bell::fresh_token());
        let lane = self.lane();
        Lane { table: self.world.table.as_ref(), id: &lane }.ask(std::slice::from_ref(&todo)).await.unwrap();
        todo
    }

    async fn list(&self, query: &str) -> Answer {
        self.world.get(&self.tenant.key, &format!("/v1/connections/{}/records{query}", self.connection)).await
    }

    async fn retry(&self, kind: &str, fact: &str, query: &str) -> Answer {
        let path = format!("/v1/connections/{}/records/{kind}/{fact}/retry{query}", self.connection);
        self.world.call_with(&self.tenant.key, "POST", &path, None, &[]).await
    }
}

fn fact(number: usize) -> String {
    format!("01JDN3Z4WQ00000000000{number:05}")
}

fn ids(answer: &Answer) -> Vec<String> {
    answer.body["data"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn a_record_shows_where_it_stands_and_who_can_mend_it() {
    let records = Records::new().await;
    let link =
        records.link(records.record(RecordKind::Incident, &records.tenant.site, FACT), RecordState::Blocked).await;
    let expected = json!([{
        "kind": "incident", "id": FACT, "site_id": records.tenant.site, "state": "blocked", "reason": "the day is completed",
        "who": "platform_admin", "marker": link.marker, "remote_id": "991", "remote_url": "https://app.procore.com/991",
        "updated_at": records.world.now().to_string(),
    }]);
    assert_eq!(records.list("").await.body["data"], expected);
}

#[tokio::test]
async fn what_is_asked_for_and_not_yet_linked_is_pending() {
    let records = Records::new().await;
    let site = records.tenant.site.clone();
    let record = |n| records.record(RecordKind::Observation, &site, &fact(n));
    records.ask(record(1)).await;
    let lane = records.lane();
    let later = records.world.now() + jiff::SignedDuration::from_hours(1);
    let keeping = Lane { table: records.world.table.as_ref(), id: &lane };
    keeping.put_off(&records.ask(record(2)).await, later, "the platform asked for a pause".into(), true).await.unwrap();
    // This one has a link; that it is asked for again does not show it twice.
    records.link(record(3), RecordState::Synced).await;
    records.ask(record(3)).await;
    let answer = records.list("").await;
    assert_eq!(ids(&answer), [fact(3), fact(1), fact(2)]);
    let states: Vec<&Value> = answer.body["data"].as_array().unwrap().iter().map(|r| &r["state"]).collect();
    assert_eq!(states, ["synced", "pending", "pending"]);
    assert_eq!(answer.body["data"][1]["reason"], Value::Null);
    assert_eq!(answer.body["data"][2]["reason"], "the platform asked for a pause");
    let marker = marker(&lane.organization_id, &site, RecordKind::Observation, &fact(1));
    assert_eq!(answer.body["data"][1]["marker"], marker);
}

#[tokio::test]
async fn records_are_filtered_by_state() {
    let records = Records::new().await;
    let site = records.tenant.site.clone();
    let states =
        [RecordState::Synced, RecordState::Failed, RecordState::Pending, RecordState::Blocked, RecordState::Failed];
    for (n, state) in states.into_iter().enumerate() {
        records.link(records.record(RecordKind::Observation, &site, &fact(n)), state).await;
    }
    records.ask(records.record(RecordKind::Observation, &site, &fact(9))).await;
    for (state, expected) in
        [("synced", vec![0]), ("failed", vec![1, 4]), ("blocked", vec![3]), ("pending", vec![2, 9])]
    {
        let expected: Vec<String> = expected.into_iter().map(fact).collect();
        assert_eq!(ids(&records.list(&format!("?state={state}")).await), expected, "{state}");
    }
    assert_eq!(records.list("?state=lost").await.refused(422), ["state"]);
    assert_eq!(records.list("?kind=incident").await.refused(422), ["kind"]);
}

#[tokio::test]
async fn pages_of_records_come_to_an_end_with_each_record_once() {
    let records = Records::new().await;
    let site = records.tenant.site.clone();
    for n in 0..7 {
        records.link(records.record(RecordKind::Observation, &site, &fact(n)), RecordState::Synced).await;
    }
    for n in 7..12 {
        records.ask(records.record(RecordKind::Observation, &site, &fact(n))).await;
    }
    for limit in [1, 2, 5, 7, 12, 13] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let answer = records.list(&format!("?limit={limit}{cursor}")).await;
            seen.extend(ids(&answer));
            cursor = format!("&cursor={}", answer.body["next_cursor"].as_str().unwrap());
            pages += 1;
            assert!(pages < 20, "limit {limit} does not come to an end");
            if answer.body["has_more"] == false {
                break;
            }
        }
        assert_eq!(seen, (0..12).map(fact).collect::<Vec<_>>(), "limit {limit}");
    }
}

/// All pages from a cursor on (none: from the start), and the cursor at their end.
async fn walk(records: &Records, cursor: &str, query: &str) -> (Vec<String>, String) {
    let (mut seen, mut cursor) = (Vec::new(), cursor.to_owned());
    loop {
        let from = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let answer = records.list(&format!("?limit=2{query}{from}")).await;
        seen.extend(ids(&answer));
        cursor = answer.body["next_cursor"].as_str().unwrap().to_owned();
        if answer.body["has_more"] == false {
            return (seen, cursor);
        }
    }
}

#[tokio::test]
async fn a_cursor_that_is_kept_gives_what_changed_since() {
    let records = Records::new().await;
    let site = records.tenant.site.clone();
    let record = |n| records.record(RecordKind::Observation, &site, &fact(n));
    let hour = jiff::SignedDuration::from_hours(1);
    let mut links = Vec::new();
    for n in 1..=5 {
        links.push(records.link(record(n), RecordState::Synced).await);
    }
    records.ask(record(6)).await;
    records.world.pass(hour);
    let (seen, kept) = walk(&records, "", "").await;
    assert_eq!(seen, (1..=6).map(fact).collect::<Vec<_>>());
    records.world.pass(hour);
    let (seen, kept) = walk(&records, &kept, "").await;
    assert_eq!(seen, [""; 0], "nothing changed");
    // One changes, one gets its link, one is new and waits.
    records.world.pass(hour);
    let lane = records.lane();
    (links[1].state, links[1].updated_at) = (RecordState::Blocked, records.world.now());
    Lane { table: records.world.table.as_ref(), id: &lane }.put_link(&mut links[1]).await.unwrap();
    records.link(record(6), RecordState::Synced).await;
    records.ask(record(7)).await;
    records.world.pass(hour);
    let (blocked, _) = walk(&records, &kept, "&state=blocked").await;
    assert_eq!(blocked, [fact(2)]);
    let (seen, later) = walk(&records, &kept, "").await;
    assert_eq!(seen, [2, 6, 7].map(fact));
    // What changes while someone pages is not missed, and a cursor can be used again.
    let answer = records.list(&format!("?limit=1&cursor={kept}")).await;
    let half = answer.body["next_cursor"].as_str().unwrap().to_owned();
    records.world.pass(hour);
    (links[0].state, links[0].updated_at) = (RecordState::Failed, records.world.now());
    Lane { table: records.world.table.as_ref(), id: &lane }.put_link(&mut links[0]).await.unwrap();
    records.world.pass(hour);
    let (rest, end) = walk(&records, &half, "").await;
    assert_eq!(rest, [6, 7].map(fact));
    assert_eq!(walk(&records, &end, "").await.0, [fact(1)]);
    assert_eq!(walk(&records, &later, "").await.0, [fact(1)]);
}

#[tokio::test]
async fn a_blocked_record_is_tried_again_and_so_is_its_connection() {
    for state in [RecordState::Blocked, RecordState::Failed] {
        let records = Records::new().await;
        let record = records.record(RecordKind::Observation, &records.tenant.site, FACT);
        records.link(record.clone(), state).await;
        let directory = Directory(records.world.table.as_ref());
        let lane = records.lane();
        let mut connection = directory.connection(&lane.organization_id, &lane.connection_id).await.unwrap().unwrap();
        let reason = "the app was disconnected".to_owned();
        let what_to_do = "connect it".to_owned();
        connection.blocked =
            Some(Blocked { reason, who: Mender::PlatformAdmin, what_to_do, since: records.world.now() });
        directory.put_connection(&mut connection).await.unwrap();

        let answer = records.retry("observation", FACT, "").await;
        assert_eq!(answer.status, 202);
        assert_eq!(
            (&answer.body["state"], &answer.body["reason"], &answer.body["who"]),
            (&json!("pending"), &Value::Null, &Value::Null)
        );
        assert_eq!(answer.body["remote_id"], "991");
        assert_eq!(ids(&records.list("?state=pending").await), [FACT]);
        let todos = records.todos().await;
        assert_eq!((todos.len(), &todos[0].record), (1, &record));
        assert_eq!(records.world.bell.take(), std::slice::from_ref(&lane));
        assert!(due::get(records.world.table.as_ref(), &lane).await.unwrap().at().is_some());
        let read = records.world.get(&records.tenant.key, &format!("/v1/connections/{}", records.connection)).await;
        assert_eq!(read.body["state"], "active");
    }
}

#[tokio::test]
async fn a_retry_has_a_token_of_its_own_in_the_place_of_the_first_ask() {
    let records = Records::new().await;
    let record = records.record(RecordKind::Incident, &records.tenant.site, FACT);
    let first = records.ask(record).await;
    let answer = records.retry("incident", FACT, "").await;
    assert_eq!((answer.status.as_u16(), &answer.body["state"]), (202, &json!("pending")));
    let todos = records.todos().await;
    assert_eq!(todos.len(), 1, "one record is one ready todo");
    assert_ne!(todos[0].token, first.token, "what runs now must not take the retry away with it");
}

#[tokio::test]
async fn a_synced_record_that_is_looked_at_again_stays_synced() {
    let records = Records::new().await;
    records
        .link(records.record(RecordKind::DailySummary, &records.tenant.site, "2026-11-24"), RecordState::Synced)
        .await;
    let answer = records.retry("daily_summary", "2026-11-24", "").await;
    assert_eq!((answer.status.as_u16(), &answer.body["state"]), (202, &json!("synced")));
    assert_eq!(records.todos().await.len(), 1);
}

#[tokio::test]
async fn what_the_connection_does_not_know_is_not_there() {
    let records = Records::new().await;
    records.link(records.record(RecordKind::Observation, &records.tenant.site, FACT), RecordState::Failed).await;
    records.retry("incident", FACT, "").await.refused(404);
    records.retry("observation", &fact(5), "").await.refused(404);
    records.retry("weather", FACT, "").await.refused(404);
    records.retry("observation", &"x".repeat(2000), "").await.refused(404);
    records.retry("observation", FACT, "?site_id=site_00000000000000000000000000").await.refused(404);
    assert!(records.world.bell.take().is_empty() && records.todos().await.is_empty());
}

#[tokio::test]
async fn an_id_that_two_sites_have_needs_its_site() {
    let records = Records::new().await;
    let south = records.world.site(&records.tenant.organization, "South").await;
    for site in [&records.tenant.site, &south] {
        records.link(records.record(RecordKind::Observation, site, FACT), RecordState::Failed).await;
    }
    let answer = records.retry("observation", FACT, "").await;
    answer.refused(409);
    assert!(answer.body["detail"].as_str().unwrap().contains("site_id"));
    let answer = records.retry("observation", FACT, &format!("?site_id={south}")).await;
    assert_eq!((answer.status.as_u16(), &answer.body["site_id"]), (202, &json!(south)));
    let failed = records.list("?state=failed").await;
    assert_eq!(failed.body["data"][0]["site_id"], records.tenant.site.as_str());
}

#[tokio::test]
async fn a_key_for_one_site_sees_that_sites_records_only() {
    let records = Records::new().await;
    let south = records.world.site(&records.tenant.organization, "South").await;
    records.link(records.record(RecordKind::Observation, &records.tenant.site, FACT), RecordState::Failed).await;
    records.ask(records.record(RecordKind::Observation, &records.tenant.site, &fact(2))).await;
    let (key, _) =
        records.world.key(&records.tenant.organization, &["read", "connections:write"], Some(&[&south])).await;
    let list = format!("/v1/connections/{}/records", records.connection);
    assert_eq!(records.world.get(&key, &list).await.body["data"], json!([]));
    for fact in [FACT, &fact(2)] {
        let retry = format!("{list}/observation/{fact}/retry");
        records.world.call_with(&key, "POST", &retry, None, &[]).await.refused(404);
    }
    assert_eq!(ids(&records.world.get(OPERATOR, &list).await).len(), 2);
}

#[tokio::test]
async fn a_conflict_is_shown_with_both_values_and_decided_field_by_field() {
    let records = Records::new().await;
    let record = records.record(RecordKind::Incident, &records.tenant.site, FACT);
    let mut link = records.link(record, RecordState::Synced).await;
    let conflict = |field: &str| serde_json::from_value(json!({"field": field, "ours": "A", "theirs": "B"})).unwrap();
    link.conflicts = vec![conflict("title"), conflict("description")];
    let id = records.lane();
    Lane { table: records.world.table.as_ref(), id: &id }.put_link(&mut link).await.unwrap();
    let shown = records.list("").await.body["data"][0]["conflicts"].clone();
    assert_eq!(shown[0], json!({"field": "title", "ours": "A", "theirs": "B"}));
    let base = format!("/v1/connections/{}/records/incident/{FACT}/conflicts", records.connection);
    let settle = async |field: &str, body: Value| {
        records.world.call_with(&records.tenant.key, "POST", &format!("{base}/{field}"), Some(body), &[]).await
    };
    assert_eq!(settle("title", json!({"use": "both"})).await.refused(422), ["/use"]);
    settle("place", json!({"use": "ours"})).await.refused(404);
    records.world.bell.take();
    let theirs = settle("title", json!({"use": "theirs"})).await;
    assert_eq!(
        (theirs.status.as_u16(), theirs.body["conflicts"].as_array().unwrap().len()),
        (202, 1),
        "{}",
        theirs.body
    );
    assert!(records.todos().await.is_empty() && records.world.bell.take().is_empty(), "nothing is to be sent");
    settle("title", json!({"use": "theirs"})).await.refused(404);
    assert_eq!(settle("description", json!({"use": "ours"})).await.status, 202);
    assert_eq!((records.todos().await.len(), records.world.bell.take().len()), (1, 1));
    let (reader, _) = records.world.key(&records.tenant.organization, &["read"], None).await;
    let body = Some(json!({"use": "ours"}));
    records.world.call_with(&reader, "POST", &format!("{base}/description"), body, &[]).await.refused(403);
}
