//! One agent's calls, each tried until it is answered, or the patience is over.
//!
//! INVARIANT: everything that is sent here may be sent again: reads, calls that answer a repetition
//! alike, and calls with an Idempotency-Key.

use std::time::{Duration, Instant};

use anyhow::Context;
use domain::{RequestId, StateName};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HeaderValue, IF_NONE_MATCH, RETRY_AFTER,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::Bearer;
use super::say;
use crate::wire::{Problem, Unreachable};

/// Longer than the server holds any answer back, and than an upload takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(90);
/// The first pause before a retry; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// An agent with its key.
#[derive(Clone)]
pub struct Agent {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) key: Bearer,
    pub(super) patience: Duration,
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
}

/// The part of a request's description that the client goes by.
pub fn known(document: &Value) -> anyhow::Result<Known> {
    Known::deserialize(document).context("the answer describes no request: is it Countersign?")
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
        self.send_until(call, Instant::now() + self.patience).await
    }

    /// As [`Agent::send`], but not for longer than until `end`.
    pub async fn send_until(&self, call: Call<'_>, end: Instant) -> anyhow::Result<Answer> {
        let (mut pause, mut retried) = (FIRST_PAUSE, false);
        loop {
            let (error, asked) = match self.try_once(&call).await {
                Ok(answer) => return Ok(Answer { retried, ..answer }),
                Err(Trouble::No(error)) => return Err(error),
                Err(Trouble::Later(error, asked)) => (error, asked),
            };
            let wait = asked.unwrap_or(pause).max(pause);
            if Instant::now() + wait > end {
                return Err(error);
            }
            if !retried {
                say(&format!("{error:#}; trying again"));
            }
            retried = true;
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_once(&self, call: &Call<'_>) -> Result<Answer, Trouble> {
        let lost = |error: reqwest::Error| {
            let error = anyhow::Error::new(error).context(Unreachable(self.url.to_string()));
            Trouble::Later(error, None)
        };
        let bearer = self.key.header().map_err(Trouble::No)?;
        let response = self.request(call, &bearer).send().await.map_err(lost)?;
        if !response.status().is_success() && response.status() != StatusCode::NOT_MODIFIED {
            let asked = text(&response, RETRY_AFTER.as_str()).and_then(|wait| wait.parse().ok());
            let problem = Problem::of(response).await;
            return Err(if is_temporary(&problem) {
                Trouble::Later(problem.into(), asked.map(Duration::from_secs))
            } else {
                Trouble::No(problem.into())
            });
        }
        let etag = text(&response, ETAG.as_str()).map(str::to_owned);
        let date = text(&response, DATE.as_str()).map(str::to_owned);
        let replayed = text(&response, "idempotency-replayed") == Some("true");
        let unchanged = response.status() == StatusCode::NOT_MODIFIED;
        let body = response.bytes().await.map_err(lost)?;
        let document = if unchanged { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        let document = document.context("the server answers no JSON: is it Countersign?");
        let document = document.map_err(Trouble::No)?;
        Ok(Answer { document, etag, date, replayed, unchanged, retried: false })
    }

    fn request(&self, call: &Call<'_>, bearer: &HeaderValue) -> RequestBuilder {
        let mut url = self.url.clone();
        let (path, query) = call.path.split_once('?').unwrap_or((call.path, ""));
        url.set_path(path);
        url.set_query((!query.is_empty()).then_some(query));
        let request = self.client.request(call.method.clone(), url).timeout(ANSWERED_WITHIN);
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
    /// It may, in a while: after the time that the server names, if it does.
    Later(anyhow::Error, Option<Duration>),
}

/// Whether the same call may be answered otherwise in a while.
fn is_temporary(problem: &Problem) -> bool {
    matches!(problem.status(), 429 | 502 | 503 | 504) || problem.code() == "body_incomplete"
}

fn text<'a>(response: &'a Response, header: &str) -> Option<&'a str> {
    response.headers().get(header)?.to_str().ok()
}
