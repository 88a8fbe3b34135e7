//! Autodesk's lengths, kept to by cutting on a word. Pure. They are counted in UTF-16 units, as a browser counts: whichever way
//! Autodesk counts, what fits so fits.

pub(super) const TITLE: usize = 100;
pub(super) const DESCRIPTION: usize = 1000;
pub(super) const LOCATION: usize = 250;
pub(super) const COMMENT: usize = 10_000;
pub(super) const FORM_NAME: usize = 100;
pub(super) const NOTES: usize = 8000;

const ELLIPSIS: &str = "…";

pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What fits, and the rest: cut between words, or in the middle of one that alone is too long.
pub(super) fn split(text: &str, limit: usize) -> (&str, &str) {
    if length(text) <= limit {
        return (text, "");
    }
    let mut units = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > limit {
            break;
        }
        end = at + c.len_utf8();
    }
    // A blank right after what fits ends a word too.
    let fits_to =
        text[end..].chars().next().map_or(end, |next| if next.is_whitespace() { end + next.len_utf8() } else { end });
    let word_end = text[..fits_to].rfind(char::is_whitespace).filter(|at| *at > end / 2);
    let cut = word_end.unwrap_or(end);
    (text[..cut].trim_end(), text[cut..].trim_start())
}

/// What fits with a sign that something is missing.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    match split(text, limit) {
        (whole, "") => whole.to_owned(),
        _ => format!("{}{ELLIPSIS}", split(text, limit - length(ELLIPSIS)).0),
    }
}

/// Shortened before a tail that must stand.
pub(super) fn with_tail(text: &str, tail: &str, limit: usize) -> String {
    format!("{}{tail}", shortened(text, limit - length(tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_words() {
        assert_eq!(split("one two three", 13), ("one two three", ""));
        assert_eq!(split("one two three", 12), ("one two", "three"));
        assert_eq!(split("one two three", 7), ("one two", "three"));
        assert_eq!(split("one two\nthree", 8), ("one two", "three"));
        assert_eq!(split("abcdefghij", 4), ("abcd", "efghij"));
        assert_eq!(shortened("one two three", 9), "one two…");
        assert_eq!(with_tail("one two three", " [M]", 12), "one two… [M]");
    }

    #[test]
    fn what_fits_is_counted_as_a_browser_counts() {
        // An emoji is two units, and is never cut in half.
        assert_eq!(length("👷"), 2);
        assert_eq!(split("👷👷👷", 5), ("👷👷", "👷"));
        for limit in 2..40 {
            let short = shortened("Über der Straße 👷 hängt eine Last, die schwankt", limit);
            assert!(length(&short) <= limit, "{limit}: {short}");
        }
    }
}
