//! Faults on demand: rules that make chosen calls go wrong in a chosen way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// The shapes in which the platform words its refusals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `{"code","message","fields","reason","error"}`
    Flat,
    /// `{"errors":["..."]}`
    #[default]
    List,
    /// `{"errors":{"field":["..."]}}`
    Fields,
    /// `{"error":{"code","message","details":[...]}}`
    Envelope,
    /// Plain text.
    Text,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Answers `status`; with `done`, only after the call took effect.
    Status {
        status: u16,
        #[serde(default)]
        shape: Shape,
        #[serde(default)]
        retry_after: Option<u64>,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        done: bool,
    },
    /// The connection is cut and nothing was done.
    LostBefore,
    /// The call takes effect, then the connection is cut without an answer.
    LostAfter,
    /// Waits before the call takes effect.
    DelayBefore { ms: u64 },
    /// The call takes effect at once, its answer comes late.
    DelayAfter { ms: u64 },
    /// The app was removed from the company.
    AppNotConnected,
    /// The whole provider is away: 503, or no answer at all.
    Down {
        #[serde(default)]
        cut: bool,
        #[serde(default)]
        retry_after: Option<u64>,
    },
}

/// One rule. What is left out matches everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default)]
    pub id: u64,
    #[serde(default)]
    pub method: Option<String>,
    /// A part of the path, or with `*` a pattern for the whole of it.
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub operation_id: Option<String>,
    #[serde(default)]
    pub company: Option<i64>,
    /// How many matching calls pass before the rule bites.
    #[serde(default)]
    pub skip: u64,
    /// How many calls it bites; for ever if left out.
    #[serde(default)]
    pub times: Option<u64>,
    pub effect: Effect,
}

impl Rule {
    pub fn new(effect: Effect) -> Self {
        Self { id: 0, method: None, path: None, operation_id: None, company: None, skip: 0, times: None, effect }
    }

    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    pub fn operation(mut self, operation_id: &str) -> Self {
        self.operation_id = Some(operation_id.to_owned());
        self
    }

    pub fn company(mut self, company: i64) -> Self {
        self.company = Some(company);
        self
    }

    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn matches(&self, probe: &Probe<'_>) -> bool {
        let method = self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(probe.method));
        let path = self.path.as_deref().is_none_or(|p| path_matches(p, probe.path));
        let operation = self.operation_id.as_deref().is_none_or(|o| Some(o) == probe.operation_id);
        let company = self.company.is_none_or(|c| Some(c) == probe.company);
        method && path && operation && company
    }
}

/// What a rule looks at.
pub struct Probe<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub operation_id: Option<&'a str>,
    pub company: Option<i64>,
}

/// What is to happen to one call.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    pub delay_before_ms: u64,
    pub delay_after_ms: u64,
    /// The first effect that decides the answer.
    pub effect: Option<Effect>,
}

#[derive(Default)]
pub struct Faults {
    rules: Mutex<(u64, Vec<Rule>)>,
}

impl Faults {
    pub fn add(&self, rule: Rule) -> u64 {
        let mut rules = self.lock();
        rules.0 += 1;
        let id = rules.0;
        rules.1.push(Rule { id, ..rule });
        id
    }

    pub fn remove(&self, id: u64) {
        self.lock().1.retain(|rule| rule.id != id);
    }

    pub fn clear(&self) {
        self.lock().1.clear();
    }

    pub fn list(&self) -> Vec<Rule> {
        self.lock().1.clone()
    }

    /// Delays add up; of the other effects the oldest rule's wins and the others keep their count.
    pub fn plan(&self, probe: &Probe<'_>) -> Plan {
        let mut plan = Plan::default();
        let rules = &mut self.lock().1;
        for rule in rules.iter_mut().filter(|rule| rule.matches(probe)) {
            let delay = matches!(rule.effect, Effect::DelayBefore { .. } | Effect::DelayAfter { .. });
            if !delay && plan.effect.is_some() {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(times) = &mut rule.times {
                *times = times.saturating_sub(1);
            }
            match &rule.effect {
                Effect::DelayBefore { ms } => plan.delay_before_ms += ms,
                Effect::DelayAfter { ms } => plan.delay_after_ms += ms,
                effect => plan.effect = Some(effect.clone()),
            }
        }
        rules.retain(|rule| rule.times != Some(0));
        plan
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Vec<Rule>)> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    if !pattern.contains('*') {
        return path.contains(pattern);
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe<'a>(method: &'a str, path: &'a str) -> Probe<'a> {
        Probe { method, path, operation_id: Some("createIncident"), company: Some(7) }
    }

    #[test]
    fn a_rule_bites_as_often_as_it_says() {
        let faults = Faults::default();
        faults.add(Rule::new(Effect::LostAfter).method("post").path("/incidents").skip(1).times(1));
        assert_eq!(faults.plan(&probe("GET", "/x/incidents")).effect, None);
        assert_eq!(faults.plan(&probe("POST", "/x/incidents")).effect, None);
        assert_eq!(faults.plan(&probe("POST", "/x/incidents")).effect, Some(Effect::LostAfter));
        assert_eq!(faults.plan(&probe("POST", "/x/incidents")).effect, None);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn patterns_cover_the_whole_path() {
        assert!(path_matches("/rest/*/incidents", "/rest/v1.0/projects/1/incidents"));
        assert!(!path_matches("/rest/*/incidents", "/rest/v1.0/projects/1/incidents/5"));
        assert!(path_matches("*/incidents/*", "/rest/v1.0/projects/1/incidents/5"));
        assert!(path_matches("incidents", "/rest/v1.0/projects/1/incidents/5"));
    }

    #[test]
    fn delays_join_the_effect() {
        let faults = Faults::default();
        faults.add(Rule::new(Effect::DelayBefore { ms: 5 }));
        faults.add(Rule::new(Effect::LostBefore).company(7));
        faults.add(Rule::new(Effect::LostAfter).times(1));
        let plan = faults.plan(&probe("GET", "/"));
        assert_eq!(plan, Plan { delay_before_ms: 5, delay_after_ms: 0, effect: Some(Effect::LostBefore) });
        assert_eq!(faults.list().len(), 3);
    }
}
