//! Histories with two faults, drawn at random: whatever they meet, one record each, with the last word of the edge.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, id, incident, retracted, zone};
use crash::fault::{At, Fault, Mode};
use crash::history::{route, violations};
use crash::world::World;
use domain::event::Event;
use domain::ids::Provider;
use domain::record::{RecordKind, RecordState};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// What the edge may tell next of detection 1 and incident 2.
#[derive(Debug, Clone, Copy)]
enum News {
    Detected,
    Revised { with_detection: bool },
    Retracted,
}

impl News {
    fn event(self, revision: u64) -> Event {
        match self {
            News::Detected => detection(1),
            News::Revised { with_detection: true } => confirmed(incident(2, revision, &[1])),
            News::Revised { with_detection: false } => confirmed(incident(2, revision, &[])),
            News::Retracted => retracted(2, revision),
        }
    }
}

fn news() -> impl Strategy<Value = News> {
    prop_oneof![
        Just(News::Detected),
        any::<bool>().prop_map(|with_detection| News::Revised { with_detection }),
        Just(News::Retracted),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    proptest::sample::select(Mode::ALL.to_vec())
}

/// Each piece of news comes after so many runs of the lane.
async fn play(on: Provider, history: &[(News, usize)], faults: [(usize, Mode); 2]) -> Result<(), TestCaseError> {
    let world = World::on(on, 1).await.unwrap();
    let fault = Fault::all(faults.map(|(at, mode)| (At::Step(at), mode)));
    route(&world, vec![zone(1)]).await;
    let (mut last, mut known) = (None, false);
    for (number, (news, runs)) in history.iter().enumerate() {
        route(&world, vec![news.event(number as u64 + 1)]).await;
        match news {
            News::Revised { .. } => (last, known) = (Some((number as u64 + 1, false)), true),
            News::Retracted if known => last = last.map(|(revision, _)| (revision, true)),
            News::Retracted | News::Detected => {}
        }
        for _ in 0..*runs {
            world.run_once(&fault).await;
        }
    }
    world.rest(&fault).await.unwrap();
    violations(&world, "random");
    let left = world.todos().await.unwrap();
    prop_assert!(left.is_empty(), "todos left: {left:#?}");
    let incidents = world.shown(RecordKind::Incident);
    let open: Vec<_> = incidents.iter().filter(|incident| incident.status == "open").collect();
    prop_assert!(incidents.len() <= 1, "{incidents:#?}");
    if let Some((revision, retracted)) = last {
        prop_assert_eq!(open.len(), usize::from(!retracted), "{:#?}", incidents);
        if let Some(incident) = incidents.first() {
            let description = incident.text.clone();
            let case = format!("case 2026-{revision:03}");
            prop_assert!(description.contains(&case), "{} in {}", case, description);
            let link = world.link(RecordKind::Incident, id(2)).await.unwrap().expect("a link");
            prop_assert_eq!(link.state, RecordState::Synced);
        }
    }
    let observations = world.shown(RecordKind::Observation);
    prop_assert!(observations.len() <= 1, "{observations:#?}");
    let (detected, taken) = (
        history.iter().any(|(news, _)| matches!(news, News::Detected)),
        matches!(last, Some((revision, false)) if matches!(history[revision as usize - 1].0, News::Revised { with_detection: true })),
    );
    let standing = observations
        .iter()
        .filter(|observation| observation.status == world.target.statuses(RecordKind::Observation).open)
        .count();
    prop_assert_eq!(standing, usize::from(detected && !taken), "{:#?}", observations);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn two_faults_in_one_history_come_to_the_same(
        on in proptest::sample::select(vec![Provider::Procore, Provider::Acc]),
        history in proptest::collection::vec((news(), 0usize..3), 1..5),
        faults in [(0usize..80, mode()), (0usize..160, mode())],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(on, &history, faults))?;
    }
}

/// Found by the test above: the close was carried out and not noted, so that what opens it again took it for a person's.
#[tokio::test]
async fn a_retraction_that_was_not_noted_is_taken_back_all_the_same() {
    let stands = News::Revised { with_detection: false };
    for on in [Provider::Procore, Provider::Acc] {
        for at in 40..110 {
            for mode in Mode::ALL {
                let faults = [(at, mode), (usize::MAX, mode)];
                play(on, &[(stands, 2), (News::Retracted, 1), (stands, 0)], faults).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn retractions_that_came_and_went_while_nobody_wrote_leave_the_last_word() {
    let stands = News::Revised { with_detection: false };
    let never = [(usize::MAX, Mode::DieBefore), (usize::MAX, Mode::DieBefore)];
    for on in [Provider::Procore, Provider::Acc] {
        let history = [(stands, 2), (News::Retracted, 2), (stands, 0), (News::Retracted, 0), (stands, 2)];
        play(on, &history, never).await.unwrap();
        play(on, &[(stands, 2), (News::Retracted, 0), (stands, 0), (News::Retracted, 2)], never).await.unwrap();
    }
}
