//! After the tests on a stack: every line that the functions logged, searched for what must never stand in a log (invariants 3
//! and 7). The tests use each kind of secret, and one worker id.
use crate::aws::Aws;
use crate::error::{Error, Result};
use serde_json::{Value, json};

/// What is looked for, and what it would be. A secret's first characters are enough: they are given by the contract.
const NEVER: [(&str, &str); 9] = [
    ("whsec_", "an edge's secret"),
    ("hhp_", "an API key"),
    ("Bearer ", "an authorization header"),
    ("sandbox-secret", "the provider's client secret"),
    ("eyJ0eXAi", "a provider's access token"),
    ("?code=", "an authorization code"),
    ("W-4711", "a worker id"),
    ("Site Safety Manager", "a person's name at the platform"),
    ("superintendent.", "a person's login at the platform"),
];
const LINK: &str = "/sign-in/link/";
const PREFIX: &str = "/aws/lambda/";

pub fn scan(endpoint: &str) -> Result<()> {
    let aws = Aws { endpoint: endpoint.to_owned() };
    let (mut lines, mut found) = (0_usize, Vec::new());
    for group in groups(&aws)? {
        each_line(&aws, &group, |line| {
            lines += 1;
            found.extend(leak(line).map(|what| format!("{group}: {what}")));
        })?;
    }
    println!("  {lines} log lines of the functions hold no secret and no worker id");
    match (lines, found.is_empty()) {
        (0, _) => {
            Err(Error::Environment("The functions logged nothing, so the scan of their logs shows nothing.".into()))
        }
        (_, true) => Ok(()),
        (_, false) => {
            found.sort();
            found.dedup();
            Err(Error::Environment(format!("The functions' logs hold what they must not:\n  {}", found.join("\n  "))))
        }
    }
}

/// Ours (32 random bytes: sessions, links, codes, hooks' Authorization values) or the sandbox's (codes, refresh tokens), by their
/// looks. A hash would be taken for one, too, and none needs to be logged.
fn is_token(word: &str) -> bool {
    let any = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let ours =
        word.len() == 43 && any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase) && any(u8::is_ascii_digit);
    ours || (word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Said without the line: it would repeat the secret.
fn leak(line: &str) -> Option<&'static str> {
    // The route's pattern is fine, an address is not.
    let links = line.split(LINK).skip(1);
    if links.into_iter().any(|rest| !rest.starts_with('{')) {
        return Some("a link that lets someone in");
    }
    if line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).any(is_token) {
        return Some("a token, or a hash of something");
    }
    NEVER.iter().find(|(text, _)| line.contains(text)).map(|(_, what)| *what)
}

fn groups(aws: &Aws) -> Result<Vec<String>> {
    let answer = aws.call("logs", "Logs_20140328.DescribeLogGroups", &json!({"logGroupNamePrefix": PREFIX}))?;
    let groups = answer["logGroups"].as_array().into_iter().flatten();
    Ok(groups.filter_map(|group| group["logGroupName"].as_str().map(str::to_owned)).collect())
}

fn each_line(aws: &Aws, group: &str, mut look: impl FnMut(&str)) -> Result<()> {
    let mut next = Value::Null;
    loop {
        let mut asked = json!({"logGroupName": group, "limit": 10_000});
        if next.is_string() {
            asked["nextToken"] = next.clone();
        }
        let answer = aws.call("logs", "Logs_20140328.FilterLogEvents", &asked)?;
        answer["events"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|event| event["message"].as_str())
            .for_each(&mut look);
        if answer["nextToken"].is_null() || answer["nextToken"] == next {
            return Ok(());
        }
        next = answer["nextToken"].clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_logged_is_found_and_not_repeated() {
        assert_eq!(leak(r#"{"message":"sealed whsec_c2VjcmV0"}"#), Some("an edge's secret"));
        assert_eq!(leak(r#"{"worker":"W-4711"}"#), Some("a worker id"));
        assert_eq!(leak(r#"{"path":"/sign-in/link/c2VjcmV0"}"#), Some("a link that lets someone in"));
        assert_eq!(leak(r#"{"message":"answered","route":"/sign-in/link/{secret}"}"#), None);
        let session = "Zk3vQ0x-8sJ1mT_bWc2RfYh7LdNpAaEe5UuIiOo6GgB";
        for token in [session, &"0a".repeat(32)] {
            assert_eq!(
                leak(&format!("{{\"why\":\"no such thing: {token}\"}}")),
                Some("a token, or a hash of something")
            );
        }
        assert_eq!(
            leak(r#"{"connection_id":"con_4645HE23AD15426FRZWTJ5KCC1","site_id":"site_01JD0000000000000000000002"}"#),
            None
        );
        assert_eq!(leak(r#"{"message":"taken","webhook_id":"msg_1"}"#), None);
    }
}
