use crate::receiver::{Receiver, header};
use credentials::Secret;
use domain::signature::{Headers, SigningKey, verify};
use domain::webhook::Format;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use webhook::post::Limits;
use webhook::{Guard, HttpPost, Letter, Outcome, Post, SystemNames};

const BODY: &[u8] = br#"{"specversion":"1.0"}"#;

fn keys() -> [SigningKey; 2] {
    [SigningKey::of_bytes(&[1; 32]).unwrap(), SigningKey::of_bytes(&[2; 32]).unwrap()]
}

async fn send(url: &str) -> Outcome {
    let guard = Guard::new(true, &["http://127.0.0.1:1"]);
    let limits = Limits { connect: Duration::from_millis(500), total: Duration::from_millis(700) };
    let post = HttpPost::within(guard, Arc::new(SystemNames), limits);
    let (token, url) = (Secret::new("T0ken-of-the-customer"), Secret::new(url));
    let letter = Letter {
        url: &url,
        id: "msg_01",
        format: Format::Cloudevents,
        body: BODY,
        keys: &keys(),
        token: Some(&token),
        at: Timestamp::now(),
    };
    post.post(letter).await
}

#[tokio::test]
async fn a_receiver_can_verify_what_it_gets_with_either_secret() {
    let receiver = Receiver::saying("204 No Content", "", "").await;
    let outcome = send(&receiver.url("/hook?code=a%2Bb")).await;
    assert!(outcome.attempt.delivered(), "{outcome:?}");
    let got = receiver.got().remove(0);
    assert!(got.starts_with("POST /hook?code=a%2Bb HTTP/1.1\r\n"), "{got}");
    assert_eq!(header(&got, "content-type"), Some("application/cloudevents+json"));
    assert_eq!(header(&got, "authorization"), Some("Bearer T0ken-of-the-customer"));
    assert_eq!(header(&got, "user-agent"), Some("HardHatPulse-Integrations/1"));
    for absent in ["cookie", "accept-encoding", "referer", "x-forwarded-for"] {
        assert_eq!(header(&got, absent), None, "{absent}");
    }
    let body = got.split_once("\r\n\r\n").unwrap().1.as_bytes();
    assert_eq!(body, BODY);
    let headers = Headers {
        id: header(&got, "webhook-id"),
        timestamp: header(&got, "webhook-timestamp"),
        signature: header(&got, "webhook-signature"),
    };
    for key in keys() {
        let verified = verify(headers, body, &[key], Timestamp::now()).unwrap();
        assert_eq!(verified.id, "msg_01");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let elsewhere = Receiver::saying("200 OK", "", "").await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let receiver = Receiver::saying(status, &format!("location: {}\r\n", elsewhere.url("/")), "").await;
        let outcome = send(&receiver.url("/")).await;
        assert!(!outcome.attempt.delivered() && outcome.attempt.error.unwrap().contains("redirect"), "{status}");
    }
    assert!(elsewhere.got().is_empty());
}

#[tokio::test]
async fn an_answer_is_shown_in_its_beginning_and_without_what_we_sent_in_confidence() {
    let echo = format!("your token T0ken-of-the-customer and {} {}", keys()[0].secret(), "x".repeat(40_000));
    let receiver = Receiver::saying("500 Internal Server Error", "retry-after: 90\r\n", &echo).await;
    let outcome = send(&receiver.url("/hook?sig=SECRETSECRET")).await;
    assert_eq!(outcome.attempt.status_code, Some(500));
    assert_eq!(outcome.retry_after, Some(SignedDuration::from_secs(90)));
    let excerpt = outcome.attempt.response_excerpt.unwrap();
    assert!(excerpt.starts_with("your token (removed) and (removed) xxx"), "{}", &excerpt[..80]);
    assert_eq!(excerpt.len(), 4_096);
    assert!(!format!("{:?}", outcome.attempt.error).contains("SECRET"));
}

#[tokio::test]
async fn an_echoed_address_shows_nothing_of_where_relays_have_their_secret() {
    let echo = "no route for POST /hooks/catch/1234567/o9k2xfq/ nor for hooks/catch/1234567/o9k2xfq, step 0a1b2c3d4e5f6a7b8c9d, \
                nor for /in?o9k2xfq";
    for (path, expected) in [
        (
            "/hooks/catch/1234567/o9k2xfq/",
            "no route for POST /(removed)/ nor for (removed), step 0a1b2c3d4e5f6a7b8c9d, nor for /in?o9k2xfq",
        ),
        ("/in?o9k2xfq", &*echo.replace("in?o9k2xfq", "(removed)")),
        ("/v1/0a1b2c3d4e5f6a7b8c9d/x", &*echo.replace("0a1b2c3d4e5f6a7b8c9d", "(removed)")),
    ] {
        let receiver = Receiver::saying("404 Not Found", "", echo).await;
        let outcome = send(&receiver.url(path)).await;
        assert_eq!(outcome.attempt.response_excerpt.as_deref(), Some(expected), "{path}");
    }
}

#[tokio::test]
async fn who_does_not_answer_in_time_did_not_take_it() {
    let receiver = Receiver::answering(None).await;
    let outcome = send(&receiver.url("/")).await;
    assert!(!outcome.attempt.delivered());
    assert!(outcome.attempt.error.unwrap().contains("within"));
    assert!((600..2_000).contains(&outcome.attempt.duration_ms), "{}", outcome.attempt.duration_ms);
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn a_success_whose_body_never_ends_is_a_success() {
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nhello".to_vec();
    let receiver = Receiver::answering(Some(begun)).await;
    let outcome = send(&receiver.url("/")).await;
    assert_eq!((outcome.attempt.delivered(), outcome.attempt.response_excerpt.as_deref()), (true, Some("hello")));
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_words() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let cut = Receiver::answering(Some(Vec::new())).await;
    let plain = Receiver::saying("200 OK", "", "").await;
    for (url, words) in [
        (format!("http://127.0.0.1:{free}/"), "could not be reached"),
        (cut.url("/"), "without an answer"),
        (plain.url("/").replace("http:", "https:"), "secure connection"),
        ("ftp://127.0.0.1/".to_owned(), "must begin with https://"),
    ] {
        let error = send(&url).await.attempt.error.unwrap();
        assert!(error.contains(words), "{url}: {error}");
    }
}

#[tokio::test]
async fn an_address_to_which_no_connection_comes_about_has_words_of_its_own() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Nobody accepts: once its queue is full, further connections are not answered.
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(100), tokio::net::TcpStream::connect(address)).await
    {
        queued.push(stream.unwrap());
    }
    let error = send(&format!("http://{address}/")).await.attempt.error.unwrap();
    assert!(error.starts_with("no connection came about within"), "{error}");
}

#[tokio::test]
async fn gone_is_gone() {
    let receiver = Receiver::saying("410 Gone", "", "").await;
    assert!(send(&receiver.url("/")).await.is_gone());
}
