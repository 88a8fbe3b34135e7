use crate::world::{PROJECT, World};
use domain::settings::Kinds;
use people::Role;
use store::directory::Directory;

#[tokio::test]
async fn settings_are_saved_and_take_effect_on_the_route() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/settings", world.ours.project());
    assert!(world.get(&manager, &path).await.body.contains("value=\"17:00\""));
    let form = "version=1&which=these&kind=fall&another=gas_leak&min_priority=4&summary=on&at=16:30";
    let saved = world.post(&manager, &path, form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let lane = world.ours.connection.lane();
    let directory = Directory(world.table.as_ref());
    let route = directory.route(&lane, &world.ours.site).await.unwrap().unwrap();
    assert_eq!(route.settings.observations.kinds, Kinds::Only(vec!["fall".into(), "gas_leak".into()]));
    assert_eq!((route.settings.observations.min_priority, route.settings.daily_summary.at.as_str()), (4, "16:30"));
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
    let form = "version=1&which=these&kind=man_down&another=Gas+%22Leak&min_priority=9&at=25:00";
    let page = world.post(&manager, &path, form).await;
    assert_eq!(page.status, 422);
    for field in ["another", "min_priority", "at"] {
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field} in the summary: {}", page.body);
        assert!(page.body.contains(&format!("aria-describedby=\"{field}-error\"")), "{field}");
        assert!(page.body.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    assert!(page.body.contains("Gas &quot;Leak") && page.body.contains("value=\"man_down\" checked"));
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
        let form = format!("version=1&{kinds}&min_priority=4&at=16:30&do=preview");
        let page = world.post(&manager, &path, &form).await;
        assert_eq!(page.status, 200);
        assert!(
            page.body.contains(&format!("Of 1 detections, <strong>{observations}</strong>")),
            "{kinds}: {}",
            page.body
        );
        assert_eq!(page.body.contains("Zone breach - z1"), observations == 1, "{kinds}");
        assert!(page.body.contains("value=\"16:30\"") && !page.body.contains("W-4711"));
    }
    let lane = world.ours.connection.lane();
    let project = Directory(world.table.as_ref()).project(&lane, PROJECT).await.unwrap().unwrap();
    assert_eq!((project.version, project.settings.daily_summary.at.as_str()), (1, "17:00"));
    assert!(world.bell.take().is_empty());
}
