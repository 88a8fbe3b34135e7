//! The part of an SQS event that functions read.
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct SqsEvent {
    #[serde(rename = "Records")]
    pub records: Vec<SqsRecord>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SqsRecord {
    pub body: String,
    /// Stands for this delivery of it.
    #[serde(default)]
    pub receipt_handle: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Default, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount", default)]
    receive_count: String,
}

impl SqsRecord {
    /// How often it was delivered, with this time.
    pub fn deliveries(&self) -> u32 {
        self.attributes.receive_count.parse().unwrap_or(1)
    }
}
