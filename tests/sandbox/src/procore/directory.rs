//! Companies, projects, people, locations and the company's pick lists.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::Editor;
use super::call::{Actor, Call, Outcome, plain};
use super::hooks::EventKind;
use super::paging::{among, mentions, page, within};
use super::reply::{Refusal, Reply};
use super::state::{Company, Entry, Location, Person, Project, World};
use super::views;

/// The disposition of an injury, as labels and stored values.
const FILING_TYPES: [(&str, &str); 7] = [
    ("Fatality", "fatality"),
    ("First Aid", "first_aid"),
    ("Lost Time", "lost_time"),
    ("Medically Treated", "medically_treated"),
    ("Refused Care", "refused_care"),
    ("Report Only", "report_only"),
    ("Restricted Work", "restricted_work"),
];

pub(crate) fn me(world: &World, call: &Call) -> Outcome {
    let person = world.people.get(&call.actor.user_id).ok_or_else(Refusal::not_found)?;
    let named = call.query_id("company_id").or_else(|| call.query_id("project_id")).is_some();
    Ok(Reply::ok(json!({"id": person.id, "login": person.login, "name": named.then_some(&person.name)})))
}

pub(crate) fn companies(world: &World, call: &Call) -> Outcome {
    let shows = |company: &&Company| match &call.actor.login {
        _ if call.actor.service_account => company.connected,
        login => world.people.values().any(|person| person.is_in(company.id) && &person.login == login),
    };
    let view = |company: &Company| {
        json!({"id": company.id, "name": company.name, "is_active": true, "logo_url": null,
            "pcn_business_experience": false, "my_company": true})
    };
    Ok(page(call, world.companies.values().filter(shows).map(view).collect()))
}

pub(crate) fn base_url(call: &Call) -> Outcome {
    Ok(Reply::ok(json!({"zone": "us02", "web_base_url": call.base_url})))
}

pub(crate) fn people(world: &World, call: &Call) -> Outcome {
    let shows = |person: &&Person| {
        person.is_in(call.company_id) && mentions(call.query_text("filters[search]"), &[Some(&person.name)])
    };
    Ok(page(call, world.people.values().filter(shows).map(views::person).collect()))
}

/// Whether the caller may see a project: a service account sees what an admin permitted, an admin everything, others
/// the projects that list them.
pub(crate) fn permits(world: &World, actor: &Actor, project: &Project) -> bool {
    let listed = if actor.service_account {
        world.companies.get(&project.company_id).and_then(|company| company.permitted_projects.as_ref())
    } else {
        let person = world.people.get(&actor.user_id);
        person.filter(|person| !person.admin).and_then(|person| person.projects.as_ref())
    };
    listed.is_none_or(|projects| projects.contains(&project.id))
}

pub(crate) fn projects(world: &World, call: &Call) -> Outcome {
    let ids = call.query_ids("filters[id]");
    let shows = |project: &&Project| {
        project.company_id == call.company_id
            && permits(world, &call.actor, project)
            && among(ids.as_deref(), Some(project.id))
            && call.query_text("filters[by_status]").is_none_or(|wanted| match wanted {
                "Active" => project.active,
                "Inactive" => !project.active,
                _ => true,
            })
            && call.query_text("filters[name]").is_none_or(|wanted| project.name == wanted)
            && call.query_text("filters[project_number]").is_none_or(|wanted| project.number == wanted)
            && call.query_text("filters[origin_id]").is_none()
            && call.query_flag("filters[is_demo]") != Some(true)
            && within(call.query_range("filters[created_at]"), Some(project.created_at))
            && within(call.query_range("filters[updated_at]"), Some(project.updated_at))
    };
    let mut found: Vec<&Project> = world.projects.values().filter(shows).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let view = call.query_text("view").unwrap_or("normal");
    let items = found
        .into_iter()
        .map(|project| if view == "ids" { json!(project.id) } else { project_view(world, project, view) });
    Ok(page(call, items.collect()))
}

