//! What pages load from our own origin. The address carries a hash of the content, so that a browser may keep it for ever.
use crate::refusal::Refusal;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

const STYLE: Asset =
    Asset { name: "style.css", kind: "text/css; charset=utf-8", content: include_str!("../assets/style.css") };
const FRAME: Asset =
    Asset { name: "frame.js", kind: "text/javascript; charset=utf-8", content: include_str!("../assets/frame.js") };
const PASSKEY: Asset =
    Asset { name: "passkey.js", kind: "text/javascript; charset=utf-8", content: include_str!("../assets/passkey.js") };
const ALL: [(&Asset, &LazyLock<String>); 3] = [(&STYLE, &STYLE_PATH), (&FRAME, &FRAME_PATH), (&PASSKEY, &PASSKEY_PATH)];

/// `/assets/<hash>/style.css`.
pub static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path(&STYLE));
pub static FRAME_PATH: LazyLock<String> = LazyLock::new(|| path(&FRAME));
pub static PASSKEY_PATH: LazyLock<String> = LazyLock::new(|| path(&PASSKEY));

fn path(asset: &Asset) -> String {
    let digest = Sha256::digest(asset.content.as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{hash}/{}", asset.name)
}

/// An older page may ask by an older hash: it gets what there is, and keeps it for a minute only.
pub async fn get(Path((hash, name)): Path<(String, String)>) -> Result<Response, Refusal> {
    let (asset, path) = ALL.into_iter().find(|(asset, _)| asset.name == name).ok_or_else(Refusal::not_found)?;
    let ours = format!("/assets/{hash}/{name}") == **path;
    let keep = if ours { "public, max-age=31536000, immutable" } else { "public, max-age=60" };
    Ok(([(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, keep)], asset.content).into_response())
}
