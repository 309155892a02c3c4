//! `POST /api/v1/requests/{id}/heartbeat`, `/outcome`, `/rollback`: from redemption to the end.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use domain::{LeaseId, Outcome, RequestId, RollbackOutcome};
use serde::Deserialize;
use service::describe;
use service::execution::{Heartbeat, MAX_SUMMARY_CHARS, Report};
use service::query::AgentRequest;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::authn::Agent;
use super::input::{Id, JsonBytes, described};
use crate::AppState;
use crate::problem::Problem;

/// Whose heartbeat it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = Lease)]
#[serde(deny_unknown_fields)]
pub(super) struct Beat {
    /// As redeeming answered it.
    #[schema(value_type = describe::Id)]
    lease_id: LeaseId,
}

/// A report as the document describes it; its statuses are the domain's.
fn report<Status: ToSchema>() -> RefOr<Schema> {
    let summary = ObjectBuilder::new().schema_type(Type::String);
    let summary = summary.min_length(Some(1)).max_length(Some(MAX_SUMMARY_CHARS));
    let report = ObjectBuilder::new()
        .property("lease_id", describe::Id::schema())
        .required("lease_id")
        .property("status", Status::schema())
        .required("status")
        .property("summary", summary.description(Some("What happened; people read it.")))
        .required("summary")
        .property("evidence", Ref::new("#/components/schemas/StageBody/properties/evidence"))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    report.into()
}

/// [`Report`] of an outcome, as the document calls it.
pub(super) enum OutcomeReport {}

/// [`Report`] of a rollback, as the document calls it.
pub(super) enum RollbackReport {}

impl PartialSchema for OutcomeReport {
    fn schema() -> RefOr<Schema> {
        report::<describe::Outcome>()
    }
}

impl ToSchema for OutcomeReport {
    fn name() -> Cow<'static, str> {
        "OutcomeReport".into()
    }
}

impl PartialSchema for RollbackReport {
    fn schema() -> RefOr<Schema> {
        report::<describe::RollbackOutcome>()
    }
}

impl ToSchema for RollbackReport {
    fn name() -> Cow<'static, str> {
        "RollbackReport".into()
    }
}

/// Renews the lease: go on, or halt.
///
/// By the executor, while `executing`, every third of the lease. On `halt`: stop, follow the
/// rollback plan, report `halted`.
#[utoipa::path(post, path = "/api/v1/requests/{id}/heartbeat", operation_id = "heartbeat",
    tag = "Execution", security(("agent_key" = [])), params(Id<RequestId>),
    request_body(content = Beat, description = "Which lease."),
    responses((status = 200, description = "What to do, and the new end of the lease.", body = Heartbeat)),
    extensions(("x-problems" = json!(["outside_scope", "not_executor", "not_executing", "wrong_lease"]))))]
pub(super) async fn heartbeat(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<Heartbeat>, Problem> {
    let Beat { lease_id } = described::<Beat, _>(&body)?;
    Ok(Json(state.service.heartbeat(&agent, id, lease_id).await?))
}

/// Reports how the execution ended.
///
/// By the executor, while `executing` or `outcome_unknown`. The same lease and status again get the
/// same answer; the first report stands.
#[utoipa::path(post, path = "/api/v1/requests/{id}/outcome", operation_id = "report_outcome",
    tag = "Execution", security(("agent_key" = [])), params(Id<RequestId>),
    request_body(content = OutcomeReport, description = "The outcome."),
    responses((status = 200, description = "The request, with its outcome.", body = AgentRequest)),
    extensions(("x-problems" = json!(["outside_scope", "not_executor", "not_executing", "wrong_lease"]))))]
pub(super) async fn outcome(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<AgentRequest>, Problem> {
    let report: Report<Outcome> = described::<OutcomeReport, _>(&body)?;
    state.service.report(&agent, id, report).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}

/// Reports how undoing it ended.
///
/// By the executor, after the outcome, also while it is unknown. Once; the same again gets the same
/// answer.
#[utoipa::path(post, path = "/api/v1/requests/{id}/rollback", operation_id = "report_rollback",
    tag = "Execution", security(("agent_key" = [])), params(Id<RequestId>),
    request_body(content = RollbackReport, description = "How it ended."),
    responses((status = 200, description = "The request, with its rollback.", body = AgentRequest)),
    extensions(("x-problems" = json!(["outside_scope", "not_executor", "nothing_to_roll_back", "wrong_lease"]))))]
pub(super) async fn rollback(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Id(id): Id<RequestId>,
    JsonBytes(body): JsonBytes,
) -> Result<Json<AgentRequest>, Problem> {
    let report: Report<RollbackOutcome> = described::<RollbackReport, _>(&body)?;
    state.service.report_rollback(&agent, id, report).await?;
    Ok(Json(state.service.agent_request(&agent, id).await?))
}
