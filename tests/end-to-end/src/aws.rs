//! The emulator's AWS, asked without an SDK: it wants a signature's shape, not a signature.
use crate::http;
use crate::tenant::Stack;
use serde_json::{Value, json};

/// One of the stack's queues.
pub struct Queue<'a> {
    pub stack: &'a Stack,
    pub url: String,
}

/// A queue's attribute set to another value, until this is dropped.
pub struct Changed<'a> {
    queue: &'a Queue<'a>,
    name: &'static str,
    before: String,
}

impl Stack {
    pub fn aws(&self, service: &str, target: &str, body: &Value) -> Value {
        let credential = format!("test/20260101/{}/{service}/aws4_request", self.region);
        let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-amz-target", target),
            (
                "content-type",
                if service == "sqs" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" },
            ),
        ];
        http::call("POST", &self.aws, &headers, body.to_string().as_bytes()).ok(target)
    }

    /// A function by the end of its name, and a variable of its environment.
    pub fn variable(&self, function: &str, name: &str) -> String {
        let environment = &self.function(function)["Environment"]["Variables"];
        environment[name].as_str().unwrap_or_else(|| panic!("{function} has no {name}")).to_owned()
    }

    /// Runs a function with an empty event, as the schedule does.
    pub fn invoke(&self, function: &str) {
        let name = self.function(function)["FunctionName"].as_str().expect("a name").to_owned();
        let answer = http::call("POST", &format!("{}/2015-03-31/functions/{name}/invocations", self.aws), &[], b"{}");
        assert!(answer.header("x-amz-function-error").is_none(), "{name}: {}", answer.text);
        answer.ok(&name);
    }

    fn function(&self, end: &str) -> Value {
        let all = http::call("GET", &format!("{}/2015-03-31/functions/", self.aws), &[], b"").ok("functions");
        let named = |function: &&Value| function["FunctionName"].as_str().is_some_and(|name| name.ends_with(end));
        all["Functions"].as_array().and_then(|all| all.iter().find(named)).unwrap_or_else(|| panic!("no {end}")).clone()
    }

    /// Changes one item of the stack's table.
    pub fn update_item(&self, (pk, sk): (&str, &str), expression: &str, value: &Value) {
        let body = json!({
            "TableName": self.variable("-clock", "TABLE_NAME"), "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "UpdateExpression": expression, "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":v": value},
        });
        self.aws("dynamodb", "DynamoDB_20120810.UpdateItem", &body);
    }

    pub fn item(&self, (pk, sk): (&str, &str)) -> Value {
        let body = json!({
            "TableName": self.variable("-clock", "TABLE_NAME"), "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "ConsistentRead": true,
        });
        self.aws("dynamodb", "DynamoDB_20120810.GetItem", &body)["Item"].take()
    }

    /// Puts an item with one attribute.
    pub fn put_item(&self, (pk, sk): (&str, &str), name: &str, value: &Value) {
        let item = json!({"pk": {"S": pk}, "sk": {"S": sk}, name: value});
        let body = json!({"TableName": self.variable("-clock", "TABLE_NAME"), "Item": item});
        self.aws("dynamodb", "DynamoDB_20120810.PutItem", &body);
    }

    pub fn delete_item(&self, (pk, sk): (&str, &str)) {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let body = json!({"TableName": self.variable("-clock", "TABLE_NAME"), "Key": key});
        self.aws("dynamodb", "DynamoDB_20120810.DeleteItem", &body);
    }
}

impl Queue<'_> {
    fn attribute(&self, name: &str) -> String {
        let body = json!({"QueueUrl": self.url, "AttributeNames": [name]});
        let answer = self.stack.aws("sqs", "AmazonSQS.GetQueueAttributes", &body);
        answer["Attributes"][name].as_str().unwrap_or_else(|| panic!("no {name} of {}", self.url)).to_owned()
    }

    fn set(&self, name: &str, value: &str) {
        let body = json!({"QueueUrl": self.url, "Attributes": {name: value}});
        self.stack.aws("sqs", "AmazonSQS.SetQueueAttributes", &body);
    }

    fn redrive(&self) -> Value {
        serde_json::from_str(&self.attribute("RedrivePolicy")).expect("a redrive policy is JSON")
    }

    /// The queue that takes what this one gives up.
    pub fn dead_letters(&self) -> Queue<'_> {
        let policy = self.redrive();
        let arn = policy["deadLetterTargetArn"].as_str().expect("a dead-letter queue");
        let name = arn.rsplit(':').next().unwrap_or_default();
        let (account, _) = self.url.rsplit_once('/').expect("a queue's URL");
        Queue { stack: self.stack, url: format!("{account}/{name}") }
    }

    /// Gives a message up after so many tries.
    pub fn give_up_after(&self, tries: u64) -> Changed<'_> {
        let before = self.attribute("RedrivePolicy");
        let mut policy = self.redrive();
        policy["maxReceiveCount"] = tries.into();
        self.set("RedrivePolicy", &policy.to_string());
        Changed { queue: self, name: "RedrivePolicy", before }
    }

    /// Messages of a group that wait or are being worked on.
    pub fn messages(&self, group: &str) -> usize {
        self.shown(group).len()
    }

    /// Until when a group's first message is hidden, in Unix seconds, if it was delivered.
    pub fn hidden_until(&self, group: &str) -> Option<i64> {
        let shown = self.shown(group);
        let first = shown.first().filter(|message| message["ReceiveCount"].as_u64() > Some(0))?;
        first["VisibleAt"].as_i64()
    }

    /// The emulator shows its queues without taking anything.
    fn shown(&self, group: &str) -> Vec<Value> {
        let url = format!("{}/_ministack/sqs/messages?QueueUrl={}", self.stack.aws, self.url);
        let shown = http::call("GET", &url, &[], b"").ok("a queue's messages");
        let regions = shown["messages"].as_object().into_iter().flat_map(|accounts| accounts.values());
        let queues = regions.filter_map(Value::as_object).flat_map(|regions| regions.values());
        let lists = queues.filter_map(Value::as_object).flat_map(|queues| queues.values());
        let ours = |message: &&Value| message["MessageGroupId"] == group;
        lists.filter_map(Value::as_array).flatten().filter(ours).cloned().collect()
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        self.queue.set(self.name, &self.before);
    }
}
