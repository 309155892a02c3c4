//! One agent's calls, each tried until it is answered, or the patience is over.
//!
//! INVARIANT: everything that is sent here may be sent again: reads, calls that answer a repetition
//! alike, and calls with an Idempotency-Key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use chrono::{DateTime, TimeDelta};
use domain::{RequestId, StateName};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HeaderValue, IF_NONE_MATCH, RETRY_AFTER,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{Entropy, OsEntropy};

use super::access::Bearer;
use super::say;
use crate::wire::{Problem, Unreachable};

/// Longer than the server holds any answer back, and than an upload takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(90);
/// The first pause before a retry; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A hundred years: clocks cannot count to all that a command line may say.
const EVER: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// An agent with its key.
#[derive(Clone)]
pub struct Agent {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) key: Bearer,
    pub(super) patience: Duration,
    /// Countersign has answered this command: whatever else answers now stands in front of it.
    pub(super) heard: Arc<AtomicBool>,
}

/// For how long one call is tried.
#[derive(Clone, Copy)]
pub struct Until {
    /// No try but the first begins later.
    pub again: Instant,
    /// No try lasts longer.
    pub answered: Instant,
}

/// One call.
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    body: Option<(&'static str, Vec<u8>)>,
    headers: Vec<(&'static str, String)>,
}

/// What the server answers that is no problem.
pub struct Answer {
    pub document: Value,
    pub etag: Option<String>,
    /// When the server answered, by its own clock (RFC 9110 §6.6.1).
    pub date: Option<String>,
    /// The same call was answered before.
    pub replayed: bool,
    /// Nothing changed since the entity tag that was named.
    pub unchanged: bool,
    /// An earlier try of this call may have arrived.
    pub retried: bool,
}

/// What the client itself needs to know of a request; all else is passed on as it came.
#[derive(Clone, Deserialize, Serialize)]
pub struct Known {
    pub id: RequestId,
    pub revision: u32,
    pub digest: String,
    pub state: StateName,
}

impl Answer {
    /// The request that it describes.
    pub fn request(&self) -> anyhow::Result<Known> {
        known(&self.document)
    }

    /// Whether it describes something staged after `began`, by the server's clock.
    pub fn is_staged_since(&self, began: Instant) -> bool {
        let now = self.date.as_deref().and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let staged = self.document["staged_at"].as_str();
        let staged = staged.and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        let took = TimeDelta::from_std(began.elapsed()).unwrap_or(TimeDelta::MAX);
        let (Some(now), Some(staged)) = (now, staged) else { return false };
        // `Date` has whole seconds. What was staged later than that is no answer to go by.
        (-TimeDelta::seconds(2)..=took).contains(&now.signed_duration_since(staged))
    }
}

/// An Idempotency-Key that nothing else has.
pub fn fresh_key(sort: &str) -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    OsEntropy.fill(&mut bytes)?;
    Ok(format!("{sort}-{:032x}", u128::from_be_bytes(bytes)))
}

/// So long from now.
pub fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(EVER)
}

/// The part of a request's description that the client goes by.
pub fn known(document: &Value) -> anyhow::Result<Known> {
    Known::deserialize(document).context("the answer describes no request: is it Countersign?")
}

impl From<Instant> for Until {
    fn from(end: Instant) -> Self {
        Self { again: end, answered: end }
    }
}

impl<'a> Call<'a> {
    /// A read.
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: None, headers: Vec::new() }
    }

    /// A call that changes something, with the body as it stands.
    pub fn post(path: &'a str, body: Vec<u8>) -> Self {
        let body = Some(("application/json", body));
        Self { method: Method::POST, path, body, headers: Vec::new() }
    }

    /// With a body of this media type.
    pub fn of_type(mut self, media_type: &'static str) -> Self {
        self.body = self.body.map(|(_, body)| (media_type, body));
        self
    }

    /// With a key that makes the repetition of it the same call.
    pub fn keyed(mut self, key: &str) -> Self {
        self.headers.push(("idempotency-key", key.to_owned()));
        self
    }

    /// Answered once what is there differs from `seen`, or the time is over.
    pub fn waiting(mut self, seconds: u64, seen: Option<&str>) -> Self {
        self.headers.push(("prefer", format!("wait={seconds}")));
        self.headers.extend(seen.map(|etag| (IF_NONE_MATCH.as_str(), etag.to_owned())));
        self
    }
}

impl Agent {
    /// Where a request's calls go.
    pub fn path(id: RequestId, call: &str) -> String {
        format!("/api/v1/requests/{id}{call}")
    }

    /// Sends until it is answered. Says once that the server is away.
    ///
    /// # Errors
    /// [`Problem`] where the server says no; [`Unreachable`] when the patience is over.
    pub async fn send(&self, call: Call<'_>) -> anyhow::Result<Answer> {
        self.send_until(call, self.patiently()).await
    }

    /// For as long as the command line says.
    pub fn patiently(&self) -> Until {
        Until { again: after(self.patience), answered: after(EVER) }
    }

