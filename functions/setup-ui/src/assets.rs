//! What pages load from our own origin. The address carries a hash of the content, so that a browser may keep it for ever.
use crate::refusal::Refusal;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../assets/style.css");

/// `/assets/<hash>/style.css`.
pub static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(STYLE.as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{hash}/style.css")
});

/// An older page may ask by an older hash: it gets what there is, and keeps it for a minute only.
pub async fn get(Path((hash, name)): Path<(String, String)>) -> Result<Response, Refusal> {
    if name != "style.css" {
        return Err(Refusal::not_found());
    }
    let ours = format!("/assets/{hash}/{name}") == *STYLE_PATH;
    let keep = if ours { "public, max-age=31536000, immutable" } else { "public, max-age=60" };
    Ok(([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, keep)], STYLE).into_response())
}
