//! A Lambda Runtime API on loopback for one function process: hands it events, takes its answers. Long polling as on Lambda, and
//! no more of it than the runtime clients use.
use crate::error::{Doing, Error, Result, unexpected};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc as queue;

const PATIENCE: Duration = Duration::from_secs(30);
const VERSION: &str = "/2018-06-01/runtime";

/// What the function did.
#[derive(Debug)]
enum Did {
    AskedForWork,
    Answered { id: u64, body: Bytes },
    Failed(String),
}

pub struct RuntimeApi {
    pub port: u16,
    events: queue::UnboundedSender<(u64, Bytes)>,
    did: Receiver<Did>,
    next_id: u64,
}

struct Shared {
    function: String,
    events: tokio::sync::Mutex<queue::UnboundedReceiver<(u64, Bytes)>>,
    did: Mutex<Sender<Did>>,
}

impl Shared {
    fn note(&self, did: Did) {
        // Nobody listens any more when the measuring is over.
        self.did.lock().unwrap_or_else(PoisonError::into_inner).send(did).ok();
    }
}

impl RuntimeApi {
    /// Listens on a free port, in a thread of its own, as long as this process lives.
    pub fn start(function: &str) -> Result<Self> {
        let (events, waiting) = queue::unbounded_channel();
        let (note, did) = channel();
        let shared =
            Shared { function: function.to_owned(), events: tokio::sync::Mutex::new(waiting), did: Mutex::new(note) };
        let app = Router::new()
            .route(&format!("{VERSION}/invocation/next"), get(next))
            .route(&format!("{VERSION}/invocation/{{id}}/response"), post(answered))
            .route(&format!("{VERSION}/invocation/{{id}}/error"), post(failed))
            .route(&format!("{VERSION}/init/error"), post(failed))
            .with_state(Arc::new(shared));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").doing(|| "listen for a function".into())?;
        listener.set_nonblocking(true).doing(|| "listen for a function".into())?;
        let port = listener.local_addr().doing(|| "listen for a function".into())?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.doing(|| "start the runtime API".into())?;
        std::thread::spawn(move || runtime.block_on(serve(listener, app)));
        Ok(Self { port, events, did, next_id: 0 })
    }

    /// One invocation: its answer, once the function asks for the next one, so that all the work it caused is over.
    pub fn invoke(&mut self, event: &Value) -> Result<Value> {
        let what = "a function under measure";
        self.next_id += 1;
        let bytes = serde_json::to_vec(event).map_err(|e| unexpected(what, e))?;
        self.events.send((self.next_id, Bytes::from(bytes))).map_err(|e| unexpected(what, e))?;
        let mut answer = None;
        loop {
            match self.did.recv_timeout(PATIENCE) {
                Ok(Did::Answered { id, body }) if id == self.next_id => answer = Some(body),
                Ok(Did::AskedForWork) => {
                    if let Some(body) = answer.take() {
                        return serde_json::from_slice(&body).map_err(|e| unexpected(what, e));
                    }
                }
                Ok(Did::Answered { id, .. }) => return Err(unexpected(what, format!("an answer to {id}"))),
                Ok(Did::Failed(said)) => return Err(unexpected(what, said)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(Error::Environment(format!("{what} did not answer within {PATIENCE:?}")));
                }
            }
        }
    }
}

async fn serve(listener: std::net::TcpListener, app: Router) {
    match tokio::net::TcpListener::from_std(listener) {
        // Nagle's delay would show as 40 ms an answer.
        Ok(listener) => {
            use axum::serve::ListenerExt;
            let listener = listener.tap_io(|stream| {
                stream.set_nodelay(true).ok();
            });
            if let Err(error) = axum::serve(listener, app).await {
                eprintln!("the runtime API stopped: {error}");
            }
        }
        Err(error) => eprintln!("the runtime API could not start: {error}"),
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.note(Did::AskedForWork);
    let Some((id, event)) = shared.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = jiff::Timestamp::now().as_millisecond() + 60_000;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id.to_string()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:us-east-1:000000000000:function:{}", shared.function),
        ),
    ];
    (headers, event).into_response()
}

async fn answered(State(shared): State<Arc<Shared>>, Path(id): Path<u64>, body: Bytes) -> StatusCode {
    shared.note(Did::Answered { id, body });
    StatusCode::ACCEPTED
}

async fn failed(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    shared.note(Did::Failed(String::from_utf8_lossy(&body).into_owned()));
    StatusCode::ACCEPTED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;
    use serde_json::json;

    /// A function in a thread: `answers` is what it does with each event, Ok as a response, Err as an error.
    fn function(port: u16, answers: Vec<Result<Value, Value>>) {
        std::thread::spawn(move || {
            let base = format!("http://127.0.0.1:{port}{VERSION}");
            let mut answers = answers.into_iter();
            for id in 1.. {
                let Ok(event) = http::request("GET", &format!("{base}/invocation/next"), &[], None) else { return };
                assert_eq!(event.json("an event").unwrap()["number"], id);
                let (how, body) = match answers.next() {
                    Some(Ok(body)) => ("response", body),
                    Some(Err(body)) => ("error", body),
                    None => return,
                };
                let url = format!("{base}/invocation/{id}/{how}");
                http::request("POST", &url, &[], Some(body.to_string().as_bytes())).unwrap();
            }
        });
    }

    #[test]
    fn events_are_answered_one_after_the_other_and_an_error_is_told() {
        let mut api = RuntimeApi::start("test").unwrap();
        let answers = vec![Ok(json!({"n": 1})), Ok(json!("two")), Err(json!({"errorMessage": "no table"}))];
        function(api.port, answers);
        assert_eq!(api.invoke(&json!({"number": 1})).unwrap(), json!({"n": 1}));
        assert_eq!(api.invoke(&json!({"number": 2})).unwrap(), json!("two"));
        assert!(api.invoke(&json!({"number": 3})).unwrap_err().to_string().contains("no table"));
    }
}
