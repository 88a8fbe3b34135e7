//! Step 1 for Autodesk: an account, chosen by name among those of who signed in there and never by default; and what HardHat Pulse
//! works as in it.
use super::keep;
use crate::form::{self, Errors, Values};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::steps::{self, Step};
use crate::{capabilities, consent, platform, words};
use ::platform::lists::ListError;
use acc::lists::Account;
use acc::own_account::OwnAccount;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::capabilities as can;
use domain::ids::Provider;
use grants::{Grant, service_accounts};
use maud::{Markup, html};
use people::{Role, Visitor};
use store::again;
use store::directory::Connection;

pub const PATH: &str = "/setup/connect/autodesk";
/// Which service account: the app's own, or one that is named.
const OWN: &str = "own";
/// Fields of a service account of one's own, with their labels.
const FIELDS: [(&str, &str); 3] =
    [("id", "Id of the service account"), ("key_id", "Id of its key"), ("private_key", "Private key (PEM)")];
/// What people ask first of what comes back.
const ASKED_FIRST: [&str; 3] = [can::TREATMENT, can::STATUS, can::DAILY_REPORTS];

/// What the page knows of the visitor's accounts.
enum Known {
    SignIn,
    Accounts(Vec<Account>),
    Failed(String),
}

async fn known(app: &AppState, visitor: &Visitor) -> Result<Known, Refusal> {
    let Some(token) = platform::token(app, visitor, Provider::Acc).await? else { return Ok(Known::SignIn) };
    Ok(match platform::accounts(app, &token).await {
        Ok(accounts) => Known::Accounts(accounts),
        Err(ListError::SignInAgain) => Known::SignIn,
        Err(error) => Known::Failed(error.to_string()),
    })
}

/// What was sent, to be shown again; never the key.
#[derive(Default)]
struct Sent {
    account: String,
    own: bool,
    by_consent: bool,
    id: String,
    key_id: String,
}

impl Sent {
    fn of(values: &Values) -> Self {
        let text = |name: &str| values.get(name).to_owned();
        let chose = |way: &str| values.all(consent::WAY).any(|each| each == way);
        let by_consent = chose(consent::BY_CONSENT);
        let own = chose(OWN) && !by_consent;
        Self { account: text("account"), own, by_consent, id: text("id"), key_id: text("key_id") }
    }
}

pub async fn show(State(app): State<AppState>, visitor: Visitor) -> Result<Page, Refusal> {
    visitor.require(Role::Manager)?;
    let known = known(&app, &visitor).await?;
    page(&app, &visitor, &known, &Sent::default(), &Errors::default()).await
}

