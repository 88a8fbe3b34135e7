//! Lists: pages and cursors.
use crate::world::{Answer, OPERATOR, World};
use jiff::SignedDuration;
use serde_json::json;

fn names(answer: &Answer) -> Vec<&str> {
    answer.body["data"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

fn next(answer: &Answer) -> String {
    answer.body["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn pages_follow_each_other_in_order_of_arrival_and_a_kept_cursor_gives_what_came_since() {
    let world = World::new();
    let organization = world.organization("Acme").await;
    let (key, _) = world.key(&organization, &["read"], None).await;
    let empty = world.get(&key, "/v1/sites").await;
    assert_eq!((names(&empty).len(), &empty.body["has_more"]), (0, &json!(false)));
    for name in ["c", "a", "b"] {
        world.pass(SignedDuration::from_millis(1));
        world.site(&organization, name).await;
    }
    let first = world.get(&key, "/v1/sites?limit=2").await;
    assert_eq!((names(&first), &first.body["has_more"]), (vec!["c", "a"], &json!(true)));
    let second = world.get(&key, &format!("/v1/sites?limit=2&cursor={}", next(&first))).await;
    assert_eq!((names(&second), &second.body["has_more"]), (vec!["b"], &json!(false)));
    let end = world.get(&key, &format!("/v1/sites?cursor={}", next(&second))).await;
    assert_eq!((names(&end).len(), next(&end)), (0, next(&second)));
    world.pass(SignedDuration::from_hours(1));
    world.site(&organization, "d").await;
    let since = world.get(&key, &format!("/v1/sites?cursor={}", next(&end))).await;
    assert_eq!(names(&since), ["d"]);
    assert_eq!(names(&world.get(&key, &format!("/v1/sites?cursor={}", next(&empty))).await), ["c", "a", "b", "d"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_organization() {
    let world = World::new();
    let (acme, bolt) = (world.tenant("Acme").await, world.tenant("Bolt").await);
    let sites = next(&world.get(&acme.key, "/v1/sites").await);
    let connections = next(&world.get(&acme.key, "/v1/connections").await);
    let refused = async |key: &str, path: &str, cursor: &str| {
        assert_eq!(world.get(key, &format!("{path}?cursor={cursor}")).await.refused(422), ["cursor"]);
    };
    refused(&bolt.key, "/v1/sites", &sites).await;
    refused(&acme.key, "/v1/connections", &sites).await;
    refused(&acme.key, "/v1/sites", &connections).await;
    refused(&acme.key, "/v1/sites", "").await;
    refused(&acme.key, "/v1/sites", "!!").await;
    refused(&acme.key, "/v1/sites", &sites[1..]).await;
    let named = format!("/v1/sites?organization_id={}&cursor={sites}", acme.organization);
    assert_eq!(world.get(OPERATOR, &named).await.status, 200);
}

#[tokio::test]
async fn a_limit_is_a_number_from_1_to_500() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    for bad in ["0", "501", "-1", "ten", ""] {
        assert_eq!(world.get(&tenant.key, &format!("/v1/sites?limit={bad}")).await.refused(422), ["limit"]);
    }
    assert_eq!(world.get(&tenant.key, "/v1/sites?limit=x&cursor=x").await.refused(422), ["limit", "cursor"]);
    for good in ["1", "500"] {
        assert_eq!(world.get(&tenant.key, &format!("/v1/sites?limit={good}")).await.status, 200);
    }
}

#[tokio::test]
async fn connections_come_in_the_order_in_which_they_were_made() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let mut made = Vec::new();
    for company in 1..=8 {
        world.pass(SignedDuration::from_secs(1));
        made.push(world.connection(&tenant.organization, &company.to_string()).await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = world.get(&tenant.key, &format!("/v1/connections?limit=3{cursor}")).await;
        seen.extend(answer.body["data"].as_array().unwrap().iter().map(crate::world::id));
        cursor = format!("&cursor={}", next(&answer));
        if answer.body["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn the_operator_names_whose_list_it_is() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    for path in ["/v1/sites", "/v1/connections"] {
        assert_eq!(world.get(OPERATOR, path).await.refused(422), ["organization_id"]);
        assert_eq!(world.get(OPERATOR, &format!("{path}?organization_id={}", tenant.organization)).await.status, 200);
        world.get(OPERATOR, &format!("{path}?organization_id=org_00000000000000000000000000")).await.refused(404);
    }
}
