//! Us, the sandbox's Procore, and a browser that goes between.
use acc::Acc;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use credentials::{MemoryParameters, MemoryVault};
use domain::ids::{ConnectionId, OrganizationId, Provider, SiteId};
use grants::{ParameterServiceAccounts, TableGrants};
use jiff::{SignedDuration, Timestamp};
use oauth_callback::{AUTODESK_CALLBACK, AppState, CALLBACK, Services, app};
use people::{People, Person, PublicUrl, Visitor};
use procore::{Hosts, ParameterCredentials, Procore};
use sandbox::procore::{Client, Options, Running, Sandbox};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use store::bell::MemoryBell;
use store::directory::{Connection, Directory, Organization, Project};
use store::memory::MemoryTable;
use tower::ServiceExt;
use ulid::Ulid;

pub const PUBLIC: &str = "https://pulse.example.com";

pub struct World {
    pub app: Router,
    pub sandbox: Running,
    pub aps: sandbox::aps::Running,
    pub table: Arc<MemoryTable>,
    pub vault: Arc<MemoryVault>,
    pub bell: Arc<MemoryBell>,
    pub parameters: Arc<MemoryParameters>,
    pub people: People,
    later: Arc<Mutex<SignedDuration>>,
    http: reqwest::Client,
}

fn client_of_autodesk() -> sandbox::aps::Client {
    let redirect_uris = vec![format!("{PUBLIC}{AUTODESK_CALLBACK}")];
    sandbox::aps::Client { redirect_uris, ..sandbox::aps::Client::default() }
}

async fn aps(client: sandbox::aps::Client) -> sandbox::aps::Running {
    let options = sandbox::aps::Options { client, ..sandbox::aps::Options::default() };
    sandbox::aps::Sandbox::start(options).await.unwrap()
}

