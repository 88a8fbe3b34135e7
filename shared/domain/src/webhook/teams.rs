//! A message for a Teams workflow ("when a webhook request is received"): an Adaptive Card with a button.
use serde_json::{Value, json};

pub fn card(title: &str, text: &str, link: &str) -> Value {
    let lines =
        text.lines().map(|line| json!({"type": "TextBlock", "text": plain(line), "wrap": true, "spacing": "Small"}));
    let title = json!({"type": "TextBlock", "text": plain(title), "wrap": true, "size": "Medium", "weight": "Bolder"});
    let body: Vec<Value> = std::iter::once(title).chain(lines).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": [{"type": "Action.OpenUrl", "title": "Open in HardHat Pulse", "url": link}],
            },
        }],
    })
}

/// A text block reads Markdown: text of ours must not become a link to elsewhere.
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_block_and_no_text_becomes_a_link() {
        let card = card("Fall [HHP-7F3K9Q2M]", "Zone: [3](http://evil.example)\nPriority: 4", "https://x/1");
        let content = &card["attachments"][0]["content"];
        let texts: Vec<&str> =
            content["body"].as_array().unwrap().iter().map(|block| block["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["Fall [HHP-7F3K9Q2M]", "Zone: [3] (http://evil.example)", "Priority: 4"]);
        assert_eq!(content["actions"][0]["url"], "https://x/1");
    }
}
