//! In which form an answer is wanted, where there are several.
use crate::problem::Problem;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Csv,
}

impl Form {
    fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Form::Json => ("application", "json"),
            Form::Csv => ("text", "csv"),
        }
    }
}

/// The form that the caller likes best of those on offer, the first of equals. 406 where it takes none of them.
pub fn form(headers: &HeaderMap, offered: &[Form]) -> Result<Form, Problem> {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let text = lines.collect::<Vec<_>>().join(",");
    let ranges: Vec<Range<'_>> = text.split(',').filter_map(Range::read).collect();
    if ranges.is_empty() {
        return offered.first().copied().ok_or_else(|| refused(offered));
    }
    let liked = offered.iter().rev().map(|form| (quality(*form, &ranges), *form)).filter(|(quality, _)| *quality > 0);
    liked.max_by_key(|(quality, _)| *quality).map(|(_, form)| form).ok_or_else(|| refused(offered))
}

fn refused(offered: &[Form]) -> Problem {
    let names: Vec<String> = offered.iter().map(|form| form.media_type()).map(|(a, b)| format!("`{a}/{b}`")).collect();
    Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        format!("This is given as {}: name it in `Accept`.", names.join(" or as ")),
    )
}

/// A media range with its quality in thousandths.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.map_or(Some(1.0), |text| text.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)));
        Some(Self { kind, subtype, quality: (quality.unwrap_or(0.0) * 1000.0) as u16 })
    }

    /// How closely it names a form; `None`: not at all.
    fn names(&self, form: Form) -> Option<u8> {
        let (kind, subtype) = form.media_type();
        match (self.kind.eq_ignore_ascii_case(kind), self.subtype.eq_ignore_ascii_case(subtype)) {
            (true, true) => Some(2),
            (true, false) if self.subtype == "*" => Some(1),
            _ if self.kind == "*" && self.subtype == "*" => Some(0),
            _ => None,
        }
    }
}

/// By the range that names the form most closely (RFC 9110, 12.5.1).
fn quality(form: Form, ranges: &[Range<'_>]) -> u16 {
    let naming = ranges.iter().filter_map(|range| Some((range.names(form)?, range.quality)));
    naming.max_by_key(|(closeness, _)| *closeness).map_or(0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &[&str], offered: &[Form]) -> Option<Form> {
        let mut headers = HeaderMap::new();
        accept.iter().for_each(|value| _ = headers.append(ACCEPT, value.parse().unwrap()));
        form(&headers, offered).ok()
    }

    #[test]
    fn what_is_liked_best_is_given() {
        let both = [Form::Json, Form::Csv];
        for (accept, expected) in [
            (vec![], Some(Form::Json)),
            (vec!["*/*"], Some(Form::Json)),
            (vec!["text/csv"], Some(Form::Csv)),
            (vec!["Text/CSV; charset=utf-8"], Some(Form::Csv)),
            (vec!["application/json;q=0.5, text/*"], Some(Form::Csv)),
            (vec!["text/csv;q=0.5", "application/json"], Some(Form::Json)),
            (vec!["text/csv;q=0, */*"], Some(Form::Json)),
            (vec!["*/*;q=0.1, text/csv;q=0.2"], Some(Form::Csv)),
            (vec!["text/html"], None),
            (vec!["application/json;q=0, text/csv;q=0"], None),
        ] {
            assert_eq!(of(&accept, &both), expected, "{accept:?}");
        }
        assert_eq!(of(&["text/csv"], &[Form::Json]), None);
    }
}
