//! Words of the platform for a person. Pure.

/// No control characters, no runs of blanks, at most `limit` characters.
pub fn sentence(text: &str, limit: usize) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    let whole = words.join(" ");
    match whole.char_indices().nth(limit) {
        None => whole,
        Some(_) => whole.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_short_and_on_one_line() {
        assert_eq!(sentence(" a\r\n\u{7}b\tc ", 10), "a b c");
        let long = sentence(&"é".repeat(600), 500);
        assert_eq!(long.chars().count(), 500);
        assert!(long.ends_with('…'));
    }
}
