//! The marker: the short reference such as `HHP-7F3K9Q2M` in every remote record's title, by which the record is found again.
use crate::ids::OrganizationId;
use crate::record::RecordKind;
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `len` characters of Crockford's base32 from the SHA-256 of `input` (at most 51).
pub fn crockford(input: &[u8], len: usize) -> String {
    let digest = Sha256::digest(input);
    let bit = |i: usize| (digest[i / 8] >> (7 - i % 8)) & 1;
    (0..len)
        .map(|c| (0..5).fold(0u8, |value, b| (value << 1) | bit(c * 5 + b)))
        .map(|value| ALPHABET[value as usize] as char)
        .collect()
}

/// A record's marker, from organization, kind and fact id: the same after any crash, on any platform.
pub fn marker(organization: &OrganizationId, site: &str, kind: RecordKind, fact_id: &str) -> String {
    let text = format!("{organization}\n{site}\n{}\n{fact_id}", kind.as_str());
    format!("HHP-{}", crockford(text.as_bytes(), 8))
}

/// Whether `text` carries exactly this marker (and not a longer reference that begins with it).
pub fn carries(text: &str, marker: &str) -> bool {
    text.match_indices(marker).any(|(at, found)| {
        let after = text[at + found.len()..].chars().next();
        let before = text[..at].chars().next_back();
        let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        !part_of_word(after) && !part_of_word(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_differ_by_organization_kind_and_fact() {
        let org = |n| OrganizationId::new(ulid::Ulid::from_parts(0, n));
        let base = marker(&org(1), "s", RecordKind::Observation, "01J");
        assert_eq!(base.len(), 12);
        assert_eq!(base, marker(&org(1), "s", RecordKind::Observation, "01J"));
        for other in [
            marker(&org(2), "s", RecordKind::Observation, "01J"),
            marker(&org(1), "t", RecordKind::Observation, "01J"),
            marker(&org(1), "s", RecordKind::Incident, "01J"),
            marker(&org(1), "s", RecordKind::Observation, "01K"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn only_the_whole_marker_is_found() {
        assert!(carries("Fall in Zone 3 [HHP-7F3K9Q2M]", "HHP-7F3K9Q2M"));
        assert!(!carries("Fall HHP-7F3K9Q2MX", "HHP-7F3K9Q2M"));
        assert!(!carries("Fall XHHP-7F3K9Q2M", "HHP-7F3K9Q2M"));
    }
}
