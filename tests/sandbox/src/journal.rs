//! What was called: every request with its outcome, and every breach of the contract document.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Calls kept one by one; counts go on beyond that.
const KEPT_CALLS: usize = 50_000;

#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    pub sequence: u64,
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    pub query: String,
    pub operation_id: Option<String>,
    pub company_id: Option<i64>,
    pub client_id: Option<String>,
    /// None when the connection was cut instead of an answer.
    pub status: Option<u16>,
    /// The fault that was played, if any.
    pub fault: Option<String>,
    /// What a write under /rest carried. Nothing is kept of /oauth.
    pub body: Option<Value>,
}

/// A request that the document does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub method: String,
    pub path: String,
    pub reason: String,
}

/// Answers counted by who asked for what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CountKey {
    pub operation_id: String,
    pub status: u16,
    pub company_id: Option<i64>,
    pub client_id: Option<String>,
}

#[derive(Default)]
pub struct Journal {
    sequence: u64,
    pub calls: VecDeque<CallRecord>,
    pub violations: Vec<Violation>,
    /// Status 0 stands for a connection that was cut.
    pub counts: BTreeMap<CountKey, u64>,
}

impl Journal {
    pub fn record(&mut self, mut call: CallRecord) {
        self.sequence += 1;
        call.sequence = self.sequence;
        let key = CountKey {
            operation_id: call.operation_id.clone().unwrap_or_else(|| "unknown".to_owned()),
            status: call.status.unwrap_or(0),
            company_id: call.company_id,
            client_id: call.client_id.clone(),
        };
        *self.counts.entry(key).or_default() += 1;
        if self.calls.len() == KEPT_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub fn violate(&mut self, method: &str, path: &str, reason: &str) {
        self.violations.push(Violation { method: method.to_owned(), path: path.to_owned(), reason: reason.to_owned() });
    }

    /// Counts as a table of its own, for JSON.
    pub fn count_rows(&self) -> Vec<Value> {
        let row = |(key, count): (&CountKey, &u64)| {
            serde_json::json!({"operation_id": key.operation_id, "status": key.status, "company_id": key.company_id,
                "client_id": key.client_id, "count": count})
        };
        self.counts.iter().map(row).collect()
    }
}
