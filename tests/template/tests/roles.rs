//! Least privilege: each function's role allows what its code can ask of AWS, on the resources that its environment names, and
//! nothing else. The emulator does not enforce roles; a missing permission would show in a region first.
use std::collections::{BTreeMap, BTreeSet};
use template::reach::{Reached, reached};
use template::template::{Allowed, Function, functions};

/// What Lambda itself puts into the environment, and the emulator.
const LAMBDAS_OWN: &str = "AWS_";
/// The queue whose messages a function is given, where it needs to name it; other queues it sends to.
const SOURCE: &str = "SOURCE_QUEUE_URL";

/// What a role must allow, each with the way by which the code comes there.
fn needed(function: &Function, reached: &Reached) -> BTreeMap<Allowed, String> {
    let variable = |name: &str| {
        function.variables.get(name).unwrap_or_else(|| panic!("{}: no variable {name}", function.name)).clone()
    };
    let mut needed = BTreeMap::new();
    let mut need = |action: &str, resource: String, why: &str| {
        needed.insert((action.to_owned(), resource), why.to_owned());
    };
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        need(action, function.logs.clone(), "it logs");
    }
    for queue in &function.consumes {
        for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            need(action, queue.clone(), "Lambda reads the queue in its name");
        }
    }
    for queue in &function.fills {
        need("sqs:SendMessage", queue.clone(), "Lambda sends what failed in its name");
    }
    for (action, why) in &reached.on_index {
        need(action, format!("{}/index/due", variable("TABLE_NAME")), why);
    }
    for (action, why) in &reached.requests {
        match action.split(':').next().unwrap_or_default() {
            "dynamodb" => need(action, variable("TABLE_NAME"), why),
            "kms" => need(action, variable("KMS_KEY_ID"), why),
            "events" => need(action, variable("EVENT_BUS_NAME"), why),
            "sqs" if *action == "sqs:ChangeMessageVisibility" => need(action, variable(SOURCE), why),
            "sqs" => {
                let sent_to = |(name, _): &(&String, _)| name.ends_with("_QUEUE_URL") && *name != SOURCE;
                for (_, queue) in function.variables.iter().filter(sent_to) {
                    need(action, queue.clone(), why);
                }
            }
            "s3" => {
                let part = if *action == "s3:PutObject" { "rejected" } else { "footage" };
                need(action, format!("{}/{part}/*", variable("BUCKET_NAME")), why);
            }
            "ssm" => {
                for name in &reached.parameters {
                    let (_, rest) = name.split_once('}').unwrap_or_default();
                    need(action, format!("parameter/StackName{}", any(rest)), why);
                }
            }
            _ => panic!("{action}: on which resource?"),
        }
    }
    needed
}

/// What code fills into a parameter's name, a role leaves open.
fn any(name: &str) -> String {
    let mut parts = name.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| format!("{name}*{}", part.split_once('}').unwrap_or_default().1))
}

#[test]
fn each_role_allows_what_the_code_can_do_and_nothing_else() {
    let mut wrong = Vec::new();
    for function in functions() {
        let reached = reached(&function.name);
        let needed = needed(&function, &reached);
        for ((action, resource), why) in &needed {
            if !function.role.contains(&(action.clone(), resource.clone())) {
                wrong.push(format!("{} may not {action} on {resource}: {why}", function.name));
            }
        }
        for (action, resource) in &function.role {
            if !needed.contains_key(&(action.clone(), resource.clone())) {
                wrong.push(format!("{} may {action} on {resource}, and nothing in its code does", function.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_function_is_given_the_variables_that_it_asks_for() {
    let mut wrong = Vec::new();
    for function in functions() {
        let asked: BTreeSet<String> = reached(&function.name).variables;
        let asked: BTreeSet<&str> = asked.iter().map(String::as_str).filter(|v| !v.starts_with(LAMBDAS_OWN)).collect();
        let given: BTreeSet<&str> = function.variables.keys().map(String::as_str).collect();
        wrong.extend(asked.difference(&given).map(|name| format!("{} asks for {name}", function.name)));
        wrong.extend(given.difference(&asked).map(|name| format!("{} never asks for {name}", function.name)));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
