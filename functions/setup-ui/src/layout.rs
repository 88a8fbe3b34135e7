//! The frame around every page: skip link, header, main landmark, footer with the support contact.
use crate::assets::STYLE_PATH;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

pub const SUPPORT: &str = "contact@hardhatpulse.com";

/// A page on its way out.
pub struct Page {
    title: String,
    status: StatusCode,
    body: Markup,
}

impl Page {
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), status: StatusCode::OK, body }
    }

    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn markup(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) " · HardHat Pulse" }
                    link rel="stylesheet" href=(*STYLE_PATH);
                    link rel="icon" href="data:,";
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.site {
                        a.brand href="/setup" { "HardHat " span { "Pulse" } }
                        nav aria-label="Pages" { ul { li { a href="/setup" { "Overview" } } li { a href="/people" { "People and sessions" } } } }
                    }
                    main #main tabindex="-1" { (self.body) }
                    footer.site {
                        p { "Help: " a href={ "mailto:" (SUPPORT) } { (SUPPORT) } }
                    }
                }
            }
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (self.status, Html(self.markup().into_string())).into_response()
    }
}
