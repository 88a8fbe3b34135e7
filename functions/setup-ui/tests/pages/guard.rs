use crate::world::{DETECTION, PUBLIC, World};
use axum::body::Body;
use axum::http::Request;
use people::Role;
use setup_ui::ROUTES;

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    for path in ["/setup", "/setup/nothing", "/assets/0/style.css"] {
        let answer = world.get(&manager, path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(!policy.contains("unsafe") && policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors https://app.procore.com") && policy.contains("sandbox.procore.com"));
        assert_eq!(answer.headers["referrer-policy"], "same-origin");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.contains_key("strict-transport-security"));
    }
}

#[tokio::test]
async fn the_style_sheet_that_a_page_names_may_be_kept_for_ever() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let page = world.get(&manager, "/setup").await;
    assert_eq!(page.headers["cache-control"], "private, no-store");
    let path = page.body.split("href=\"").find(|part| part.starts_with("/assets/")).unwrap().split('"').next().unwrap();
    let style = world.get(&manager, path).await;
    assert!(style.status == 200 && style.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(world.get(&manager, "/assets/0/style.css").await.headers["cache-control"], "public, max-age=60");
}

/// What is there for people who are not signed in yet.
const OPEN: [&str; 2] = ["/assets/", "/sign-in"];

#[tokio::test]
async fn each_route_asks_who_looks() {
    let world = World::new().await;
    for (method, path) in ROUTES.iter().filter(|(_, path)| !OPEN.iter().any(|open| path.starts_with(open))) {
        let path = path.replace(['{', '}'], "");
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path).header("origin", PUBLIC);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.headers["location"].to_str().unwrap().starts_with("/sign-in?next=%2F"), "{path}");
    }
}

#[tokio::test]
async fn what_belongs_to_another_organization_does_not_exist() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let (mine, other) = (world.ours.project(), world.theirs.project());
    let (my_site, site) = (&world.ours.site, &world.theirs.site);
    for (own, foreign) in [
        (mine.clone(), other.clone()),
        (format!("{mine}/activity"), format!("{other}/activity")),
        (format!("/sites/{my_site}/detections/{DETECTION}"), format!("/sites/{site}/detections/{DETECTION}")),
    ] {
        assert_eq!(world.get(&manager, &own).await.status, 200, "{own}");
        assert_eq!(world.get(&manager, &foreign).await.status, 404, "{foreign}");
    }
    assert_eq!(world.get(&manager, &format!("/sites/{site}/incidents/{DETECTION}")).await.status, 404);
    assert_eq!(world.get(&manager, &format!("/setup/{}/disconnect", world.theirs.connection.id)).await.status, 404);
    for path in [
        format!("{other}/again"),
        format!("/setup/{}/again", world.theirs.connection.id),
        format!("/setup/{}/disconnect", world.theirs.connection.id),
    ] {
        assert_eq!(world.post(&manager, &path, "").await.status, 404, "{path}");
    }
    let overview = world.get(&manager, "/setup").await;
    assert!(overview.body.contains("North Tower 1") && !overview.body.contains("North Tower 2"));
    // Both organizations have a detection of this id: each is led to its own.
    let found = world.get(&manager, &format!("/detections/{DETECTION}")).await;
    assert_eq!(found.headers["location"].to_str().unwrap(), format!("/sites/{my_site}/detections/{DETECTION}"));
}

#[tokio::test]
async fn a_form_from_elsewhere_or_without_its_token_changes_nothing() {
    let world = World::new().await;
    world.block(&world.ours).await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let path = format!("/setup/{}/again", world.ours.connection.id);
    let token = format!("csrf={}", manager.session.csrf);
    for (body, origin) in [
        (token.clone(), "https://evil.example"),
        (token, "null"),
        ("csrf=".to_owned(), PUBLIC),
        (format!("csrf={}", viewer.session.csrf), PUBLIC),
    ] {
        let answer = world.post_from(&manager, &path, body, origin).await;
        assert!(answer.status == 403 && answer.body.contains("nothing was changed"), "{origin}: {}", answer.body);
    }
    let refused = world.post(&viewer, &path, "").await;
    assert!(refused.status == 403 && refused.body.contains("may look but not change"));
    assert!(world.connection(&world.ours).await.blocked.is_some());
    assert!(world.bell.take().is_empty());
}
