//! Changes to an endpoint: what the form names, if nobody changed it since the page was opened.
use super::fields::Fields;
use super::{guide, path, preview, visible};
use crate::form::{self, Errors};
use crate::layout::Page;
use crate::refusal::Refusal;
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use people::Visitor;
use store::endpoints::Endpoint;
use webhook::endpoints::EndpointError;
use webhook::sealed;
use webhook::settings::Reader;

pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
) -> Result<Page, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    let url = sealed::url(app.vault(), &endpoint).await.map_err(EndpointError::from)?;
    let fields = Fields::saved(&endpoint, url.expose());
    Ok(page(&visitor, &endpoint, fields.markup(&sites, &Errors::default()), &Errors::default(), None))
}

fn page(visitor: &Visitor, endpoint: &Endpoint, fields: Markup, errors: &Errors, preview: Option<Markup>) -> Page {
    let title = format!("What {} is sent", endpoint.name);
    let body = html! {
        p { a href=(path(endpoint)) { "Status of " (endpoint.name) } }
        h1 { (title) }
        (guide::steps(endpoint.platform))
        (errors.summary())
        @if let Some(preview) = preview { (preview) }
        form method="post" action={ (path(endpoint)) "/settings" } novalidate {
            (form::token_field(visitor))
            (fields)
            p.links {
                button #save type="submit" { "Save" }
                button #show-preview.quiet type="submit" name="do" value="preview" { "Show what would be sent" }
            }
        }
        p.dim { "Another address gets a test event at once. What still waits of a site that you take away is not sent." }
    };
    Page::new(title, body)
}

pub async fn save(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(endpoint): Path<String>,
    form: form::Form,
) -> Result<Response, Refusal> {
    let (endpoint, sites) = visible(&app, &visitor, &endpoint).await?;
    let values = form.verified(&visitor)?;
    let mut fields = Fields::sent(&values);
    (fields.has_token, fields.platform) = (endpoint.token.is_some(), Some(endpoint.platform));
    fields.all_sites &= sites.all;
    if values.get("do") == "preview" {
        let shown = preview::of_form(&app, &sites, &endpoint.organization_id, &endpoint.id, &fields).await?;
        let errors = Errors::default();
        return Ok(page(&visitor, &endpoint, fields.markup(&sites, &errors), &errors, Some(shown)).into_response());
    }
    let reader = Reader { guard: app.guard(), names: app.names(), sites: &sites.ids() };
    let change = match reader.change(&fields.body(true)).await {
        Ok(change) => change,
        Err(wrong) => {
            let errors = fields.errors(&wrong);
            let page = page(&visitor, &endpoint, fields.markup(&sites, &errors), &errors, None);
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let edition: u64 = fields.version.parse().map_err(|_| Refusal::unreadable())?;
    match app.desk().change(&endpoint, edition, &change).await {
        Err(EndpointError::Wrong(wrong)) => {
            let errors = fields.errors(&[wrong]);
            let page = page(&visitor, &endpoint, fields.markup(&sites, &errors), &errors, None);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(EndpointError::Stale) => Err(Refusal::changed_meanwhile(format!("{}/settings", path(&endpoint)))),
        outcome => {
            outcome?;
            tracing::info!(
                organization_id = %endpoint.organization_id, endpoint_id = %endpoint.id, person_id = %visitor.person.id,
                "a webhook endpoint was changed by a person"
            );
            Ok(Redirect::to(&path(&endpoint)).into_response())
        }
    }
}
