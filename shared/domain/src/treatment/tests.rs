use super::*;
use proptest::prelude::*;

fn procore() -> Source {
    let connection_id = ConnectionId::derive(
        &crate::ids::OrganizationId::new(ulid::Ulid::from_parts(1, 1)),
        Provider::Procore,
        "8600000001",
    );
    Source::Platform { connection_id, provider: Provider::Procore }
}

fn api(name: &str) -> Source {
    Source::Api { key_name: name.into() }
}

fn injury(id: &str) -> Injury {
    Injury { remote_id: id.into(), ..Injury::default() }
}

fn away(id: &str, days: u32) -> Injury {
    Injury { days_away: Some(days), ..injury(id) }
}

fn all(order: u64, injuries: Vec<Injury>) -> Update {
    let account = Account { injuries, ..Account::default() };
    Update { source: procore(), told: Told::All(account), order, at: Timestamp::UNIX_EPOCH }
}

fn one(source: Source, order: u64, injury: Injury) -> Update {
    Update { source, told: Told::One(Box::new(injury)), order, at: Timestamp::UNIX_EPOCH }
}

fn treatment(updates: &[Update]) -> Treatment {
    let mut treatment = Treatment::default();
    for update in updates {
        treatment.apply(update);
    }
    treatment
}

#[test]
fn the_most_serious_outcome_counts() {
    let filed = |filing_type: &str| Injury { filing_type: Some(filing_type.into()), ..injury("1") };
    for (injuries, recordable, expected) in [
        (vec![], true, None),
        (vec![injury("1")], true, Some(Outcome::OtherRecordable)),
        (vec![injury("1")], false, None),
        (vec![filed("first_aid")], false, None),
        (vec![filed("medically_treated")], false, Some(Outcome::OtherRecordable)),
        (vec![filed("restricted_work")], true, Some(Outcome::JobTransferOrRestriction)),
        (vec![filed("lost_time")], true, Some(Outcome::DaysAway)),
        (vec![filed("fatality")], true, Some(Outcome::Death)),
        (vec![filed("something new")], true, Some(Outcome::OtherRecordable)),
        (vec![away("1", 1)], true, Some(Outcome::DaysAway)),
        (vec![away("1", 0)], true, Some(Outcome::OtherRecordable)),
        (vec![Injury { days_restricted: Some(2), ..injury("1") }], true, Some(Outcome::JobTransferOrRestriction)),
        (vec![Injury { days_transferred: Some(2), ..injury("1") }], true, Some(Outcome::JobTransferOrRestriction)),
        (vec![Injury { days_transferred: Some(2), ..away("1", 1) }], true, Some(Outcome::DaysAway)),
        (
            vec![away("1", 3), Injury { date_of_death: Some("2026-11-25".into()), ..injury("2") }],
            true,
            Some(Outcome::Death),
        ),
        (vec![Injury { disposition: Some("days_away".into()), ..injury("1") }], true, Some(Outcome::DaysAway)),
    ] {
        assert_eq!(treatment(&[all(1, injuries.clone())]).outcome(recordable), expected, "{injuries:?} {recordable}");
    }
}

#[test]
fn totals_are_capped_and_what_came_in_is_kept_as_it_came() {
    let told = treatment(&[all(1, vec![away("1", 120), away("2", 200)])]);
    assert_eq!(told.days_away(), Some(180));
    assert_eq!(told.days_restricted_or_transferred(), None);
    let days: Vec<_> = told.injuries().map(|(_, injury)| injury.days_away).collect();
    assert_eq!(days, [Some(120), Some(200)]);
}

#[test]
fn two_sources_speak_of_one_case_and_their_days_do_not_add_up() {
    let told =
        treatment(&[all(1, vec![away("8600000001", 3), away("8600000002", 4)]), one(api("payroll"), 1, away("1", 5))]);
    assert_eq!(told.days_away(), Some(7));
    let sources: Vec<String> = told.injuries().map(|(source, _)| source.label()).collect();
    assert_eq!(sources, ["api:payroll", "procore", "procore"]);
}

#[test]
fn the_history_says_when_where_from_and_what() {
    let mut told = treatment(&[all(1, vec![away("7", 3)])]);
    let later: Timestamp = "2026-11-24T16:00:00Z".parse().unwrap();
    let news = all(2, vec![Injury { treated_in_er: Some(true), ..away("7", 5) }]);
    assert_eq!(told.apply(&Update { at: later, ..news }), Applied::Changed);
    let last = told.history.last().unwrap();
    assert_eq!((last.revision, last.at, last.source.as_str()), (2, later, "procore"));
    assert_eq!(last.changed, ["injuries/7/days_away", "injuries/7/treated_in_er"]);
}

