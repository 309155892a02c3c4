//! `GET /api/v1/events`: what happens to the agent's requests, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use serde_json::json;
use service::events::{Events, EventsError};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use super::authn::Agent;
use super::input::Params;
use crate::AppState;
use crate::problem::Problem;

/// A stream that has nothing to tell says so this often, and asks whether it may go on.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a client should wait before it comes back.
const RETRY: Duration = Duration::from_secs(3);

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventParams {
    /// For clients that cannot set the header; a header wins, because a browser sends it when it comes
    /// back to the same address.
    last_event_id: Option<String>,
}

/// What happens to the agent's requests, as server-sent events.
///
/// One event for each entry of the ledger about a request that it staged or executes: from the one after
/// `Last-Event-ID` on, or from now on. `data` is `{"id", "revision", "digest", "state", "at"}`.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "events", tag = "Requests",
    security(("agent_key" = [])),
    params(EventParams,
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that you had.", example = "1043")),
    responses((status = 200, description = "A stream that stays open.", body = String, content_type = "text/event-stream")),
    extensions(("x-problems" = json!(["invalid_last_event_id", "too_many_streams"]))))]
pub(super) async fn stream(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Params(params): Params<EventParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = last_event_id(&headers, params.last_event_id)?;
    let events = state.service.events(&agent, after).await?;
    let opened = Event::default().retry(RETRY);
    let opened = match after {
        // Whoever is cut off before anything happens comes back to here.
        None => opened
            .event("stream.opened")
            .id(events.position().to_string())
            .data(json!({"index": events.position()}).to_string()),
        Some(_) => opened.comment("resumed"),
    };
    let told = stream::once(async { Ok(opened) }).chain(told(events, state.stopping));
    let mut response = Sse::new(told).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    Ok(response)
}

/// The events until the server stops, or the agent may no longer have them.
fn told(
    events: Events,
    stopping: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let next = async |(mut events, stopping): (Events, CancellationToken)| {
        let batch = tokio::select! {
            batch = events.next(KEEP_ALIVE) => batch,
            () = stopping.cancelled() => return None,
        };
        let batch = match batch {
            Ok(batch) => batch?,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a stream of events ended");
                return None;
            }
        };
        let lines = if batch.is_empty() {
            vec![Event::default().comment("keep-alive")]
        } else {
            batch.iter().map(event).collect()
        };
        Some((stream::iter(lines.into_iter().map(Ok)), (events, stopping)))
    };
    stream::unfold((events, stopping), next).flatten()
}

fn event(event: &service::events::Event) -> Event {
    let data = json!(event.data).to_string();
    Event::default().id(event.index.to_string()).event(event.name).data(data)
}

/// The index of the last entry that the client was told of.
fn last_event_id(headers: &HeaderMap, query: Option<String>) -> Result<Option<u64>, Problem> {
    let mut values = headers.get_all("last-event-id").iter();
    let text = match (values.next(), values.next()) {
        (None, _) => query,
        (Some(value), None) => Some(value.to_str().unwrap_or("not text").to_owned()),
        (Some(_), Some(_)) => return Err(bad("It was sent twice.")),
    };
    let Some(text) = text else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits.then(|| text.parse().ok()).flatten();
    index.map(Some).ok_or_else(|| bad("It is a whole number from 0 on, in digits."))
}

fn bad(why: &str) -> Problem {
    let detail = format!(
        "Last-Event-ID is the `id` of the last event that you had. {why} To begin now, send none, and \
         read your requests."
    );
    Problem::new(StatusCode::BAD_REQUEST, "invalid_last_event_id", detail)
}

impl From<EventsError> for Problem {
    fn from(error: EventsError) -> Self {
        match error {
            EventsError::TooMany => {
                let detail = format!("Close one of them: {error}.");
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail)
            }
            EventsError::NotThere { size } => bad(&format!(
                "The ledger has {size} entries, so no event has that one yet; after a restore it may be shorter."
            )),
            EventsError::Failed(failure) => failure.into(),
        }
    }
}
