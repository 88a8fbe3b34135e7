//! Who operates this is told what to do, and logs don't stay for ever.
use template::file;
use template::template::{named, of_type, resources};

#[test]
fn every_alarm_names_a_section_of_the_operations_page() {
    let page = file("docs/operations.md");
    let sections: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| title.to_lowercase().replace(' ', "-").replace(',', ""))
        .collect();
    for (name, alarm) in of_type("AWS::CloudWatch::Alarm") {
        let text = alarm["Properties"]["AlarmDescription"].as_str().unwrap_or_default().to_owned();
        let section = text.split("docs/operations.md#").nth(1).unwrap_or_default().trim_end_matches('.').to_owned();
        assert!(sections.contains(&section), "{name}: \"{text}\" names none of {sections:?}");
    }
}

#[test]
fn every_function_has_a_log_group_with_an_end_and_a_role_of_its_own() {
    let all = resources();
    let mut roles = Vec::new();
    for (name, function) in of_type("AWS::Serverless::Function") {
        let group = named(&function["Properties"]["LoggingConfig"]["LogGroup"]);
        let group = all.get(group.as_str()).unwrap_or_else(|| panic!("{name} names no log group of the template"));
        assert!(!group["Properties"]["RetentionInDays"].is_null(), "{name}: its logs have no end");
        let role = named(&function["Properties"]["Role"]);
        assert!(all.contains_key(role.as_str()), "{name} names no role of the template");
        assert!(!roles.contains(&role), "{name} shares {role}");
        roles.push(role);
    }
}
