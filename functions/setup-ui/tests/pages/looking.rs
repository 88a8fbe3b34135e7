use crate::world::{DETECTION, World};
use domain::record::RecordState;
use people::Role;
use serde_json::json;

#[tokio::test]
async fn a_detection_shows_its_facts_on_the_sites_clock_and_no_worker_id() {
    let world = World::new().await;
    world.link(&world.ours, DETECTION, RecordState::Synced).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let page = world.get(&viewer, &format!("/sites/{}/detections/{DETECTION}", world.ours.site)).await;
    assert_eq!(page.status, 200);
    for shown in [
        "Zone breach at z1",
        "2026-11-24 10:00:00 CST",
        "Rigger, Ironwork",
        "/footage/cam-7/1600.mp4",
        "number 12",
        "In Procore",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("W-4711"));
    assert_eq!(world.get(&viewer, &format!("/sites/{}/detections/nothing", world.ours.site)).await.status, 404);
}

#[tokio::test]
async fn the_detection_of_a_privacy_case_says_as_little_as_the_case() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let page = format!("/sites/{}/detections/{DETECTION}", world.ours.site);
    world.incident_of(&world.ours, "01JD00000000000000000000A4", false, &[DETECTION]).await;
    assert!(world.get(&viewer, &page).await.body.contains("Rigger, Ironwork"));
    world.incident_of(&world.ours, "01JD00000000000000000000A5", true, &[DETECTION]).await;
    let private = world.get(&viewer, &page).await.body;
    assert!(private.contains("Not shown: a privacy case") && !private.contains("Rigger"), "{private}");
}

#[tokio::test]
async fn an_incident_shows_what_people_added_and_where_from() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let page = |id: &str| format!("/sites/{}/incidents/{id}", world.ours.site);
    world.incident(&world.ours, "01JD00000000000000000000A1", false).await;
    let bare = world.get(&viewer, &page("01JD00000000000000000000A1")).await.body;
    assert!(bare.contains("None so far") && !bare.contains("What was changed"), "{bare}");

    for (id, privacy_case) in [("01JD00000000000000000000A2", false), ("01JD00000000000000000000A3", true)] {
        let connection = world.incident(&world.ours, id, privacy_case).await;
        let injury = |id: &str, days: u32| {
            json!({"remote_id": id, "filing_type": "lost_time", "days_away": days, "treatment_facility": "Mercy Clinic",
                "treated_in_er": true, "description": "Ask for <b>Kim</b>"})
        };
        let told = json!({"injuries": [injury("71", 100), injury("72", 99)], "status": "closed"});
        world
            .tell(&world.ours, id, json!({"platform": {"connection_id": connection, "provider": "procore"}}), told)
            .await;
        let restricted = json!({"injuries": [{"remote_id": "1", "days_restricted": 4}]});
        world.tell(&world.ours, id, json!({"api": {"key_name": "Clinic"}}), restricted).await;
        let page = world.get(&viewer, &page(id)).await.body;
        for shown in [
            "Days away from work (column H)",
            "<dd>180</dd>",
            "Days restricted or transferred (column L)</dt><dd>4</dd>",
            "Injury 1, from the API key Clinic",
            "Injury 2, from Procore",
            "Injury 3, from Procore",
            "Mercy Clinic",
            "Lost time",
            "2026-11-24 10:03:05 CST, from Procore: days away, description, filing type",
        ] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert_eq!(page.contains("Ask for &lt;b&gt;Kim&lt;/b&gt;"), !privacy_case, "{page}");
        assert_eq!(page.contains("Not shown: a privacy case"), privacy_case, "{page}");
    }
}

#[tokio::test]
async fn every_page_has_its_landmarks_and_the_support_contact() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let project = world.ours.project();
    for path in ["/setup".to_owned(), project.clone(), format!("{project}/activity"), "/nothing".to_owned()] {
        let page = world.get(&viewer, &path).await.body;
        for part in [
            "<html lang=\"en\">",
            "href=\"#main\"",
            "<main id=\"main\"",
            "mailto:contact@hardhatpulse.com",
            "width=device-width",
        ] {
            assert!(page.contains(part), "{path} lacks {part}");
        }
        assert_eq!(page.matches("<h1>").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn activity_is_newest_first_in_pages_and_filtered() {
    let world = World::new().await;
    let id = |n: u32| format!("01JD00000000000000000{n:05}");
    for n in 0..30 {
        let state = if n == 3 { RecordState::Failed } else { RecordState::Synced };
        world.link(&world.ours, &id(n), state).await;
    }
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let path = format!("{}/activity", world.ours.project());
    let first = world.get(&viewer, &path).await.body;
    let place = |page: &str, n: u32| page.find(&format!("detections/{}", id(n)));
    assert!(place(&first, 29) < place(&first, 5) && place(&first, 5).is_some());
    assert!(place(&first, 4).is_none() && first.contains("id=\"older\""));
    let older = world.get(&viewer, &format!("{path}?before={}", id(5))).await.body;
    assert!(place(&older, 4).is_some() && place(&older, 5).is_none() && !older.contains("id=\"older\""));
    let failed = world.get(&viewer, &format!("{path}?state=failed")).await.body;
    assert!(place(&failed, 3).is_some() && place(&failed, 4).is_none());
    assert!(failed.contains("Their words") && failed.contains("Ours"));
    // The platform's words are words, not markup.
    assert!(failed.contains("&lt;b&gt;must&lt;/b&gt;") && !failed.contains("<b>must"));
}

#[tokio::test]
async fn footage_opens_by_a_fresh_link_and_only_from_the_sites_own_place() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let stranger = world.sign_in(&world.theirs, Role::Manager).await;
    let page = format!("/sites/{}/detections/{DETECTION}", world.ours.site);
    let path = format!("{page}/footage");
    assert_eq!(world.get(&viewer, &path).await.status, 404);
    let own = format!("footage/{}/{}/cam-7/1600.mp4", world.ours.organization, world.ours.site);
    for (key, status) in [(format!("footage/{}/{}/x", world.theirs.organization, world.theirs.site), 404), (own, 303)] {
        world.footage(&world.ours, &key).await;
        assert_eq!(world.get(&viewer, &path).await.status, status, "{key}");
        assert_eq!(world.get(&viewer, &page).await.body.contains("Watch the footage"), status == 303, "{key}");
        assert_eq!(world.get(&stranger, &path).await.status, 404, "{key}");
    }
}
