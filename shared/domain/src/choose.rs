//! Which platform project goes to which site: a suggestion with its reason in words, and why a project can't be chosen.
use crate::ids::Provider;
use std::collections::BTreeSet;

/// A project or a site, as far as a suggestion looks at it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named {
    pub id: String,
    pub name: String,
    /// IANA name.
    pub time_zone: Option<String>,
    /// Town or city.
    pub town: Option<String>,
}

/// A site for a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    pub project_id: String,
    pub site_id: String,
    /// A clause: "it has the same name".
    pub reason: String,
}

/// Words that say nothing about which site is meant.
const COMMON: [&str; 15] = [
    "the",
    "of",
    "at",
    "and",
    "project",
    "site",
    "job",
    "construction",
    "building",
    "new",
    "phase",
    "inc",
    "llc",
    "ltd",
    "co",
];
/// Below this, two names are not alike.
const ALIKE: f64 = 0.5;
/// Of two sites that fit equally well neither is suggested.
const CLEARLY: f64 = 0.05;
const SAME_CLOCK: f64 = 0.04;
const SAME_TOWN: f64 = 0.1;

/// At most one site for each project and one project for each site: the likeliest pairs first.
pub fn suggest(projects: &[Named], sites: &[Named]) -> Vec<Suggestion> {
    let mut pairs: Vec<(f64, &Named, &Named)> = Vec::new();
    for project in projects {
        for site in sites {
            let score = score(project, site);
            if score >= ALIKE {
                pairs.push((score, project, site));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (&a.1.id, &a.2.id).cmp(&(&b.1.id, &b.2.id))));
    let (mut projects_done, mut sites_done) = (BTreeSet::new(), BTreeSet::new());
    let mut suggestions = Vec::new();
    for (score, project, site) in &pairs {
        if projects_done.contains(&project.id) || sites_done.contains(&site.id) {
            continue;
        }
        let rival = pairs.iter().any(|(other, its_project, its_site)| {
            let same_project = its_project.id == project.id && its_site.id != site.id;
            let same_site = its_site.id == site.id && its_project.id != project.id;
            let open = !projects_done.contains(&its_project.id) && !sites_done.contains(&its_site.id);
            (same_project || same_site) && open && score - other < CLEARLY
        });
        projects_done.insert(&project.id);
        if rival {
            continue;
        }
        sites_done.insert(&site.id);
        let (project_id, site_id) = (project.id.clone(), site.id.clone());
        suggestions.push(Suggestion { project_id, site_id, reason: reason(project, site) });
    }
    suggestions
}

fn score(project: &Named, site: &Named) -> f64 {
    let (mut ours, theirs) = (words(&site.name), words(&project.name));
    if in_town(project, site) {
        let town = project.town.as_deref().map(all_words).unwrap_or_default();
        ours.retain(|word| theirs.contains(word) || !town.contains(word));
    }
    let names = if same_name(project, site) { 1.0 } else { likeness(&ours, &theirs) };
    if names == 0.0 {
        return 0.0;
    }
    let clock = match (&project.time_zone, &site.time_zone) {
        (Some(a), Some(b)) if a == b => SAME_CLOCK,
        (Some(_), Some(_)) => -2.0 * SAME_CLOCK,
        _ => 0.0,
    };
    names + clock + if in_town(project, site) { SAME_TOWN } else { 0.0 }
}

fn same_name(project: &Named, site: &Named) -> bool {
    let bare =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    !bare(&site.name).is_empty() && bare(&site.name) == bare(&project.name)
}

fn in_town(project: &Named, site: &Named) -> bool {
    let town: Vec<String> = project.town.as_deref().map(all_words).unwrap_or_default();
    let name: Vec<String> = all_words(&site.name);
    !town.is_empty() && town.iter().all(|word| name.contains(word))
}

fn all_words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words of a name that tell it from others; all of them where nothing else is left.
fn words(name: &str) -> BTreeSet<String> {
    let all = all_words(name);
    let telling: BTreeSet<String> = all.iter().filter(|word| !COMMON.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all.into_iter().collect() } else { telling }
}

/// 0 (nothing in common) to 1: the share of words that both names have, a word with a slip of the pen counting half.
fn likeness(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let common = a.intersection(b).count() as f64;
    let near = a.difference(b).filter(|word| b.difference(a).any(|other| nearly(word, other))).count() as f64;
    // What tells a numbered or lettered sibling apart must not differ: "Tower A" is not "Tower B".
    let marks =
        |words: &BTreeSet<String>| -> BTreeSet<String> { words.iter().filter(|word| is_mark(word)).cloned().collect() };
    let (ours, theirs) = (marks(a), marks(b));
    if !ours.is_empty() && !theirs.is_empty() && ours.is_disjoint(&theirs) {
        return 0.0;
    }
    2.0 * (common + 0.5 * near) / (a.len() + b.len()) as f64
}

fn is_mark(word: &str) -> bool {
    word.chars().count() == 1 || word.chars().all(|c| c.is_ascii_digit())
}

/// Two longer words that differ by one letter.
fn nearly(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().min(b.len()) < 5 || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    start + end + 1 >= a.len().max(b.len())
}

fn reason(project: &Named, site: &Named) -> String {
    let common: Vec<String> = words(&site.name).intersection(&words(&project.name)).cloned().collect();
    let names = match same_name(project, site) {
        true => "it has the same name".to_owned(),
        false if common.is_empty() => "its name is nearly the same".to_owned(),
        false => format!("its name is alike ({})", common.join(", ")),
    };
    let town = match &project.town {
        Some(town) if in_town(project, site) => format!(", and the project is in {town}"),
        _ => String::new(),
    };
    let clock = match (&project.time_zone, &site.time_zone) {
        (Some(a), Some(b)) if a == b => ", on the same clock".to_owned(),
        (Some(a), Some(b)) => format!("; check it, since the project is on {a} and the site on {b}"),
        _ => String::new(),
    };
    format!("{names}{town}{clock}")
}

/// Why a project can't be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The person can list it, the app can't.
    NotPermitted,
    /// The app can list it, the person can't.
    NotYours,
    Inactive,
    /// Whatever anybody does, with the reason.
    Unsupported(&'static str),
    /// By another customer of ours, who is not named.
    Taken,
    /// It goes to this site already.
    Mapped {
        site: String,
    },
}

impl Closed {
    /// A sentence, with the way out where there is one.
    pub fn words(&self, provider: Provider) -> String {
        match self {
            Self::NotPermitted if provider == Provider::Acc => {
                "HardHat Pulse's service account is no member of it yet. A project admin adds it in Autodesk, with access to Build.".into()
            }
            Self::NotPermitted => {
                "HardHat Pulse may not use it. A Procore admin adds it to the app's permitted projects in App Management.".into()
            }
            Self::NotYours if provider == Provider::Acc => {
                "You are no member of it in Autodesk. Someone who is can choose it, or a project admin adds you.".into()
            }
            Self::NotYours => {
                "Your Procore account does not list it. Someone who works in the project can choose it, or a Procore admin adds \
                 you to its directory."
                    .into()
            }
            Self::Inactive if provider == Provider::Acc => "It is archived or not active in Autodesk: nothing can be written there.".into(),
            Self::Inactive => "It is not active in Procore.".into(),
            Self::Unsupported(why) => (*why).to_owned(),
            Self::Taken => {
                "Another organization sends to it through HardHat Pulse already. If that is a mistake, write to \
                 contact@hardhatpulse.com."
                    .into()
            }
            Self::Mapped { site } => format!("{site} is sent to it already."),
        }
    }
}

/// What is known of a project when someone chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub permitted: bool,
    /// `None`: who chooses did not sign in at the platform, and nobody's list limits them.
    pub listed: Option<bool>,
    pub active: bool,
    pub unsupported: Option<&'static str>,
    pub taken: bool,
    pub site: Option<String>,
}

