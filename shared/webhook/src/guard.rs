//! Which addresses a customer may have us call. Asked when an address is entered, and again at every attempt: what a name leads to
//! can change.
use crate::address::is_public;
use std::net::IpAddr;
use url::{Host, Url};

const LONGEST: usize = 2_048;
/// Other ports are where things listen that are no receivers.
const PORTS: [u16; 2] = [443, 8443];
/// Names that mean something in private networks only.
const INTERNAL: [&str; 12] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "arpa",
    "test",
    "invalid",
    "onion",
];

/// Why an address is refused, in words for who entered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("must be a web address such as https://example.com/hook, without blanks")]
    Unreadable,
    #[error("must have 2,048 characters at most")]
    Long,
    #[error("must begin with https://")]
    Scheme,
    #[error("must not hold a user name or password: enter a token instead, which is sent as `Authorization: Bearer`")]
    Credentials,
    #[error("must not have a fragment: leave out `#` and what follows it")]
    Fragment,
    #[error("must use port 443 or 8443")]
    Port,
    #[error("must name a host, such as hooks.example.com: numbers are not taken")]
    Literal,
    #[error("must name a host that the internet knows, such as hooks.example.com")]
    Internal,
    #[error("is an address of HardHat Pulse itself: enter that of your own receiver")]
    Ourselves,
    #[error("names a host that can't be found: check its spelling, and that it is in the public DNS")]
    Unknown,
    #[error("leads to an address that the internet can't reach: the receiver must have a public one")]
    NotPublic,
}

/// The one guard for every address that a customer can set.
#[derive(Debug, Clone)]
pub struct Guard {
    /// On a developer's machine: plain http, any port, numbers, private addresses.
    allow_private: bool,
    /// Where we are ourselves: a message to us would never end.
    own: Vec<Url>,
}

impl Guard {
    /// `own`: our own addresses, that which customers use and that of the API behind it.
    pub fn new(allow_private: bool, own: &[&str]) -> Self {
        Self { allow_private, own: own.iter().filter_map(|url| Url::parse(url).ok()).collect() }
    }

    /// An address as entered, in the one form that is kept. Numbers in any notation (`0x7f.1`, `2130706433`), full-width letters and
    /// the like have become what they mean before they are judged. What its name leads to is asked by [`Guard::addresses`].
    pub fn check(&self, text: &str) -> Result<Url, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::Long);
        }
        // The parser would drop them, and what is kept would not be what was entered.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Refusal::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| Refusal::Unreadable)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err(Refusal::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        if self.is_ours(&url) {
            return Err(Refusal::Ourselves);
        }
        match url.host() {
            None => return Err(Refusal::Unreadable),
            Some(_) if self.allow_private => {}
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(Refusal::Literal),
            Some(Host::Domain(domain)) if is_internal(domain) => return Err(Refusal::Internal),
            Some(Host::Domain(_)) => {}
        }
        let known = url.port_or_known_default().is_some_and(|port| PORTS.contains(&port));
        match known || self.allow_private {
            true if url.as_str().len() > LONGEST => Err(Refusal::Long),
            true => Ok(url),
            false => Err(Refusal::Port),
        }
    }

    /// Whether a connection to this address may be made, or may stay.
    pub fn may_connect(&self, address: IpAddr) -> bool {
        self.allow_private || is_public(address)
    }

    pub(crate) fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// By host; on a developer's machine, where all is one host, by host and port.
    fn is_ours(&self, url: &Url) -> bool {
        let host = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_owned());
        self.own.iter().any(|own| {
            let same_port = url.port_or_known_default() == own.port_or_known_default();
            host(url) == host(own) && (same_port || !self.allow_private)
        })
    }
}

