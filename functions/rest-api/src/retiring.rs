//! What of the API goes away (docs/api.md, "How it changes"): its answers say since when it is deprecated (RFC 9745), when it ends
//! (RFC 8594) and where the page about it is. An operation stands here six months before it ends, at the least.
use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;

/// An operation that goes away.
#[derive(Debug, Clone, Copy)]
pub struct Retiring {
    pub method: &'static str,
    pub path: &'static str,
    /// RFC 3339.
    pub since: &'static str,
    pub ends: &'static str,
}

/// None does.
pub const RETIRING: &[Retiring] = &[];

pub fn of(all: &'static [Retiring], method: &str, path: &str) -> Option<&'static Retiring> {
    all.iter().find(|each| each.method.eq_ignore_ascii_case(method) && each.path == path)
}

pub async fn tell(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let found = path.and_then(|path| of(RETIRING, request.method().as_str(), &path));
    let mut response = next.run(request).await;
    if let Some(found) = found {
        mark(&mut response, found);
    }
    response
}

fn mark(response: &mut Response, retiring: &Retiring) {
    let headers = response.headers_mut();
    if let Ok(since) = retiring.since.parse::<Timestamp>()
        && let Ok(value) = HeaderValue::from_str(&format!("@{}", since.as_second()))
    {
        headers.insert("deprecation", value);
    }
    if let Ok(ends) = retiring.ends.parse::<Timestamp>()
        && let Ok(value) = HeaderValue::from_str(&ends.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    {
        headers.insert("sunset", value);
    }
    headers.append(LINK, HeaderValue::from_static("</docs#changes>; rel=\"deprecation\"; type=\"text/html\""));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ROUTES;
    use axum::response::IntoResponse;

    const OLD: &[Retiring] =
        &[Retiring { method: "get", path: "/v1/sites", since: "2027-01-01T00:00:00Z", ends: "2027-09-01T00:00:00Z" }];

    #[test]
    fn an_answer_says_since_when_it_is_deprecated_and_when_it_ends() {
        let mut response = "x".into_response();
        mark(&mut response, of(OLD, "GET", "/v1/sites").unwrap());
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("deprecation"), "@1798761600");
        assert_eq!(header("sunset"), "Wed, 01 Sep 2027 00:00:00 GMT");
        assert_eq!(header("link"), "</docs#changes>; rel=\"deprecation\"; type=\"text/html\"");
        assert!(of(OLD, "POST", "/v1/sites").is_none() && of(OLD, "GET", "/v1/connections").is_none());
    }

    #[test]
    fn what_goes_away_is_there_and_stays_six_months() {
        for each in RETIRING.iter().chain(OLD) {
            assert!(ROUTES.iter().any(|(method, path)| (*method, *path) == (each.method, each.path)), "{each:?}");
            let (since, ends): (Timestamp, Timestamp) = (each.since.parse().unwrap(), each.ends.parse().unwrap());
            assert!(ends.duration_since(since).as_hours() >= 24 * 182, "{each:?}");
        }
    }
}
