//! What comes in, read before it is checked.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use axum::http::request::Parts;

use crate::openapi::Incoming;

const BODY_LIMIT: usize = 4 * 1024 * 1024;

pub(crate) async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

pub(crate) async fn read_body(parts: &Parts, body: Body) -> Incoming {
    let media = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "multipart/form-data" {
        let mut request = Request::new(body);
        request.headers_mut().clone_from(&parts.headers);
        return match multipart(request).await {
            Ok(fields) => Incoming::Fields { media: "multipart/form-data", fields },
            Err(reason) => Incoming::Unreadable(reason),
        };
    }
    let bytes: Bytes = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(bytes) => bytes,
        Err(error) => return Incoming::Unreadable(error.to_string()),
    };
    match media.as_str() {
        _ if bytes.is_empty() => Incoming::None,
        "application/json" => match serde_json::from_slice(&bytes) {
            Ok(value) => Incoming::Json(value),
            Err(error) => Incoming::Unreadable(format!("is not JSON: {error}")),
        },
        "application/x-www-form-urlencoded" => {
            let fields = form_urlencoded::parse(&bytes).into_owned().collect();
            Incoming::Fields { media: "application/x-www-form-urlencoded", fields }
        }
        other => Incoming::Unreadable(format!("the media type {other:?} is not known")),
    }
}

/// Files are taken as their names: nobody reads them back.
async fn multipart(request: Request) -> Result<Vec<(String, String)>, String> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| error.to_string())?;
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.map_err(|error| error.to_string())?;
        let text = file.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
        fields.push((name, text));
    }
    Ok(fields)
}
