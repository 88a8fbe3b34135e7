//! No organization's people see or touch another's things, and no viewer changes any: every route that names something is tried
//! with another organization's, and every form by a viewer. A route that is not tried here fails the test.
use crate::world::{DETECTION, PROJECT, SignedIn, Tenant, World};
use credentials::{MemoryVault, Secret};
use domain::ids::{ApiKeyId, EndpointId};
use domain::record::RecordState;
use domain::webhook::message::Content;
use domain::webhook::{Format, Platform, Wants};
use people::Role;
use people::api_keys::{self, NewKey};
use serde_json::Value;
use setup_ui::ROUTES;
use store::bell::MemoryBell;
use store::directory::Directory;
use store::messages::{Message, MessageLane, Todo};
use webhook::endpoints::Desk;
use webhook::settings::New;

const DELIVERY: &str = "msg_00000000000000000000000000";

/// Each route that names something, with a form that would do something were it one's own.
const CASES: &[(&str, &str, &str)] = &[
    ("post", "/people/{person}/passkeys/remove", "passkey=x"),
    ("post", "/people/{person}/role", "role=manager"),
    ("post", "/people/{person}/remove", ""),
    ("post", "/people/{person}/sessions/end", "session={session}"),
    ("get", "/setup/{connection}/projects", ""),
    ("post", "/setup/{connection}/projects", "project={project}&site={site}"),
    ("get", "/setup/{connection}/disconnect", ""),
    ("post", "/setup/{connection}/disconnect", "confirm=yes"),
    ("post", "/setup/{connection}/consent/end", ""),
    ("post", "/setup/{connection}/again", ""),
    ("get", "/setup/{connection}/projects/{project}", ""),
    ("post", "/setup/{connection}/projects/{project}/again", ""),
    ("get", "/setup/{connection}/projects/{project}/activity", ""),
    ("post", "/setup/{connection}/projects/{project}/conflicts", "kind=observation&id={id}&field=name&use=ours"),
    ("get", "/setup/{connection}/projects/{project}/settings", ""),
    ("post", "/setup/{connection}/projects/{project}/settings", "version=1&which=all&min_priority=1"),
    ("get", "/setup/{connection}/projects/{project}/schedule", ""),
    ("post", "/setup/{connection}/projects/{project}/schedule", "version=1&site_version=1&at=06:00"),
    ("get", "/setup/{connection}/projects/{project}/test", ""),
    ("post", "/setup/{connection}/projects/{project}/test", "press=01JD0000000000000000000009"),
    ("post", "/setup/api-keys/{key}/revoke", ""),
    ("get", "/setup/webhooks/{endpoint}", ""),
    ("get", "/setup/webhooks/{endpoint}/settings", ""),
    (
        "post",
        "/setup/webhooks/{endpoint}/settings",
        "version=1&where=all&which=all&min_priority=1&name=x&url=https%3A%2F%2Fhooks.example.com%2Fx",
    ),
    ("get", "/setup/webhooks/{endpoint}/preview", ""),
    ("post", "/setup/webhooks/{endpoint}/test", "press=01JD0000000000000000000009"),
    ("post", "/setup/webhooks/{endpoint}/again", ""),
    ("post", "/setup/webhooks/{endpoint}/rotate-secret", ""),
    ("post", "/setup/webhooks/{endpoint}/remove", ""),
    ("get", "/setup/webhooks/{endpoint}/deliveries/{delivery}", ""),
    ("post", "/setup/webhooks/{endpoint}/deliveries/{delivery}/retry", ""),
    ("post", "/setup/webhooks/{endpoint}/recover", "since=24"),
    ("get", "/sites/{site}/detections/{id}", ""),
    ("get", "/sites/{site}/detections/{id}/footage", ""),
    ("get", "/sites/{site}/incidents/{id}", ""),
    ("get", "/sites/{site}/hour", ""),
    ("post", "/sites/{site}/hour", "at=06:00&was=17:00"),
    ("get", "/sites/{site}/reports", ""),
    ("get", "/sites/{site}/reports/{date}", ""),
    ("get", "/sites/{site}/reports/{date}/trend.csv", ""),
];
/// What names nothing of anybody's, or asks for what it names among the visitor's own.
const NAMELESS: [&str; 4] = ["/assets/{hash}/{name}", "/sign-in/link/{secret}", "/detections/{id}", "/incidents/{id}"];
/// Forms without a name in their address that a manager sends.
const MANAGERS: [(&str, &str); 5] = [
    ("/people/invite", "label=x&role=viewer"),
    ("/setup/connect", "company=11"),
    ("/setup/connect/autodesk", "account=5a0db0c5-0000-4000-8000-000000000001"),
    ("/setup/api-keys", "press=01JD0000000000000000000009&name=x&scope=read&where=all&life=30"),
    ("/setup/webhooks/new", "platform=own"),
];

