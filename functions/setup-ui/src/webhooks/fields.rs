//! The form of an endpoint, and the body of the API that it makes: both are read by the same rules.
use super::platform;
use crate::form::{Errors, Values};
use crate::kinds::Chosen;
use crate::sites::Sites;
use domain::validate::FieldError;
use domain::webhook::{Format, Platform};
use maud::{Markup, html};
use serde_json::{Value, json};
use store::endpoints::Endpoint;

/// As shown: empty, as saved, or as just sent. A token is never shown again.
#[derive(Debug, Default)]
pub struct Fields {
    pub platform: Option<Platform>,
    pub name: String,
    pub url: String,
    pub token: String,
    /// One was entered before, and stays where no other is entered.
    pub has_token: bool,
    pub drop_token: bool,
    pub all_sites: bool,
    pub sites: Vec<String>,
    pub chosen: Chosen,
    pub daily_summary: bool,
    pub format: Format,
    /// Of the endpoint that is changed; of a new one, the press that makes it.
    pub version: String,
}

impl Fields {
    pub fn new(platform: Platform, sites: &Sites, press: String) -> Self {
        Self {
            platform: Some(platform),
            all_sites: sites.all,
            chosen: Chosen { all: true, min_priority: "3".into(), ..Chosen::default() },
            daily_summary: true,
            version: press,
            ..Self::default()
        }
    }

    pub fn saved(endpoint: &Endpoint, url: &str) -> Self {
        let wants = &endpoint.wants;
        Self {
            platform: Some(endpoint.platform),
            name: endpoint.name.clone(),
            url: url.to_owned(),
            has_token: endpoint.token.is_some(),
            all_sites: wants.site_ids.is_none(),
            sites: wants.site_ids.iter().flatten().map(ToString::to_string).collect(),
            chosen: Chosen::saved(&wants.kinds, wants.min_priority),
            daily_summary: wants.daily_summary,
            format: endpoint.format,
            version: endpoint.edition.to_string(),
            ..Self::default()
        }
    }

    pub fn sent(values: &Values) -> Self {
        let platform = Platform::ALL.into_iter().find(|platform| platform.as_str() == values.get("platform"));
        Self {
            platform,
            name: values.get("name").to_owned(),
            url: values.get("url").to_owned(),
            token: values.get("token").to_owned(),
            has_token: false,
            drop_token: values.get("drop_token") == "1",
            all_sites: values.get("where") == "all",
            sites: values.all("site").map(str::to_owned).collect(),
            chosen: Chosen::sent(values),
            daily_summary: values.get("daily_summary") == "1",
            format: Format::ALL.into_iter().find(|format| format.as_str() == values.get("format")).unwrap_or_default(),
            version: values.get("version").to_owned(),
        }
    }

    /// As the API would be given it. `standing`: it is changed, so its platform stays, and a token that is not named.
    pub fn body(&self, standing: bool) -> Value {
        let (kinds, min_priority) = self.chosen.body();
        let sites = if self.all_sites { Value::Null } else { json!(self.sites) };
        let mut body = json!({
            "name": self.name, "url": self.url, "site_ids": sites, "kinds": kinds, "min_priority": min_priority,
            "daily_summary": self.daily_summary, "format": self.format,
        });
        if !standing {
            body["platform"] = json!(self.platform);
        }
        match self.token.as_str() {
            "" if self.drop_token => body["token"] = Value::Null,
            "" => {}
            token => body["token"] = token.into(),
        }
        body
    }

    pub fn errors(&self, wrong: &[FieldError]) -> Errors {
        let mut errors = Errors::default();
        for error in wrong {
            let (field, sentence) = self.placed(error);
            if !errors.has(&field) {
                errors.add(field, sentence);
            }
        }
        errors
    }

