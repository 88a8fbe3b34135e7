//! Figures over a stretch of days, by day, shift, zone or kind (contracts 6.3), also as CSV.
use super::report::Rate;
use super::tally::{Figures, Tally};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest stretch that is told at once, in days.
pub const MOST_DAYS: usize = 366;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Day,
    Shift,
    Zone,
    Kind,
}

impl By {
    pub const ALL: [By; 4] = [By::Day, By::Shift, By::Zone, By::Kind];

    pub fn as_str(self) -> &'static str {
        match self {
            By::Day => "day",
            By::Shift => "shift",
            By::Zone => "zone",
            By::Kind => "kind",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = TrendRow))]
pub struct Row {
    /// A date, a shift's name or `other`, a zone's id, a detection's kind or an incident's type.
    pub key: String,
    pub alerts: u64,
    pub confirmed_incidents: u64,
    pub zone_breaches: u64,
    /// Nothing sampled: null.
    #[cfg_attr(feature = "schema", schema(value_type = Option<f64>))]
    pub ppe_rate: Rate,
}

impl Row {
    fn new(key: String, figures: &Figures) -> Self {
        Self {
            key,
            alerts: figures.alerts,
            confirmed_incidents: figures.confirmed_incidents,
            zone_breaches: figures.zone_breaches,
            ppe_rate: figures.ppe_rate(),
        }
    }
}

/// Days in their order, each of them; of the others those with something to tell, most alerts first.
pub fn trend<'a>(days: impl IntoIterator<Item = (Date, &'a Tally)>, by: By) -> Vec<Row> {
    let days = days.into_iter();
    if by == By::Day {
        return days.map(|(date, tally)| Row::new(date.to_string(), &tally.total())).collect();
    }
    let mut sums: BTreeMap<&str, Figures> = BTreeMap::new();
    for (_, tally) in days {
        let parts = match by {
            By::Shift => &tally.by_shift,
            By::Zone => &tally.by_zone,
            By::Kind | By::Day => &tally.by_kind,
        };
        for (key, figures) in parts {
            sums.entry(key).or_default().add(figures);
        }
    }
    let mut rows: Vec<Row> = sums.into_iter().map(|(key, figures)| Row::new(key.to_owned(), &figures)).collect();
    rows.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.key.cmp(&b.key)));
    rows
}

const HEADER: [&str; 5] = ["key", "alerts", "confirmed_incidents", "zone_breaches", "ppe_rate"];

/// RFC 4180 with a header row; an empty field where nothing was sampled.
pub fn csv(rows: &[Row]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for row in rows {
        let counts = [row.alerts, row.confirmed_incidents, row.zone_breaches].map(|count| count.to_string());
        let rate = row.ppe_rate.map(|rate| rate.to_string()).unwrap_or_default();
        writer.write_field(guarded(&row.key))?;
        counts.iter().try_for_each(|count| writer.write_field(count))?;
        writer.write_record([rate])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A text that a spreadsheet would take for a formula stands behind an apostrophe: ids come from edges, names from people.
fn guarded(text: &str) -> String {
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_formulas_are_not() {
        let row = |key: &str, ppe_rate| Row {
            key: key.into(),
            alerts: 2,
            confirmed_incidents: 1,
            zone_breaches: 0,
            ppe_rate,
        };
        let rows = [
            row("=HYPERLINK(\"http://x\",\"y\")", Some(0.5)),
            row("Level 2, \"north\"", None),
            row("@a", None),
            row("over\r\ntwo lines", Some(1.0)),
        ];
        let bytes = csv(&rows).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("key,alerts,confirmed_incidents,zone_breaches,ppe_rate\r\n"), "{text}");
        assert!(text.contains("\"Level 2, \"\"north\"\"\",2,1,0,\r\n"), "{text}");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let read: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        let keys: Vec<&str> = read.iter().map(|record| &record[0]).collect();
        assert_eq!(keys, ["'=HYPERLINK(\"http://x\",\"y\")", "Level 2, \"north\"", "'@a", "over\r\ntwo lines"]);
        assert_eq!(read[0].iter().skip(1).collect::<Vec<_>>(), ["2", "1", "0", "0.5"]);
        assert_eq!(&read[1][4], "");
    }
}