/// What a browser keeps: cookies by name.
#[derive(Debug, Default, Clone)]
pub struct Browser(BTreeMap<String, String>);

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get("location").map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    pub async fn new() -> Self {
        let redirect_uris = vec![format!("{PUBLIC}{CALLBACK}")];
        let client = Client { redirect_uris, ..Client::default() };
        let sandbox = Sandbox::start(Options { clients: vec![client], ..Options::default() }).await.unwrap();
        let (table, vault) = (Arc::new(MemoryTable::default()), Arc::new(MemoryVault::default()));
        let later = Arc::new(Mutex::new(SignedDuration::ZERO));
        let clock = later.clone();
        let clock = Arc::new(move || Timestamp::now() + *clock.lock().unwrap());
        let people = People::new(table.clone(), clock, PublicUrl::new(PUBLIC).unwrap());
        let parameters = Arc::new(MemoryParameters::of([("/id", "sandbox-client"), ("/secret", "sandbox-secret")]));
        let credentials = || ParameterCredentials {
            parameters: parameters.clone(),
            client_id: "/id".into(),
            client_secret: "/secret".into(),
        };
        let hosts = Hosts::new(sandbox.url(), sandbox.url(), sandbox.url()).unwrap();
        let procore = Procore::new(hosts, Arc::new(credentials())).unwrap();
        let grants = TableGrants::new(table.clone(), vault.clone());
        let bell = Arc::new(MemoryBell::default());
        let aps = aps(client_of_autodesk()).await;
        let accounts = Arc::new(ParameterServiceAccounts::new(parameters.clone(), "t"));
        let acc = Acc::new(acc::Hosts::new(aps.url()).unwrap(), Arc::new(credentials()), accounts).unwrap();
        let services =
            Services { people: people.clone(), vault: vault.clone(), procore, acc, grants, bell: bell.clone() };
        let app = app(AppState::new(services));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { app, sandbox, aps, table, vault, bell, parameters, people, later, http }
    }

    /// Time passes here and at Procore.
    pub fn pass(&self, time: SignedDuration) {
        *self.later.lock().unwrap() += time;
        self.sandbox.advance(time.as_secs());
    }

    pub async fn organization(&self, number: u64) -> OrganizationId {
        let id = OrganizationId::new(Ulid::from_parts(number, 1));
        let new = Organization { id: id.clone(), name: format!("Contractor {number}"), created_at: Timestamp::now() };
        Directory(self.table.as_ref()).put_organization(&new).await.unwrap();
        id
    }

    pub fn company(&self, place: usize) -> i64 {
        self.sandbox.companies()[place].id
    }

    pub fn projects(&self, company: i64) -> Vec<String> {
        self.sandbox.projects(company).into_iter().map(|project| project.id.to_string()).collect()
    }

    /// Connects a company, with these of its projects mapped to a site each.
    pub async fn connect(&self, organization: &OrganizationId, company: i64, mapped: &[String]) -> ConnectionId {
        let directory = Directory(self.table.as_ref());
        let account = company.to_string();
        let id = ConnectionId::derive(organization, Provider::Procore, &account);
        let mut connection: Connection = serde_json::from_value(json!({
            "id": id, "organization_id": organization, "provider": Provider::Procore, "account": account,
            "created_at": Timestamp::now(),
        }))
        .unwrap();
        directory.put_connection(&mut connection).await.unwrap();
        for (number, project) in (1u128..).zip(mapped) {
            let site = SiteId::new(Ulid::from_parts(9, number));
            let mut project: Project = serde_json::from_value(json!({
                "project_id": project, "settings": {"site_id": site}, "mapped_at": Timestamp::now(),
            }))
            .unwrap();
            directory.put_project(&connection.lane(), &mut project).await.unwrap();
        }
        id
    }

    async fn send(&self, browser: &mut Browser, request: Request<Body>) -> Answer {
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        for set in parts.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => browser.0.remove(name),
                value => browser.0.insert(name.to_owned(), value.to_owned()),
            };
        }
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&self, browser: &mut Browser, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", browser.header()).body(Body::empty()).unwrap();
        self.send(browser, request).await
    }

    /// By a link that stands on another site.
    pub async fn linked(&self, browser: &mut Browser, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", browser.header()).header("sec-fetch-site", "cross-site");
        self.send(browser, request.body(Body::empty()).unwrap()).await
    }

    pub async fn framed(&self, path: &str) -> Answer {
        let request = Request::get(path).header("sec-fetch-dest", "iframe").body(Body::empty()).unwrap();
        self.send(&mut Browser::default(), request).await
    }

    pub async fn post(&self, browser: &mut Browser, path: &str, origin: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("cookie", browser.header())
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(browser, request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Begins, logs in at Procore as somebody who agrees, and gives the path that the browser is sent back to.
    pub async fn agreed(&self, browser: &mut Browser, login: &str, next: &str) -> String {
        self.agreed_at(browser, login, &format!("/sign-in/procore?next={next}")).await
    }

    pub async fn agreed_at(&self, browser: &mut Browser, login: &str, path: &str) -> String {
        let begun = self.get(browser, path).await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        self.sandbox.set(|settings| settings.consent_as = Some(login.to_owned()));
        let asked = self.http.get(begun.location()).send().await.unwrap();
        let back = asked.headers()["location"].to_str().unwrap();
        back.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("led to {back}")).to_owned()
    }

    /// The same at Autodesk.
    pub async fn agreed_at_autodesk(&self, browser: &mut Browser, email: &str, path: &str) -> String {
        let begun = self.get(browser, path).await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        self.aps.set(|settings| settings.consent_as = Some(email.to_owned()));
        let asked = self.http.get(begun.location()).send().await.unwrap();
        let back = asked.headers()["location"].to_str().unwrap();
        back.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("led to {back}")).to_owned()
    }

    pub async fn sign_in(&self, browser: &mut Browser, login: &str) -> Answer {
        let back = self.agreed(browser, login, "%2Fsetup%3Fa%3Db").await;
        self.get(browser, &back).await
    }

    /// Opens a setup or invite link.
    pub async fn by_link(&self, organization: &OrganizationId, role: people::Role) -> Browser {
        let made = self.people.make_link(organization, role, "Setup link", None).await.unwrap();
        let person = self.people.use_link(made.url.rsplit('/').next().unwrap()).await.unwrap().unwrap();
        self.opened(&person).await
    }

    pub async fn opened(&self, person: &Person) -> Browser {
        let opened = self.people.open(person).await.unwrap();
        let cookie = opened.set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        let (name, value) = cookie.split_once('=').unwrap();
        Browser([(name.to_owned(), value.to_owned())].into())
    }

    pub async fn visitor(&self, browser: &Browser) -> Option<Visitor> {
        let headers = [("cookie".parse().unwrap(), browser.header().parse().unwrap())];
        self.people.visitor(&HeaderMap::from_iter(headers)).await.unwrap()
    }

    pub fn kept(&self) -> String {
        serde_json::to_string(&self.table.dump()).unwrap()
    }
}

impl Browser {
    pub fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}
