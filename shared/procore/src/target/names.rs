//! Names in what was looked up.

/// A name without what people and languages vary in: case, hyphens, a plural.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let bare = |name: &str| {
        let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        letters.strip_suffix('s').map_or(letters.clone(), str::to_owned)
    };
    !bare(a).is_empty() && bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_whatever_case_hyphen_and_plural() {
        for (a, b, same) in [
            ("Falls", "fall", true),
            ("Struck-By", "Struck by", true),
            ("Near-Miss", "near miss", true),
            ("Safety Hazard", "Safety Notice", false),
            ("", "", false),
        ] {
            assert_eq!(same_name(a, b), same, "{a} {b}");
        }
    }
}