/// The first thing that would have to change. `None`: it can be chosen.
pub fn closed(standing: &Standing) -> Option<Closed> {
    match standing {
        // Whether others use it is nobody's business who can't see it.
        Standing { listed: Some(false), .. } => Some(Closed::NotYours),
        Standing { site: Some(site), .. } => Some(Closed::Mapped { site: site.clone() }),
        // What no admin can change, before what one can.
        Standing { unsupported: Some(why), .. } => Some(Closed::Unsupported(why)),
        Standing { active: false, .. } => Some(Closed::Inactive),
        Standing { permitted: false, .. } => Some(Closed::NotPermitted),
        Standing { taken: true, .. } => Some(Closed::Taken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(id: &str, name: &str, time_zone: &str) -> Named {
        let time_zone = (!time_zone.is_empty()).then(|| time_zone.to_owned());
        Named { id: id.into(), name: name.into(), time_zone, town: None }
    }

    fn one(project: &str, site: &str) -> Option<String> {
        suggest(&[named("p", project, "")], &[named("s", site, "")]).pop().map(|suggestion| suggestion.reason)
    }

    #[test]
    fn alike_names_are_suggested_with_the_reason_and_unlike_ones_are_not() {
        for (project, site, reason) in [
            ("Tower A", "tower-a", Some("it has the same name")),
            ("24-017 Harbour Point Tower", "Harbour Point", Some("its name is alike (harbour, point)")),
            ("New Construction: Depot B", "Depot B", Some("its name is alike (b, depot)")),
            ("Harbor Point", "Harbour Point", Some("its name is alike (point)")),
            ("Northgate", "Northgato", Some("its name is nearly the same")),
            ("Tower A", "Tower B", None),
            ("Phase 2", "Phase 3", None),
            ("Hospital C", "Depot B", None),
            ("The Project", "", None),
            ("***", "---", None),
        ] {
            assert_eq!(one(project, site).as_deref(), reason, "{project} / {site}");
        }
    }

    #[test]
    fn place_and_clock_decide_between_alike_names_and_are_told() {
        let mut project = named("p", "Riverside Tower", "America/Chicago");
        project.town = Some("Des Moines".into());
        let sites =
            [named("1", "Riverside", "America/New_York"), named("2", "Riverside Des Moines", "America/Chicago")];
        let suggested = suggest(std::slice::from_ref(&project), &sites);
        assert_eq!(suggested[0].site_id, "2");
        assert!(suggested[0].reason.contains("the project is in Des Moines, on the same clock"), "{suggested:?}");
        let other_clock =
            suggest(&[named("p", "Tower A", "America/Los_Angeles")], &[named("s", "Tower A", "America/Chicago")]);
        assert!(
            other_clock[0].reason.contains("check it, since the project is on America/Los_Angeles"),
            "{other_clock:?}"
        );
    }

    #[test]
    fn of_two_that_fit_equally_neither_is_guessed() {
        let sites = [named("1", "Tower North", ""), named("2", "Tower South", "")];
        assert_eq!(suggest(&[named("p", "Tower", "")], &sites), []);
    }

    #[test]
    fn the_first_obstacle_is_named_and_never_another_customer_to_who_cannot_see_the_project() {
        let open = Standing { permitted: true, listed: Some(true), active: true, ..Standing::default() };
        assert_eq!(closed(&open), None);
        assert_eq!(closed(&Standing { listed: None, ..open.clone() }), None);
        for (standing, expected) in [
            (Standing { permitted: false, taken: true, ..open.clone() }, Closed::NotPermitted),
            (Standing { listed: Some(false), taken: true, ..open.clone() }, Closed::NotYours),
            (Standing { active: false, permitted: false, ..open.clone() }, Closed::Inactive),
            (
                Standing { unsupported: Some("BIM 360."), permitted: false, ..open.clone() },
                Closed::Unsupported("BIM 360."),
            ),
            (Standing { taken: true, ..open.clone() }, Closed::Taken),
            (Standing { site: Some("North".into()), ..open }, Closed::Mapped { site: "North".into() }),
        ] {
            assert_eq!(closed(&standing), Some(expected.clone()));
            assert!([Provider::Procore, Provider::Acc].into_iter().all(|at| expected.words(at).ends_with('.')));
        }
    }

    proptest! {
        #[test]
        fn no_site_and_no_project_is_suggested_twice(
            projects in proptest::collection::vec("[a-c ]{1,6}", 0..6), sites in proptest::collection::vec("[a-c ]{1,6}", 0..6),
        ) {
            let number = |names: &[String]| -> Vec<Named> {
                names.iter().enumerate().map(|(at, name)| named(&at.to_string(), name, "")).collect()
            };
            let suggested = suggest(&number(&projects), &number(&sites));
            let unique = |ids: Vec<&String>| ids.len() == ids.iter().collect::<BTreeSet<_>>().len();
            prop_assert!(unique(suggested.iter().map(|each| &each.project_id).collect()));
            prop_assert!(unique(suggested.iter().map(|each| &each.site_id).collect()));
        }
    }
}
