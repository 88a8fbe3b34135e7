//! The table's operations.
use serde_json::{Value, json};
use store::table::Query;
use store::{Condition, Item, Key, Table, TableError};

fn item(pk: &str, sk: &str, more: Value) -> Item {
    let mut item = Item::new();
    item.insert("pk".into(), json!(pk));
    item.insert("sk".into(), json!(sk));
    item.extend(more.as_object().cloned().unwrap_or_default());
    item
}

fn refused(outcome: Result<(), TableError>) -> Option<Item> {
    match outcome {
        Err(TableError::Condition(standing)) => standing,
        other => panic!("the condition should not have held: {other:?}"),
    }
}

pub async fn puts_and_conditions(table: &dyn Table, prefix: &str) {
    let (pk, key) = (format!("{prefix}#put"), Key::new(format!("{prefix}#put"), "a"));
    let at = |version: u64| item(&pk, "a", json!({"version": version}));
    assert_eq!(table.get(&key).await.expect("get"), None);
    table.put(at(1), Condition::Absent).await.expect("a first put");
    assert_eq!(refused(table.put(at(2), Condition::Absent).await), Some(at(1)));
    assert_eq!(refused(table.put(at(2), Condition::Equals("version", json!(7))).await), Some(at(1)));
    assert_eq!(refused(table.put(at(2), Condition::Equals("other", json!(7))).await), Some(at(1)));
    table.put(at(2), Condition::Equals("version", json!(1))).await.expect("a put at the version read");
    table.put(at(3), Condition::Always).await.expect("an unconditional put");
    assert_eq!(refused(table.delete(&key, Condition::Equals("version", json!(2))).await), Some(at(3)));
    assert_eq!(table.get(&key).await.expect("get"), Some(at(3)));
    table.delete(&key, Condition::Equals("version", json!(3))).await.expect("a delete at the version read");
    assert_eq!(refused(table.delete(&key, Condition::Equals("version", json!(3))).await), None);
    table.delete(&key, Condition::Always).await.expect("deleting nothing is no error");
    assert_eq!(table.get(&key).await.expect("get"), None);
}

pub async fn puts_together_are_all_or_none(table: &dyn Table, prefix: &str) {
    let pk = format!("{prefix}#together");
    let at = |sk: &str, version: u64| item(&pk, sk, json!({"version": version}));
    let stands = async |sk: &str| table.get(&Key::new(&pk, sk)).await.expect("get");
    table.put_together(vec![(at("a", 1), Condition::Absent), (at("b", 1), Condition::Always)]).await.expect("both");
    assert_eq!((stands("a").await, stands("b").await), (Some(at("a", 1)), Some(at("b", 1))));
    let half = vec![(at("a", 2), Condition::Equals("version", json!(1))), (at("b", 2), Condition::Absent)];
    assert_eq!(refused(table.put_together(half).await), Some(at("b", 1)));
    let missing = vec![(at("b", 2), Condition::Always), (at("c", 2), Condition::Equals("version", json!(1)))];
    assert_eq!(refused(table.put_together(missing).await), None);
    assert_eq!((stands("a").await, stands("b").await, stands("c").await), (Some(at("a", 1)), Some(at("b", 1)), None));
}

pub async fn values_come_back_as_they_went(table: &dyn Table, prefix: &str) {
    let pk = format!("{prefix}#values");
    let more = json!({
        "text": "Zoné \u{1F477} \"quoted\"", "empty": "", "null": null, "yes": true, "no": false,
        "large": 9_007_199_254_740_993_i64, "negative": -12, "fraction": 0.93, "list": [1, "two", [3]],
        "map": {"a": {"b": []}},
    });
    let new = item(&pk, "a", more);
    table.put(new.clone(), Condition::Always).await.expect("put");
    assert_eq!(table.get(&Key::new(&pk, "a")).await.expect("get"), Some(new));
}

pub async fn queries(table: &dyn Table, prefix: &str) {
    let pk = format!("{prefix}#query");
    for sk in ["A#1", "A#2", "A#3", "AB", "B#1"] {
        table.put(item(&pk, sk, json!({})), Condition::Always).await.expect("put");
    }
    table.put(item(&format!("{pk}x"), "A#4", json!({})), Condition::Always).await.expect("put");
    let keys = async |query: Query| -> Vec<String> {
        let items = table.query(query).await.expect("query");
        items.iter().map(|item| item["sk"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(keys(Query::prefix(&pk, "A#", 10)).await, ["A#1", "A#2", "A#3"]);
    assert_eq!(keys(Query::prefix(&pk, "A#", 2)).await, ["A#1", "A#2"]);
    assert_eq!(keys(Query::prefix(&pk, "A#", 2).backward()).await, ["A#3", "A#2"]);
    assert_eq!(keys(Query::prefix(&pk, "A", 10)).await, ["A#1", "A#2", "A#3", "AB"]);
    let bounded = Query { from: "A#2".into(), to: "AB".into(), ..Query::prefix(&pk, "", 10) };
    assert_eq!(keys(bounded).await, ["A#2", "A#3", "AB"]);
    assert!(keys(Query::prefix(&pk, "C", 10)).await.is_empty());
}

pub async fn batches(table: &dyn Table, prefix: &str) {
    let pk = format!("{prefix}#batch");
    let items: Vec<Item> = (0..130).map(|n| item(&pk, &format!("{n:03}"), json!({"n": n}))).collect();
    table.put_many(items.clone()).await.expect("a batch of more than a request takes");
    let keys: Vec<Key> = (0..140).map(|n| Key::new(&pk, format!("{n:03}"))).collect();
    let mut found = table.get_many(&keys).await.expect("a batch of more than a request gives");
    found.sort_by_key(|item| item["n"].as_i64());
    assert_eq!(found, items);
}
