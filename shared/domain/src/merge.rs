//! Three-way merge of a record's fields: what the platform answered last time, what stands there now, what we want.
//!
//! A link keeps two short hashes per field: what we last asked for (`wrote`) and what the platform then answered (`base`, as it
//! normalizes). So an unchanged record costs no call, and a person's edit is seen without keeping the person's words.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A record's fields by the platform's names.
pub type Fields = BTreeMap<String, Value>;

/// What we remember of a field that we wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    #[serde(rename = "w")]
    pub wrote: String,
    #[serde(rename = "b")]
    pub base: String,
    /// Sent by updates whose answer is not known, or given up by a person in a conflict: what stands there may be any of these, and
    /// is ours to write over.
    #[serde(rename = "s", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sending: BTreeSet<String>,
}

impl Written {
    /// Whether a value is one that we gave the field, or may have given it.
    fn ours(&self, value: &Value) -> bool {
        let hash = hash(value);
        self.base == hash || self.sending.contains(&hash)
    }
}

/// A field that a person changed at the platform while we had news for it: the person's value stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Conflict {
    pub field: String,
    pub ours: Value,
    pub theirs: Value,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Merge {
    /// What to send.
    pub send: Fields,
    /// What a person changed and we leave alone.
    pub conflicts: Vec<Conflict>,
}

/// A short hash of a field's normalized value: 12 bytes of SHA-256 tell any two values of one field apart.
pub fn hash(value: &Value) -> String {
    crate::marker::crockford(normalized(value).to_string().as_bytes(), 19)
}

/// A value as platforms keep it: line ends are LF, text is trimmed, null and the empty text are one.
pub fn normalized(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let text = text.replace("\r\n", "\n");
            let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
            match lines.join("\n").trim() {
                "" => Value::Null,
                trimmed => Value::String(trimmed.to_owned()),
            }
        }
        other => other.clone(),
    }
}

/// Whether any field of `desired` has news, or may stand otherwise than we last knew: where none, no call is needed.
pub fn news(desired: &Fields, written: &BTreeMap<String, Written>) -> bool {
    let settled = |w: &Written, value: &Value| w.sending.is_empty() && w.wrote == hash(value);
    desired.iter().any(|(field, value)| written.get(field).is_none_or(|w| !settled(w, value)))
}

/// Notes what is about to be sent over `remote`, should the answer be lost.
pub fn note_sending(written: &mut BTreeMap<String, Written>, send: &Fields, remote: &Fields) {
    for (field, value) in send {
        let unknown = || Written {
            wrote: String::new(),
            base: hash(remote.get(field).unwrap_or(&Value::Null)),
            sending: BTreeSet::new(),
        };
        written.entry(field.clone()).or_insert_with(unknown).sending.insert(hash(value));
    }
}

/// Merges. `remote` is what stands there now.
pub fn merge(desired: &Fields, written: &BTreeMap<String, Written>, remote: &Fields) -> Merge {
    let mut merge = Merge::default();
    for (field, ours) in desired {
        let theirs = remote.get(field).cloned().unwrap_or(Value::Null);
        if hash(&theirs) == hash(ours) {
            continue;
        }
        // A field of which we know no base is a person's if anything stands in it.
        let touched = written.get(field).map_or(!normalized(&theirs).is_null(), |w| !w.ours(&theirs));
        // What we sent since, with its answer lost, may have overtaken what we wrote before.
        let overtaken = |w: &Written| w.base != hash(&theirs) && w.ours(&theirs);
        let no_news = written.get(field).is_some_and(|w| w.wrote == hash(ours) && !overtaken(w));
        match (no_news, touched) {
            (true, _) => {}
            (false, false) => {
                merge.send.insert(field.clone(), ours.clone());
            }
            (false, true) => {
                merge.conflicts.push(Conflict { field: field.clone(), ours: ours.clone(), theirs });
            }
        }
    }
    merge
}

/// What to remember after a write or a look: `answered` is what the platform shows now. Of fields that we did not ask for, the
/// platform's own value is the base, should we have news for them later.
pub fn written(desired: &Fields, answered: &Fields) -> BTreeMap<String, Written> {
    let fields: BTreeSet<&String> = desired.keys().chain(answered.keys()).collect();
    fields
        .into_iter()
        .map(|field| {
            let base = hash(answered.get(field).unwrap_or(&Value::Null));
            let wrote = desired.get(field).map(hash).unwrap_or_default();
            (field.clone(), Written { wrote, base, sending: BTreeSet::new() })
        })
        .collect()
}

