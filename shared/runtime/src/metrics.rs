//! Business figures in CloudWatch's embedded metric format: a line on stdout, no API call. Ids are properties, never
//! dimensions (each dimension value is a metric that costs money).
use serde_json::{Map, Value, json};

pub const NAMESPACE: &str = "HardHatPulse";

/// A figure's unit, as CloudWatch spells it.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Count,
    Milliseconds,
}

/// One line of figures of one function.
#[derive(Debug)]
pub struct Metrics {
    service: &'static str,
    figures: Vec<(&'static str, Unit, f64)>,
    properties: Map<String, Value>,
}

impl Metrics {
    pub fn new(service: &'static str) -> Self {
        Self { service, figures: Vec::new(), properties: Map::new() }
    }

    pub fn count(mut self, name: &'static str, value: usize) -> Self {
        self.figures.push((name, Unit::Count, value as f64));
        self
    }

    pub fn milliseconds(mut self, name: &'static str, value: f64) -> Self {
        self.figures.push((name, Unit::Milliseconds, value));
        self
    }

    pub fn property(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties.insert(name.to_owned(), value.into());
        self
    }

    /// The line, as CloudWatch's specification lays it out.
    pub fn line(&self, now: jiff::Timestamp) -> String {
        let metrics: Vec<Value> =
            self.figures.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": format!("{unit:?}")})).collect();
        let mut line = self.properties.clone();
        line.insert("Service".into(), json!(self.service));
        for (name, _, value) in &self.figures {
            line.insert((*name).into(), json!(value));
        }
        line.insert(
            "_aws".into(),
            json!({"Timestamp": now.as_millisecond(),
                   "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Service"]], "Metrics": metrics}]}),
        );
        Value::Object(line).to_string()
    }

    /// Writes the line to stdout, where CloudWatch reads it; nothing if there are no figures.
    pub fn emit(&self) {
        use std::io::Write;
        if !self.figures.is_empty() {
            // A metric that can't be written must not fail the work it counts.
            let _ = writeln!(std::io::stdout(), "{}", self.line(jiff::Timestamp::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_each_figure_with_its_unit_and_keeps_ids_out_of_the_dimensions() {
        let line = Metrics::new("edge-ingest").count("EventsAccepted", 25).property("site_id", "site_1");
        let value: Value = serde_json::from_str(&line.line(jiff::Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!(value["EventsAccepted"], 25.0);
        assert_eq!(
            value["_aws"]["CloudWatchMetrics"][0]["Metrics"][0],
            json!({"Name": "EventsAccepted", "Unit": "Count"})
        );
        assert_eq!(value["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Service"]]));
        assert_eq!(value["site_id"], "site_1");
    }
}