/// The parser has made it lower case and ASCII.
fn is_internal(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let last = domain.rsplit('.').next().unwrap_or_default();
    !domain.contains('.') || domain.split('.').any(str::is_empty) || INTERNAL.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strict() -> Guard {
        Guard::new(false, &["https://pulse.example.org", "https://a1b2c3.execute-api.us-east-1.amazonaws.com"])
    }

    #[test]
    fn a_receiver_on_the_internet_is_taken() {
        for (text, kept) in [
            ("https://hooks.example.com/x?sig=a%2Bb", "https://hooks.example.com/x?sig=a%2Bb"),
            ("https://hooks.example.com", "https://hooks.example.com/"),
            ("HTTPS://Hooks.Example.COM:443/X", "https://hooks.example.com/X"),
            ("https://hooks.example.com:8443/x", "https://hooks.example.com:8443/x"),
            ("https://bücher.example.com/x", "https://xn--bcher-kva.example.com/x"),
            (
                "https://prod-1.westus.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?api-version=2016-06-01&sig=q_-",
                "https://prod-1.westus.logic.azure.com/workflows/1/triggers/manual/paths/invoke?api-version=2016-06-01&sig=q_-",
            ),
        ] {
            assert_eq!(strict().check(text).map(String::from), Ok(kept.to_owned()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_and_the_reason_says_what_to_do() {
        let long = format!("https://hooks.example.com/{}", "x".repeat(LONGEST));
        for (text, refusal) in [
            ("", Refusal::Unreadable),
            ("hooks.example.com/x", Refusal::Unreadable),
            ("https://", Refusal::Unreadable),
            ("https://hooks.example.com/a b", Refusal::Unreadable),
            (" https://hooks.example.com/", Refusal::Unreadable),
            ("https://hooks.exa\tmple.com/", Refusal::Unreadable),
            ("https://hooks.example.com:99999/", Refusal::Unreadable),
            ("https://[::1", Refusal::Unreadable),
            (&long, Refusal::Long),
            ("http://hooks.example.com/", Refusal::Scheme),
            ("ftp://hooks.example.com/", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("javascript:alert(1)", Refusal::Scheme),
            ("gopher://hooks.example.com/", Refusal::Scheme),
            ("https://user@hooks.example.com/", Refusal::Credentials),
            ("https://user:secret@hooks.example.com/", Refusal::Credentials),
            ("https://hooks.example.com@127.0.0.1/", Refusal::Credentials),
            ("https://hooks.example.com/#x", Refusal::Fragment),
            ("https://hooks.example.com:22/", Refusal::Port),
            ("https://hooks.example.com:80/", Refusal::Port),
            ("https://hooks.example.com:9200/", Refusal::Port),
            // Numbers in every notation.
            ("https://127.0.0.1/", Refusal::Literal),
            ("https://127.1/", Refusal::Literal),
            ("https://0x7f.1/", Refusal::Literal),
            ("https://0x7f000001/", Refusal::Literal),
            ("https://2130706433/", Refusal::Literal),
            ("https://017700000001/", Refusal::Literal),
            ("https://0177.0.0.01/", Refusal::Literal),
            ("https://127.0.0.1./", Refusal::Literal),
            ("https://１２７.０.０.１/", Refusal::Literal),
            ("https://127。0。0。1/", Refusal::Literal),
            ("https://%31%32%37.0.0.1/", Refusal::Literal),
            ("https://0/", Refusal::Literal),
            ("https://8.8.8.8/", Refusal::Literal),
            ("https://169.254.169.254/latest/meta-data/", Refusal::Literal),
            ("https://[::1]/", Refusal::Literal),
            ("https://[::ffff:127.0.0.1]/", Refusal::Literal),
            ("https://[64:ff9b::7f00:1]/", Refusal::Literal),
            ("https://[2001:4860:4860::8888]/", Refusal::Literal),
            // Names that lead inside.
            ("https://localhost/", Refusal::Internal),
            ("https://localhost./", Refusal::Internal),
            ("https://LOCALHOST/", Refusal::Internal),
            ("https://ⓛocalhost/", Refusal::Internal),
            ("https://foo.localhost/", Refusal::Internal),
            ("https://printer.local/", Refusal::Internal),
            ("https://intranet/", Refusal::Internal),
            ("https://metadata.google.internal/", Refusal::Internal),
            ("https://instance-data.ec2.internal./", Refusal::Internal),
            ("https://1.0.0.127.in-addr.arpa/", Refusal::Internal),
            ("https://pulse.example.org/hooks", Refusal::Ourselves),
            ("https://pulse.example.org.:8443/hooks", Refusal::Ourselves),
            ("https://A1B2C3.execute-api.us-east-1.amazonaws.com/v1", Refusal::Ourselves),
        ] {
            assert_eq!(strict().check(text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn on_a_developers_machine_http_ports_and_numbers_are_taken_too() {
        let guard = Guard::new(true, &["http://localhost:4604"]);
        for text in
            ["http://127.0.0.1:4603/inbox", "http://localhost:9/", "http://[::1]:9/", "https://hooks.example.com/"]
        {
            assert!(guard.check(text).is_ok(), "{text}");
        }
        for (text, refusal) in [
            ("http://localhost:4604/v1", Refusal::Ourselves),
            ("http://u:p@127.0.0.1/", Refusal::Credentials),
            ("ftp://127.0.0.1/", Refusal::Scheme),
        ] {
            assert_eq!(guard.check(text), Err(refusal), "{text}");
        }
        assert!(guard.may_connect("127.0.0.1".parse().unwrap()));
    }

    /// Texts near to addresses, and anything at all.
    fn texts() -> impl Strategy<Value = String> {
        let scheme = prop::sample::select(vec!["https://", "HTTPS:", "https:/\\", "http://", "//", "https:\\\\", ""]);
        let user = prop::sample::select(vec!["", "", "", "a@", "a:b@", "@", "%40"]);
        let host = prop_oneof![
            "[0-9a-fx.]{1,20}",
            "[a-z0-9.-]{1,20}",
            "\\[[0-9a-f:.]{1,30}\\]",
            "[a-z]{1,8}\\.(localhost|internal|local|com|例え)\\.?",
            "[０-９。．1-9.]{1,12}",
            "\\PC{1,12}",
        ];
        let rest =
            prop::sample::select(vec!["", "/", ":443", ":8443/x", ":80/", ":0443/", "/x?y=1", "#f", "\\x", "?#"]);
        let near = (scheme, user, host, rest).prop_map(|(a, b, c, d)| format!("{a}{b}{c}{d}"));
        prop_oneof![4 => near, 1 => "\\PC{0,60}"]
    }

    proptest! {
        /// The fuzz target: `PROPTEST_CASES=1000000 cargo test -p webhook whatever_is_taken`.
        #[test]
        fn whatever_is_taken_is_a_named_host_on_the_internet(text in texts()) {
            let Ok(url) = strict().check(&text) else { return Ok(()) };
            prop_assert_eq!(url.scheme(), "https");
            prop_assert!(matches!(url.port(), None | Some(8443)));
            prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            let Some(Host::Domain(host)) = url.host() else { panic!("{url} has no name") };
            prop_assert!(host.parse::<IpAddr>().is_err() && host.contains('.'), "{}", host);
            prop_assert!(host.trim_end_matches('.').rsplit('.').next() != Some("localhost"));
            // What is kept is judged as what was entered, and leads to the same place.
            prop_assert_eq!(strict().check(url.as_str()), Ok(url.clone()));
        }
    }
}
