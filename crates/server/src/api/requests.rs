//! `POST /api/v1/requests`, `POST /api/v1/requests/{id}/revisions`, `GET /api/v1/requests`, `GET /api/v1/requests/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{RequestId, StateName};
use serde::Deserialize;
use service::query::{AgentList, AgentRequest};
use service::stage::StageAnswer;

use super::authn::Agent;
use super::input::{Id, JsonBytes, Params, idempotency_key, preferred_wait};
use crate::AppState;
use crate::problem::Problem;

/// How to stage.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageParams {
    #[serde(default)]
    validate: bool,
}

/// Stages an action. 201 with its address; the same Idempotency-Key and body again: the same
/// request, marked `idempotency-replayed`.
///
/// With `validate=true` nothing is stored: 200 with what would be asked of whom.
pub(super) async fn stage(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Params(params): Params<StageParams>,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    if params.validate {
        return Ok(Json(state.service.preview(&agent, &body).await?).into_response());
    }
    let key = idempotency_key(&headers)?;
    let staged = state.service.stage(&agent, &body, key.as_deref()).await?;
    Ok(created(staged))
}

/// Amends an open request: the body is the whole new revision. 201; every review of the old
/// revision is void.
pub(super) async fn amend(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let amended = state.service.amend(&agent, id, &body, key.as_deref()).await?;
    Ok(created(amended))
}

fn created(staged: StageAnswer) -> Response {
    let location = staged.request.status_url.clone();
    let mut response = answer(StatusCode::CREATED, staged.request);
    set(&mut response, header::LOCATION, &location);
    if staged.replayed {
        set(&mut response, HeaderName::from_static("idempotency-replayed"), "true");
    }
    response
}

/// One request. `Prefer: wait=N` waits for a change: against `If-None-Match` where it is sent,
/// otherwise until the request is no longer pending.
pub(super) async fn read(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let wait = preferred_wait(&headers);
    let _waiting = wait.map(|_| state.pace.wait(agent.id())).transpose()?;
    let waiting = state.service.wait_for(&agent, id, seen, wait.unwrap_or_default());
    let request = tokio::select! {
        request = waiting => request?,
        () = state.stopping.cancelled() => state.service.agent_request(&agent, id).await?,
    };
    let unchanged = seen == Some(request.etag.as_str());
    let pending = request.state.is_live();
    let mut response = if unchanged {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        set(&mut response, header::ETAG, &request.etag);
        response
    } else {
        answer(StatusCode::OK, request)
    };
    if let Some(wait) = wait {
        let applied = format!("wait={}", wait.as_secs());
        set(&mut response, HeaderName::from_static("preference-applied"), &applied);
    }
    if pending {
        set(&mut response, header::RETRY_AFTER, if wait.is_some() { "0" } else { "5" });
    }
    Ok(response)
}

/// The filters of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    state: Option<StateName>,
    cursor: Option<String>,
}

/// The agent's requests, newest first, 50 a page.
pub(super) async fn list(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Params(params): Params<ListParams>,
) -> Result<Json<AgentList>, Problem> {
    let page = state.service.agent_requests(&agent, params.state, params.cursor.as_deref()).await?;
    let page = page.ok_or_else(|| {
        Problem::bad_query("The cursor is not one of ours; start again without one.")
    })?;
    Ok(Json(page))
}

fn answer(status: StatusCode, request: AgentRequest) -> Response {
    let etag = request.etag.clone();
    let mut response = (status, Json(request)).into_response();
    set(&mut response, header::ETAG, &etag);
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
