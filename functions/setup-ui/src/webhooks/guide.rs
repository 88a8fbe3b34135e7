//! What each platform can show of our messages and how it is set up, in the words of the guides under `docs/guides`, shorter.
use domain::webhook::Platform;
use maud::{Markup, html};

/// In a sentence, for the choice.
pub fn promise(platform: Platform) -> &'static str {
    match platform {
        Platform::Fieldwire => {
            "Fieldwire takes no messages of other systems by itself. A relay of yours (Power Automate, Zapier, Make or a small \
             program) turns each message into a task; every message carries the task ready-made."
        }
        Platform::TrimbleConnect => {
            "Trimble Connect takes no messages of other systems by itself. A relay of yours (Power Automate, Zapier, Make or a \
             small program) turns each message into a topic; every message carries the topic ready-made."
        }
        Platform::Own => {
            "Signed JSON messages to an address of yours, for your own programs; or cards for a Microsoft Teams workflow."
        }
    }
}

/// Step by step, for someone who has never done it.
pub fn steps(platform: Platform) -> Markup {
    html! {
        details.guide {
            summary { "How this is done, step by step" }
            @match platform {
                Platform::Fieldwire => ol {
                    li { "Ask your Fieldwire account owner whether your plan has API access: it comes with Enterprise, or as a paid add-on. \
                          Without it no other system can make tasks." }
                    li { "As account owner or manager, make an API token in Fieldwire under Account, API Settings." }
                    li { "In your relay, make a flow that begins with a web address: “When an HTTP request is received” in Power Automate, \
                          “Webhooks by Zapier, Catch Hook” in Zapier, “Custom webhook” in Make. Copy its address into the field below." }
                    li { "For Power Automate choose the form “JSON, for flows without code” below." }
                    li { "Press “Make the webhook” here. A test event arrives in the flow: it shows that the way is open. It has no task, so let \
                          the flow learn the parts by name from a real message: paste the one under “See a message as it is sent”, or press \
                          “Send what was missed”." }
                    li { "Let the flow take detections, confirmed incidents and first summaries only: one that keeps no list of what it made \
                          would make another task of each later change." }
                    li { "In the flow, exchange the API token for an access token, then make a task from " code { "data.ready.task" }
                         " and a comment from " code { "data.ready.bubble" } ", with the ids of your project, team and task owner." }
                },
                Platform::TrimbleConnect => ol {
                    li { "You need a Trimble Connect plan for companies, and somebody who may register an application with Trimble: topics can \
                          only be made in the name of a person who has agreed to it." }
                    li { "In your relay, make a flow that begins with a web address: “When an HTTP request is received” in Power Automate, \
                          “Webhooks by Zapier, Catch Hook” in Zapier, “Custom webhook” in Make. Copy its address into the field below." }
                    li { "For Power Automate choose the form “JSON, for flows without code” below." }
                    li { "Press “Make the webhook” here. A test event arrives in the flow: it shows that the way is open. It has no topic, so let \
                          the flow learn the parts by name from a real message: paste the one under “See a message as it is sent”, or press \
                          “Send what was missed”." }
                    li { "In the flow, POST " code { "data.ready.topic" } " to the topics of your project (BCF 2.1), and "
                         code { "data.ready.comment" } " to the comments of that topic. The topic's guid is the same for all that is ever said of \
                         one event: an answer of 409 means that it is there already." }
                },
                Platform::Own => ol {
                    li { "Your developer makes a web address that takes POST requests over https and answers with 2xx within 15 seconds." }
                    li { "Enter it below and press “Make the webhook”. Give the signing secret, which is shown once, to your developer: with it \
                          the receiver checks that a message is ours (Standard Webhooks)." }
                    li { "Send a test event, and see the receiver's own answer here." }
                },
            }
            p { "The payloads are described under " a href="/docs#messages" { "Messages to your receiver" } "; each names its JSON Schema." }
        }
    }
}
