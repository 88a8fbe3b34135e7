//! The schemas that messages name in `dataschema`, fetched from where they are published and kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonschema::Validator;
use serde_json::Value;

use crate::http;

pub(super) struct Schemas {
    http: reqwest::Client,
    known: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Default for Schemas {
    fn default() -> Self {
        Self { http: http::client(Duration::from_secs(5)), known: Mutex::default() }
    }
}

impl Schemas {
    /// What the schema at this address says against a message's data.
    pub(super) async fn problems(&self, address: &str, data: &Value) -> Vec<String> {
        match self.at(address).await {
            Ok(schema) => {
                schema.iter_errors(data).map(|error| format!("data{}: {error}", error.instance_path())).collect()
            }
            Err(reason) => vec![format!("dataschema {address}: {reason}")],
        }
    }

    async fn at(&self, address: &str) -> Result<Arc<Validator>, String> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(address) {
            return Ok(Arc::clone(known));
        }
        let answer = self.http.get(address).send().await.map_err(|error| error.to_string())?;
        let answer = answer.error_for_status().map_err(|error| error.to_string())?;
        let schema: Value = answer.json().await.map_err(|error| error.to_string())?;
        let schema = jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())?;
        let schema = Arc::new(schema);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(address.to_owned(), Arc::clone(&schema));
        Ok(schema)
    }
}