#[test]
fn the_history_is_short() {
    let updates: Vec<Update> = (1..=50).map(|n| all(n, vec![away("7", u32::try_from(n).unwrap())])).collect();
    let told = treatment(&updates);
    assert_eq!((told.revision, told.history.len()), (50, MOST_CHANGES));
    assert_eq!(told.history.first().unwrap().revision, 31);
}

#[test]
fn a_removed_connection_takes_its_own_with_it_and_older_news_do_not_bring_it_back() {
    let mut told = treatment(&[all(1, vec![away("7", 3)]), one(api("a"), 1, away("1", 1))]);
    assert_eq!(told.apply(&Update { told: Told::Forget, ..all(5, vec![]) }), Applied::Changed);
    assert_eq!(told.injuries().count(), 1);
    let kept: Vec<_> = told.history.iter().map(|change| (change.source.as_str(), change.changed.join(" "))).collect();
    let theirs = "injuries/1/days_away injuries/1/remote_id".to_owned();
    assert_eq!(kept, [("api:a", theirs), ("procore", "erased".into())], "that, and when, but not what");
    assert!(!serde_json::to_string(&told).unwrap().contains("injuries/7"));
    assert_eq!(told.apply(&Update { told: Told::Forget, ..all(6, vec![]) }), Applied::Same, "there is nothing more");
    assert_eq!(told.apply(&all(4, vec![away("7", 3)])), Applied::Older);
    assert_eq!(told.apply(&all(7, vec![away("7", 3)])), Applied::Changed);
}

#[test]
fn what_was_deleted_at_the_platform_before_is_erased_from_the_history_too() {
    let mut told = treatment(&[all(1, vec![away("7", 3)]), all(2, vec![])]);
    assert_eq!(told.apply(&Update { told: Told::Forget, ..all(3, vec![]) }), Applied::Changed);
    assert_eq!((told.history.len(), told.history[0].changed.join(" ")), (1, "erased".to_owned()));
}

#[test]
fn an_injury_has_no_member_for_a_persons_name() {
    let told = serde_json::json!({"remote_id": "1", "affected_party": {"name": "Jo Doe"}, "affected_person": "Jo Doe"});
    let injury: Injury = serde_json::from_value(told).unwrap();
    assert!(!serde_json::to_string(&injury).unwrap().contains("Doe"));
}

fn any_injury() -> impl Strategy<Value = Injury> {
    let days = proptest::option::of(0u32..400);
    (0u8..4, days.clone(), days, proptest::option::of(any::<bool>())).prop_map(|(id, away, restricted, er)| Injury {
        days_away: away,
        days_restricted: restricted,
        treated_in_er: er,
        ..injury(&id.to_string())
    })
}

proptest! {
    #[test]
    fn updates_come_to_the_same_in_any_order(
        injuries in proptest::collection::vec(proptest::collection::vec(any_injury(), 0..4), 1..6),
        seed in any::<u64>(),
    ) {
        let updates: Vec<Update> = (1..).zip(injuries).map(|(order, injuries)| all(order, injuries)).collect();
        let mut shuffled = updates.clone();
        let length = shuffled.len();
        for at in 0..length {
            let other = usize::try_from(seed % 97).unwrap() * (at + 3) % length;
            shuffled.swap(at, other);
        }
        let (in_order, other) = (treatment(&updates), treatment(&shuffled));
        prop_assert_eq!(in_order.injuries().collect::<Vec<_>>(), other.injuries().collect::<Vec<_>>());
    }

    #[test]
    fn telling_again_changes_nothing(injuries in proptest::collection::vec(any_injury(), 0..4)) {
        let mut told = treatment(&[all(1, injuries.clone())]);
        let before = told.clone();
        prop_assert_eq!(told.apply(&all(1, injuries.clone())), Applied::Older);
        prop_assert_eq!(&told, &before);
        prop_assert_eq!(told.apply(&all(2, injuries)), Applied::Same);
        prop_assert_eq!(told.revision, before.revision);
    }

    #[test]
    fn the_hash_names_the_content_and_not_the_order_of_a_list(injuries in proptest::collection::vec(any_injury(), 0..4)) {
        let account = Account { injuries, ..Account::default() };
        let mut turned = account.clone();
        turned.injuries.reverse();
        prop_assert_eq!(account.hash(), turned.hash());
        turned.injuries.push(Injury { days_away: Some(999), ..injury("999") });
        prop_assert_ne!(account.hash(), turned.hash());
    }

    #[test]
    fn totals_never_exceed_what_the_form_takes(injuries in proptest::collection::vec(any_injury(), 0..6)) {
        let told = treatment(&[all(1, injuries)]);
        prop_assert!(told.days_away().unwrap_or(0) <= MOST_DAYS);
        prop_assert!(told.days_restricted_or_transferred().unwrap_or(0) <= MOST_DAYS);
        if told.days_away().is_some_and(|days| days > 0) {
            prop_assert_eq!(told.outcome(false), Some(Outcome::DaysAway));
        }
    }
}
