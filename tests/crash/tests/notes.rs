//! A site's day on its way to the Daily Log, or to a form: looked at and written by processes that die at every step of I/O, amended, left alone
//! where a person wrote, held up by an outage, and a thousand of them at once.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{detected, zone};
use crash::fault::{Fault, Mode};
use crash::history::{enumerate, enumerate_over, route, violations};
use crash::on_each_platform;
use crash::platform::number;
use crash::world::World;
use domain::ids::Provider;
use domain::marker::carries;
use domain::record::{RecordKind, RecordState};
use domain::summary::DEFAULT_HOUR;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Effect, Rule};
use serde_json::json;
use store::due::{self, Reason};
use store::summaries::Summaries;

on_each_platform!(
    a_day_gets_one_note_whatever_step_of_tick_and_look_fails,
    what_was_late_amends_the_note_whatever_step_of_tick_and_look_fails,
    a_note_is_made_once_whatever_step_of_the_lane_fails,
    a_note_is_amended_whatever_step_of_the_lane_fails,
    an_amendment_is_announced_when_it_is_written,
    a_note_that_took_a_second_create_is_announced_at_once,
    looks_at_the_same_time_make_one_note,
    a_persons_words_stay_when_the_day_is_counted_again_and_the_conflict_is_shown,
    a_weekend_without_the_platform_ends_with_three_right_notes,
    days_missed_while_nothing_ran_get_their_notes,
);

/// The world begins at ten in the morning in Chicago; at five, this day is cut off.
const DAY: &str = "2026-11-24";
const CUT: &str = "2026-11-24T23:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

/// Two alerts, and its day still under way.
async fn under_way(on: Provider) -> World {
    let world = World::unmapped_on(on, 1).await.unwrap();
    assert!(world.settle(DEFAULT_HOUR, true, &Fault::never()).await);
    let breach = |n| detected(n, at("2026-11-24T15:00:00Z"), "zone_breach");
    route(&world, vec![zone(1), breach(1), breach(2)]).await;
    world.rest(&Fault::never()).await.unwrap();
    world
}

/// The day is cut off; the lane was asked and has not run.
async fn cut_off(on: Provider) -> World {
    let world = under_way(on).await;
    world.tick_and_look(at(CUT) + seconds(1)).await.unwrap();
    world
}

/// The note stands, and a third alert was late; the day is not counted again yet.
async fn late(on: Provider) -> World {
    let world = cut_off(on).await;
    world.rest(&Fault::never()).await.unwrap();
    route(&world, vec![detected(3, at(CUT) - seconds(1), "fall")]).await;
    world
}

/// It is counted again; the lane was asked and has not run.
async fn counted_again(on: Provider) -> World {
    let world = late(on).await;
    world.tick_and_look(at(CUT) + SignedDuration::from_mins(16)).await.unwrap();
    world
}

fn comments(world: &World) -> Vec<(String, String)> {
    world.shown(RecordKind::DailySummary).into_iter().map(|note| (note.title, note.text)).collect()
}

/// Where the text stands.
fn text_field(on: Provider) -> &'static str {
    if on == Provider::Acc { "notes" } else { "comment" }
}

async fn one_note(world: &World, alerts: u64, case: &str) {
    let notes = comments(world);
    assert_eq!(notes.len(), 1, "{case}: {notes:#?}");
    let (day, text) = &notes[0];
    assert_eq!(day, DAY, "{case}");
    assert!(text.contains(&format!("\nAlerts: {alerts} (")), "{case}: {text}");
    let link = world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().expect("a link");
    assert_eq!((link.state, link.conflicts.len()), (RecordState::Synced, 0), "{case}: {link:?}");
    assert!(carries(text, &link.marker), "{case}: {text}");
    let page = format!("{}/sites/{}/reports/{DAY}", crash::world::PUBLIC_URL, world.site_id);
    assert!(text.contains(&page), "{case}: {text}");
    assert!(world.todos().await.unwrap().is_empty(), "{case}: todos left");
    violations(world, case);
}

