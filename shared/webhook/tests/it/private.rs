//! In production, nothing that leads into a network is connected to, whatever its name led to before.
use crate::receiver::Receiver;
use async_trait::async_trait;
use credentials::Secret;
use domain::signature::SigningKey;
use domain::webhook::Format;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use webhook::post::Limits;
use webhook::settings::Reader;
use webhook::{Guard, HttpPost, Letter, Names, Post, Refusal};

/// A name that leads to one place after the other.
struct Rebinding {
    places: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn to(places: &[&[&str]]) -> Arc<Self> {
        let read = |place: &&[&str]| place.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { places: places.iter().map(read).collect(), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Names for Rebinding {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.places[asked.min(self.places.len() - 1)].clone())
    }
}

fn guard() -> Guard {
    Guard::new(false, &["https://pulse.example.org"])
}

async fn error(names: Arc<Rebinding>, url: String) -> String {
    let limits = Limits { connect: Duration::from_millis(300), total: Duration::from_millis(500) };
    let url = Secret::new(url);
    let letter = Letter {
        url: &url,
        id: "msg_01",
        format: Format::Cloudevents,
        body: b"{}",
        keys: &[SigningKey::of_bytes(&[1; 32]).unwrap()],
        token: None,
        at: Timestamp::now(),
    };
    let outcome = HttpPost::within(guard(), names, limits).post(letter).await;
    assert!(!outcome.attempt.delivered());
    outcome.attempt.error.unwrap()
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1"] {
        let names = Rebinding::to(&[&[address]]);
        let error = error(names.clone(), "https://hooks.example.com:8443/".into()).await;
        assert!(error.contains("the internet can't reach"), "{address}: {error}");
        assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_name_that_was_good_when_it_was_entered_is_judged_anew_at_each_attempt() {
    let names = Rebinding::to(&[&["93.184.216.34"], &["127.0.0.1"]]);
    assert!(guard().addresses(names.as_ref(), "hooks.example.com").await.is_ok());
    let error = error(names, "https://hooks.example.com/".into()).await;
    assert!(error.contains("the internet can't reach"), "{error}");
}

#[tokio::test]
async fn an_attempt_looks_up_once_and_connects_to_what_it_saw() {
    // Had it asked again, the second answer would have led to a listener.
    let inside = Receiver::saying("200 OK", "", "").await;
    let names = Rebinding::to(&[&["192.0.2.1", "2001:db8::1", "198.41.0.4"], &["127.0.0.1"]]);
    error(names.clone(), "https://hooks.example.com/".into()).await;
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert!(inside.got().is_empty());
}

#[tokio::test]
async fn of_several_addresses_the_public_ones_are_left() {
    let names = Rebinding::to(&[&["10.0.0.1", "8.8.8.8", "::1", "2001:4860:4860::8888"]]);
    let left = guard().addresses(names.as_ref(), "x.example.com").await.unwrap();
    assert_eq!(left.iter().map(ToString::to_string).collect::<Vec<_>>(), ["8.8.8.8", "2001:4860:4860::8888"]);
    let none = Rebinding::to(&[&[]]);
    assert_eq!(guard().addresses(none.as_ref(), "x.example.com").await, Err(Refusal::Unknown));
}

#[tokio::test]
async fn plain_http_and_numbers_are_refused_at_the_attempt_too() {
    let inside = Receiver::saying("200 OK", "", "").await;
    let names = Rebinding::to(&[&["127.0.0.1"]]);
    for (url, words) in [
        (inside.url("/"), "https://"),
        (inside.url("/").replace("http:", "https:"), "numbers are not taken"),
        (format!("https://hooks.example.com:{}/", inside.port), "port 443"),
    ] {
        let error = error(names.clone(), url.clone()).await;
        assert!(error.contains(words), "{url}: {error}");
    }
    assert!(inside.got().is_empty());
}

#[tokio::test]
async fn a_host_that_cannot_be_found_is_refused_when_entered_but_on_a_developers_machine() {
    let names = Rebinding::to(&[&[]]);
    let body = serde_json::json!({"platform": "own", "name": "Relay", "url": "https://hooks.example.com/x"});
    for (guard, taken) in [(guard(), false), (Guard::new(true, &[]), true)] {
        let reader = Reader { guard: &guard, names: names.as_ref(), sites: &Default::default() };
        let read = reader.new_endpoint(&body).await.map(|new| new.name);
        assert_eq!(read.is_ok(), taken, "{read:?}");
    }
}