    fn placed(&self, error: &FieldError) -> (String, String) {
        let steps: Vec<&str> = error.pointer.split('/').skip(1).collect();
        let detail = &error.detail;
        match steps.as_slice() {
            ["name"] => ("name".into(), format!("Name: it {detail}.")),
            ["url"] => ("url".into(), format!("Web address: it {detail}.")),
            ["token"] => ("token".into(), format!("Token: it {detail}.")),
            ["site_ids"] => ("sites".into(), "Sites: choose one at least, or all.".into()),
            ["site_ids", _] => ("sites".into(), "Sites: choose those that are listed.".into()),
            ["platform"] => ("name".into(), "Platform: go back and choose one.".into()),
            rest => self.chosen.placed(rest, detail),
        }
    }

    /// Of what is new and of what stands.
    pub fn markup(&self, sites: &Sites, errors: &Errors) -> Markup {
        html! {
            input type="hidden" name="version" value=(self.version);
            @if let Some(platform) = self.platform { input type="hidden" name="platform" value=(platform.as_str()); }
            (self.text("name", "Name, for yourself", "text", &self.name, "such as “Relay of North Tower”", errors))
            (self.text("url", "Web address that takes the messages", "url", &self.url,
                "It begins with https:// and comes from your relay or your developer.", errors))
            div.field {
                label for="token" { "Token (optional)" }
                p.dim #token-hint {
                    "Goes out with each message as " code { "Authorization: Bearer …" } ". "
                    @if self.has_token { "One is entered. It stays unless you enter another one, or an address on another host; it is never shown." }
                    @else { "Some relays ask for one; many have their secret in the address." }
                }
                input #token type="password" name="token" value=[self.just_sent()] autocomplete="off" spellcheck="false"
                    aria-describedby=(described("token", errors)) aria-invalid=[errors.has("token").then_some("true")];
                (errors.at("token"))
                @if self.has_token {
                    label.check { input type="checkbox" name="drop_token" value="1"; "Send no token any more" }
                }
            }
            (sites.choice(self.all_sites, &self.sites, errors))
            p { "Incidents that were confirmed are always sent, and what becomes of them. Choose here which detections are." }
            (self.chosen.fields(errors))
            div.field {
                label.check { input #daily_summary type="checkbox" name="daily_summary" value="1" checked[self.daily_summary];
                    "Send the daily summary of each site at its hour" }
            }
            div.field {
                label for="format" { "Form of the messages" }
                select #format name="format" aria-describedby="format-hint" {
                    @for format in Format::ALL.into_iter().filter(|format| self.offers(*format)) {
                        option value=(format.as_str()) selected[format == self.format] { (form_of(format)) }
                    }
                }
                p.dim #format-hint { "Both kinds of JSON have the same content. Power Automate reads the one for flows without code only." }
            }
        }
    }

    /// A card has nothing ready-made for a platform.
    fn offers(&self, format: Format) -> bool {
        format != Format::Teams || self.platform == Some(Platform::Own) || self.format == Format::Teams
    }

    /// A form that comes back keeps what was just typed in; what is kept here is never shown.
    fn just_sent(&self) -> Option<&str> {
        (!self.token.is_empty()).then_some(self.token.as_str())
    }

    fn text(&self, id: &str, label: &str, kind: &str, value: &str, hint: &str, errors: &Errors) -> Markup {
        html! {
            div.field {
                label for=(id) { (label) }
                p.dim id={ (id) "-hint" } { (hint) }
                input id=(id) type=(kind) name=(id) value=(value) required autocomplete="off" spellcheck="false"
                    aria-describedby=(described(id, errors)) aria-invalid=[errors.has(id).then_some("true")];
                (errors.at(id))
            }
        }
    }
}

/// The hint, and what is wrong.
fn described(id: &str, errors: &Errors) -> String {
    let wrong = errors.described(id).map(|error| format!(" {error}")).unwrap_or_default();
    format!("{id}-hint{wrong}")
}

pub fn title(of: Platform) -> String {
    match of {
        Platform::Own => "A webhook to a system of your own".into(),
        of => format!("A webhook for {}", platform(of)),
    }
}

/// A form of messages, in words.
pub fn form_of(format: Format) -> &'static str {
    match format {
        Format::Cloudevents => "JSON (CloudEvents), for programs",
        Format::Json => "JSON, for flows without code",
        Format::Teams => "A card for a Microsoft Teams workflow",
    }
}
