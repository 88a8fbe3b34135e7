//! Our own origin, and the origins in whose frames our pages may stand. Both are known at start and never taken from a request.

/// Procore's pages by region (reference: its guide to regional web origins); `ProcoreWebUrl` adds a sandbox's.
const PROCORE_WEB: [&str; 3] = ["https://app.procore.com", "https://us02.procore.com", "https://uk01.procore.com"];

const APS: &str = "https://developer.api.autodesk.com";
const AUTODESK_LOGIN: &str = "https://signin.autodesk.com";

#[derive(Debug, thiserror::Error)]
#[error("{parameter} is {value:?}, which is not an http or https address")]
pub struct OriginError {
    pub parameter: &'static str,
    pub value: String,
}

#[derive(Debug, Clone)]
pub struct Origins {
    pub own: String,
    pub policy: String,
    pub secure: bool,
}

impl Origins {
    /// To the platforms' logins forms may lead.
    pub fn new(
        public_url: &str,
        procore_web_url: &str,
        procore_login_url: &str,
        aps_url: &str,
    ) -> Result<Self, OriginError> {
        let own = origin("PublicUrl", public_url)?;
        let mut frames: Vec<String> = PROCORE_WEB.map(str::to_owned).into();
        let web = origin("ProcoreWebUrl", procore_web_url)?;
        if !frames.contains(&web) {
            frames.push(web);
        }
        let mut logins = vec![origin("ProcoreLoginUrl", procore_login_url)?, origin("ApsUrl", aps_url)?];
        // Where that one leads on to.
        if logins[1] == APS {
            logins.push(AUTODESK_LOGIN.to_owned());
        }
        let logins = logins.join(" ");
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
             base-uri 'none'; form-action 'self' {logins}; frame-ancestors {}",
            frames.join(" ")
        );
        Ok(Self { secure: own.starts_with("https://"), own, policy })
    }
}

/// Scheme, host and port of an address.
fn origin(parameter: &'static str, value: &str) -> Result<String, OriginError> {
    let error = || OriginError { parameter, value: value.to_owned() };
    let (scheme, rest) = value.split_once("://").ok_or_else(error)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    match plain && matches!(scheme, "http" | "https") {
        true => Ok(format!("{scheme}://{host}").to_ascii_lowercase()),
        false => Err(error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_procores_own_and_the_configured_one() {
        let origins =
            Origins::new("https://pulse.example.com/", "http://127.0.0.1:4601", "https://login.procore.com", APS)
                .unwrap();
        assert_eq!(origins.own, "https://pulse.example.com");
        assert!(origins.policy.ends_with(
            "frame-ancestors https://app.procore.com https://us02.procore.com https://uk01.procore.com http://127.0.0.1:4601"
        ));
        let forms = "form-action 'self' https://login.procore.com https://developer.api.autodesk.com https://signin.autodesk.com;";
        assert!(origins.policy.contains(forms), "{}", origins.policy);
        assert!(!origins.policy.contains("unsafe"));
        for bad in ["pulse.example.com", "ftp://x", "https://", "https://a b", "https://x;script-src *"] {
            assert!(Origins::new(bad, "https://a", "https://b", "https://c").is_err(), "{bad}");
        }
    }
}
