//! `stack.json`: what a running local stack tells other tools (contracts 6.1).
use crate::error::{Result, unexpected};
use crate::paths::{self, State};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    pub aws_endpoint: String,
    pub region: String,
    pub api_url: String,
    pub setup_url: String,
    pub procore_webhook_url: String,
    pub acc_webhook_url: String,
    pub operator_key: String,
    pub sandbox: Option<Sandbox>,
    pub demo: Option<Demo>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sandbox {
    pub procore_url: String,
    pub acc_url: Option<String>,
    pub webhook_inbox_url: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demo {
    pub organization_id: String,
    pub site_id: String,
    pub api_key: String,
    pub setup_link: Option<String>,
    pub edge: Edge,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Edge {
    pub id: String,
    pub secret: String,
}

impl Stack {
    pub fn load(state: &State) -> Result<Self> {
        serde_json::from_str(&paths::read(&state.stack())?).map_err(|e| unexpected("stack.json", e))
    }

    /// Written whole or not at all: whoever waits for the file reads it at once.
    pub fn save(&self, state: &State) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| unexpected("stack.json", e))?;
        let draft = state.stack().with_extension("json.draft");
        paths::write(&draft, &text)?;
        use crate::error::Doing;
        std::fs::rename(&draft, state.stack()).doing(|| format!("write {}", state.stack().display()))
    }
}
