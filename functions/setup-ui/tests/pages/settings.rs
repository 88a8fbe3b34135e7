use crate::world::{PROJECT, World};
use domain::settings::Kinds;
use people::Role;
use serde_json::json;
use store::directory::Directory;

#[tokio::test]
async fn settings_are_saved_and_take_effect_on_the_route() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/settings", world.ours.project());
    let form = "version=1&which=these&kind=fall&another=gas_leak&min_priority=4";
    let saved = world.post(&manager, &path, form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let lane = world.ours.connection.lane();
    let directory = Directory(world.table.as_ref());
    let route = directory.route(&lane, &world.ours.site).await.unwrap().unwrap();
    assert_eq!(route.settings.observations.kinds, Kinds::Only(vec!["fall".into(), "gas_leak".into()]));
    assert_eq!((route.settings.observations.min_priority, route.settings.daily_summary.at.as_str()), (4, "17:00"));
    assert_eq!(world.bell.take(), std::slice::from_ref(&lane));
    let again = world.post(&manager, &path, form).await;
    assert!(again.status == 409 && again.body.contains("Somebody else changed"));
    assert_eq!(directory.project(&lane, PROJECT).await.unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/settings", world.ours.project());
    let form = "version=1&which=these&kind=man_down&another=Gas+%22Leak&min_priority=9";
    let page = world.post(&manager, &path, form).await;
    assert_eq!(page.status, 422);
    for field in ["another", "min_priority"] {
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field} in the summary: {}", page.body);
        assert!(page.body.contains(&format!("aria-describedby=\"{field}-error\"")), "{field}");
        assert!(page.body.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    assert!(page.body.contains("Gas &quot;Leak") && page.body.contains("value=\"man_down\" checked"));
    let all = world.post(&manager, &path, "version=1&which=all&another=Gas+Leak&min_priority=3").await;
    assert!(all.status == 422 && all.body.contains("id=\"another-error\""), "nothing that was typed is passed over");
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.get(&viewer, &path).await.status, 403);
    assert_eq!(world.post(&viewer, &path, form).await.status, 403);
    assert!(world.bell.take().is_empty());
}

#[tokio::test]
async fn a_preview_counts_the_last_day_by_the_form_and_saves_nothing() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/settings", world.ours.project());
    for (kinds, observations) in [("which=these&kind=zone_breach", 1), ("which=these&kind=fall", 0), ("which=all", 1)] {
        let form = format!("version=1&{kinds}&min_priority=4&do=preview");
        let page = world.post(&manager, &path, &form).await;
        assert_eq!(page.status, 200);
        assert!(
            page.body.contains(&format!("Of 1 detections, <strong>{observations}</strong>")),
            "{kinds}: {}",
            page.body
        );
        assert_eq!(page.body.contains("Zone breach - z1"), observations == 1, "{kinds}");
        assert!(!page.body.contains("W-4711"));
    }
    let lane = world.ours.connection.lane();
    let project = Directory(world.table.as_ref()).project(&lane, PROJECT).await.unwrap().unwrap();
    assert_eq!((project.version, project.settings.daily_summary.at.as_str()), (1, "17:00"));
    assert!(world.bell.take().is_empty());
}

/// Settings as code and the page are one: what a body of the API may say, the form may, and the other way round.
#[tokio::test]
async fn the_form_takes_and_refuses_what_a_body_of_the_api_does() {
    let observations = |priority: serde_json::Value, kinds: serde_json::Value| json!({"observations": {"min_priority": priority, "kinds": kinds}});
    let long = "a".repeat(65);
    for (form, body) in [
        ("which=all&min_priority=1".to_owned(), observations(json!(1), json!("all"))),
        ("which=these&kind=fall&kind=fall&min_priority=5".into(), observations(json!(5), json!(["fall", "fall"]))),
        ("which=these&min_priority=3".into(), observations(json!(3), json!([]))),
        ("which=these&kind=Fall&min_priority=3".into(), observations(json!(3), json!(["Fall"]))),
        (format!("which=these&kind={long}&min_priority=3"), observations(json!(3), json!([long]))),
        ("which=these&another=9x&min_priority=3".into(), observations(json!(3), json!(["9x"]))),
        ("which=all&min_priority=0".into(), observations(json!(0), json!("all"))),
        ("which=all&min_priority=6".into(), observations(json!(6), json!("all"))),
        ("which=all&min_priority=high".into(), observations(json!("high"), json!("all"))),
        ("which=all&min_priority=".into(), observations(json!(""), json!("all"))),
        (
            "which=all&min_priority=3&mapping=1&hazards:fall=007".into(),
            json!({"observations": {"kinds": "all"}, "mapping": {"hazards": {"fall": "007"}}}),
        ),
        (
            "which=all&min_priority=3&mapping=1&incident_types:fall=8600000077&incident_types:struck_by=".into(),
            json!({"observations": {"kinds": "all"}, "mapping": {"incident_types": {"fall": "8600000077"}}}),
        ),
        (
            "which=all&min_priority=3&mapping=1&incident_types:fall=General".into(),
            json!({"observations": {"kinds": "all"}, "mapping": {"incident_types": {"fall": "General"}}}),
        ),
        (
            "which=all&min_priority=3&mapping=1&observation_types:Fall=7".into(),
            json!({"observations": {"kinds": "all"}, "mapping": {"observation_types": {"Fall": "7"}}}),
        ),
    ] {
        let world = World::new().await;
        let manager = world.sign_in(&world.ours, Role::Manager).await;
        let answer =
            world.post(&manager, &format!("{}/settings", world.ours.project()), &format!("version=1&{form}")).await;
        let mut body = body;
        body["site_id"] = json!(world.ours.site);
        let read = domain::settings::check::read(&body, domain::ids::Provider::Procore, Some(world.ours.site.clone()));
        assert_eq!(answer.status == 303, read.is_ok(), "{form}: {} {read:?}", answer.status);
        let lane = world.ours.connection.lane();
        let kept = Directory(world.table.as_ref()).project(&lane, PROJECT).await.unwrap().unwrap().settings;
        if let Ok(read) = read {
            assert_eq!(kept, read, "{form}");
        }
    }
}
