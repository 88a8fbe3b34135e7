use crate::world::{Answer, World};
use domain::arrival::{ArrivalEntry, ArrivalLine};
use domain::fact::FactKind;
use jiff::SignedDuration;
use people::Role;
use store::facts::SiteFacts;

async fn report(world: &World, date: &str) -> Answer {
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    world.get(&viewer, &format!("/sites/{}/reports/{date}", world.ours.site)).await
}

/// Things arrive that the day tells of: it is 10:03 on 24 November in Chicago.
async fn arrive(world: &World, lines: &[(&str, &str, &str)]) {
    let (table, tenant) = (world.table.as_ref(), &world.ours);
    let facts = SiteFacts { table, organization_id: &tenant.organization, site_id: &tenant.site };
    let last = facts.commit_mark().await.unwrap();
    let line = |(n, (at, kind, zone)): (usize, &(&str, &str, &str))| ArrivalLine {
        fact: if kind.is_empty() { FactKind::PpeSample } else { FactKind::Detection },
        id: format!("{}-{n}", last.number + 1),
        time: at.parse().unwrap(),
        kind: (*kind).into(),
        zone_id: (*zone).into(),
        priority: Some(3),
        again: false,
        checks: kind.is_empty().then(|| [("hard_hat".to_owned(), (200, 199))].into()),
        sampled_ms: Some(0),
    };
    let lines: Vec<ArrivalLine> = lines.iter().enumerate().map(line).collect();
    let arrived_at = lines.iter().map(|line| line.time).max().unwrap();
    let message_id = format!("m{}", last.number + 1);
    facts.commit(&ArrivalEntry::after(&last, message_id, arrived_at, lines)).await.unwrap();
}

#[tokio::test]
async fn a_day_shows_its_figures_with_words_beside_each_picture() {
    let world = World::new().await;
    arrive(
        &world,
        &[
            ("2026-11-24T16:00:30Z", "fall", "z1"),
            ("2026-11-24T16:01:00Z", "zone_breach", "<b>z2</b>"),
            ("2026-11-24T16:02:00Z", "", "z1"),
        ],
    )
    .await;
    let page = report(&world, "2026-11-24").await;
    assert_eq!(page.status, 200, "{}", page.body);
    for shown in [
        "North Tower 1: Tuesday, November 24, 2026",
        "From Mon, Nov 23, 17:00 CST to Tue, Nov 24, 17:00 CST, on the site's clock (America/Chicago).",
        "This day is under way: it is counted so far, until Tue, Nov 24, 10:03 CST.",
        "<dt>Alerts</dt><dd>3</dd><dd class=\"dim\">3 more than the day before</dd>",
        "<dt>Zone breaches</dt><dd>2</dd>",
        "<dt>PPE compliance</dt><dd>99.5%</dd><dd class=\"dim\">Day before: no data</dd>",
        "10:00 to 10:59</th><td class=\"number\">3</td>",
        "Outside shifts</th><td>All</td><td class=\"number\">200</td><td class=\"number\">199</td><td class=\"number\">99.5%</td>",
        "Zone breach</th><td class=\"number\">2</td>",
        "&lt;b&gt;z2&lt;/b&gt;</th><td class=\"number\">1</td>",
        "reports/2026-11-23\">Day before</a>",
        "role=\"img\" aria-labelledby=\"chart-hours\"",
        "<title id=\"chart-hours\">",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("Next day") && !page.body.contains("style="), "{}", page.body);
    assert_eq!(
        page.body.matches("<tr><th class=\"day\" scope=\"row\"><a href=\"/sites/").count(),
        14,
        "the last fortnight"
    );
}

#[tokio::test]
async fn a_day_without_anything_and_one_to_come_say_so_with_a_next_step() {
    let world = World::new().await;
    let empty = report(&world, "2026-11-20").await;
    assert!(empty.body.contains("Nothing has come from this site for this time."), "{}", empty.body);
    assert!(empty.body.contains("No data: no PPE was sampled") && !empty.body.contains("chart-hours"));
    assert!(empty.body.contains("reports/2026-11-21\">Next day</a>") && !empty.body.contains("under way"));
    let ahead = report(&world, "2026-11-25").await;
    assert!(ahead.status == 200 && ahead.body.contains("has not begun on the site's clock"), "{}", ahead.body);
    assert!(ahead.body.contains(&format!("href=\"/sites/{}/reports/2026-11-24\"", world.ours.site)));
    for wrong in ["2026-02-30", "today", "20261124", "0000-01-01"] {
        assert_eq!(report(&world, wrong).await.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn the_reports_of_a_site_begin_with_the_last_day_that_is_over() {
    let world = World::new().await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let path = format!("/sites/{}/reports", world.ours.site);
    let leads = async || world.get(&viewer, &path).await.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(leads().await, format!("{path}/2026-11-23"));
    world.pass(SignedDuration::from_hours(7));
    assert_eq!(leads().await, format!("{path}/2026-11-24"));
    let status = world.get(&viewer, &world.ours.project()).await;
    assert!(status.body.contains(&format!("href=\"{path}\"")), "{}", status.body);
}

#[tokio::test]
async fn the_fortnight_is_to_be_had_as_csv() {
    let world = World::new().await;
    arrive(&world, &[("2026-11-24T16:00:30Z", "zone_breach", "=1+1")]).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let path = format!("/sites/{}/reports/2026-11-24/trend.csv", world.ours.site);
    let read = async |query: &str| {
        let answer = world.get(&viewer, &format!("{path}{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8; header=present");
        let mut reader = csv::Reader::from_reader(answer.body.as_bytes());
        reader.records().collect::<Result<Vec<csv::StringRecord>, _>>().unwrap()
    };
    let days = read("").await;
    assert_eq!(days.len(), 14);
    assert_eq!(days[13], vec!["2026-11-24", "2", "0", "2", ""]);
    assert_eq!(read("?by=zone").await, [vec!["'=1+1", "1", "0", "1", ""], vec!["z1", "1", "0", "1", ""]]);
    let page = report(&world, "2026-11-24").await;
    assert!(page.body.contains(&format!("href=\"{path}?by=shift\"")), "{}", page.body);
    assert_eq!(world.get(&viewer, &format!("{path}?by=week")).await.status, 400);
    assert_eq!(world.get(&viewer, &path.replace("11-24", "11-25")).await.status, 404);
}
