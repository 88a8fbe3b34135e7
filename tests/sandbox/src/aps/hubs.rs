//! Accounts and projects, as Data Management (with its prefix) and Account Admin (without) tell of them.

use serde_json::{Value, json};

use super::pipeline::{Call, Outcome, gateway};
use super::state::{Account, Project, World};
use crate::reply::Reply;

fn missing() -> Reply {
    gateway(404, "SYS-404", "The requested resource does not exist.")
}

fn among(call: &Call, filter: &str, value: &str) -> bool {
    let wanted = call.valid.query.get(filter).and_then(Value::as_array);
    wanted.is_none_or(|wanted| wanted.iter().any(|one| one == value))
}

/// The app alone sees all; somebody sees what lists them.
fn sees(call: &Call, project: &Project) -> bool {
    call.user.as_ref().is_none_or(|user| project.members.contains(user))
}

pub(super) fn answer(world: &World, call: &Call) -> Outcome {
    match call.operation.as_str() {
        "getHubs" => Ok(hubs(world, call)),
        "getHubProjects" => projects(world, call),
        "adminListProjects" => admin_projects(world, call),
        "adminGetProject" => admin_project(world, call),
        _ => users(world, call),
    }
}

/// Whose token it is.
pub(super) fn profile(world: &World, call: &Call) -> Outcome {
    let user = world.users.iter().find(|user| Some(&user.id) == call.user.as_ref());
    let user = user.ok_or_else(|| gateway(403, "AUTH-001", "The token stands for nobody."))?;
    Ok(Reply::ok(json!({"sub": user.id, "name": user.name, "email": user.email, "email_verified": true,
        "preferred_username": user.email})))
}

fn hubs(world: &World, call: &Call) -> Reply {
    let open = |account: &&Account| {
        world.projects.iter().any(|project| project.account_id == account.id && sees(call, project))
            && among(call, "filter[id]", &format!("b.{}", account.id))
            && among(call, "filter[name]", &account.name)
            && among(call, "filter[extension.type]", "hubs:autodesk.bim360:Account")
    };
    let view = |account: &Account| {
        json!({"type": "hubs", "id": format!("b.{}", account.id), "attributes": {"name": account.name,
            "region": account.region, "extension": {"type": "hubs:autodesk.bim360:Account"}}})
    };
    let data: Vec<Value> = world.accounts.iter().filter(open).map(view).collect();
    let mut answer = json!({"jsonapi": {"version": "1.0"}, "data": data});
    if data.is_empty() {
        // Not a refusal, as one would expect.
        answer["meta"] = json!({"warnings": [{"Id": null, "HttpStatusCode": "403", "ErrorCode": "BIM360DM_ERROR",
            "Title": "Unable to get hubs from BIM360DM.", "Detail": "You don't have permission to access this API",
            "AboutLink": null, "Source": null}]});
    }
    Reply::ok(answer)
}

fn projects(world: &World, call: &Call) -> Outcome {
    // Without its prefix this id names nothing here.
    let account = call.path("hub_id").strip_prefix("b.").ok_or_else(missing)?;
    world.accounts.iter().find(|known| known.id == account).ok_or_else(missing)?;
    let shown = world.projects.iter().filter(|project| {
        project.account_id == account
            && project.status == "active"
            && sees(call, project)
            && among(call, "filter[id]", &format!("b.{}", project.id))
    });
    let view = |project: &Project| {
        let kind = if project.platform == "acc" { "ACC" } else { "BIM360" };
        json!({"type": "projects", "id": format!("b.{}", project.id), "attributes": {"name": project.name,
            "scopes": [format!("b360project.{}", project.id)],
            "extension": {"type": "projects:autodesk.bim360:Project", "data": {"projectType": kind}}}})
    };
    let limit = call.count("page[limit]", 200);
    let skipped = call.count("page[number]", 0).saturating_mul(limit);
    let data: Vec<Value> = shown.skip(skipped).take(limit).map(view).collect();
    Ok(Reply::ok(json!({"jsonapi": {"version": "1.0"}, "links": {}, "data": data})))
}

/// Account Admin does not look in other regions.
fn in_region(account: &Account, call: &Call) -> bool {
    account.region == call.region.as_deref().unwrap_or("US")
}

fn admin_projects(world: &World, call: &Call) -> Outcome {
    let account = world.accounts.iter().find(|account| account.id == call.path("accountId"));
    let account = account.filter(|account| in_region(account, call)).ok_or_else(missing)?;
    let shown: Vec<&Project> = world
        .projects
        .iter()
        .filter(|project| {
            project.account_id == account.id
                && sees(call, project)
                && among(call, "filter[platform]", &project.platform)
                && among(call, "filter[status]", &project.status)
                && call.query("filter[name]").is_none_or(|name| project.name.contains(name))
        })
        .collect();
    Ok(page(call, 20, &shown, |project| admin_view(project)))
}

fn admin_project(world: &World, call: &Call) -> Outcome {
    Ok(Reply::ok(admin_view(project(world, call)?)))
}

fn project<'a>(world: &'a World, call: &Call) -> Result<&'a Project, Reply> {
    let project = world.projects.iter().find(|project| project.id == call.path("projectId") && sees(call, project));
    let account = |project: &&Project| {
        let account = world.accounts.iter().find(|account| account.id == project.account_id);
        account.is_some_and(|account| in_region(account, call))
    };
    project.filter(account).ok_or_else(missing)
}

fn admin_view(project: &Project) -> Value {
    json!({"id": project.id, "accountId": project.account_id, "name": project.name, "platform": project.platform,
        "status": project.status, "timezone": project.timezone, "jobNumber": null, "latitude": null, "longitude": null,
        "city": null, "country": null, "products": []})
}

fn users(world: &World, call: &Call) -> Outcome {
    let project = project(world, call)?;
    let members: Vec<_> = world.users.iter().filter(|user| project.members.contains(&user.id)).collect();
    Ok(page(call, 20, &members, |user| {
        json!({"id": format!("acc-{}", user.id), "autodeskId": user.id, "name": user.name, "email": user.email,
            "companyId": null, "roleIds": [], "accessLevels": {"projectAdmin": project.admins.contains(&user.id)}})
    }))
}

pub(super) fn page<T>(call: &Call, default: usize, items: &[T], view: impl Fn(&T) -> Value) -> Reply {
    let (limit, offset) = (call.count("limit", default), call.count("offset", 0));
    let results: Vec<Value> = items.iter().skip(offset).take(limit).map(view).collect();
    Reply::ok(
        json!({"pagination": {"limit": limit, "offset": offset, "totalResults": items.len()}, "results": results}),
    )
}
