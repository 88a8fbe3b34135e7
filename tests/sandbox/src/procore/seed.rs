//! What stands there at the start: companies with projects, people, pick lists and observation types.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{Company, Entry, Level, ObservationType, Person, Project, World};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompanySeed {
    pub name: String,
    pub projects: Vec<ProjectSeed>,
    /// Observation types are named in Spanish.
    #[serde(default)]
    pub spanish: bool,
    /// Nobody installed the app there yet.
    #[serde(default)]
    pub without_app: bool,
}

/// Somebody who signs in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSeed {
    pub login: String,
    pub name: String,
    #[serde(default)]
    pub job_title: String,
    pub companies: BTreeSet<i64>,
    /// Left out: all of their projects.
    #[serde(default)]
    pub projects: Option<BTreeSet<i64>>,
    #[serde(default)]
    pub admin: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectSeed {
    pub name: String,
    pub tz_name: String,
    pub time_zone: String,
}

impl ProjectSeed {
    pub fn new(name: &str, tz_name: &str, time_zone: &str) -> Self {
        Self { name: name.to_owned(), tz_name: tz_name.to_owned(), time_zone: time_zone.to_owned() }
    }
}

/// Three companies: one with three projects, one with a single project and translated names, one without the app.
pub fn default_companies() -> Vec<CompanySeed> {
    vec![
        CompanySeed {
            name: "Sandbox Contractor".to_owned(),
            projects: vec![
                ProjectSeed::new("Tower A", "America/Los_Angeles", "Pacific Time (US & Canada)"),
                ProjectSeed::new("Depot B", "America/Chicago", "Central Time (US & Canada)"),
                ProjectSeed::new("Hospital C", "America/New_York", "Eastern Time (US & Canada)"),
            ],
            spanish: false,
            without_app: false,
        },
        CompanySeed {
            name: "Second Sandbox Contractor".to_owned(),
            projects: vec![ProjectSeed::new("Torre Norte", "Europe/Madrid", "Madrid")],
            spanish: true,
            without_app: false,
        },
        CompanySeed {
            name: "Third Sandbox Contractor".to_owned(),
            projects: vec![ProjectSeed::new("Bridge D", "America/Denver", "Mountain Time (US & Canada)")],
            spanish: false,
            without_app: true,
        },
    ]
}

/// (category, category_key, name, Spanish name)
const TYPES: [(&str, &str, &str, &str); 10] = [
    ("Safety", "safety", "Near-Miss", "Casi accidente"),
    ("Safety", "safety", "Safety Hazard", "Peligro de seguridad"),
    ("Safety", "safety", "Safety Notice", "Aviso de seguridad"),
    ("Safety", "safety", "Safety Violation", "Infracción de seguridad"),
    ("Quality", "quality", "Quality Deficiency", "Deficiencia de calidad"),
    ("Quality", "quality", "Quality Notice", "Aviso de calidad"),
    ("Commissioning", "commissioning", "Commissioning Item", "Puesta en marcha"),
    ("Warranty", "warranty", "Warranty Claim", "Reclamación de garantía"),
    ("Work to Complete", "work_to_complete", "Incomplete Work", "Trabajo incompleto"),
    ("Environmental", "environmental", "Environmental Notice", "Aviso ambiental"),
];

const LISTS: [(&str, &[&str]); 9] = [
    ("hazards", &["Caught-In or Between", "Electrocution", "Falls", "Ingress or Egress", "Struck-By"]),
    ("contributing_behaviors", &["Failure to Use PPE", "Inattention", "Lack of Training", "Unsafe Act"]),
    ("contributing_conditions", &["Inadequate Guarding", "Poor Housekeeping", "Unsafe Equipment", "Weather"]),
    ("affliction_types", &["Burn", "Contusion", "Cut or Laceration", "Fracture", "Sprain or Strain"]),
    ("harm_sources", &["Falling Object", "Heavy Equipment", "Ladder", "Power Tool", "Vehicle"]),
    ("work_activities", &["Concrete", "Excavation", "Framing", "Material Handling", "Steel Erection"]),
    ("action_types", &["Corrective Action", "Preventive Action"]),
    ("trades", &["Carpentry", "Concrete", "Electrical", "Ironwork", "Roofing"]),
    ("body_parts", &["Back", "Foot", "Hand", "Head", "Leg"]),
];

