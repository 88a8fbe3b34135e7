//! The sites that a visitor sees: what is for others does not exist for them, and they choose among these.
use crate::form::Errors;
use crate::refusal::Refusal;
use crate::state::AppState;
use domain::ids::SiteId;
use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use people::Visitor;
use std::collections::BTreeSet;
use store::directory::Site;

/// The visitor's sites, and whether they are all that the organization has and will have: not for whom their projects limit, whatever
/// these cover today.
pub struct Sites {
    pub seen: Vec<Site>,
    pub all: bool,
}

impl Sites {
    pub async fn of(app: &AppState, visitor: &Visitor) -> Result<Self, Refusal> {
        let seen = app.people().visible_sites(visitor).await?;
        Ok(Self { all: visitor.person.projects.is_none(), seen })
    }

    pub fn ids(&self) -> BTreeSet<SiteId> {
        self.seen.iter().map(|site| site.id.clone()).collect()
    }

    pub fn sees(&self, id: &SiteId) -> bool {
        self.seen.iter().any(|site| site.id == *id)
    }

    /// Whether they see all the sites that something is for.
    pub fn cover(&self, site_ids: &Option<Vec<SiteId>>) -> bool {
        match site_ids {
            None => self.all,
            Some(sites) => sites.iter().all(|id| self.sees(id)),
        }
    }

    /// An instant as the visitor's first site has it.
    pub fn clock(&self, at: Timestamp) -> String {
        let zone = self.seen.first().and_then(|site| domain::localtime::zone(&site.time_zone).ok());
        domain::localtime::on_site(at, &zone.unwrap_or(TimeZone::UTC))
    }

    pub fn names(&self, site_ids: &Option<Vec<SiteId>>) -> String {
        match site_ids {
            None => "All, and those to come".into(),
            Some(ids) => {
                let named = self.seen.iter().filter(|site| ids.contains(&site.id)).map(|site| site.name.as_str());
                named.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// The choice among them: all, where the visitor sees all, or these.
    pub fn choice(&self, all: bool, chosen: &[String], errors: &Errors) -> Markup {
        html! {
            fieldset #sites tabindex="-1" aria-describedby=[errors.described("sites")] {
                legend { "Sites" }
                @if self.all {
                    label.check { input type="radio" name="where" value="all" checked[all]; "All sites, and those to come" }
                    label.check { input type="radio" name="where" value="these" checked[!all]; "Only these sites:" }
                }
                div.choices { @for site in &self.seen {
                    label.check {
                        input type="checkbox" name="site" value=(site.id) checked[chosen.iter().any(|id| id == site.id.as_str())];
                        (site.name)
                    }
                } }
                (errors.at("sites"))
            }
        }
    }
}
