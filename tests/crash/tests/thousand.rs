//! A thousand projects whose day ends in the same minute, in one company: one lane, one rate limit. What it came to is printed, for
//! `cargo xtask bench`.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
#![expect(clippy::print_stdout, reason = "the bench reads the figures")]
use crash::facts::{at, detected};
use crash::fault::Fault;
use crash::history::violations;
use crash::world::World;
use domain::ids::SiteId;
use domain::settings::ProjectSettings;
use jiff::SignedDuration;
use sandbox::limits::Limits;
use sandbox::procore::ProjectSeed;
use serde_json::json;
use store::directory::{Directory, Project, Site};
use sync::clock::Clock;

const PROJECTS: u128 = 1_000;

/// As many sites, each mapped to a project of its own, with one alert more than the one before in tens.
async fn begin(limits: Limits) -> (World, Vec<(i64, u128)>) {
    let mut world = World::unmapped(1).await.unwrap();
    world.at_once = 6;
    world.procore.set_limits(limits);
    let (directory, company) = (Directory(&world.table), world.procore.companies()[0].id);
    let mut projects = Vec::new();
    for n in 0..PROJECTS {
        let mut site = Site {
            id: SiteId::new(ulid::Ulid::from_parts(5, n)),
            organization_id: world.lane.organization_id.clone(),
            name: format!("Site {n}"),
            time_zone: "America/Chicago".into(),
            shifts: vec![],
            created_at: world.clock.now(),
            version: 0,
        };
        directory.put_site(&mut site).await.unwrap();
        let seed = ProjectSeed::new(&site.name, "America/Chicago", "Central Time (US & Canada)");
        let id = world.procore.add_project(company, &seed).unwrap();
        let mut settings = ProjectSettings {
            site_id: site.id.clone(),
            observations: Default::default(),
            daily_summary: Default::default(),
            mapping: Default::default(),
        };
        settings.observations.min_priority = 5;
        let now = world.clock.now();
        let mut project = Project {
            project_id: id.to_string(),
            name: None,
            settings,
            mapped_at: now,
            former_sites: Vec::new(),
            version: 0,
        };
        directory.put_project_settled(&world.lane, &mut project, now).await.unwrap();
        let events = (0..n % 10).map(|k| detected(n * 10 + k, at() - SignedDuration::from_mins(1), "fall")).collect();
        let mut message = world.message(events);
        message.site_id = site.id;
        if n % 10 > 0 {
            world.route(&message, &Fault::never()).await.unwrap();
        }
        projects.push((id, n % 10));
    }
    (world, projects)
}

async fn drain(limits: Limits, within: SignedDuration) {
    let (world, projects) = begin(limits).await;
    let cut: jiff::Timestamp = "2026-11-24T23:00:00Z".parse().unwrap();
    world.days(cut, &Fault::never(), &Fault::never()).await.unwrap();
    let before = world.procore.calls().len();
    world.days(cut + within, &Fault::never(), &Fault::never()).await.unwrap();
    let (mut notes, mut wrong, mut last) = (0, Vec::new(), cut);
    for (project, alerts) in projects {
        let found = world.procore.notes(project);
        last = found.iter().map(|note| note.created_at).fold(last, jiff::Timestamp::max);
        notes += found.len();
        let says = |text: &str| text.contains(&format!("\nAlerts: {alerts} ("));
        match found.as_slice() {
            [note] if says(note.fields["comment"].as_str().unwrap()) => {}
            _ => wrong.push(format!("project {project}: {found:?}")),
        }
    }
    let calls: Vec<_> = world.procore.calls().split_off(before);
    let refused = calls.iter().filter(|call| call.status == Some(429)).count();
    let figures = json!({
        "limits": limits, "notes": notes, "wrong": wrong.len(), "calls": calls.len(), "refused": refused,
        "minutes": last.duration_since(cut).as_secs_f64() / 60.0,
    });
    println!("figures: {figures}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(refused * 100 < calls.len(), "{refused} of {} calls were refused", calls.len());
    assert!(world.todos().await.unwrap().is_empty());
    violations(&world, "a thousand");
}

#[tokio::test]
async fn drain_within_the_limits_of_before() {
    drain(Limits::default(), SignedDuration::from_mins(10)).await;
}

#[tokio::test]
async fn drain_within_the_limits_of_now() {
    drain(Limits { per_hour: 600, per_ten_seconds: 25 }, SignedDuration::from_hours(4)).await;
}
