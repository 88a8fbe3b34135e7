//! Connections to Autodesk accounts.
use crate::world::{OPERATOR, World, id};
use domain::ids::Provider;
use serde_json::{Value, json};
use store::directory::{Connection, Directory};

const ACCOUNT: &str = "5a0db0c5-0000-4000-8000-000000000001";
const EMAIL: &str = "hardhat-pulse@client.adskserviceaccount.autodesk.com";
const KEY: &str = include_str!("../../../../tests/sandbox/keys/service-account.pem");

/// With the app's own service account in the US.
async fn world() -> (World, String) {
    let world = World::new();
    world.parameters.set("/test/aps/us/service-account-email", EMAIL);
    let organization = world.organization("Acme").await;
    (world, organization)
}

fn wanted(organization: &str) -> Value {
    json!({"organization_id": organization, "provider": "acc", "account_id": ACCOUNT, "region": "US"})
}

#[tokio::test]
async fn an_account_is_connected_once_and_the_answer_names_whom_to_invite() {
    let (world, organization) = world().await;
    let mut prefixed = wanted(&organization);
    prefixed["account_id"] = format!("b.{ACCOUNT}").into();
    let made = world.made("/v1/connections", prefixed).await;
    let mut expected = json!({
        "id": id(&made), "organization_id": organization, "provider": "acc", "account_id": ACCOUNT, "region": "US",
        "service_account": {"email": EMAIL},
        "state": "active", "reason": null, "who": null, "what_to_do": null, "created_at": world.now().to_string(),
    });
    assert_eq!(made, expected);
    let again = world.post(OPERATOR, "/v1/connections", wanted(&organization)).await;
    again.refused(409);
    assert!(again.body["detail"].as_str().unwrap().contains("this account already"), "{}", again.body);
    expected.as_object_mut().unwrap().remove("service_account");
    assert_eq!(world.get(OPERATOR, &format!("/v1/connections/{}", id(&made))).await.body, expected);
}

#[tokio::test]
async fn a_customers_own_key_is_kept_sealed_and_never_shown() {
    let (world, organization) = world().await;
    let mut own = wanted(&organization);
    own["region"] = "EMEA".into();
    own["service_account"] = json!({"id": "SBXSERVICE01", "key_id": "key-1", "private_key": KEY});
    let made = world.made("/v1/connections", own).await;
    assert_eq!(made["service_account"], json!({"id": "SBXSERVICE01", "key_id": "key-1"}));
    let connection = Directory(world.table.as_ref())
        .connection(&organization.parse().unwrap(), &id(&made).parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let kept = serde_json::to_string(&connection).unwrap();
    let line = KEY.lines().nth(3).unwrap();
    assert!(!kept.contains(line) && !made.to_string().contains(line));
    assert!(connection.service_account.is_some_and(|own| own.id == "SBXSERVICE01"));
}

#[tokio::test]
async fn every_fault_is_named_and_a_key_is_never_repeated() {
    let (world, organization) = world().await;
    let faults = |changes: Value| {
        let mut body = wanted(&organization);
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let own = |id: &str, key: &str| json!({"service_account": {"id": id, "key_id": "k", "private_key": key}});
    for (changes, pointers) in [
        (json!({"account_id": 7}), vec!["/account_id"]),
        (json!({"account_id": "b./../x", "region": "us"}), vec!["/account_id", "/region"]),
        (json!({"region": null}), vec!["/region"]),
        (json!({"region": "JPN"}), vec!["/region"]),
        (json!({"company_id": 1}), vec!["/company_id"]),
        (json!({"service_account": "x"}), vec!["/service_account"]),
        (
            json!({"service_account": {"key": "x"}}),
            vec![
                "/service_account/key",
                "/service_account/id",
                "/service_account/key_id",
                "/service_account/private_key",
            ],
        ),
        (own("SBX", "secret-words"), vec!["/service_account/private_key"]),
        (own("S B X", KEY), vec!["/service_account/id"]),
    ] {
        let answer = world.post(OPERATOR, "/v1/connections", faults(changes.clone())).await;
        assert_eq!(answer.refused(422), pointers, "{changes}");
        assert!(!answer.body.to_string().contains("secret-words"));
    }
    let (key, _) = world.key(&organization, &["connections:write"], None).await;
    world.post(&key, "/v1/connections", wanted(&organization)).await.refused(403);
}

/// The account that HardHat Pulse works as is a member of other customers' projects, too.
#[tokio::test]
async fn a_key_maps_no_new_project_of_an_account_that_a_person_connected() {
    let (world, _) = world().await;
    let tenant = world.tenant("Other").await;
    let organization = tenant.organization.parse().unwrap();
    let directory = Directory(world.table.as_ref());
    let mut connection = Connection::new(organization, Provider::Acc, ACCOUNT, world.now());
    directory.put_connection(&mut connection).await.unwrap();
    let path = format!("/v1/connections/{}/projects/5a0db0c5-0000-4000-8000-00000000000a", connection.id);
    let settings = json!({"site_id": tenant.site});
    let refused = world.call_with(&tenant.key, "PUT", &path, Some(settings.clone()), &[]).await;
    refused.refused(403);
    assert!(refused.body["detail"].as_str().unwrap().contains("set-up page"), "{}", refused.body);
    assert_eq!(world.call_with(OPERATOR, "PUT", &path, Some(settings), &[]).await.status, 201);
    let louder = json!({"site_id": tenant.site, "observations": {"min_priority": 5}});
    let changed = world.call_with(&tenant.key, "PUT", &path, Some(louder), &[("if-match", "*")]).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
}

#[tokio::test]
async fn a_project_is_mapped_by_its_bare_id_and_by_what_autodesk_has() {
    let (world, _) = world().await;
    let tenant = world.tenant("Other").await;
    let connection = id(&world.made("/v1/connections", wanted(&tenant.organization)).await);
    let project = "5a0db0c5-0000-4000-8000-00000000000a";
    let settings = json!({"site_id": tenant.site, "mapping": {"issue_subtype_id": project}});
    let path = format!("/v1/connections/{connection}/projects/b.{project}");
    let put = world.call_with(&tenant.key, "PUT", &path, Some(settings.clone()), &[]).await;
    assert_eq!(put.status, 201, "{}", put.body);
    let path = format!("/v1/connections/{connection}/projects/{project}");
    assert_eq!(world.get(&tenant.key, &path).await.body["mapping"]["issue_subtype_id"], project);
    // What is read can be put back as it is.
    let read = world.get(&tenant.key, &path).await;
    let tag = read.header("etag");
    let back = world.call_with(&tenant.key, "PUT", &path, Some(read.body.clone()), &[("if-match", &tag)]).await;
    assert_eq!((back.status.as_u16(), &back.body, &put.body), (200, &read.body, &read.body));
    let lanes = world.bell.take();
    assert!(lanes.iter().all(|lane| lane.provider == domain::ids::Provider::Acc) && !lanes.is_empty(), "{lanes:?}");
    let types = json!({"site_id": tenant.site, "mapping": {"observation_types": {"fall": 1}}});
    let path = format!("/v1/connections/{connection}/projects/{project}");
    let tag = world.get(&tenant.key, &path).await.header("etag");
    let refused = world.call_with(&tenant.key, "PUT", &path, Some(types), &[("if-match", &tag)]).await;
    assert_eq!(refused.refused(422), ["/mapping/observation_types"]);
}
