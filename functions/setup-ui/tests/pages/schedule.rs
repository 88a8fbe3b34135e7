use crate::world::{PROJECT, World};
use people::Role;
use store::directory::{Directory, Project};
use store::endpoints::Endpoints;
use store::table::item;
use store::{Condition, Table, keys, summaries};

#[tokio::test]
async fn the_hour_and_the_shifts_are_kept_on_the_sites_clock() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/schedule", world.ours.project());
    let page = world.get(&manager, &path).await;
    assert!(page.body.contains("value=\"17:00\"") && page.body.contains("America/Chicago"));
    let form = "version=1&site_version=1&summary=on&at=16:30&shift_name=Day&shift_start=06:00&shift_end=14:30\
                &shift_name=Night&shift_start=22:00&shift_end=06:00&shift_name=&shift_start=&shift_end=";
    let saved = world.post(&manager, &path, form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let directory = Directory(world.table.as_ref());
    let site = directory.site(&world.ours.organization, &world.ours.site).await.unwrap().unwrap();
    let shifts: Vec<(&str, &str)> =
        site.shifts.iter().map(|shift| (shift.name.as_str(), shift.start.as_str())).collect();
    assert_eq!(shifts, [("Day", "06:00"), ("Night", "22:00")]);
    let project = directory.project(&world.ours.connection.lane(), PROJECT).await.unwrap().unwrap();
    assert_eq!(project.settings.daily_summary.at, "16:30");
    assert_eq!(world.post(&manager, &path, form).await.status, 409);
    assert!(world.get(&manager, &path).await.body.contains("value=\"Night\""));
}

#[tokio::test]
async fn each_mistake_stands_at_its_field_and_nothing_is_kept() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/schedule", world.ours.project());
    let form = "version=1&site_version=1&at=25:00&shift_name=Day&shift_start=6&shift_end=14:30\
                &shift_name=Day&shift_start=08:00&shift_end=08:00&shift_name=other&shift_start=01:00&shift_end=02:00";
    let page = world.post(&manager, &path, form).await;
    assert_eq!(page.status, 422);
    for field in ["at", "shift_start-0", "shift_end-1", "shift_name-2"] {
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field}: {}", page.body);
        assert!(page.body.contains(&format!("aria-describedby=\"{field}-error\"")), "{field}");
        assert!(page.body.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    let directory = Directory(world.table.as_ref());
    let site = directory.site(&world.ours.organization, &world.ours.site).await.unwrap().unwrap();
    assert!(site.shifts.is_empty() && world.bell.take().is_empty());
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.post(&viewer, &path, form).await.status, 403);
}

#[tokio::test]
async fn todays_note_is_shown_in_its_real_words_and_nothing_is_kept_of_it() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let path = format!("{}/schedule", world.ours.project());
    let form = "do=preview&version=1&site_version=1&at=12:00&shift_name=Day&shift_start=06:00&shift_end=14:30";
    let before = world.table.dump();
    let page = world.post(&manager, &path, &format!("{form}&summary=on")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for shown in [
        "Safety summary for Tue, Nov 24, 2026\nMon 12:00 to Tue 12:00 CST\n\nAlerts: 1 (+1 from the day before)\n",
        "- Day: no data\n",
        "value=\"12:00\"",
        "not saved yet",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let saved = "do=preview&version=1&site_version=1&summary=on&at=17:00";
    let saved = world.post(&manager, &path, saved).await;
    assert!(
        saved.body.contains("Nothing was put into the Daily Log.") && !saved.body.contains("not saved yet"),
        "{}",
        saved.body
    );
    let off = world.post(&manager, &path, form).await;
    assert!(off.body.contains("The note is switched off here"), "{}", off.body);
    assert_eq!(world.table.dump(), before);
    let wrong = format!("{form}&shift_name=Early&shift_start=05:00&shift_end=07:00");
    let page = world.post(&manager, &path, &wrong).await;
    let sentence = "Shift 2, start: it must lie outside shift 1 of the list: an hour can be in one only.";
    assert!(page.status == 422 && page.body.contains(sentence), "{}", page.body);
}

/// Another project was put in the place of this one between its page and its form.
#[tokio::test]
async fn shifts_that_were_saved_before_the_rest_failed_are_said_to_be() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let (lane, site, table) = (world.ours.connection.lane(), &world.ours.site, world.table.as_ref());
    let (directory, organization, connection) = (Directory(table), &lane.organization_id, &lane.connection_id);
    let mut route = directory.route(&lane, site).await.unwrap().unwrap();
    let project = directory.project(&lane, PROJECT).await.unwrap().unwrap();
    let other = Project { project_id: "8".into(), ..project };
    route.project_id = "8".into();
    let (at_route, at_project) =
        (keys::route(organization, site, connection), keys::project(organization, connection, "8"));
    table.put(item(&at_route, &route).unwrap(), Condition::Always).await.unwrap();
    table.put(item(&at_project, &other).unwrap(), Condition::Always).await.unwrap();
    let form = "version=1&site_version=1&summary=on&at=16:30&shift_name=Day&shift_start=06:00&shift_end=14:30";
    let answer = world.post(&manager, &format!("{}/schedule", world.ours.project()), form).await;
    assert!(answer.status == 409 && answer.body.contains("Your shifts are saved."), "{}", answer.body);
    assert_eq!(directory.site(organization, site).await.unwrap().unwrap().shifts.len(), 1);
}

#[tokio::test]
async fn the_hour_of_a_site_that_only_a_webhook_takes_is_set_from_its_page() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let made = "version=01JDN3Z4WQ0000000000000001&platform=own&where=all&which=all&min_priority=3&daily_summary=1\
                &name=Relay&url=https%3A%2F%2Fhooks.example.com%2Fpulse";
    assert_eq!(world.post(&manager, "/setup/webhooks/new", made).await.status, 200);
    let endpoint = Endpoints(world.table.as_ref()).list(&world.ours.organization).await.unwrap().remove(0);
    let path = format!("/sites/{}/hour", world.ours.site);
    let page = world.get(&manager, &format!("/setup/webhooks/{}", endpoint.id)).await;
    assert!(page.body.contains(&format!("href=\"{path}\"")), "{}", page.body);
    let page = world.get(&manager, &path).await;
    assert!(page.body.contains("value=\"17:00\"") && page.body.contains("America/Chicago"), "{}", page.body);
    let wrong = world.post(&manager, &path, "at=25:00&was=17:00").await;
    assert!(wrong.status == 422 && wrong.body.contains("href=\"#at\""), "{}", wrong.body);
    assert_eq!(world.post(&manager, &path, "at=15:30&was=17:00").await.status, 303);
    let hour = summaries::hour_of(world.table.as_ref(), &world.ours.organization, &world.ours.site).await.unwrap();
    assert_eq!(hour, "15:30");
    assert_eq!(world.post(&manager, &path, "at=16:00&was=17:00").await.status, 409);
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    assert_eq!(world.post(&viewer, &path, "at=16:00&was=15:30").await.status, 403);
    let foreign = format!("/sites/{}/hour", world.theirs.site);
    assert_eq!(world.get(&manager, &foreign).await.status, 404);
    assert_eq!(world.post(&manager, &foreign, "at=16:00&was=17:00").await.status, 404);
}
