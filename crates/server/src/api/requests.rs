//! `POST /api/v1/requests`, `POST /api/v1/requests/{id}/revisions`, `GET /api/v1/requests`, `GET /api/v1/requests/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{RequestId, StateName};
use serde::Deserialize;
use service::describe;
use service::query::{AgentList, AgentRequest};
use service::stage::{Preview, StageAnswer};
use utoipa::IntoParams;

use super::authn::Agent;
use super::input::{Id, IdempotencyKey, JsonBytes, Params, idempotency_key, preferred_wait};
use crate::AppState;
use crate::problem::Problem;

/// How to stage.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct StageParams {
    /// Checks everything and stores nothing.
    #[serde(default)]
    validate: bool,
}

/// Stages an action: people decide on it.
///
/// The same Idempotency-Key and body again: the same request, marked `Idempotency-Replayed`. With
/// `validate=true` nothing is stored: 200 with what would be asked of whom.
#[utoipa::path(post, path = "/api/v1/requests", operation_id = "stage", tag = "Requests",
    security(("agent_key" = [])), params(StageParams, IdempotencyKey<false>),
    request_body(content = describe::StageBody, description = "The action, exactly as it will be shown, approved and released."),
    responses((status = 201, description = "It is staged. Wait for people.",
        body = AgentRequest, headers(
            ("Location" = String, description = "The request's `status_url`."),
            ("ETag" = String, description = "For `If-None-Match`."),
            ("Idempotency-Replayed" = bool, description = "`true` on a repeated answer."))),
        (status = 200, description = "Only with `validate=true`: what the body would lead to.", body = Preview)),
    extensions(("x-problems" = json!(["outside_scope", "suspended", "duplicate", "just_denied",
        "too_many_pending", "no_requirement", "policy_failed", "deadline_passed"]))))]
pub(super) async fn stage(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Params(params): Params<StageParams>,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    if params.validate {
        return Ok(Json(state.service.preview(&agent, &body).await?).into_response());
    }
    let staged = state.service.stage(&agent, &body, key.as_deref()).await?;
    Ok(created(staged))
}

/// Amends an open request.
///
/// By the agent that staged it. The body is the whole new revision, of the same kind; every review
/// of the old revision is void.
#[utoipa::path(post, path = "/api/v1/requests/{id}/revisions", operation_id = "amend", tag = "Requests",
    security(("agent_key" = [])), params(Id<RequestId>, IdempotencyKey<false>),
    request_body(content = describe::StageBody, description = "The whole new stage body."),
    responses((status = 201, description = "It has a new revision. Wait for people.",
        body = AgentRequest, headers(
            ("Location" = String, description = "The request's `status_url`."),
            ("ETag" = String, description = "For `If-None-Match`."),
            ("Idempotency-Replayed" = bool, description = "`true` on a repeated answer.")))),
    extensions(("x-problems" = json!(["outside_scope", "suspended", "not_stager", "not_pending", "changed",
        "too_many_revisions", "duplicate", "just_denied", "no_requirement", "policy_failed", "deadline_passed"]))))]
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

/// Reads a request, and waits for it.
///
/// `Prefer: wait=N` holds the answer back: with `If-None-Match` until the tag is another one,
/// otherwise until the request is no longer pending; N seconds at most, and never over 30.
#[utoipa::path(get, path = "/api/v1/requests/{id}", operation_id = "read_request", tag = "Requests",
    security(("agent_key" = [])),
    params(Id<RequestId>,
        ("Prefer" = Option<String>, Header, description = "`wait=N`: the seconds to wait, 30 at most (RFC 7240).", example = "wait=25"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer, exactly.")),
    responses((status = 200, description = "The request.", body = AgentRequest, headers(
            ("ETag" = String, description = "For `If-None-Match`."),
            ("Preference-Applied" = String, description = "The wait, where one was asked for."),
            ("Retry-After" = u32, description = "While it can still move: 5 seconds, or 0 after a wait."))),
        (status = 304, description = "It is as it was.", headers(
            ("ETag" = String, description = "For `If-None-Match`."),
            ("Preference-Applied" = String, description = "The wait, where one was asked for."),
            ("Retry-After" = u32, description = "While it can still move: 5 seconds, or 0 after a wait.")))),
    extensions(("x-problems" = json!(["too_many_waits"]))))]
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
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Only those in this state, by what is recorded.
    #[param(value_type = Option<describe::State>)]
    state: Option<StateName>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists what this agent staged, newest first, 50 a page.
#[utoipa::path(get, path = "/api/v1/requests", operation_id = "list_requests", tag = "Requests",
    security(("agent_key" = [])), params(ListParams),
    responses((status = 200, description = "A page.", body = AgentList)))]
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
