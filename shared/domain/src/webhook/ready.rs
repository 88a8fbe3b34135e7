//! What a relay needs to make one call at the platform: a Fieldwire task with its first bubble, a Trimble Connect topic (BCF 2.1)
//! with a comment. Ids that only the customer knows (project, team, owner) are the relay's.
use super::Platform;
use crate::marker::crockford;
use crate::wording::shortened;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CATEGORY: &str = "Safety";
/// A Fieldwire bubble that is text.
const TEXT_BUBBLE: u8 = 1;

/// What stands in it, in words that no platform owns.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub title: &'a str,
    pub text: &'a str,
    pub link: &'a str,
    /// 1 to 5, 5 the worst.
    pub priority: u8,
    /// The same for all that is ever said of one fact: the topic's guid comes from it.
    pub about: &'a str,
}

/// `None` for a system of the customer's own.
pub fn ready(platform: Platform, words: &Words<'_>) -> Option<Value> {
    match platform {
        Platform::Own => None,
        Platform::Fieldwire => Some(json!({
            "category": CATEGORY,
            "task": {"name": shortened(words.title), "priority": fieldwire_priority(words.priority)},
            "bubble": {"kind": TEXT_BUBBLE, "content": words.text},
        })),
        Platform::TrimbleConnect => Some(json!({
            "topic": {
                "guid": guid(words.about),
                "title": shortened(words.title),
                "description": words.text,
                "topic_type": "Issue",
                "topic_status": "Open",
                "priority": trimble_priority(words.priority),
                "labels": [CATEGORY],
                "reference_links": [words.link],
            },
            "comment": {"comment": format!("HardHat Pulse: {}", words.link)},
        })),
    }
}

/// 1 is Fieldwire's highest.
fn fieldwire_priority(priority: u8) -> u8 {
    match priority {
        4.. => 1,
        3 => 2,
        _ => 3,
    }
}

fn trimble_priority(priority: u8) -> &'static str {
    match priority {
        5.. => "Critical",
        4 => "High",
        3 => "Normal",
        _ => "Low",
    }
}

/// A UUID (version 8, RFC 9562) that comes from a text, so that a repeat makes no second topic.
fn guid(about: &str) -> String {
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&Sha256::digest(format!("topic\n{}", crockford(about.as_bytes(), 40)).as_bytes())[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<'a>(title: &'a str, about: &'a str) -> Words<'a> {
        Words { title, text: "What was seen", link: "https://x/1", priority: 4, about }
    }

    #[test]
    fn a_long_name_keeps_its_marker() {
        let long = format!("Fall - {} [HHP-7F3K9Q2M]", "é".repeat(300));
        for (platform, name) in [(Platform::Fieldwire, "/task/name"), (Platform::TrimbleConnect, "/topic/title")] {
            let ready = ready(platform, &words(&long, "a")).unwrap();
            let name = ready.pointer(name).and_then(Value::as_str).unwrap();
            assert_eq!(name.chars().count(), 255);
            assert!(name.ends_with("… [HHP-7F3K9Q2M]"), "{name}");
        }
    }

    #[test]
    fn one_fact_is_one_topic_whatever_is_said_of_it() {
        let guid =
            |title, about| ready(Platform::TrimbleConnect, &words(title, about)).unwrap()["topic"]["guid"].clone();
        assert_eq!(guid("a", "HHP-1"), guid("b", "HHP-1"));
        assert_ne!(guid("a", "HHP-1"), guid("a", "HHP-2"));
        let text = guid("a", "HHP-1").as_str().unwrap().to_owned();
        assert_eq!((text.len(), &text[14..15], &text[8..9]), (36, "8", "-"));
    }

    #[test]
    fn fieldwire_gets_a_task_with_its_bubble_and_an_own_system_nothing() {
        let fieldwire = ready(Platform::Fieldwire, &words("Fall", "a")).unwrap();
        assert_eq!(
            fieldwire,
            json!({"category": "Safety", "task": {"name": "Fall", "priority": 1},
                   "bubble": {"kind": 1, "content": "What was seen"}})
        );
        assert_eq!(ready(Platform::Own, &words("Fall", "a")), None);
    }
}