pub async fn save(State(app): State<AppState>, visitor: Visitor, form: form::Form) -> Result<Response, Refusal> {
    visitor.require(Role::Manager)?;
    let values = form.verified(&visitor)?;
    let (known, sent) = (known(&app, &visitor).await?, Sent::of(&values));
    match read(&app, &visitor, &known, &sent, &values).await? {
        Ok(connection) => {
            let connection = keep(&app, &visitor, connection).await?;
            let onward = format!("/setup/{}/projects", connection.id);
            if sent.by_consent {
                return Ok(Redirect::to(&consent::ask_for(&connection, &onward)).into_response());
            }
            again::connection(app.table(), app.bell(), &connection, app.now()).await?;
            Ok(Redirect::to(&onward).into_response())
        }
        Err(errors) => {
            let page = page(&app, &visitor, &known, &sent, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// The connection that is asked for.
async fn read(
    app: &AppState,
    visitor: &Visitor,
    known: &Known,
    sent: &Sent,
    values: &Values,
) -> Result<Result<Connection, Errors>, Refusal> {
    let mut errors = Errors::default();
    let Known::Accounts(accounts) = known else {
        errors.add("account", "Account: sign in with Autodesk first, so that your accounts can be listed.");
        return Ok(Err(errors));
    };
    let own = sent.own.then(|| OwnAccount::read(&sent.id, &sent.key_id, values.get("private_key")));
    for (member, sentence) in own.as_ref().and_then(|own| own.as_ref().err()).into_iter().flatten() {
        let label = FIELDS.iter().find(|(name, _)| name == member).map_or(*member, |(_, label)| label);
        errors.add(*member, format!("{label}: it {sentence}."));
    }
    let Some(account) = accounts.iter().find(|account| account.id == sent.account) else {
        errors.add("account", "Account: choose one of those that are listed.");
        return Ok(Err(errors));
    };
    let organization = &visitor.session.organization_id;
    let mut connection = Connection::new(organization.clone(), Provider::Acc, &account.id, app.now());
    (connection.name, connection.region) = (Some(account.name.clone()), Some(account.region));
    let lane = connection.lane();
    let standing = app.directory().connection(organization, &connection.id).await?;
    if standing.is_some() && sent.own {
        errors.add(
            "account",
            "Account: it is connected already. To let it work as another service account, disconnect it first.",
        );
    }
    if standing.is_none() && app.directory().removal(&lane).await?.is_some() {
        errors.add(
            "account",
            "Account: it was disconnected a moment ago and is still being cleared up. Press again in a minute.",
        );
    }
    let works = standing.as_ref().is_some_and(|standing| standing.service_account.is_some());
    if !sent.own && !sent.by_consent && !works && platform::invited(app, account.region).await?.is_none() {
        errors.add(
            "account",
            format!(
                "Account: HardHat Pulse has no service account of its own in Autodesk's region {}. Name one that you were given for it, \
                 or write to contact@hardhatpulse.com.",
                account.region.as_str()
            ),
        );
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    if let Some(Ok(OwnAccount { id, key_id, private_key })) = own {
        let sealed = service_accounts::seal(app.vault(), &lane, id, key_id, &private_key).await;
        connection.service_account = Some(sealed.map_err(|error| Refusal::unavailable("the vault", &error))?);
    }
    Ok(Ok(connection))
}

async fn page(app: &AppState, visitor: &Visitor, known: &Known, sent: &Sent, errors: &Errors) -> Result<Page, Refusal> {
    let mut connections = app.directory().connections(&visitor.session.organization_id).await?;
    connections.retain(|connection| connection.provider == Provider::Acc);
    let mut standing = Vec::new();
    for connection in connections {
        standing.push((grants::grant(app.table(), &connection.lane()).await?, connection));
    }
    let body = html! {
        (steps::nav(Step::Connect))
        h1 { "Connect Autodesk" }
        (errors.summary())
        @for (grant, connection) in &standing { (stands(visitor, connection, grant.as_ref())) }
        h2 { @if standing.is_empty() { "Your account" } @else { "Another account" } }
        @match known {
            Known::SignIn => {
                p { "Sign in with Autodesk, so that you can choose your account (hub) by its name. HardHat Pulse sees which accounts and \
                     projects you belong to, for this session only, and writes nothing in your name." }
                p { (super::sign_in(Provider::Acc, PATH)) }
                p.dim { "No Autodesk account? Someone of your organization who has one can do this step: invite them under People, or \
                         send them the address of this page." }
            }
            Known::Failed(why) => p.notice role="status" { "Your accounts can't be listed at the moment. " (why) " Load the page again in a minute." },
            Known::Accounts(accounts) if accounts.is_empty() => p.notice {
                "Autodesk lists no account of Construction Cloud to you through HardHat Pulse. Either you belong to none, or an account admin \
                 has not added HardHat Pulse under Custom Integrations yet. When that is done, load this page again."
            },
            Known::Accounts(accounts) => (choice(visitor, accounts, sent, errors)),
        }
        (limits())
        p { "You work with Procore? " a href=(super::path(Provider::Procore)) { "Set up Procore" } "." }
    };
    Ok(Page::new("Connect Autodesk", body))
}

/// A connection that stands: what it is, whether it works, and the way onward.
fn stands(visitor: &Visitor, connection: &Connection, grant: Option<&Grant>) -> Markup {
    let name = words::company(connection);
    html! {
        section aria-labelledby={ "connection-" (connection.id) } {
            h2 id={ "connection-" (connection.id) } { (name) }
            (crate::overview::blocked(visitor, connection, None))
            (consent::whose(visitor, connection, grant, PATH))
            (consent::change(visitor, connection, grant))
            p { a.button href={ "/setup/" (connection.id) "/projects" } { "Choose projects of " (name) } }
        }
    }
}

fn choice(visitor: &Visitor, accounts: &[Account], sent: &Sent, errors: &Errors) -> Markup {
    html! {
        form method="post" action=(PATH) novalidate {
            (form::token_field(visitor))
            fieldset #account tabindex="-1" aria-describedby=[errors.described("account")] {
                legend { "Account in Autodesk" }
                (errors.at("account"))
                @for account in accounts {
                    label.check {
                        input type="radio" name="account" value=(account.id) checked[account.id == sent.account] required;
                        (account.name) " (" (account.region.as_str()) ")"
                    }
                }
            }
            details #other-way open[sent.own] {
                summary { "My account has a service account of its own for HardHat Pulse" }
                p { "Otherwise HardHat Pulse's own service account works in your account; the next page names the address that your admin \
                     invites. The key is kept encrypted and is never shown again." }
                label.check { input type="checkbox" name=(consent::WAY) value=(OWN) checked[sent.own]; "Use the service account below" }
                @for (name, label) in FIELDS {
                    div.field {
                        label for=(name) { (label) }
                        @if name == "private_key" {
                            textarea id=(name) name=(name) rows="4" autocomplete="off" spellcheck="false"
                                aria-describedby=[errors.described(name)] aria-invalid=[errors.has(name).then_some("true")] {}
                        } @else {
                            input id=(name) type="text" name=(name) autocomplete="off" spellcheck="false"
                                value=(if name == "id" { &sent.id } else { &sent.key_id })
                                aria-describedby=[errors.described(name)] aria-invalid=[errors.has(name).then_some("true")];
                        }
                        (errors.at(name))
                    }
                }
            }
            button #connect type="submit" { "Connect this account" }
            (consent::offer(Provider::Acc))
        }
    }
}

/// What Autodesk can't give back, before anybody sets it up.
fn limits() -> Markup {
    html! {
        section aria-labelledby="limits" {
            h2 #limits { "What comes back from Autodesk, and what does not" }
            dl { @for feature in ASKED_FIRST { dt { (feature) } dd { (can::cell(can::AUTODESK, feature)) } } }
            p { a href=(capabilities::PATH) { (capabilities::TITLE) } }
        }
    }
}

/// What an admin does in Autodesk, once. `email`: of the app's own service account; without, the customer's own works there.
pub fn invitation(email: Option<&str>) -> Markup {
    html! {
        details #invitation {
            summary { "What an admin does in Autodesk, once" }
            ol {
                li { "An account admin adds HardHat Pulse under Account Admin, Custom Integrations." }
                li {
                    "A project admin adds " @match email { Some(email) => strong { (email) }, None => "your service account for HardHat Pulse" }
                    " as a member of each project, with access to Build."
                }
                li { "In the project's Issues, under Settings, Permissions, that member may create and edit issues." }
            }
        }
    }
}
