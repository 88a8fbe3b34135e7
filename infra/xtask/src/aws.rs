//! The few AWS calls that `local` makes itself, to the emulator only: it asks for a signature's shape, not for a signature.
use crate::error::{Result, unexpected};
use crate::http;
use serde_json::Value;

pub const REGION: &str = "us-east-1";

#[derive(Clone)]
pub struct Aws {
    pub endpoint: String,
}

impl Aws {
    pub fn call(&self, service: &str, target: &str, body: &Value) -> Result<Value> {
        let credential = format!("test/20260101/{REGION}/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-amz-target", target),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let text = serde_json::to_string(body).map_err(|e| unexpected(target, e))?;
        http::request("POST", &self.endpoint, &headers, Some(text.as_bytes()))?.ok(target)?.json(target)
    }

    /// CloudFormation makes the table without its time to live here; on AWS it is the template's.
    pub fn expire_items(&self, table: &str) -> Result<()> {
        let wanted = serde_json::json!({"AttributeName": "expires_at", "Enabled": true});
        let body = serde_json::json!({"TableName": table, "TimeToLiveSpecification": wanted});
        self.call("dynamodb", "DynamoDB_20120810.UpdateTimeToLive", &body).map(drop)
    }

    pub fn put_secret(&self, name: &str, value: &str) -> Result<()> {
        let body = serde_json::json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": true});
        self.call("ssm", "AmazonSSM.PutParameter", &body).map(drop)
    }
}
