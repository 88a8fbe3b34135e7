//! `Idempotency-Key` on POST and PATCH: a repeat within 24 hours gets the whole first answer. The answer may hold a secret that is shown
//! once, so it is kept sealed.
//!
//! A note is kept before the request runs, with the seed of what the request makes: should the process die on the way, the
//! repeat makes the same thing again, not a second one.
use crate::auth::Caller;
use crate::json_body;
use crate::problem::{FieldError, Place, Problem};
use crate::state::{AppState, sha256_hex};
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode, request::Parts};
use axum::middleware::Next;
use axum::response::Response;
use credentials::{Context, Secret};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::bell::fresh_token;
use store::table::{Condition, Key, TableError, item, read};
use ulid::Ulid;

const HEADER: &str = "idempotency-key";
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Longer than the function may run: after that, whoever began it is gone.
const RUNS_AT_MOST: SignedDuration = SignedDuration::from_secs(60);
/// Of a sealed answer: with the rest of its note it fits into an item of the table, which takes 400 KB.
const LONGEST_KEPT: usize = 350_000;

/// The id that a POST gives to what it makes.
#[derive(Debug, Clone, Copy)]
pub struct FreshId(pub Ulid);

impl FromRequestParts<AppState> for FreshId {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        match parts.extensions.get::<FreshId>() {
            Some(seed) => Ok(*seed),
            None => Ok(Self(app.fresh_id()?)),
        }
    }
}

/// What is kept of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    /// SHA-256 of what was asked.
    request: String,
    seed: String,
    /// Grows anew with each write, so that two who take over are told apart.
    token: String,
    /// While it runs: until when nobody else may.
    #[serde(default)]
    running_until: Option<Timestamp>,
    /// Sealed.
    #[serde(default)]
    answer: Option<String>,
    /// Unix seconds; the table forgets it some time after.
    expires_at: i64,
}

/// An answer as it is sealed.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    etag: Option<String>,
    body: String,
}

/// The layer that lets a POST with a key run once.
pub async fn once(
    State(app): State<AppState>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>();
    let known = path.is_some_and(|path| crate::routes::knows(request.method(), path.as_str()));
    let given = match request.method() {
        &Method::POST | &Method::PATCH if known => key_of(request.headers())?,
        _ => None,
    };
    let Some(given) = given else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str()).to_owned();
    let limited = Request::from_parts(parts.clone(), body);
    let bytes = json_body::bytes(limited, &app).await?;
    let asked = sha256_hex(&[target.as_bytes(), &bytes]);
    let keeper = Keeper {
        app: &app,
        caller: &caller,
        key: store::keys::idempotency(&caller.id(), &sha256_hex(&[given.as_bytes()])),
    };
    let note = match keeper.begin(asked).await? {
        Begun::Answered(answer) => return replay(answer),
        Begun::Ours(note) => note,
    };
    let mut request = Request::from_parts(parts, Body::from(bytes));
    if let Ok(seed) = Ulid::from_string(&note.seed) {
        request.extensions_mut().insert(FreshId(seed));
    }
    let response = next.run(request).await;
    keeper.end(note, response).await
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(text) if (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
            Ok(Some(text.to_owned()))
        }
        _ => {
            let detail = "must have 1 to 255 printable ASCII characters".to_owned();
            Err(Problem::invalid(vec![FieldError { place: Place::Parameter("Idempotency-Key".into()), detail }]))
        }
    }
}

enum Begun {
    Ours(Note),
    Answered(Answer),
}

struct Keeper<'a> {
    app: &'a AppState,
    caller: &'a Caller,
    key: Key,
}

