//! What is kept of an answer: its first four kilobytes, without what we sent in confidence. Receivers like to echo.
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Bytes kept.
pub const KEPT: usize = 4_096;
const REMOVED: &str = "(removed)";
/// A beginning of a secret that is shorter than that tells nothing.
const TELLING: usize = 4;

/// `whole`: the answer ended here, and was not cut off by us.
pub fn excerpt(body: &[u8], whole: bool, secrets: &[&str]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    let mut echoes: Vec<String> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
    // The longest first: a secret may be part of another.
    echoes.sort_by_key(|echo| std::cmp::Reverse(echo.len()));
    for echo in &echoes {
        if text.contains(echo.as_str()) {
            text = text.replace(echo.as_str(), REMOVED);
        }
    }
    if !whole {
        text.truncate(text.len() - cut_off_echo(&text, &echoes));
    }
    text.truncate(text.floor_char_boundary(KEPT));
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\r' | '\t') { '\u{FFFD}' } else { c }).collect()
}

/// How a secret may come back: as it is, in a form, in JSON, in HTML, in base64.
fn spellings(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let json = serde_json::Value::from(secret).to_string();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut all = vec![
        secret.to_owned(),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        json[1..json.len() - 1].to_owned(),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html,
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    all.sort();
    all.dedup();
    all
}

/// The length of a secret's beginning that stands at the very end, where the answer was cut off.
fn cut_off_echo(text: &str, echoes: &[String]) -> usize {
    let begun = |echo: &String| {
        (TELLING..echo.len()).rev().find(|length| echo.is_char_boundary(*length) && text.ends_with(&echo[..*length]))
    };
    echoes.iter().filter_map(begun).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_echoed_secret_is_removed_in_every_spelling() {
        let token = "p@ss \"word\"&<x>/+=";
        let body = format!(
            "{token} | {} | {} | p@ss &quot;word&quot;&amp;&lt;x&gt;/+= | {}",
            form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>(),
            serde_json::json!({"t": token}),
            STANDARD.encode(token),
        );
        let shown = excerpt(body.as_bytes(), true, &[token]);
        assert_eq!(shown, "(removed) | (removed) | {\"t\":\"(removed)\"} | (removed) | (removed)");
    }

    #[test]
    fn what_is_cut_off_in_the_middle_of_a_secret_shows_none_of_it() {
        let token = "abcdefghijklmnop";
        let body = format!("{}{}", token.repeat(3), &token[..9]);
        assert_eq!(excerpt(body.as_bytes(), false, &[token]), "(removed)(removed)(removed)");
        assert_eq!(excerpt(b"plain", true, &[""]), "plain");
    }

    #[test]
    fn four_kilobytes_are_kept_and_no_character_is_cut() {
        let shown = excerpt("é".repeat(5_000).as_bytes(), false, &["secret"]);
        assert_eq!((shown.len(), shown.chars().count()), (4_096, 2_048));
        assert_eq!(excerpt(b"a\x00b\x1b[31mc\n\xff", true, &[]), "a\u{FFFD}b\u{FFFD}[31mc\n\u{FFFD}");
    }

    proptest! {
        #[test]
        fn no_secret_of_any_kind_comes_through(
            secret in "[!-~]{8,60}", before in "\\PC{0,40}", after in "\\PC{0,40}", whole in any::<bool>(),
        ) {
            prop_assume!(!REMOVED.contains(&secret) && !secret.contains(REMOVED));
            let body = format!("{before}{secret}{after}{secret}");
            let shown = excerpt(body.as_bytes(), whole, &[&secret]);
            prop_assert!(shown.len() <= KEPT && !shown.contains(&secret), "{}", shown);
        }
    }
}
