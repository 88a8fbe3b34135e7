//! Whether a form was sent from one of our own pages. Two checks: the browser's word where it came from (every POST), and the
//! session's own token in the form (every POST of someone who is signed in).
use crate::{PublicUrl, Session, token};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

/// The name of the hidden field.
pub const FIELD: &str = "csrf";

/// Whether the browser says that the request came from our own origin. A browser names the origin with every POST; a page
/// whose referrer policy is `no-referrer` would have it say `null`, so ours use `same-origin`.
pub fn same_origin(headers: &HeaderMap, url: &PublicUrl) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) if site != "same-origin" => false,
        (_, Some(origin)) => origin == url.as_str(),
        (Some(_), None) => true,
        (None, None) => false,
    }
}

/// Whether a form may act for this session.
pub fn allows(headers: &HeaderMap, url: &PublicUrl, session: &Session, given: Option<&str>) -> bool {
    same_origin(headers, url) && given.is_some_and(|given| token::same(given, &session.csrf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_post() {
        let url = PublicUrl::new("https://pulse.example").unwrap();
        for (pairs, expected) in [
            (vec![("origin", "https://pulse.example")], true),
            (vec![("origin", "https://pulse.example"), ("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("origin", "https://pulse.example"), ("sec-fetch-site", "same-site")], false),
            (vec![("origin", "https://pulse.example.evil.example")], false),
            (vec![("origin", "http://pulse.example")], false),
            (vec![("origin", "null")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![], false),
        ] {
            let headers = pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect::<HeaderMap>();
            assert_eq!(same_origin(&headers, &url), expected, "{pairs:?}");
        }
    }
}
