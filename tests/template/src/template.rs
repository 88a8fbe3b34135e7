//! `template.yaml` as far as tests ask it.
use crate::file;
use serde_yaml_ng::{Mapping, Value};
use std::collections::{BTreeMap, BTreeSet};

/// An action, and a resource that it is allowed on: `("sqs:SendMessage", "SiteQueue")`.
pub type Allowed = (String, String);

pub fn resources() -> Mapping {
    let template: Value = serde_yaml_ng::from_str(&file("template.yaml")).expect("template.yaml is YAML");
    template["Resources"].as_mapping().expect("resources").clone()
}

pub fn of_type(kind: &str) -> Vec<(String, Value)> {
    let all = resources().into_iter().filter(|(_, resource)| resource["Type"] == kind);
    let found: Vec<_> = all.map(|(name, r)| (name.as_str().unwrap_or_default().to_owned(), r)).collect();
    assert!(!found.is_empty(), "no {kind} in template.yaml: the test shows nothing");
    found
}

/// What a reference (`!Ref X`, `!GetAtt X.Arn`) names.
pub fn named(value: &Value) -> String {
    place(value).split('/').next().unwrap_or_default().to_owned()
}

/// A resource as a role names it: `Table`, `Table/index/due`, `Bucket/rejected/*`, and of a spelt-out ARN its last part
/// (`parameter/StackName/procore/*`).
fn place(value: &Value) -> String {
    let text = match value {
        Value::Tagged(tagged) => tagged.value.as_str(),
        other => other.as_str(),
    };
    let text = text.unwrap_or_default().replace("AWS::", "");
    match text.strip_prefix("arn:") {
        Some(arn) => arn.rsplit(':').next().unwrap_or_default().to_owned(),
        None => text.clone(),
    }
    .replace("${", "")
    .replace('}', "")
    .replace(".Arn", "")
}

/// A function of the template.
pub struct Function {
    /// As in `functions/`.
    pub name: String,
    /// Its environment, by variable: the resource that it names, or its text.
    pub variables: BTreeMap<String, String>,
    /// Queues whose messages it is given.
    pub consumes: BTreeSet<String>,
    /// Queues that Lambda fills in the function's name.
    pub fills: BTreeSet<String>,
    pub logs: String,
    pub role: BTreeSet<Allowed>,
}

pub fn functions() -> Vec<Function> {
    let all = resources();
    let role_of = |name: &str| all.get(name).unwrap_or_else(|| panic!("no role {name}"));
    of_type("AWS::Serverless::Function").iter().map(|(_, function)| read(&function["Properties"], role_of)).collect()
}

fn read<'a>(properties: &Value, role_of: impl Fn(&str) -> &'a Value) -> Function {
    let variables = properties["Environment"]["Variables"].as_mapping().expect("variables");
    let variable = |(name, value): (&Value, &Value)| (name.as_str().unwrap_or_default().to_owned(), named(value));
    let events = properties["Events"].as_mapping().into_iter().flat_map(|events| events.values());
    let queues = events.filter(|event| event["Type"] == "SQS").map(|event| named(&event["Properties"]["Queue"]));
    let fills = &properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
    let role = role_of(&named(&properties["Role"]));
    Function {
        name: properties["CodeUri"].as_str().unwrap_or_default().replace("functions/", ""),
        variables: variables.iter().map(variable).collect(),
        consumes: queues.collect(),
        fills: Some(named(fills)).filter(|queue| !queue.is_empty()).into_iter().collect(),
        logs: named(&properties["LoggingConfig"]["LogGroup"]),
        role: allowed(&role["Properties"]),
    }
}

/// Every action on every resource that a role allows. A managed policy, or a statement that is no plain permission, is refused:
/// this reading would not do it justice.
fn allowed(role: &Value) -> BTreeSet<Allowed> {
    assert!(role["ManagedPolicyArns"].is_null(), "a role has managed policies");
    let policies = role["Policies"].as_sequence().expect("policies");
    let statements = policies.iter().flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
    let mut allowed = BTreeSet::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow");
        for action in list(&statement["Action"]) {
            for resource in list(&statement["Resource"]) {
                allowed.insert((action.as_str().unwrap_or_default().to_owned(), place(&resource)));
            }
        }
    }
    allowed
}

/// One or several.
fn list(value: &Value) -> Vec<Value> {
    value.as_sequence().cloned().unwrap_or_else(|| vec![value.clone()])
}