async fn alarm(world: &World) -> Option<Timestamp> {
    due::get(&world.table, &world.site()).await.unwrap().reasons.get(&Reason::Summary).copied()
}

async fn a_day_gets_one_note_whatever_step_of_tick_and_look_fails(on: Provider) {
    for mode in Mode::ALL {
        let act = async |world: &World, fault: &std::sync::Arc<Fault>, case: &str| {
            let told = world.days(at(CUT) + SignedDuration::from_mins(40), fault, &Fault::never()).await;
            let told = told.unwrap_or_else(|e| panic!("{case}: {e}"));
            let posted: Vec<_> = told.iter().filter(|(kind, _)| *kind == "Summary Posted").collect();
            assert_eq!(posted.len(), 1, "{case}: {posted:?}");
        };
        enumerate_over(
            mode,
            async || under_way(on).await,
            act,
            async |world, case| {
                one_note(&world, 2, &case).await;
                assert_eq!(world.summary(date(DAY)).await.unwrap().unwrap().revision, 1, "{case}");
                assert_eq!(alarm(&world).await, Some(at("2026-11-25T23:00:00Z")), "{case}: no alarm for the next day");
            },
        )
        .await;
    }
}

async fn what_was_late_amends_the_note_whatever_step_of_tick_and_look_fails(on: Provider) {
    for mode in Mode::ALL {
        let act = async |world: &World, fault: &std::sync::Arc<Fault>, case: &str| {
            let end = at(CUT) + SignedDuration::from_mins(55);
            world.days(end, fault, &Fault::never()).await.unwrap_or_else(|e| panic!("{case}: {e}"));
        };
        enumerate_over(
            mode,
            async || late(on).await,
            act,
            async |world, case| {
                one_note(&world, 3, &case).await;
                assert_eq!(world.summary(date(DAY)).await.unwrap().unwrap().revision, 2, "{case}");
            },
        )
        .await;
    }
}

async fn a_note_is_made_once_whatever_step_of_the_lane_fails(on: Provider) {
    for mode in Mode::ALL {
        enumerate(mode, async || cut_off(on).await, async |world, case| one_note(&world, 2, &case).await).await;
    }
}

async fn a_note_is_amended_whatever_step_of_the_lane_fails(on: Provider) {
    for mode in Mode::ALL {
        enumerate(mode, async || counted_again(on).await, async |world, case| one_note(&world, 3, &case).await).await;
    }
}

