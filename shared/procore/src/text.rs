//! Text as people and platforms keep it, brought to one form. Pure.

/// Rich text as plain text: paragraphs and breaks become line ends, other tags go, entities become their characters. Plain text
/// with a stray `<` stays what it is.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut rich = false;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match tag(rest) {
            Some((name, length)) => {
                rich = true;
                if ends_line(&name) {
                    out.push('\n');
                }
                rest = &rest[length..];
            }
            None => {
                out.push('<');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    if rich {
        // How an editor spaces its paragraphs says nothing.
        let lines: Vec<&str> = out.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        out = lines.join("\n");
    }
    unescaped(&out).trim().to_owned()
}

/// Breaks end a line, and block elements do where they close.
fn ends_line(name: &str) -> bool {
    matches!(name, "br" | "/p" | "/div" | "/li" | "/ul" | "/ol" | "/tr" | "/h1" | "/h2" | "/h3" | "/h4" | "/blockquote")
}

/// The name (`p`, `/p`, `br`) and length of the known tag at the start.
fn tag(text: &str) -> Option<(String, usize)> {
    const KNOWN: [&str; 25] = [
        "p",
        "br",
        "div",
        "span",
        "ul",
        "ol",
        "li",
        "b",
        "i",
        "u",
        "s",
        "em",
        "strong",
        "a",
        "table",
        "tbody",
        "tr",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "h4",
        "blockquote",
        "font",
    ];
    let end = text.find('>')?;
    let inner = text[1..end].trim_end_matches('/').trim_end();
    let name = inner.split_whitespace().next()?.to_ascii_lowercase();
    KNOWN.contains(&name.trim_start_matches('/')).then_some((name, end + 1))
}

fn unescaped(text: &str) -> String {
    const ENTITIES: [(&str, &str); 7] = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        // Last, so that `&amp;lt;` becomes `&lt;` and no more.
        ("&amp;", "&"),
    ];
    ENTITIES.iter().fold(text.replace('\u{a0}', " "), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rich_text_becomes_the_lines_that_were_sent() {
        for (rich, expected) in [
            ("Role: Rigger\nTrade: Ironwork", "Role: Rigger\nTrade: Ironwork"),
            ("<p>Role: Rigger\nTrade: Ironwork</p>", "Role: Rigger\nTrade: Ironwork"),
            ("<p>Role: Rigger</p><p>Trade: Ironwork</p>", "Role: Rigger\nTrade: Ironwork"),
            ("<p>Role: Rigger</p>\n<p>Trade: Ironwork</p>\n", "Role: Rigger\nTrade: Ironwork"),
            (
                "<div class=\"x\">Role: <b>Rigger</b><br/>Trade: Ironwork<BR />x</div>",
                "Role: Rigger\nTrade: Ironwork\nx",
            ),
            ("Smith &amp; Co &lt;5 t&gt; &#39;x&#39;&nbsp;y", "Smith & Co <5 t> 'x' y"),
            ("load < 5 t and > 2 t", "load < 5 t and > 2 t"),
            ("a <unknown> b <", "a <unknown> b <"),
            ("&amp;lt;", "&lt;"),
            ("", ""),
        ] {
            assert_eq!(plain(rich), expected, "{rich}");
        }
    }
}