/// What to remember after an update that sent some fields: those sent are as answered; the others keep their base where a
/// person's edit stands, so that the edit is still known as one at the next merge.
pub fn rewritten(
    desired: &Fields,
    before: &BTreeMap<String, Written>,
    sent: &Fields,
    answered: &Fields,
) -> BTreeMap<String, Written> {
    let mut after = written(desired, answered);
    for (field, old) in before {
        if !desired.contains_key(field) {
            after.insert(field.clone(), old.clone());
        }
    }
    for (field, remembered) in after.iter_mut().filter(|(field, _)| desired.contains_key(*field)) {
        let ours = desired.get(field).map(hash);
        let equal = Some(hash(answered.get(field).unwrap_or(&Value::Null))) == ours;
        if let (false, false, Some(old)) = (sent.contains_key(field), equal, before.get(field)) {
            remembered.base = old.base.clone();
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect()
    }

    #[test]
    fn what_nobody_changed_is_sent_and_what_a_person_changed_survives() {
        let first = fields(&[("title", "a"), ("description", "b"), ("place", "c")]);
        let remembered = written(&first, &first);
        let desired = fields(&[("title", "a2"), ("description", "b2"), ("place", "c")]);
        let remote = fields(&[("title", "a"), ("description", "edited"), ("place", "moved")]);
        let merge = merge(&desired, &remembered, &remote);
        assert_eq!(merge.send, fields(&[("title", "a2")]));
        assert_eq!(merge.conflicts.len(), 1);
        assert_eq!(merge.conflicts[0].field, "description");
        assert_eq!(merge.conflicts[0].theirs, json!("edited"));
    }

    #[test]
    fn a_platform_that_normalizes_is_not_mistaken_for_a_person() {
        let wrote = fields(&[("description", "one \r\ntwo\n")]);
        let answered = fields(&[("description", "<p>one two</p>")]);
        let remembered = written(&wrote, &answered);
        assert!(!news(&wrote, &remembered));
        let next = fields(&[("description", "three")]);
        assert_eq!(merge(&next, &remembered, &answered).send, next);
    }

    #[test]
    fn a_field_that_we_have_news_for_only_later_is_a_persons_if_a_person_filled_it() {
        let first = fields(&[("title", "a")]);
        let made = fields(&[("title", "a"), ("type", "general")]);
        let remembered = written(&first, &made);
        let later = fields(&[("title", "a"), ("type", "fall"), ("hazard", "load")]);
        assert_eq!(merge(&later, &remembered, &made).send, fields(&[("hazard", "load"), ("type", "fall")]));
        let by_a_person = fields(&[("title", "a"), ("type", "their type"), ("hazard", "their hazard")]);
        assert!(merge(&later, &remembered, &by_a_person).send.is_empty());
        // An update in between, that speaks of neither, forgets neither.
        let remembered = rewritten(&first, &remembered, &Fields::new(), &by_a_person);
        assert!(merge(&later, &remembered, &by_a_person).send.iter().all(|(field, _)| field != "type"));
    }

    #[test]
    fn a_persons_edit_still_counts_as_one_after_a_later_update() {
        let first = fields(&[("title", "a"), ("description", "b")]);
        let mut remembered = written(&first, &first);
        let mut remote = fields(&[("title", "a"), ("description", "edited")]);
        for title in ["a2", "a3"] {
            let desired = fields(&[("title", title), ("description", title)]);
            let outcome = merge(&desired, &remembered, &remote);
            assert_eq!(outcome.conflicts.len(), 1, "{title}");
            let answered = fields(&[("title", title), ("description", "edited")]);
            remembered = rewritten(&desired, &remembered, &outcome.send, &answered);
            remote = answered;
        }
    }

    #[test]
    fn what_we_sent_with_its_answer_lost_is_ours_and_newer_news_replaces_it() {
        let one = fields(&[("description", "rev 1"), ("title", "t")]);
        let two = fields(&[("description", "rev 2"), ("title", "t")]);
        let three = fields(&[("description", "rev 3"), ("title", "t")]);
        let mut remembered = written(&one, &one);
        let sent = merge(&two, &remembered, &one).send;
        note_sending(&mut remembered, &sent, &one);
        for remote in [&one, &two] {
            let outcome = merge(&three, &remembered, remote);
            assert_eq!((outcome.send, outcome.conflicts), (fields(&[("description", "rev 3")]), vec![]), "{remote:?}");
        }
        let edited = fields(&[("description", "by a person"), ("title", "t")]);
        assert_eq!(merge(&three, &remembered, &edited).conflicts.len(), 1);
        // Back to what was written before: not known to stand, so it is looked at, and sent where it was overtaken.
        assert!(news(&one, &remembered));
        assert_eq!(merge(&one, &remembered, &two).send, fields(&[("description", "rev 1")]));
        assert_eq!(merge(&one, &remembered, &one), Merge::default());
        let settled = rewritten(&three, &remembered, &fields(&[("description", "rev 3")]), &three);
        assert_eq!(settled, written(&three, &three), "an answer that is known ends the doubt");
    }

    proptest! {
        #[test]
        fn a_field_that_differs_from_base_is_never_sent(base in "[a-c]{0,2}", ours in "[a-c]{0,2}", theirs in "[a-c]{0,2}") {
            let remembered = written(&fields(&[("f", &base)]), &fields(&[("f", &base)]));
            let outcome = merge(&fields(&[("f", &ours)]), &remembered, &fields(&[("f", &theirs)]));
            prop_assert!(outcome.send.is_empty() || base.trim() == theirs.trim());
            prop_assert!(outcome.conflicts.is_empty() || (base != theirs && ours != theirs));
        }

        #[test]
        fn a_write_read_back_has_no_news(value in "\\PC{0,40}") {
            let desired = fields(&[("f", &value)]);
            let remembered = written(&desired, &desired);
            prop_assert!(!news(&desired, &remembered));
            prop_assert_eq!(merge(&desired, &remembered, &desired), Merge::default());
        }
    }
}
