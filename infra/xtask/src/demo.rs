//! The demo contractor: made through the public API as a customer's would be, then fed the demo day.
use crate::day::Day;
use crate::error::{Error, Result, unexpected};
use crate::http;
use crate::paths::{self, Repo};
use crate::replay::{self, Sender};
use crate::stack::{Demo, Edge, Stack};
use jiff::Timestamp;
use serde_json::{Value, json};

const SCOPES: [&str; 4] = ["read", "treatment:write", "webhooks:write", "connections:write"];

pub fn set_up(repo: &Repo, stack: &Stack) -> Result<Demo> {
    let sandbox =
        stack.sandbox.as_ref().ok_or_else(|| Error::Usage("The demo needs the provider sandboxes.".into()))?;
    let day = Day::from_text(&paths::read(&repo.path("events/demo-day.json"))?)?;
    let api = Api { url: &stack.api_url, key: &stack.operator_key };
    let organization_id = api.create("/v1/organizations", json!({"name": "Demo Contractor"}), "id")?;
    let senders = make_sites(&api, &organization_id, &day)?;
    let wanted = json!({"name": "demo", "scopes": SCOPES});
    let api_key = api.create(&format!("/v1/organizations/{organization_id}/api-keys"), wanted, "key")?;
    connect(&api, &organization_id, company(&sandbox.procore_url, senders.len())?, &senders)?;
    if let Some(acc_url) = &sandbox.acc_url {
        connect(&api, &organization_id, account(acc_url, senders.len())?, &senders)?;
    }
    if let Some(inbox_url) = &sandbox.webhook_inbox_url {
        make_endpoints(&api, &organization_id, inbox_url)?;
    }
    let setup_link = api.create(&format!("/v1/organizations/{organization_id}/setup-links"), json!({}), "url")?;
    let accepted = replay::send(&stack.api_url, &day, &senders, Timestamp::now())?;
    println!("  {accepted} events of two sites sent; they arrive in the sandboxes now");
    let first = senders.into_iter().next().ok_or_else(|| unexpected("the demo day", "no site"))?;
    Ok(Demo { organization_id, site_id: first.site_id, api_key, setup_link: Some(setup_link), edge: first.edge })
}

fn make_sites(api: &Api, organization_id: &str, day: &Day) -> Result<Vec<Sender>> {
    let mut senders = Vec::new();
    for site in &day.sites {
        let wanted = json!({"name": site.name, "time_zone": site.time_zone, "shifts": site.shifts});
        let site_id = api.create(&format!("/v1/organizations/{organization_id}/sites"), wanted, "id")?;
        let edge = api.call("POST", &format!("/v1/sites/{site_id}/edges"), json!({"name": "Site office rack"}))?;
        let part = |member| http::text(&edge, member, "the new edge");
        senders.push(Sender { site_id, edge: Edge { id: part("id")?, secret: part("secret")? } });
    }
    Ok(senders)
}

/// An account of a platform, as the API wants it named, with projects enough for the sites.
type Found = (Value, Vec<String>);

/// Links it, one project to each site.
fn connect(api: &Api, organization_id: &str, (mut wanted, projects): Found, senders: &[Sender]) -> Result<()> {
    wanted["organization_id"] = organization_id.into();
    let connection = api.create("/v1/connections", wanted, "id")?;
    for (sender, project) in senders.iter().zip(projects) {
        let settings = json!({
            "site_id": sender.site_id,
            "observations": {"min_priority": 3, "kinds": "all"},
            "daily_summary": {"enabled": true, "at": "17:00"},
        });
        api.call("PUT", &format!("/v1/connections/{connection}/projects/{project}"), settings)?;
    }
    Ok(())
}

/// Relays to Fieldwire and Trimble Connect, each with a box of the inbox behind it that knows its secret.
fn make_endpoints(api: &Api, organization_id: &str, inbox_url: &str) -> Result<()> {
    for (platform, name) in [("fieldwire", "Relay to Fieldwire"), ("trimble_connect", "Relay to Trimble Connect")] {
        let wanted = json!({
            "organization_id": organization_id, "platform": platform, "name": name,
            "url": format!("{inbox_url}/{platform}"), "token": "demo-token", "min_priority": 4,
        });
        let endpoint = api.call("POST", "/v1/webhook-endpoints", wanted)?;
        let secret = http::text(&endpoint, "secret", "the new webhook endpoint")?;
        let box_of = json!({"secrets": [secret], "token": "demo-token"}).to_string();
        let at = format!("{inbox_url}/_control/boxes/{platform}");
        let headers = [("content-type", "application/json")];
        http::request("POST", &at, &headers, Some(box_of.as_bytes()))?.ok("the webhook inbox")?;
    }
    Ok(())
}

fn state(what: &str, url: &str) -> Result<Value> {
    http::request("GET", &format!("{url}/_control/state"), &[], None)?.ok(what)?.json(what)
}

fn rows(state: &Value, name: &str) -> Vec<Value> {
    state[name].as_array().cloned().unwrap_or_default()
}

/// A company of the Procore sandbox with at least that many projects. A customer reads these numbers in Procore's address bar.
fn company(procore_url: &str, projects: usize) -> Result<Found> {
    let what = "the Procore sandbox";
    let state = state(what, procore_url)?;
    for company in rows(&state, "companies") {
        let its = rows(&state, "projects").into_iter().filter(|project| project["company_id"] == company["id"]);
        let its = its.map(|project| http::text(&project, "id", what)).collect::<Result<Vec<String>>>()?;
        if its.len() >= projects {
            return Ok((json!({"provider": "procore", "company_id": company["id"]}), its));
        }
    }
    Err(unexpected(what, format!("no company with {projects} projects")))
}

/// An account of the Autodesk sandbox with at least that many projects that can be used.
fn account(acc_url: &str, projects: usize) -> Result<Found> {
    let what = "the Autodesk sandbox";
    let state = state(what, acc_url)?;
    for account in rows(&state, "accounts") {
        let usable = |project: &Value| {
            project["account_id"] == account["id"] && project["platform"] == "acc" && project["status"] == "active"
        };
        let its = rows(&state, "projects").into_iter().filter(usable);
        let its = its.map(|project| http::text(&project, "id", what)).collect::<Result<Vec<String>>>()?;
        if its.len() >= projects {
            return Ok((json!({"provider": "acc", "account_id": account["id"], "region": account["region"]}), its));
        }
    }
    Err(unexpected(what, format!("no account with {projects} projects")))
}

/// Our API, called as the operator.
pub struct Api<'a> {
    pub url: &'a str,
    pub key: &'a str,
}

impl Api<'_> {
    pub fn call(&self, method: &str, path: &str, body: Value) -> Result<Value> {
        let authorization = format!("Bearer {}", self.key);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let what = format!("{method} {path}");
        let body = body.to_string();
        http::request(method, &format!("{}{path}", self.url), &headers, Some(body.as_bytes()))?.ok(&what)?.json(&what)
    }

    /// Makes something and returns one member of what was made.
    pub fn create(&self, path: &str, body: Value, member: &str) -> Result<String> {
        http::text(&self.call("POST", path, body)?, member, path)
    }
}
