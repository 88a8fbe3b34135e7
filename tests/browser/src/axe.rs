//! axe-core in the page: WCAG 2.2 AA, as far as a machine can tell.
use crate::Browser;
use serde_json::Value;

const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// Panics with each rule that the page breaks and where.
pub async fn accessible(browser: &Browser, page: &str) {
    let path = std::env::var("HHP_AXE").expect("HHP_AXE names axe.min.js: `cargo xtask test` sets it");
    let script = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let failed = |what: &str, e: &dyn std::fmt::Display| -> ! { panic!("{page}: {what}: {e}") };
    // Through the driver, so that the page's own policy on scripts stays as it is.
    if let Err(e) = browser.driver().execute(script, Vec::new()).await {
        failed("axe could not be loaded", &e);
    }
    let run = format!(
        "const done = arguments[arguments.length - 1];
         axe.run(document, {{runOnly: {RULES}}}).then(r => done(r.violations), e => done([{{id: 'axe', help: String(e), nodes: []}}]));"
    );
    let found = match browser.driver().execute_async(run, Vec::new()).await {
        Ok(answer) => answer.json().clone(),
        Err(e) => failed("axe did not run", &e),
    };
    let broken: Vec<String> = found.as_array().into_iter().flatten().map(words).collect();
    assert!(broken.is_empty(), "{page} breaks {} rules:\n{}", broken.len(), broken.join("\n"));
}

fn words(violation: &Value) -> String {
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let places: Vec<&str> = nodes.filter_map(|node| node["html"].as_str()).take(3).collect();
    format!("  {}: {} at {}", violation["id"], violation["help"], places.join(" | "))
}
