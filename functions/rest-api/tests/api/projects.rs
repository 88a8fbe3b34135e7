//! Project settings.
use crate::world::{Answer, OPERATOR, Tenant, World};
use domain::ids::{Provider, SiteId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::directory::Directory;
use store::due::{self, SiteRef};
use store::lanes::LaneId;
use store::summaries::Summaries;

struct Mapped {
    world: World,
    tenant: Tenant,
    connection: String,
}

impl Mapped {
    async fn new() -> Self {
        let world = World::new();
        let tenant = world.tenant("Acme").await;
        let connection = world.connection(&tenant.organization, "42").await;
        Self { world, tenant, connection }
    }

    async fn put(&self, project: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/v1/connections/{}/projects/{project}", self.connection);
        self.world.call_with(&self.tenant.key, "PUT", &path, Some(body), headers).await
    }

    fn lane(&self) -> LaneId {
        LaneId {
            organization_id: self.tenant.organization.parse().unwrap(),
            connection_id: self.connection.parse().unwrap(),
            provider: Provider::Procore,
        }
    }

    async fn route_to(&self, site: &str) -> Option<(String, jiff::Timestamp)> {
        let directory = Directory(self.world.table.as_ref());
        let route = directory.route(&self.lane(), &site.parse::<SiteId>().unwrap()).await.unwrap();
        route.map(|route| (route.project_id, route.since))
    }
}

#[tokio::test]
async fn a_project_is_mapped_with_defaults_and_its_lane_is_rung() {
    let mapped = Mapped::new().await;
    let site = &mapped.tenant.site;
    let answer = mapped.put("7", json!({"site_id": site}), &[]).await;
    assert_eq!(answer.status, 201);
    let expected = json!({
        "site_id": site,
        "observations": {"min_priority": 3, "kinds": ["zone_breach", "ppe_non_compliance"]},
        "daily_summary": {"enabled": true, "at": "17:00"},
        "mapping": {"observation_types": {}, "incident_types": {}, "hazards": {}},
    });
    assert_eq!(answer.body, expected);
    let path = format!("/v1/connections/{}/projects/7", mapped.connection);
    let read = mapped.world.get(&mapped.tenant.key, &path).await;
    assert_eq!((&read.body, read.header("etag")), (&expected, answer.header("etag")));
    let unchanged = [("if-none-match", &*read.header("etag"))];
    assert_eq!(mapped.world.call_with(&mapped.tenant.key, "GET", &path, None, &unchanged).await.status, 304);
    assert_eq!(mapped.route_to(site).await, Some(("7".into(), mapped.world.now())));
    assert_eq!(mapped.world.bell.take(), [mapped.lane()]);
    let armed = due::get(mapped.world.table.as_ref(), &mapped.lane()).await.unwrap().at();
    assert_eq!(armed, Some(mapped.world.now() + due::RING_AGAIN));
}

#[tokio::test]
async fn settings_are_kept_as_given() {
    let mapped = Mapped::new().await;
    let body = json!({
        "site_id": mapped.tenant.site,
        "observations": {"min_priority": 1, "kinds": "all"},
        "daily_summary": {"enabled": false, "at": "06:30"},
        "mapping": {"observation_types": {"fall": 562949953425831u64}, "incident_types": {"struck_by": "12"}, "hazards": {}},
    });
    let mut expected = body.clone();
    expected["mapping"]["observation_types"]["fall"] = json!("562949953425831");
    assert_eq!(mapped.put("7", body, &[]).await.body, expected);
    let own = json!({"site_id": mapped.tenant.site, "observations": {"kinds": ["crane_swing_9"]}});
    let changed = mapped.put("7", own, &[("if-match", "*")]).await;
    assert_eq!(changed.body["observations"], json!({"min_priority": 3, "kinds": ["crane_swing_9"]}));
}

#[tokio::test]
async fn what_exists_is_changed_only_by_who_has_seen_it() {
    let mapped = Mapped::new().await;
    let body = json!({"site_id": mapped.tenant.site, "observations": {"min_priority": 5}});
    mapped.put("7", body.clone(), &[("if-match", "*")]).await.refused(412);
    let etag = mapped.put("7", json!({"site_id": mapped.tenant.site}), &[]).await.header("etag");
    mapped.put("7", body.clone(), &[]).await.refused(428);
    mapped.put("7", body.clone(), &[("if-match", "\"v9\"")]).await.refused(412);
    mapped.put("7", body.clone(), &[("if-match", &etag), ("if-none-match", "*")]).await.refused(412);
    let since = mapped.world.now();
    mapped.world.pass(SignedDuration::from_hours(1));
    let changed = mapped.put("7", body.clone(), &[("if-match", &etag)]).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
    mapped.put("7", body, &[("if-match", &etag)]).await.refused(412);
    assert_eq!(mapped.route_to(&mapped.tenant.site).await, Some(("7".into(), since)), "no fact in between is lost");
}

#[tokio::test]
async fn a_project_moves_to_another_site_and_leaves_the_first() {
    let mapped = Mapped::new().await;
    let south = mapped.world.site(&mapped.tenant.organization, "South").await;
    let etag = mapped.put("7", json!({"site_id": mapped.tenant.site}), &[]).await.header("etag");
    mapped.world.pass(SignedDuration::from_hours(1));
    assert_eq!(mapped.put("7", json!({"site_id": south}), &[("if-match", &etag)]).await.status, 200);
    assert_eq!(mapped.route_to(&mapped.tenant.site).await, None);
    assert_eq!(mapped.route_to(&south).await, Some(("7".into(), mapped.world.now())));
    assert_eq!(mapped.put("8", json!({"site_id": mapped.tenant.site}), &[]).await.status, 201);
}

#[tokio::test]
async fn two_projects_on_one_site_in_one_connection_are_refused() {
    let mapped = Mapped::new().await;
    mapped.put("7", json!({"site_id": mapped.tenant.site}), &[]).await;
    let second = mapped.put("8", json!({"site_id": mapped.tenant.site}), &[]).await;
    second.refused(409);
    assert!(second.body["detail"].as_str().unwrap().contains("project 7"));
    assert_eq!(mapped.route_to(&mapped.tenant.site).await.unwrap().0, "7");
    // Another connection of the same organization may show the same site.
    let other = mapped.world.connection(&mapped.tenant.organization, "43").await;
    mapped.world.project(&mapped.tenant.key, &other, "8", &mapped.tenant.site).await;
}

#[tokio::test]
async fn a_project_that_another_organization_has_mapped_is_refused_without_naming_it() {
    let mapped = Mapped::new().await;
    let other = mapped.world.tenant("Bolt").await;
    let theirs = mapped.world.connection(&other.organization, "42").await;
    mapped.world.project(&other.key, &theirs, "7", &other.site).await;
    let answer = mapped.put("7", json!({"site_id": mapped.tenant.site}), &[]).await;
    answer.refused(409);
    assert!(!answer.body.to_string().contains(&other.organization));
    assert_eq!(mapped.route_to(&mapped.tenant.site).await, None);
    // The same number in another company is another project.
    let elsewhere = mapped.world.connection(&mapped.tenant.organization, "43").await;
    mapped.world.project(&mapped.tenant.key, &elsewhere, "7", &mapped.tenant.site).await;
}

#[tokio::test]
async fn every_fault_of_the_settings_is_named_at_once() {
    let mapped = Mapped::new().await;
    let other = mapped.world.tenant("Bolt").await;
    let body = json!({
        "site_id": other.site, "webhook": true,
        "observations": {"min_priority": 6, "kinds": ["fall", "Zone Breach", 7], "all": true},
        "daily_summary": {"enabled": "yes", "at": "5 PM"},
        "mapping": {"observation_types": {"Fall": 1, "fall": "x"}, "incident_types": [], "zones": {}},
    });
    let places = mapped.put("7", body, &[]).await.refused(422);
    let expected = [
        "/webhook",
        "/site_id",
        "/observations/all",
        "/observations/min_priority",
        "/observations/kinds/1",
        "/observations/kinds/2",
        "/daily_summary/enabled",
        "/daily_summary/at",
        "/mapping/zones",
        "/mapping/observation_types/Fall",
        "/mapping/observation_types/fall",
        "/mapping/incident_types",
    ];
    assert_eq!(places, expected);
    assert_eq!(mapped.put("7", json!({}), &[]).await.refused(422), ["/site_id"]);
    for bad in ["007", "seven", "0", "7%20"] {
        assert_eq!(mapped.put(bad, json!({"site_id": mapped.tenant.site}), &[]).await.refused(422), ["project_id"]);
        let path = format!("/v1/connections/{}/projects/{bad}", mapped.connection);
        mapped.world.get(&mapped.tenant.key, &path).await.refused(404);
    }
    mapped
        .world
        .get(&mapped.tenant.key, &format!("/v1/connections/{}/projects/9", mapped.connection))
        .await
        .refused(404);
}

#[tokio::test]
async fn of_two_projects_that_come_to_one_site_at_the_same_moment_one_is_refused() {
    let mapped = Mapped::new().await;
    let directory = Directory(mapped.world.table.as_ref());
    let project = |id: &str| store::directory::Project {
        project_id: id.into(),
        name: None,
        settings: domain::settings::check::read(
            &json!({"site_id": mapped.tenant.site}),
            domain::ids::Provider::Procore,
            mapped.tenant.site.parse().ok(),
        )
        .unwrap(),
        mapped_at: mapped.world.now(),
        former_sites: Vec::new(),
        version: 0,
    };
    // Both have looked, found the site free, and write.
    directory.put_project(&mapped.lane(), &mut project("7")).await.unwrap();
    let second = directory.put_project(&mapped.lane(), &mut project("8")).await;
    assert!(matches!(second, Err(store::TableError::Condition(Some(_)))), "{second:?}");
    assert_eq!(mapped.route_to(&mapped.tenant.site).await.unwrap().0, "7");
    assert!(directory.project(&mapped.lane(), "8").await.unwrap().is_none(), "nothing of the second stays");
}

#[tokio::test]
async fn the_hour_of_the_summary_is_the_sites() {
    let mapped = Mapped::new().await;
    let other = mapped.world.connection(&mapped.tenant.organization, "43").await;
    let etag = mapped.world.project(&mapped.tenant.key, &other, "8", &mapped.tenant.site).await;
    mapped.put("7", json!({"site_id": mapped.tenant.site, "daily_summary": {"at": "06:00"}}), &[]).await;
    let read = mapped.world.get(OPERATOR, &format!("/v1/connections/{other}/projects/8")).await;
    assert_eq!(read.body["daily_summary"], json!({"enabled": true, "at": "06:00"}));
    assert_ne!(read.header("etag"), etag);
}

#[tokio::test]
async fn the_hour_is_set_at_the_site_too_and_a_project_that_leaves_it_alone_does_not_change_it() {
    let mapped = Mapped::new().await;
    let (world, key) = (&mapped.world, &mapped.tenant.key);
    let (hour, project) = (
        format!("/v1/sites/{}/daily-summary", mapped.tenant.site),
        format!("/v1/connections/{}/projects/7", mapped.connection),
    );
    // Nobody takes the summary but an endpoint, if at all.
    let standing = world.get(key, &hour).await;
    assert_eq!(standing.body, json!({"at": "17:00"}));
    let put = async |at: &str, etag: &str| {
        world.call_with(key, "PUT", &hour, Some(json!({"at": at})), &[("if-match", etag)]).await
    };
    assert_eq!(put("25:00", "*").await.refused(422), ["/at"]);
    put("15:30", "\"v1\"").await.refused(412);
    let set = put("15:30", &standing.header("etag")).await;
    assert_eq!(set.status, 200);
    assert_eq!(set.body, json!({"at": "15:30"}));
    assert_eq!(world.get(key, &hour).await.header("etag"), set.header("etag"));
    mapped.put("7", json!({"site_id": mapped.tenant.site}), &[]).await;
    put("06:00", "*").await;
    let kept = world.get(key, &project).await;
    assert_eq!(kept.body["daily_summary"]["at"], "06:00", "shared with the project");
    // As if that had not been: the project's copy is an old one, and somebody changes something else.
    let mut stale = kept.body.clone();
    stale["observations"] = json!({"min_priority": 5});
    set_state(&mapped, "07:00").await;
    let saved = mapped.put("7", stale, &[("if-match", &kept.header("etag"))]).await;
    assert_eq!(saved.body["daily_summary"]["at"], "07:00", "{}", saved.body);
    assert_eq!(world.get(key, &hour).await.body, json!({"at": "07:00"}));
}

/// Sets the site's hour, and tells no project of it.
async fn set_state(mapped: &Mapped, at: &str) {
    let site = SiteRef {
        organization_id: mapped.tenant.organization.parse().unwrap(),
        site_id: mapped.tenant.site.parse().unwrap(),
    };
    let summaries = Summaries { table: mapped.world.table.as_ref(), site: &site };
    let mut state = summaries.state().await.unwrap();
    state.at = at.into();
    assert!(summaries.put_state(&mut state).await.unwrap());
}

#[tokio::test]
async fn a_key_for_one_site_sees_and_maps_that_site_only() {
    let mapped = Mapped::new().await;
    let (world, tenant) = (&mapped.world, &mapped.tenant);
    let south = world.site(&tenant.organization, "South").await;
    let (key, _) = world.key(&tenant.organization, &["read", "connections:write"], Some(&[&south])).await;
    mapped.put("7", json!({"site_id": tenant.site}), &[]).await;
    let project = |number: u32| format!("/v1/connections/{}/projects/{number}", mapped.connection);
    let sites = world.get(&key, "/v1/sites").await;
    assert_eq!(
        sites.body["data"].as_array().unwrap().iter().map(|site| site["id"].as_str().unwrap()).collect::<Vec<_>>(),
        [south.as_str()]
    );
    world.get(&key, &format!("/v1/sites/{}", tenant.site)).await.refused(404);
    let name = Some(json!({"name": "x"}));
    world
        .call_with(&key, "PATCH", &format!("/v1/sites/{}", tenant.site), name, &[("if-match", "*")])
        .await
        .refused(404);
    world.get(&key, &project(7)).await.refused(404);
    let theirs = Some(json!({"site_id": south}));
    world.call_with(&key, "PUT", &project(7), theirs, &[("if-match", "*")]).await.refused(404);
    let hidden = Some(json!({"site_id": tenant.site}));
    assert_eq!(world.call_with(&key, "PUT", &project(8), hidden, &[]).await.refused(422), ["/site_id"]);
    world.project(&key, &mapped.connection, "8", &south).await;
}

#[tokio::test]
async fn a_route_that_a_project_left_behind_does_not_hold_its_site() {
    let mapped = Mapped::new().await;
    let south = mapped.world.site(&mapped.tenant.organization, "South").await;
    let etag = mapped.put("7", json!({"site_id": mapped.tenant.site}), &[]).await.header("etag");
    // The process that moved the project died before it took the first site's route away.
    let directory = Directory(mapped.world.table.as_ref());
    let mut project = directory.project(&mapped.lane(), "7").await.unwrap().unwrap();
    project.settings.site_id = south.parse().unwrap();
    directory.put_project(&mapped.lane(), &mut project).await.unwrap();
    assert!(mapped.route_to(&mapped.tenant.site).await.is_some());
    mapped.put("7", json!({"site_id": south}), &[("if-match", &etag)]).await.refused(412);
    assert_eq!(mapped.put("7", json!({"site_id": south}), &[("if-match", "*")]).await.status, 200);
    assert_eq!(mapped.route_to(&mapped.tenant.site).await, None);
}

/// A queue that takes nothing.
struct DeafBell;

#[async_trait::async_trait]
impl store::bell::Bell for DeafBell {
    async fn ring(&self, _: &LaneId) -> Result<(), store::bell::BellError> {
        Err(store::bell::BellError::Unavailable("no answer".into()))
    }
}

#[tokio::test]
async fn a_ring_that_nobody_hears_is_left_to_the_clock() {
    let table = std::sync::Arc::new(store::memory::MemoryTable::default());
    let world = World::over(table.clone(), table, std::sync::Arc::new(DeafBell), Default::default());
    let tenant = world.tenant("Acme").await;
    let connection = world.connection(&tenant.organization, "42").await;
    world.project(&tenant.key, &connection, "7", &tenant.site).await;
    let mut due = Vec::new();
    for shard in due::shards() {
        let found =
            due::overdue(world.table.as_ref(), &shard, world.now() + due::RING_AGAIN, 10, &[].into()).await.unwrap();
        due.extend(found.into_iter().map(|(_, due)| due.unwrap()));
    }
    let lanes = due.iter().filter_map(|due| match &due.owner {
        due::Owner::Lane(lane) => Some(lane.connection_id.as_str()),
        due::Owner::Site(_) => None,
    });
    assert_eq!(lanes.collect::<Vec<_>>(), [connection]);
}
