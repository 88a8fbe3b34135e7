//! What a body asks to connect; everything wrong in it is found at once.
use crate::problem::Problem;
use crate::state::AppState;
use acc::own_account::OwnAccount;
use credentials::CredentialError;
use domain::autodesk::{Region, bare_id};
use domain::fields::{Checks, Members};
use domain::ids::{OrganizationId, Provider};
use domain::settings::check::platform_id;
use serde_json::Value;

/// One organization's link to one platform account.
pub struct Wanted {
    pub organization_id: OrganizationId,
    pub account: Account,
}

/// The account at the platform, by the platform's own terms.
pub enum Account {
    Procore { company_id: String },
    Acc { account_id: String, region: Region, as_: WorksAs },
}

/// Whom the connection works as at Autodesk.
pub enum WorksAs {
    /// The app's own service account, at this address.
    Shared {
        email: String,
    },
    Own(OwnAccount),
}

impl Account {
    pub fn provider(&self) -> Provider {
        match self {
            Account::Procore { .. } => Provider::Procore,
            Account::Acc { .. } => Provider::Acc,
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Account::Procore { company_id } => company_id,
            Account::Acc { account_id, .. } => account_id,
        }
    }
}

/// `None`: what is wrong went to `checks`.
pub async fn read(app: &AppState, body: &Value, checks: &mut Checks) -> Result<Option<Wanted>, Problem> {
    let Some(map) = body.as_object() else {
        checks.fail("", "must be an object");
        return Ok(None);
    };
    let known: &[&str] = match map.get("provider").and_then(Value::as_str) {
        Some("procore") => &["organization_id", "provider", "company_id"],
        Some("acc") => &["organization_id", "provider", "account_id", "region", "service_account"],
        _ => {
            checks.fail("/provider", "is required and must be `procore` or `acc`");
            return Ok(None);
        }
    };
    let Some(members) = Members::of(body, "", known, checks) else { return Ok(None) };
    let organization = organization(app, &members, checks).await?;
    let account = match known.contains(&"company_id") {
        true => company(&members, checks),
        false => autodesk(app, &members, checks).await?,
    };
    Ok(organization.zip(account).map(|(organization_id, account)| Wanted { organization_id, account }))
}

async fn organization(
    app: &AppState,
    members: &Members<'_>,
    checks: &mut Checks,
) -> Result<Option<OrganizationId>, Problem> {
    let Some(text) = members.required_text("organization_id", checks) else { return Ok(None) };
    let found = match text.parse::<OrganizationId>() {
        Ok(id) => app.directory().organization(&id).await?,
        Err(_) => None,
    };
    if found.is_none() {
        checks.fail(members.pointer("organization_id"), "no such organization");
    }
    Ok(found.map(|organization| organization.id))
}

fn company(members: &Members<'_>, checks: &mut Checks) -> Option<Account> {
    let company_id = members.required("company_id", checks).and_then(platform_id);
    if members.given("company_id").is_some() && company_id.is_none() {
        let form = "must be the company's id at Procore: a whole number, or its digits as text";
        checks.fail(members.pointer("company_id"), form);
    }
    company_id.map(|company_id| Account::Procore { company_id })
}

async fn autodesk(app: &AppState, members: &Members<'_>, checks: &mut Checks) -> Result<Option<Account>, Problem> {
    let account_id = members.required_text("account_id", checks);
    let read = account_id.and_then(bare_id);
    if account_id.is_some() && read.is_none() {
        let form = "must be the account's id at Autodesk, such as 5a0db0c5-0000-4000-8000-000000000001";
        checks.fail(members.pointer("account_id"), form);
    }
    let region = members.required_text("region", checks).and_then(|text| match text.parse::<Region>() {
        Ok(region) => Some(region),
        Err(error) => {
            checks.fail(members.pointer("region"), error.to_string());
            None
        }
    });
    let as_ = match (members.given("service_account"), region) {
        (Some(given), _) => own(given, &members.pointer("service_account"), checks),
        (None, Some(region)) => shared(app, region, members, checks).await?,
        (None, None) => None,
    };
    Ok(read.zip(region).zip(as_).map(|((account_id, region), as_)| Account::Acc { account_id, region, as_ }))
}

async fn shared(
    app: &AppState,
    region: Region,
    members: &Members<'_>,
    checks: &mut Checks,
) -> Result<Option<WorksAs>, Problem> {
    match app.service_account_email(region).await {
        Ok(email) => Ok(Some(WorksAs::Shared { email })),
        Err(CredentialError::Missing(_) | CredentialError::Unusable(_)) => {
            let remedy = "HardHat Pulse has no service account in this region: name one of the account's own in `service_account`, or \
                          write to contact@hardhatpulse.com";
            checks.fail(members.pointer("region"), remedy);
            Ok(None)
        }
        Err(error @ CredentialError::Unavailable(_)) => {
            tracing::error!("{error}");
            Err(Problem::unavailable())
        }
    }
}

fn own(given: &Value, pointer: &str, checks: &mut Checks) -> Option<WorksAs> {
    let inner = Members::of(given, pointer, &["id", "key_id", "private_key"], checks)?;
    let [id, key_id, private_key] = ["id", "key_id", "private_key"].map(|name| inner.required_text(name, checks));
    let texts = [("id", id), ("key_id", key_id), ("private_key", private_key)];
    let given = |member: &str| texts.iter().any(|(name, text)| *name == member && text.is_some());
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match OwnAccount::read(&text(id), &text(key_id), &text(private_key)) {
        Ok(own) => Some(WorksAs::Own(own)),
        Err(wrong) => {
            for (member, detail) in wrong.into_iter().filter(|(member, _)| given(member)) {
                checks.fail(inner.pointer(member), detail);
            }
            None
        }
    }
}