fn filled(text: &str, world: &World, of: &SignedIn) -> String {
    let tenant = [&world.ours, &world.theirs].into_iter().find(|one| one.organization == of.session.organization_id);
    let tenant = tenant.unwrap();
    text.replace("{person}", of.session.person_id.as_str())
        .replace("{session}", &of.session.id)
        .replace("{connection}", tenant.connection.id.as_str())
        .replace("{project}", PROJECT)
        .replace("{site}", tenant.site.as_str())
        .replace("{endpoint}", endpoint(tenant).as_str())
        .replace("{key}", key(tenant).as_str())
        .replace("{delivery}", DELIVERY)
        .replace("{id}", DETECTION)
        .replace("{date}", "2026-11-23")
}

fn endpoint(tenant: &Tenant) -> EndpointId {
    tenant.site.as_str().replace("site_", "whe_").parse().unwrap()
}

fn key(tenant: &Tenant) -> ApiKeyId {
    tenant.site.as_str().replace("site_", "key_").parse().unwrap()
}

async fn make_key(world: &World, tenant: &Tenant) {
    let directory = Directory(world.table.as_ref());
    let new = NewKey { name: "Dashboard".into(), scopes: vec!["read".into()], site_ids: None, expires_at: None };
    api_keys::make(&directory, tenant.organization.clone(), key(tenant), new, world.people.now()).await.unwrap();
}

async fn make_endpoint(world: &World, tenant: &Tenant) {
    let (bell, vault) = (MemoryBell::default(), MemoryVault::default());
    let desk = Desk { table: world.table.as_ref(), bell: &bell, vault: &vault, now: world.people.now() };
    let new = New {
        platform: Platform::Own,
        name: "Relay".into(),
        url: Secret::new("https://hooks.example.com/x"),
        token: None,
        wants: Wants::default(),
        format: Format::Cloudevents,
    };
    let (made, _) = desk.make(&tenant.organization, endpoint(tenant), new).await.unwrap();
    let content = Content::Detection { site_id: tenant.site.clone(), detection_id: DETECTION.into() };
    let todo = Todo::new(DELIVERY.into(), content.clone(), desk.now, "token".into());
    let message = Message::new(&todo, &content, 1, Format::Cloudevents, "{}".into(), desk.now);
    MessageLane { table: desk.table, id: &made.lane() }.keep(message).await.unwrap();
}

/// Two organizations with the same company's project, the same ids of facts, a record, footage, a webhook endpoint and an API key each.
async fn world() -> World {
    let world = World::new().await;
    for tenant in [&world.ours, &world.theirs] {
        world.link(tenant, DETECTION, RecordState::Failed).await;
        world.footage(tenant, &format!("footage/{}/{}/a.mp4", tenant.organization, tenant.site)).await;
        make_endpoint(&world, tenant).await;
        make_key(&world, tenant).await;
    }
    world
}

fn everything(world: &World) -> Value {
    serde_json::to_value(world.table.dump()).unwrap()
}

#[test]
fn every_route_is_tried() {
    for (method, path) in ROUTES {
        let tried = CASES.iter().any(|(a, b, _)| (a, b) == (method, path));
        let nameless = !path.contains('{') || NAMELESS.contains(path);
        assert!(tried || nameless, "{method} {path} is not tried with another organization's things");
    }
}

#[tokio::test]
async fn a_manager_of_another_organization_gets_nowhere() {
    let world = world().await;
    let (manager, theirs) =
        (world.sign_in(&world.ours, Role::Manager).await, world.sign_in(&world.theirs, Role::Manager).await);
    let before = everything(&world);
    for (method, path, form) in CASES {
        let (path, form) = (filled(path, &world, &theirs), filled(form, &world, &theirs));
        let answer = match *method {
            "get" => world.get(&manager, &path).await,
            _ => world.post(&manager, &path, &form).await,
        };
        assert_eq!(answer.status, 404, "{method} {path}");
        // In the same words as what nobody has.
        assert!(answer.body.contains("There is no such page"), "{method} {path}: {}", answer.body);
    }
    assert_eq!(everything(&world), before, "something was changed");
    assert!(world.bell.take().is_empty());
    // Their own manager gets in by the same addresses.
    for (method, path, _) in CASES.iter().filter(|(method, ..)| *method == "get") {
        let path = filled(path, &world, &theirs);
        let expected: &[u16] = if path.contains("/incidents/") { &[404] } else { &[200, 303] };
        let status = world.get(&theirs, &path).await.status;
        assert!(expected.contains(&status), "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn a_viewer_changes_nothing() {
    let world = world().await;
    let (manager, viewer) =
        (world.sign_in(&world.ours, Role::Manager).await, world.sign_in(&world.ours, Role::Viewer).await);
    let before = everything(&world);
    let named = CASES.iter().filter(|(method, ..)| *method == "post").map(|(_, path, form)| (*path, *form));
    for (path, form) in named.chain(MANAGERS) {
        let (path, form) = (filled(path, &world, &manager), filled(form, &world, &manager));
        assert_eq!(world.post(&viewer, &path, &form).await.status, 403, "{path}");
    }
    assert_eq!(everything(&world), before, "something was changed");
    assert!(world.bell.take().is_empty());
}