pub(crate) fn add_company(world: &mut World, seed: &CompanySeed, now: Timestamp) -> i64 {
    let id = world.id();
    let service_user = add_member(world, id, "HardHat Pulse (service account)", Some("service"), "Service account");
    world.companies.insert(
        id,
        Company {
            id,
            name: seed.name.clone(),
            connected: !seed.without_app,
            service_user,
            service_level: Level::Admin,
            permitted_projects: seed.without_app.then(BTreeSet::new),
        },
    );
    add_member(world, id, "Safety Manager", Some("safety.manager"), "Safety manager");
    add_member(world, id, "Superintendent", Some("superintendent"), "Superintendent");
    add_member(world, id, "Reference Worker", None, "Worker");
    for (list, names) in LISTS {
        for name in names {
            add_entry(world, id, list, name, true, now);
        }
        add_entry(world, id, list, "Retired entry", false, now);
    }
    let mut category_ids = std::collections::BTreeMap::new();
    for (category, key, name, spanish) in TYPES {
        let category_id = match category_ids.get(key) {
            Some(known) => *known,
            None => world.id(),
        };
        category_ids.insert(key, category_id);
        let kind_id = world.id();
        let kind = ObservationType {
            id: kind_id,
            company_id: id,
            name: if seed.spanish { spanish } else { name }.to_owned(),
            english_name: name.to_owned(),
            category: category.to_owned(),
            category_key: key.to_owned(),
            category_id,
            active: true,
        };
        world.observation_types.insert(kind_id, kind);
    }
    for project in &seed.projects {
        add_project(world, id, project, now);
    }
    id
}

pub(crate) fn add_project(world: &mut World, company_id: i64, seed: &ProjectSeed, now: Timestamp) -> i64 {
    let id = world.id();
    let number = world.projects.values().filter(|project| project.company_id == company_id).count() + 1;
    world.projects.insert(
        id,
        Project {
            id,
            company_id,
            name: seed.name.clone(),
            number: format!("P-{number:03}"),
            active: true,
            time_zone: seed.time_zone.clone(),
            tz_name: seed.tz_name.clone(),
            tools_off: BTreeSet::new(),
            created_at: now,
            updated_at: now,
        },
    );
    id
}

/// Somebody of one company, with a login of its own there.
fn add_member(world: &mut World, company_id: i64, name: &str, login: Option<&str>, job_title: &str) -> i64 {
    let id = world.id();
    let person = Person {
        id,
        companies: [company_id].into(),
        login: login.map(|login| format!("{login}+{company_id}@example.com")),
        name: name.to_owned(),
        job_title: job_title.to_owned(),
        service_account: job_title == "Service account",
        admin: false,
        projects: None,
    };
    world.people.insert(id, person);
    id
}

pub(crate) fn add_person(world: &mut World, seed: &PersonSeed) -> i64 {
    let id = world.id();
    let seed = seed.clone();
    let person = Person {
        id,
        companies: seed.companies,
        login: Some(seed.login),
        name: seed.name,
        job_title: seed.job_title,
        service_account: false,
        admin: seed.admin,
        projects: seed.projects,
    };
    world.people.insert(id, person);
    id
}

/// Who can sign in besides each company's own people: somebody with two companies who is listed in some projects only,
/// an admin of the first company, and somebody whose company has not installed the app.
pub(crate) fn add_people_of_several_companies(world: &mut World) {
    let companies: Vec<i64> = world.companies.keys().copied().collect();
    let connected: BTreeSet<i64> =
        companies.iter().copied().filter(|id| world.companies[id].connected).take(2).collect();
    let first = connected.first().copied();
    let mut projects: BTreeSet<i64> = BTreeSet::new();
    for company in &connected {
        let of_company = world.projects.values().filter(|project| project.company_id == *company);
        projects.extend(of_company.map(|project| project.id).take(2));
    }
    let person = |login: &str, name: &str, companies: BTreeSet<i64>| PersonSeed {
        login: format!("{login}@example.com"),
        name: name.to_owned(),
        job_title: name.to_owned(),
        companies,
        projects: None,
        admin: false,
    };
    if !connected.is_empty() {
        let regional = person("regional.safety", "Regional Safety Manager", connected);
        add_person(world, &PersonSeed { projects: Some(projects), ..regional });
    }
    if let Some(first) = first {
        let admin = person("company.admin", "Company Admin", [first].into());
        add_person(world, &PersonSeed { admin: true, ..admin });
    }
    let without = companies.into_iter().find(|id| !world.companies[id].connected);
    if let Some(without) = without {
        add_person(world, &person("no.app", "Manager Without The App", [without].into()));
    }
}

fn add_entry(world: &mut World, company_id: i64, list: &str, name: &str, active: bool, at: Timestamp) {
    let id = world.id();
    let (list, name) = (list.to_owned(), name.to_owned());
    world.entries.insert(id, Entry { id, company_id, list, name, active, at });
}
