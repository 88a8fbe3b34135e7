//! Connections.
use crate::world::{OPERATOR, World, id};
use domain::record::Mender;
use serde_json::json;
use store::directory::{Blocked, Directory};
use store::hooks::{Hook, Hooks};
use store::lanes::Lane;

#[tokio::test]
async fn a_connection_is_made_once_per_company() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let body = json!({"organization_id": tenant.organization, "provider": "procore", "company_id": 562949953425831u64});
    let made = world.made("/v1/connections", body).await;
    let expected = json!({
        "id": id(&made), "organization_id": tenant.organization, "provider": "procore", "company_id": "562949953425831",
        "state": "active", "reason": null, "who": null, "what_to_do": null, "created_at": world.now().to_string(),
    });
    assert_eq!(made, expected);
    let same = json!({"organization_id": tenant.organization, "provider": "procore", "company_id": "562949953425831"});
    let again = world.post(OPERATOR, "/v1/connections", same).await;
    again.refused(409);
    assert!(again.body["detail"].as_str().unwrap().contains(&id(&made)), "{}", again.body);
    let path = format!("/v1/connections/{}", id(&made));
    let read = world.get(&tenant.key, &path).await;
    assert_eq!(read.body, expected);
    let etag = read.header("etag");
    assert_eq!(world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", &etag)]).await.status, 304);
}

#[tokio::test]
async fn a_blocked_connection_says_what_to_do_and_has_another_etag() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let path = format!("/v1/connections/{connection}");
    let etag = world.get(&tenant.key, &path).await.header("etag");
    let directory = Directory(world.table.as_ref());
    let mut kept = directory
        .connection(&tenant.organization.parse().unwrap(), &connection.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    kept.blocked = Some(Blocked {
        reason: "the app was disconnected".into(),
        who: Mender::PlatformAdmin,
        what_to_do: "connect the app again".into(),
        since: world.now(),
    });
    directory.put_connection(&mut kept).await.unwrap();
    let read = world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", &etag)]).await;
    assert_eq!(read.status, 200);
    let shown = ["state", "reason", "who", "what_to_do"].map(|name| read.body[name].clone());
    assert_eq!(
        shown,
        ["blocked", "the app was disconnected", "platform_admin", "connect the app again"].map(|t| json!(t))
    );
}

#[tokio::test]
async fn projects_without_a_hook_are_named_with_the_reason_and_change_the_etag() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    let path = format!("/v1/connections/{connection}");
    let read = world.get(&tenant.key, &path).await;
    assert_eq!(read.body.get("polling_only"), None);
    let kept = Directory(world.table.as_ref())
        .connection(&tenant.organization.parse().unwrap(), &connection.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let trouble = Hook { trouble: Some("Only a project admin may.".into()), ..Hook::default() };
    let projects = [("7".to_owned(), trouble), ("8".to_owned(), Hook::default())].into();
    let lane = Lane { table: world.table.as_ref(), id: &kept.lane() };
    lane.put_hooks(&Hooks { projects, ..Hooks::default() }).await.unwrap();
    let read = world.call_with(&tenant.key, "GET", &path, None, &[("if-none-match", &read.header("etag"))]).await;
    let expected = json!([{"project_id": "7", "reason": "Only a project admin may."}]);
    assert_eq!(read.status, 200);
    assert_eq!(read.body["polling_only"], expected);
}

#[tokio::test]
async fn a_company_is_a_number_in_one_form() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    for bad in [
        json!("007"),
        json!("0"),
        json!(0),
        json!(-7),
        json!(1.5),
        json!("12a"),
        json!(""),
        json!("99999999999999999999"),
        json!(true),
    ] {
        let body = json!({"organization_id": tenant.organization, "provider": "procore", "company_id": bad});
        assert_eq!(world.post(OPERATOR, "/v1/connections", body).await.refused(422), ["/company_id"]);
    }
}

#[tokio::test]
async fn every_fault_of_a_connection_is_named() {
    let world = World::new();
    let unknown = json!({"organization_id": "org_00000000000000000000000000", "provider": "procore"});
    assert_eq!(
        world.post(OPERATOR, "/v1/connections", unknown).await.refused(422),
        ["/organization_id", "/company_id"]
    );
    assert_eq!(
        world.post(OPERATOR, "/v1/connections", json!({"provider": "sharepoint"})).await.refused(422),
        ["/provider"]
    );
}

#[tokio::test]
async fn a_removed_connection_is_gone_at_once_and_made_again_after_its_lane_cleared_up() {
    let world = World::new();
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    world.project(&tenant.key, &connection, "7", &tenant.site).await;
    let path = format!("/v1/connections/{connection}");
    let (reader, _) = world.key(&tenant.organization, &["read"], None).await;
    world.call_with(&reader, "DELETE", &path, None, &[]).await.refused(403);
    world.bell.take();
    let removed = world.call_with(&tenant.key, "DELETE", &path, None, &[]).await;
    assert_eq!((removed.status.as_u16(), &removed.body["state"]), (200, &json!("removed")), "{}", removed.body);
    assert_eq!((&removed.body["stays"], &removed.body["stays_total"]), (&json!([]), &json!(0)));
    assert_eq!(world.bell.take().len(), 1, "the lane clears up");
    world.get(&tenant.key, &path).await.refused(404);
    world.call_with(&tenant.key, "DELETE", &path, None, &[]).await.refused(404);
    let list = world.get(&tenant.key, "/v1/connections").await;
    assert_eq!(list.body["data"], json!([]));
    let again = json!({"organization_id": tenant.organization, "provider": "procore", "company_id": "42"});
    world.post(OPERATOR, "/v1/connections", again.clone()).await.refused(409);
    let lane = store::lanes::LaneId {
        organization_id: tenant.organization.parse().unwrap(),
        connection_id: connection.parse().unwrap(),
        provider: domain::ids::Provider::Procore,
    };
    let directory = store::directory::Directory(world.table.as_ref());
    let removal = directory.removal(&lane).await.unwrap().unwrap();
    directory.end_removal(&removal, &[], 0, jiff::Timestamp::now()).await.unwrap();
    let made = world.post(OPERATOR, "/v1/connections", again).await;
    assert_eq!((made.status.as_u16(), &made.body["id"]), (201, &json!(connection)));
}
