//! Footage: where it lies, and whose it is. The edge names its place, so that nothing is handed out but what stands under the
//! prefix of its own organization and site.
use crate::ids::{OrganizationId, SiteId};

const LONGEST: usize = 1024;

/// Under which keys of the bucket a site's footage stands.
pub fn prefix(organization: &OrganizationId, site: &SiteId) -> String {
    format!("footage/{organization}/{site}/")
}

/// Whether a key that an edge named is one of its site's.
pub fn is_own(organization: &OrganizationId, site: &SiteId, key: &str) -> bool {
    let Some(rest) = key.strip_prefix(&prefix(organization, site)) else { return false };
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control);
    key.len() <= LONGEST && rest.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    #[test]
    fn only_what_stands_under_the_sites_own_prefix_is_its_own() {
        let (ours, theirs) = (OrganizationId::new(Ulid::from_parts(1, 1)), OrganizationId::new(Ulid::from_parts(1, 2)));
        let (site, other) = (SiteId::new(Ulid::from_parts(1, 3)), SiteId::new(Ulid::from_parts(1, 4)));
        let own = prefix(&ours, &site);
        assert!(is_own(&ours, &site, &format!("{own}cam-7/1600.mp4")));
        for key in [
            own.clone(),
            format!("{}x.mp4", prefix(&theirs, &site)),
            format!("{}x.mp4", prefix(&ours, &other)),
            format!("{own}../{other}/x.mp4"),
            format!("{own}./x"),
            format!("{own}a//b"),
            format!("{own}a\nb"),
            format!("/{own}x"),
            format!("{own}{}", "x".repeat(LONGEST)),
            "rejected/x".into(),
            String::new(),
        ] {
            assert!(!is_own(&ours, &site, &key), "{key}");
        }
    }
}
