//! The token's cache, against a login host that counts.
use super::*;
use domain::record::Mender;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
struct Host {
    asked: AtomicUsize,
    answers: StdMutex<VecDeque<(u16, serde_json::Value)>>,
}

impl Host {
    fn then(self, status: u16, body: serde_json::Value) -> Self {
        self.answers.lock().unwrap().push_back((status, body));
        self
    }
}

#[async_trait]
impl Issuer for Host {
    fn name(&self) -> &'static str {
        "Somewhere"
    }

    fn refused(&self, code: &str) -> Block {
        self.none(code.to_owned())
    }

    fn none(&self, reason: String) -> Block {
        Block { reason, who: Mender::HardhatPulse, what_to_do: String::new() }
    }

    async fn issue(&self, _: Timestamp) -> Result<Result<Answer, Broken>, CredentialError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::task::yield_now().await;
        let issued =
            (200, json!({"access_token": format!("token-{number}"), "token_type": "bearer", "expires_in": 5400}));
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap_or(issued);
        if status == 0 {
            return Ok(Err(Broken::Late));
        }
        if status == 1 {
            return Err(CredentialError::Missing("SSM parameter /s/client-id does not exist".into()));
        }
        Ok(Ok(Answer {
            status,
            body: Ok(body.to_string().into_bytes()),
            rates: Default::default(),
            retry_after: None,
            headers: Default::default(),
        }))
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_five_minutes_before_its_end() {
    let (tokens, host) = (Tokens::default(), Host::default());
    for (seconds, token) in [(0, "token-1"), (5099, "token-1"), (5100, "token-2"), (5101, "token-2")] {
        assert_eq!(tokens.get(&host, at(seconds)).await.unwrap().expose(), token, "{seconds}");
    }
}

#[tokio::test]
async fn many_callers_renew_once() {
    let (tokens, host) = (Tokens::default(), Host::default());
    let (a, b, c) = tokio::join!(tokens.get(&host, at(0)), tokens.get(&host, at(0)), tokens.get(&host, at(1)));
    assert!([a, b, c].into_iter().all(|token| token.unwrap().expose() == "token-1"));
    assert_eq!(host.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn while_the_login_host_is_down_the_old_token_serves_to_its_end() {
    let host = Host::default()
        .then(200, json!({"access_token": "token-1", "expires_in": 5400}))
        .then(0, json!(null))
        .then(503, json!(null))
        .then(500, json!(null));
    let tokens = Tokens::default();
    for seconds in [0, 5200, 5399] {
        assert_eq!(tokens.get(&host, at(seconds)).await.unwrap().expose(), "token-1");
    }
    assert!(matches!(tokens.get(&host, at(5400)).await, Err(TargetError::NotDone { .. })));
}

#[tokio::test]
async fn a_refused_token_is_forgotten_but_not_its_successor() {
    let (tokens, host) = (Tokens::default(), Host::default());
    let first = tokens.get(&host, at(0)).await.unwrap();
    tokens.forget(&first).await;
    assert_eq!(tokens.get(&host, at(1)).await.unwrap().expose(), "token-2");
    tokens.forget(&first).await;
    assert_eq!(tokens.get(&host, at(2)).await.unwrap().expose(), "token-2");
}

#[tokio::test]
async fn refused_credentials_block_and_are_never_repeated_in_the_words() {
    let host = Host::default()
        .then(401, json!({"error": "invalid_client", "error_description": "hush is wrong"}))
        .then(401, json!({"error": "hush"}))
        .then(400, json!({"error": "unauthorized_client"}));
    let tokens = Tokens::default();
    for _ in 0..3 {
        let Err(TargetError::Connection(block)) = tokens.get(&host, at(0)).await else { panic!("not blocked") };
        assert_eq!(block.who, Mender::HardhatPulse);
        assert!(!format!("{block:?}").contains("hush"), "{block:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_speak_of_our_credentials_blocks_nothing() {
    let host = Host::default().then(403, json!({"message": "hush"})).then(400, json!({"error": "hush"}));
    let tokens = Tokens::default();
    for _ in 0..2 {
        let Err(TargetError::NotDone { why }) = tokens.get(&host, at(0)).await else { panic!("not to be tried again") };
        assert!(!why.contains("hush"), "{why}");
    }
}

#[tokio::test]
async fn a_missing_parameter_says_so() {
    let host = Host::default().then(1, json!(null));
    let error = Tokens::default().get(&host, at(0)).await.unwrap_err();
    assert!(matches!(&error, TargetError::Connection(block) if block.reason.contains("/s/client-id")), "{error:?}");
}