impl Keeper<'_> {
    async fn begin(&self, asked: String) -> Result<Begun, Problem> {
        let now = self.app.now();
        let note = Note {
            request: asked,
            seed: self.app.fresh_id()?.to_string(),
            token: fresh_token(),
            running_until: Some(now + RUNS_AT_MOST),
            answer: None,
            expires_at: (now + KEPT_FOR).as_second(),
        };
        match self.app.table().put(item(&self.key, &note)?, Condition::Absent).await {
            Ok(()) => Ok(Begun::Ours(note)),
            Err(TableError::Condition(Some(standing))) => self.repeat(read("a kept answer", standing)?, note).await,
            Err(TableError::Condition(None)) => Err(still_running()),
            Err(error) => Err(error.into()),
        }
    }

    /// The key was seen before: the first answer, or, where there is none and nobody is at it, the same work once more.
    async fn repeat(&self, standing: Note, mut note: Note) -> Result<Begun, Problem> {
        let now = self.app.now();
        if standing.expires_at > now.as_second() {
            if standing.request != note.request {
                let detail = "was sent before with another request: use a new key for a new request".to_owned();
                return Err(Problem::invalid_parameter("Idempotency-Key", detail));
            }
            if let Some(sealed) = &standing.answer {
                return Ok(Begun::Answered(self.open(sealed).await?));
            }
            if standing.running_until.is_some_and(|until| until > now) {
                return Err(still_running());
            }
            note.seed.clone_from(&standing.seed);
        }
        match self.app.table().put(item(&self.key, &note)?, at_token(&standing)).await {
            Ok(()) => Ok(Begun::Ours(note)),
            Err(TableError::Condition(_)) => Err(still_running()),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps the answer of what was done. Where nothing was, or the answer is too long, only the seed is kept: a repeat is judged anew.
    async fn end(&self, note: Note, response: Response) -> Result<Response, Problem> {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.map_err(|error| Problem::internal("an answer", &error))?;
        let mut kept = Note { token: fresh_token(), running_until: None, ..note.clone() };
        if parts.status.is_success() {
            let text = |name: HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
            let answer = Answer {
                status: parts.status.as_u16(),
                content_type: text(CONTENT_TYPE),
                etag: text(ETAG),
                body: String::from_utf8_lossy(&bytes).into_owned(),
            };
            kept.answer = self.seal(&answer).await.filter(|sealed| sealed.len() <= LONGEST_KEPT);
        }
        if let Err(error) = self.app.table().put(item(&self.key, &kept)?, at_token(&note)).await {
            // The work is done and its answer goes out. A repeat runs with the same seed, so it makes nothing twice.
            tracing::error!(error = %error, "an answer was not kept for its Idempotency-Key");
        }
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }

    /// `None`, logged, when the vault does not answer: the work is done, its answer must go out.
    async fn seal(&self, answer: &Answer) -> Option<String> {
        let text = serde_json::to_string(answer)
            .inspect_err(|e| tracing::error!(error = %e, "an answer was not kept"))
            .ok()?;
        let sealed = self.app.vault().seal(&self.context(), &Secret::new(text)).await;
        sealed.inspect_err(|e| tracing::error!(error = %e, "an answer was not sealed for its Idempotency-Key")).ok()
    }

    async fn open(&self, sealed: &str) -> Result<Answer, Problem> {
        let text = self.app.vault().open(&self.context(), sealed).await?;
        serde_json::from_str(text.expose()).map_err(|error| Problem::internal("a kept answer", &error))
    }

    fn context(&self) -> Context {
        let organization = match self.caller {
            Caller::Operator => "operator".to_owned(),
            Caller::Key(key) => key.organization_id.to_string(),
        };
        Context::new(organization, "idempotent-answer").with("caller", self.caller.id())
    }
}

fn at_token(note: &Note) -> Condition {
    Condition::Equals("token", note.token.clone().into())
}

fn still_running() -> Problem {
    Problem::conflict("The first request with this Idempotency-Key is still running: repeat yours in a moment.")
        .with_header(RETRY_AFTER, HeaderValue::from_static("2"))
}

fn replay(answer: Answer) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(answer.status).map_err(|error| Problem::internal("a kept answer", &error))?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    let headers = [(CONTENT_TYPE, answer.content_type), (ETAG, answer.etag)];
    for (name, value) in
        headers.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value?).ok()?)))
    {
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