pub(crate) fn project(world: &World, call: &Call) -> Outcome {
    let project = world.projects.get(&call.path_id("id")).ok_or_else(Refusal::not_found)?;
    let view = call.query_text("view").unwrap_or("extended");
    Ok(Reply::ok(project_view(world, project, view)))
}

/// `tz_name` is on Show Project and in the extended view only.
fn project_view(world: &World, project: &Project, view: &str) -> Value {
    let company = world.companies.get(&project.company_id).map(|company| company.name.clone());
    let mut shown = json!({"id": project.id, "name": project.name, "display_name": format!("{} - {}", project.number, project.name),
        "project_number": project.number, "active": project.active});
    if matches!(view, "minimal" | "compact") {
        return shown;
    }
    shown["company"] = json!({"id": project.company_id, "name": company});
    shown["created_at"] = views::time(project.created_at);
    shown["updated_at"] = views::time(project.updated_at);
    shown["time_zone"] = json!(project.time_zone);
    for absent in
        ["address", "city", "state_code", "country_code", "zip", "latitude", "longitude", "origin_id", "origin_data"]
    {
        shown[absent] = Value::Null;
    }
    if view == "extended" {
        shown["tz_name"] = json!(project.tz_name);
    }
    shown
}

pub(crate) fn locations(world: &World, call: &Call) -> Outcome {
    let depth = call.query_text("filters[depth_range]").and_then(|text| text.split_once("..."));
    let depth = depth.and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?)));
    let ids = call.query_ids("filters[id]");
    let shows = |location: &&Location| {
        let tier = location.name.matches('>').count();
        location.project_id == call.project_id()
            && among(ids.as_deref(), Some(location.id))
            && call.query_id("filters[parent_id]").is_none_or(|id| location.parent_id == Some(id))
            && call.query_texts("filters[code]").is_none()
            && depth.is_none_or(|(from, to)| (from..=to).contains(&tier))
            && within(call.query_range("filters[updated_at]"), Some(location.updated_at))
            && mentions(call.query_text("filters[search]"), &[Some(&location.name)])
    };
    let mut found: Vec<&Location> = world.locations.values().filter(shows).collect();
    match call.query_text("sort") {
        Some("name") => found.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("node_name") => found.sort_by(|a, b| a.node_name.cmp(&b.node_name)),
        Some("parent_id") => found.sort_by_key(|location| location.parent_id),
        _ => {}
    }
    Ok(page(call, found.into_iter().map(views::location).collect()))
}

