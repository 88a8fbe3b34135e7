//! Cookies, by the public address. Over https they are fit for Procore's frame: `SameSite=None; Secure; Partitioned`, and the
//! prefix `__Host-` binds them to this host. Over plain http, which only a developer's machine uses, not every browser takes
//! them so: there the session's cookie is `SameSite=Lax`, but for a frame's, which would not arrive.
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};
use jiff::SignedDuration;

#[derive(Debug, thiserror::Error)]
#[error("the public address {0:?} is not an http or https origin")]
pub struct NotAnAddress(String);

/// The address that people use, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub fn new(url: &str) -> Result<Self, NotAnAddress> {
        let url = url.trim_end_matches('/');
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '\\']) => {
                Ok(Self(url.to_owned()))
            }
            _ => Err(NotAnAddress(url.to_owned())),
        }
    }

    /// Also the origin: the address has no path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The domain that passkeys belong to. None where the host is a number: browsers keep no passkeys for those.
    pub fn domain(&self) -> Option<&str> {
        let host = self.0.split_once("://")?.1.split(':').next()?;
        let number = host.starts_with('[') || host.rsplit('.').next()?.bytes().all(|byte| byte.is_ascii_digit());
        (!number).then_some(host)
    }

    /// An address below this one.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The session of a window.
    Session,
    /// The session of a page in Procore's frame, under the same name: a page has one or the other.
    FrameSession,
    /// Binds a sign-in under way to this browser; only the way back from the platform needs it.
    SignIn,
}

impl Cookie {
    pub fn name(self, url: &PublicUrl) -> &'static str {
        match (self, url.is_secure()) {
            (Cookie::Session | Cookie::FrameSession, true) => "__Host-hhp_session",
            (Cookie::Session | Cookie::FrameSession, false) => "hhp_session",
            (Cookie::SignIn, true) => "__Host-hhp_signin",
            (Cookie::SignIn, false) => "hhp_signin",
        }
    }

    /// The `Set-Cookie` that keeps a value.
    pub fn set(self, url: &PublicUrl, value: &str, life: SignedDuration) -> HeaderValue {
        let attributes = match (self, url.is_secure()) {
            (Cookie::Session, true) | (Cookie::FrameSession, _) => "; Secure; SameSite=None; Partitioned",
            (Cookie::SignIn, true) => "; Secure; SameSite=Lax",
            (Cookie::Session | Cookie::SignIn, false) => "; SameSite=Lax",
        };
        let text =
            format!("{}={value}; Path=/; Max-Age={}; HttpOnly{attributes}", self.name(url), life.as_secs().max(0));
        // A token has no character that a header can't carry.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }

    /// The `Set-Cookie` that takes it away.
    pub fn clear(self, url: &PublicUrl) -> HeaderValue {
        self.set(url, "", SignedDuration::ZERO)
    }

    /// Its value, if exactly one came. Two of one name: somebody planted one, and neither is believed.
    pub fn read(self, url: &PublicUrl, headers: &HeaderMap) -> Option<String> {
        let name = self.name(url);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        values.next().filter(|_| values.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        PublicUrl::new(text).unwrap()
    }

    #[test]
    fn the_scheme_decides_the_rules() {
        let hour = SignedDuration::from_hours(1);
        assert_eq!(
            Cookie::Session.set(&url("https://pulse.example/"), "t", hour),
            "__Host-hhp_session=t; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=None; Partitioned"
        );
        assert_eq!(
            Cookie::Session.set(&url("http://127.0.0.1:4600"), "t", hour),
            "hhp_session=t; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            Cookie::FrameSession.set(&url("http://localhost:4604"), "t", hour),
            "hhp_session=t; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=None; Partitioned"
        );
        assert_eq!(
            Cookie::SignIn.clear(&url("https://pulse.example")),
            "__Host-hhp_signin=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
        );
    }

    #[test]
    fn a_doubled_cookie_is_none() {
        let url = url("http://127.0.0.1:4600");
        let headers = |lines: &[&str]| -> HeaderMap {
            lines.iter().map(|line| (COOKIE, HeaderValue::from_str(line).unwrap())).collect()
        };
        assert_eq!(Cookie::Session.read(&url, &headers(&["a=b; hhp_session=x"])), Some("x".into()));
        assert_eq!(Cookie::Session.read(&url, &headers(&["hhp_session=x", "hhp_session=y"])), None);
        assert_eq!(Cookie::Session.read(&url, &headers(&["hhp_session2=x"])), None);
    }

    #[test]
    fn passkeys_belong_to_a_name_and_to_no_number() {
        assert_eq!(url("https://pulse.example/").domain(), Some("pulse.example"));
        assert_eq!(url("http://localhost:4600").domain(), Some("localhost"));
        for number in ["http://127.0.0.1:4600", "http://[::1]:4600", "https://10.0.0.1"] {
            assert_eq!(url(number).domain(), None, "{number}");
        }
    }

    #[test]
    fn an_address_is_an_origin() {
        for bad in ["", "ftp://x", "https://", "https://a/b", "https://a@b", "//a"] {
            assert!(PublicUrl::new(bad).is_err(), "{bad}");
        }
    }
}