    /// As [`Agent::send`], but for another time.
    pub async fn send_until(&self, call: Call<'_>, until: Until) -> anyhow::Result<Answer> {
        let (mut pause, mut said, mut retried) = (FIRST_PAUSE, false, false);
        loop {
            let Later { error, asked, arrived } = match self.try_once(&call, until.answered).await {
                Ok(answer) => return Ok(Answer { retried, ..answer }),
                Err(Trouble::No(error)) => return Err(error),
                Err(Trouble::Later(later)) => later,
            };
            let left = until.again.saturating_duration_since(Instant::now());
            // The last try is at the very end, but never earlier than the server asks for.
            let wait = asked.map_or(pause.min(left), |asked| asked.max(pause));
            if left.is_zero() || wait > left {
                return Err(self.given_up(error));
            }
            if !said {
                say(&format!("{error:#}; trying again"));
            }
            (said, retried) = (true, retried || arrived);
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_once(&self, call: &Call<'_>, end: Instant) -> Result<Answer, Trouble> {
        let lost = |error: reqwest::Error| {
            let arrived = !error.is_connect();
            let error = anyhow::Error::new(error).context(Unreachable(self.url.to_string()));
            Trouble::Later(Later { error, asked: None, arrived })
        };
        let bearer = self.key.header().map_err(Trouble::No)?;
        let left = end.saturating_duration_since(Instant::now());
        let request = self.request(call, &bearer).timeout(left.min(ANSWERED_WITHIN));
        let response = request.send().await.map_err(lost)?;
        if !response.status().is_success() && response.status() != StatusCode::NOT_MODIFIED {
            let asked = text(&response, RETRY_AFTER.as_str()).and_then(|wait| wait.parse().ok());
            return Err(self.refused(Problem::of(response).await, asked.map(Duration::from_secs)));
        }
        let etag = text(&response, ETAG.as_str()).map(str::to_owned);
        let date = text(&response, DATE.as_str()).map(str::to_owned);
        let replayed = text(&response, "idempotency-replayed") == Some("true");
        let unchanged = response.status() == StatusCode::NOT_MODIFIED;
        let body = response.bytes().await.map_err(lost)?;
        let document = if unchanged { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        let document = document.map_err(|error| self.no_json(error))?;
        self.heard.store(true, Ordering::Relaxed);
        Ok(Answer { document, etag, date, replayed, unchanged, retried: false })
    }

    /// A page of something in front of the server is no word of the server's. Where nothing else was
    /// ever heard, the address is wrong.
    fn refused(&self, problem: Problem, asked: Option<Duration>) -> Trouble {
        let (status, code) = (problem.status(), problem.code());
        let foreign = code.is_empty();
        self.heard.fetch_or(!foreign, Ordering::Relaxed);
        let in_front = foreign && (status >= 500 || status >= 400 && self.is_heard());
        if !in_front && !matches!(status, 429 | 502..=504) && code != "body_incomplete" {
            return Trouble::No(problem.into());
        }
        Trouble::Later(Later { error: problem.into(), asked, arrived: status >= 500 })
    }

    fn no_json(&self, error: serde_json::Error) -> Trouble {
        let error = anyhow!(error).context("the server answers no JSON: is it Countersign?");
        if self.is_heard() {
            Trouble::Later(Later { error, asked: None, arrived: true })
        } else {
            Trouble::No(error)
        }
    }

    fn is_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// The error of the last try. To be told to come less often is to be answered; all else is not.
    fn given_up(&self, error: anyhow::Error) -> anyhow::Error {
        let answered =
            error.downcast_ref::<Problem>().is_some_and(|problem| problem.status() == 429);
        if answered || error.downcast_ref::<Unreachable>().is_some() {
            return error;
        }
        error.context(Unreachable(self.url.to_string()))
    }

    fn request(&self, call: &Call<'_>, bearer: &HeaderValue) -> RequestBuilder {
        let mut url = self.url.clone();
        let (path, query) = call.path.split_once('?').unwrap_or((call.path, ""));
        url.set_path(path);
        url.set_query((!query.is_empty()).then_some(query));
        let request = self.client.request(call.method.clone(), url);
        let mut request = request.header(ACCEPT, "application/json").header(AUTHORIZATION, bearer);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        match &call.body {
            Some((media_type, body)) => {
                request.header(CONTENT_TYPE, *media_type).body(body.clone())
            }
            None => request,
        }
    }
}

/// Why a try brought nothing.
enum Trouble {
    /// The same call will not be answered otherwise.
    No(anyhow::Error),
    /// It may, in a while.
    Later(Later),
}

/// A try that is worth another one.
struct Later {
    error: anyhow::Error,
    /// After this time, as the server says.
    asked: Option<Duration>,
    /// The call may have been carried out.
    arrived: bool,
}

fn text<'a>(response: &'a Response, header: &str) -> Option<&'a str> {
    response.headers().get(header)?.to_str().ok()
}
