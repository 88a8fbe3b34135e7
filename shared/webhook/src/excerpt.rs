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

/// How a secret may come back: as it is, in an address or a form, in JSON, in HTML, in base64.
fn spellings(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let bearer = format!("Bearer {secret}");
    let mut all = vec![secret.to_owned(), STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
    all.extend([STANDARD.encode(&bearer), URL_SAFE_NO_PAD.encode(&bearer)]);
    all.extend([form.replace('+', "%20"), lower_hex(&form), lower_hex(&form.replace('+', "%20")), form]);
    // What encoders differ in: slashes, and what could end a script.
    let careful = json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    for json in [json, careful.replace("\\u003c", "\\u003C").replace("\\u003e", "\\u003E"), careful] {
        all.extend([json.replace('/', "\\/"), json.replace('\'', "\\u0027"), json]);
    }
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for quote in ["&quot;", "&#34;", "&#x22;"] {
        let html = html.replace('"', quote);
        all.extend(["&#39;", "&#x27;", "&apos;"].map(|apostrophe| html.replace('\'', apostrophe)));
        all.push(html);
    }
    all.push(html);
    all.sort();
    all.dedup();
    all
}

/// `%2F` as `%2f`.
fn lower_hex(form: &str) -> String {
    let mut parts = form.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at(part.floor_char_boundary(2));
        text.extend(["%", &hex.to_ascii_lowercase(), rest]);
    }
    text
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
    fn other_languages_spellings_are_removed_too() {
        let token = "p@ss w/\"o'rd\"&<x>";
        for echo in [
            r#"p@ss w\/\"o'rd\"&<x>"#,
            r#"p@ss w/\"o'rd\"\u0026\u003cx\u003e"#,
            r#"p@ss w/\"o'rd\"\u0026\u003Cx\u003E"#,
            "p@ss w/&#34;o&#x27;rd&#34;&amp;&lt;x&gt;",
            "p@ss w/&quot;o&apos;rd&quot;&amp;&lt;x&gt;",
            "p%40ss%20w%2F%22o%27rd%22%26%3Cx%3E",
            "p%40ss+w%2f%22o%27rd%22%26%3cx%3e",
            &STANDARD.encode(format!("Bearer {token}")),
        ] {
            assert_eq!(
                excerpt(format!("you sent {echo}.").as_bytes(), true, &[token]),
                "you sent (removed).",
                "{echo}"
            );
        }
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