async fn an_amendment_is_announced_when_it_is_written(on: Provider) {
    let world = counted_again(on).await;
    let never = Fault::never();
    let down = world.faults().add(Rule::new(Effect::Down { cut: false, retry_after: Some(600) }));
    let announced = |told: Vec<(&str, serde_json::Value)>| {
        let posted = told.into_iter().filter(|(kind, _)| *kind == "Summary Posted");
        posted.map(|(_, detail)| detail["revision"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let told = world.days(at(CUT) + SignedDuration::from_mins(50), &never, &never).await.unwrap();
    assert_eq!(announced(told), Vec::<u64>::new(), "it stands nowhere yet");
    world.faults().remove(down);
    let told = world.days(at(CUT) + SignedDuration::from_hours(3), &never, &never).await.unwrap();
    assert_eq!(announced(told), [2]);
    one_note(&world, 3, "after an outage").await;
}

async fn a_note_that_took_a_second_create_is_announced_at_once(on: Provider) {
    let world = cut_off(on).await;
    let broken =
        Effect::Status { status: 500, shape: Default::default(), retry_after: None, message: None, done: false };
    world.faults().add(Rule::new(broken).method("POST").times(1));
    let never = Fault::never();
    let told = world.days(at(CUT) + SignedDuration::from_mins(30), &never, &never).await.unwrap();
    assert_eq!(told.iter().filter(|(kind, _)| *kind == "Summary Posted").count(), 1, "{told:?}");
    assert_eq!(comments(&world).len(), 1);
}

async fn looks_at_the_same_time_make_one_note(on: Provider) {
    let world = under_way(on).await;
    world.clock.move_to(at(CUT) + seconds(1));
    let (first, second, site) = (Fault::yielding(), Fault::yielding(), world.site());
    let (one, two) = tokio::join!(world.look(&site, &first), world.look(&site, &second));
    assert!(one || two);
    world.days(at(CUT) + SignedDuration::from_mins(40), &Fault::never(), &Fault::never()).await.unwrap();
    one_note(&world, 2, "two looks").await;
    assert_eq!(world.summary(date(DAY)).await.unwrap().unwrap().revision, 1);
}

#[tokio::test]
async fn the_alarm_moves_with_the_hour_whatever_step_of_the_change_fails() {
    for mode in Mode::ALL {
        let act = async |world: &World, fault: &std::sync::Arc<Fault>, _: &str| {
            world.settle("18:30", true, fault).await;
        };
        enumerate_over(
            mode,
            async || under_way(Provider::Procore).await,
            act,
            async |world, case| {
                let standing = world.mapped().await.unwrap().settings.daily_summary.at;
                let cut = match standing.as_str() {
                    DEFAULT_HOUR => at(CUT),
                    "18:30" => at("2026-11-25T00:30:00Z"),
                    other => panic!("{case}: {other}"),
                };
                assert_eq!(alarm(&world).await, Some(cut), "{case}: the alarm is not that of {standing}");
                world.days(at("2026-11-25T02:00:00Z"), &Fault::never(), &Fault::never()).await.unwrap();
                one_note(&world, 2, &case).await;
                assert_eq!(world.summary(date(DAY)).await.unwrap().unwrap().cut().to, cut, "{case}");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn switched_off_and_on_again_the_alarm_goes_and_comes_whatever_step_fails() {
    for (mode, on) in Mode::ALL.into_iter().flat_map(|mode| [(mode, false), (mode, true)]) {
        let begin = async || {
            let world = under_way(Provider::Procore).await;
            assert!(world.settle(DEFAULT_HOUR, !on, &Fault::never()).await);
            world
        };
        let act = async |world: &World, fault: &std::sync::Arc<Fault>, _: &str| {
            world.settle(DEFAULT_HOUR, on, fault).await;
        };
        enumerate_over(mode, begin, act, async |world, case| {
            let standing = world.mapped().await.unwrap().settings.daily_summary.enabled;
            assert_eq!(alarm(&world).await, standing.then(|| at(CUT)), "{case}");
            world.days(at("2026-11-25T01:00:00Z"), &Fault::never(), &Fault::never()).await.unwrap();
            match standing {
                true => one_note(&world, 2, &case).await,
                false => assert_eq!(comments(&world), [], "{case}"),
            }
        })
        .await;
    }
}

async fn a_persons_words_stay_when_the_day_is_counted_again_and_the_conflict_is_shown(on: Provider) {
    let world = late(on).await;
    let (note, field) = (world.shown(RecordKind::DailySummary).remove(0), text_field(on));
    world.edit(RecordKind::DailySummary, &note.id, json!({field: "All quiet today."})).unwrap();
    world.days(at(CUT) + SignedDuration::from_hours(2), &Fault::never(), &Fault::never()).await.unwrap();
    assert_eq!(comments(&world), [(DAY.to_owned(), "All quiet today.".to_owned())]);
    let link = world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().unwrap();
    let conflict = &link.conflicts[0];
    assert_eq!((conflict.field.as_str(), &conflict.theirs), (field, &json!("All quiet today.")));
    assert!(conflict.ours.as_str().unwrap().contains("Alerts: 3"), "{conflict:?}");
    violations(&world, "a person's words");
}

#[tokio::test]
async fn a_completed_day_says_so_holds_nothing_else_up_and_takes_its_note_when_it_is_opened_again() {
    let world = under_way(Provider::Procore).await;
    // Someone completes the day at half past four.
    world.procore.complete_day(number(world.project()), date(DAY), true);
    world.days(at("2026-11-26T00:00:00Z"), &Fault::never(), &Fault::never()).await.unwrap();
    let link = world.link(RecordKind::DailySummary, DAY.to_owned()).await.unwrap().unwrap();
    assert_eq!((link.state, link.who), (RecordState::Blocked, Some(domain::record::Mender::PlatformAdmin)));
    let reason = link.reason.unwrap();
    assert!(reason.contains("Nov 24, 2026 is completed in Procore"), "{reason}");
    let dates: Vec<String> = comments(&world).into_iter().map(|(date, _)| date).collect();
    assert_eq!(dates, ["2026-11-25"], "the next day's note stands");
    world.procore.complete_day(number(world.project()), date(DAY), false);
    world.again(RecordKind::DailySummary, DAY.to_owned()).await.unwrap();
    world.rest(&Fault::never()).await.unwrap();
    let dates: Vec<String> = comments(&world).into_iter().map(|(date, _)| date).collect();
    assert_eq!(dates.len(), 2, "{dates:?}");
    assert!(dates.iter().any(|date| date == DAY));
    violations(&world, "a completed day");
}

async fn a_weekend_without_the_platform_ends_with_three_right_notes(on: Provider) {
    for cut in [true, false] {
        let world = under_way(on).await;
        let never = Fault::never();
        // Friday noon in Chicago.
        world.days(at("2026-11-27T18:00:00Z"), &never, &never).await.unwrap();
        assert_eq!(comments(&world).len(), 3, "Tuesday to Thursday");
        let (fault, calls) =
            (world.faults().add(Rule::new(Effect::Down { cut, retry_after: None })), world.calls().len());
        // Friday, Saturday and Sunday; Saturday's last one comes on Sunday, and one of Friday on Monday morning.
        let arrivals = [
            ("2026-11-27T20:00:00Z", "2026-11-27T19:59:00Z"),
            ("2026-11-28T16:00:00Z", "2026-11-28T15:59:00Z"),
            ("2026-11-28T17:00:00Z", "2026-11-28T16:59:00Z"),
            ("2026-11-29T15:00:00Z", "2026-11-28T22:59:59Z"),
            ("2026-11-29T22:00:00Z", "2026-11-28T23:00:00Z"),
            ("2026-11-30T14:00:00Z", "2026-11-27T22:00:00Z"),
        ];
        for (n, (arrives, happened)) in (10..).zip(arrivals) {
            world.days(at(arrives), &never, &never).await.unwrap();
            route(&world, vec![detected(n, at(happened), "fall")]).await;
        }
        // Monday noon.
        world.days(at("2026-11-30T18:00:00Z"), &never, &never).await.unwrap();
        assert_eq!(comments(&world).len(), 3);
        let asked = world.calls().len() - calls;
        assert!(asked <= 330, "{asked} calls to a platform that is down");
        world.faults().remove(fault);
        world.days(at("2026-11-30T20:00:00Z"), &never, &never).await.unwrap();
        let notes = comments(&world);
        assert_eq!(notes.len(), 6, "{notes:#?}");
        for (date, alerts) in [("2026-11-27", "2 (+2 "), ("2026-11-28", "3 (+1 "), ("2026-11-29", "1 (-2 ")] {
            let text = &notes.iter().find(|(day, _)| day == date).unwrap().1;
            assert!(text.contains(&format!("\nAlerts: {alerts}")), "{date}: {text}");
        }
        assert!(world.todos().await.unwrap().is_empty());
        violations(&world, "a weekend");
    }
}

async fn days_missed_while_nothing_ran_get_their_notes(on: Provider) {
    let world = under_way(on).await;
    world.clock.move_to(at("2026-11-28T23:30:00Z"));
    let missed = Summaries { table: &world.table, site: &world.site() }.state().await.unwrap();
    assert_eq!(missed.last.unwrap().date, date("2026-11-23"), "nothing looked meanwhile");
    world.days(at("2026-11-29T01:00:00Z"), &Fault::never(), &Fault::never()).await.unwrap();
    let dates: Vec<String> = comments(&world).into_iter().map(|(date, _)| date).collect();
    assert_eq!(dates, ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"]);
    violations(&world, "days missed");
}