pub(crate) fn create_location(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    editor.must_be_admin()?;
    let project_id = call.project_id();
    let fields = call.fields("location");
    let name = fields.text("node_name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::field("node_name", "can't be blank"))?;
    let parent = match fields.id("parent_id") {
        None => None,
        Some(id) => {
            let parent = world.locations.get(&id).filter(|parent| parent.project_id == project_id);
            Some(parent.ok_or_else(|| Refusal::field("parent", "must exist"))?.clone())
        }
    };
    let taken = world.locations.values().any(|known| {
        known.project_id == project_id
            && known.parent_id == parent.as_ref().map(|parent| parent.id)
            && known.node_name == name
    });
    if taken {
        return Err(Refusal::field("node_name", "has already been taken"));
    }
    let id = add_location(world, project_id, parent.as_ref(), &name, call.now);
    world.raise(&editor, project_id, "Locations", id, EventKind::Create);
    Ok(Reply::created(views::location(&world.locations[&id])))
}

pub(crate) fn find_or_create_location(world: &mut World, call: &Call) -> Outcome {
    let editor = Editor::of(world, call);
    editor.may_create()?;
    let path = call.fields("location").get("path").and_then(Value::as_array);
    let tiers: Vec<String> = path.into_iter().flatten().filter_map(Value::as_str).map(plain).collect();
    if tiers.iter().any(|tier| tier.is_empty()) {
        return Err(Refusal::field("path", "can't have a blank tier"));
    }
    let (id, made) = location_by_path(world, call.project_id(), &tiers, call.now);
    if made {
        world.raise(&editor, call.project_id(), "Locations", id, EventKind::Create);
    }
    Ok(Reply::json(if made { 201 } else { 200 }, views::location(&world.locations[&id])))
}

/// Walks the tiers down, making what is not there. Says whether the last one is new.
pub(crate) fn location_by_path(world: &mut World, project_id: i64, tiers: &[String], now: Timestamp) -> (i64, bool) {
    let mut parent: Option<Location> = None;
    let mut made = false;
    for tier in tiers {
        let parent_id = parent.as_ref().map(|parent| parent.id);
        let known = world
            .locations
            .values()
            .find(|known| known.project_id == project_id && known.parent_id == parent_id && &known.node_name == tier);
        made = known.is_none();
        let id = match known {
            Some(known) => known.id,
            None => add_location(world, project_id, parent.as_ref(), tier, now),
        };
        parent = world.locations.get(&id).cloned();
    }
    (parent.map_or(0, |leaf| leaf.id), made)
}

fn add_location(world: &mut World, project_id: i64, parent: Option<&Location>, node_name: &str, now: Timestamp) -> i64 {
    let id = world.id();
    let name = parent.map_or_else(|| node_name.to_owned(), |parent| format!("{}>{node_name}", parent.name));
    let node_name = node_name.to_owned();
    let parent_id = parent.map(|parent| parent.id);
    world
        .locations
        .insert(id, Location { id, project_id, parent_id, node_name, name, created_at: now, updated_at: now });
    id
}

/// Active entries only: `all=true` is not in the document.
pub(crate) fn entries(world: &World, call: &Call, list: &str) -> Outcome {
    let flag = call.query_flag("filters[active]").or_else(|| call.query_flag("filters[selectable]"));
    let shows = |entry: &&Entry| {
        entry.company_id == call.company_id
            && entry.list == list
            && entry.active == flag.unwrap_or(true)
            && within(call.query_range("filters[updated_at]"), Some(entry.at))
            && mentions(call.query_text("filters[query]"), &[Some(&entry.name)])
    };
    Ok(page(call, world.entries.values().filter(shows).map(views::entry).collect()))
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Outcome {
    Ok(Reply::ok(pairs.iter().map(|(label, value)| json!({"label": label, "value": value})).collect()))
}

pub(crate) fn filing_types() -> Outcome {
    labels(&FILING_TYPES)
}

/// A filing type stands for a severity, and severities can page people.
pub(crate) fn injury_filing_types(call: &Call) -> Outcome {
    let types = FILING_TYPES.iter().zip(1..).map(|((name, value), id)| {
        let serious = matches!(*value, "fatality" | "lost_time");
        json!({"id": id, "name": name, "severity_level": severity(if serious { 5 } else { 2 })})
    });
    Ok(page(call, types.collect()))
}

pub(crate) fn severity_levels(call: &Call) -> Outcome {
    Ok(page(call, (1..=5).map(severity).collect()))
}

fn severity(order: usize) -> Value {
    const NAMES: [&str; 5] = ["insignificant", "minor", "moderate", "major", "critical"];
    let name = NAMES.get(order - 1).copied().unwrap_or(NAMES[0]);
    json!({"id": order, "name": name, "procore_default_name": name, "active": true, "email_trigger": order >= 4,
        "push_notification_trigger": order >= 5, "order": order})
}

/// Lists that a company of the sandbox has no entries for.
pub(crate) fn nothing(call: &Call) -> Outcome {
    Ok(page(call, Vec::new()))
}

pub(crate) fn app_installations(world: &World, call: &Call) -> Outcome {
    let connected = world.companies.get(&call.company_id).is_some_and(|company| company.connected);
    let installed =
        connected.then(|| json!({"id": call.company_id, "manifest": {}, "post_installation_instruction": {}}));
    Ok(page(call, installed.into_iter().collect()))
}
