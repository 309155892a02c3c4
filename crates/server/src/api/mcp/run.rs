//! What each tool does: its arguments, one use case, the answer.

use std::convert::Infallible;
use std::time::Duration;

use domain::stage::FieldError;
use domain::{Digest, LeaseId, Outcome, RequestId, RollbackOutcome, Signal, StateName};
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use service::AgentCaller;
use service::execution::Report as Reported;
use service::query::AgentRequest;

use super::call::Answer;
use super::next;
use super::tool::Tool;
use crate::AppState;
use crate::api::input::{checked_key, typed};
use crate::api::kinds;
use crate::problem::Problem;

/// The longest wait, and what is waited where nothing is said: clients give up after 30 seconds.
pub(super) const MAX_WAIT_S: u64 = 25;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfName {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    content: String,
}

/// The body is not read here: its bytes go to the use case, as those of a route do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Staging<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
    idempotency_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amending<'a> {
    id: String,
    #[serde(borrow)]
    body: &'a RawValue,
    idempotency_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    state: Option<StateName>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfId {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    id: String,
    seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeeming {
    id: String,
    digest: Digest,
    idempotency_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beat {
    id: String,
    lease_id: LeaseId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report<Status> {
    id: String,
    lease_id: LeaseId,
    status: Status,
    summary: String,
}

impl Tool {
    /// Runs it. The arguments are JSON, and nobody has looked at them yet.
    pub async fn run(
        self,
        state: &AppState,
        agent: &AgentCaller,
        arguments: &str,
    ) -> Result<Answer, Problem> {
        let bytes = arguments.as_bytes();
        match self {
            Self::ListKinds => list_kinds(state, typed(bytes)?).await,
            Self::GetKind => get_kind(state, typed(bytes)?).await,
            Self::AddEvidence => add_evidence(state, agent, typed(bytes)?).await,
            Self::ValidateRequest => validate(state, agent, &with_body(arguments)?).await,
            Self::StageRequest => stage(state, agent, with_body(arguments)?).await,
            Self::ListRequests => list_requests(state, agent, typed(bytes)?).await,
            Self::GetRequest => {
                let OfId { id } = typed(bytes)?;
                present(state, agent, of(&id)?).await
            }
            Self::WaitForDecision => wait(state, agent, typed(bytes)?).await,
            Self::AmendRequest => amend(state, agent, with_body(arguments)?).await,
            Self::WithdrawRequest => {
                let OfId { id } = typed(bytes)?;
                let id = of(&id)?;
                state.service.withdraw(agent, id).await?;
                present(state, agent, id).await
            }
            Self::RedeemRelease => redeem(state, agent, typed(bytes)?).await,
            Self::SendHeartbeat => heartbeat(state, agent, typed(bytes)?).await,
            Self::ReportOutcome => outcome(state, agent, typed(bytes)?).await,
            Self::ReportRollback => rollback(state, agent, typed(bytes)?).await,
        }
    }
}

/// Arguments with a stage body among them. What is beside it is plain text, and each of them
/// twice is an error; the body itself is read by the use case.
fn with_body<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, Problem> {
    serde_json::from_str(arguments)
        .map_err(|error| Problem::invalid(vec![FieldError::new("", error.to_string())]))
}

/// An id; anything else is simply not there.
fn of(id: &str) -> Result<RequestId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

fn told(request: AgentRequest) -> Result<Answer, Problem> {
    let request = next::advised(request);
    Answer::new(format!("The request is {}. {}", request.state.as_str(), request.next), &request)
}

async fn present(state: &AppState, agent: &AgentCaller, id: RequestId) -> Result<Answer, Problem> {
    told(state.service.agent_request(agent, id).await?)
}

/// The catalogue without what only who stages needs: a model's attention is short.
async fn list_kinds(state: &AppState, Nothing {}: Nothing) -> Result<Answer, Problem> {
    let kinds = kinds::catalogue(state).await?;
    let short = kinds.iter().map(|view| {
        let kind = &view.kind;
        json!({"name": kind.name, "version": view.version, "title": kind.title, "description": kind.description})
    });
    let object = json!({"kinds": short.collect::<Vec<_>>()});
    Answer::new("Call get_kind for the parameters of one and an example that works.", &object)
}

async fn get_kind(state: &AppState, OfName { name }: OfName) -> Result<Answer, Problem> {
    let says =
        "Put your own parameters, evidence and plan into `example`, then call validate_request.";
    Answer::new(says, &kinds::of_name(state, &name).await?)
}

async fn add_evidence(
    state: &AppState,
    agent: &AgentCaller,
    Text { content }: Text,
) -> Result<Answer, Problem> {
    let whole = stream::once(async { Ok::<_, Infallible>(content) });
    let kept = state.service.upload_evidence(agent, whole).await?;
    Answer::new(
        "Name the digest in `evidence` of the body that you stage, with type, name and media_type.",
        &kept,
    )
}

async fn validate(
    state: &AppState,
    agent: &AgentCaller,
    Trial { body }: &Trial<'_>,
) -> Result<Answer, Problem> {
    let mut preview = state.service.preview(agent, body.get().as_bytes()).await?;
    if preview.can_be_met {
        preview.next = "Nothing was stored. Call stage_request with the same body to stage it.";
    }
    Answer::new(preview.next, &preview)
}

async fn stage(
    state: &AppState,
    agent: &AgentCaller,
    Staging { body, idempotency_key }: Staging<'_>,
) -> Result<Answer, Problem> {
    let key = checked_key(&idempotency_key)?;
    let staged = state.service.stage(agent, body.get().as_bytes(), Some(key)).await?;
    told(staged.request)
}

async fn amend(
    state: &AppState,
    agent: &AgentCaller,
    Amending { id, body, idempotency_key }: Amending<'_>,
) -> Result<Answer, Problem> {
    let key = checked_key(&idempotency_key)?;
    let amended = state.service.amend(agent, of(&id)?, body.get().as_bytes(), Some(key)).await?;
    told(amended.request)
}

async fn list_requests(
    state: &AppState,
    agent: &AgentCaller,
    Filter { state: of_state, cursor }: Filter,
) -> Result<Answer, Problem> {
    let page = state.service.agent_requests(agent, of_state, cursor.as_deref()).await?;
    let mut page = page.ok_or_else(|| {
        let detail = "is not one of ours; start again without one";
        Problem::invalid(vec![FieldError::new("/cursor", detail)])
    })?;
    page.requests = page.requests.into_iter().map(next::advised).collect();
    Answer::new("Each request says in `next` what to do.", &page)
}

async fn wait(
    state: &AppState,
    agent: &AgentCaller,
    Waiting { id, seconds }: Waiting,
) -> Result<Answer, Problem> {
    let (id, seconds) = (of(&id)?, seconds.unwrap_or(MAX_WAIT_S));
    if seconds > MAX_WAIT_S {
        let error = FieldError::new("/seconds", "is too large; call again instead");
        return Err(Problem::invalid(vec![error.limit(MAX_WAIT_S)]));
    }
    let _waiting = (seconds > 0).then(|| state.pace.wait(agent.id())).transpose()?;
    let waiting = state.service.wait_for(agent, id, None, Duration::from_secs(seconds));
    tokio::select! {
        request = waiting => told(request?),
        () = state.stopping.cancelled() => present(state, agent, id).await,
    }
}

async fn redeem(
    state: &AppState,
    agent: &AgentCaller,
    Redeeming { id, digest, idempotency_key }: Redeeming,
) -> Result<Answer, Problem> {
    let key = checked_key(&idempotency_key)?;
    let redeemed = state.service.redeem(agent, of(&id)?, digest, key).await?;
    let says = "Carry out exactly what was approved. Hand release_token only to the system that carries it out. Call send_heartbeat well before lease_until, stop on `halt`, and call report_outcome before report_by.";
    Answer::new(says, &redeemed)
}

async fn heartbeat(
    state: &AppState,
    agent: &AgentCaller,
    Beat { id, lease_id }: Beat,
) -> Result<Answer, Problem> {
    let heartbeat = state.service.heartbeat(agent, of(&id)?, lease_id).await?;
    let signal: Signal = heartbeat.signal;
    Answer::new(next::on(signal), &heartbeat)
}

async fn outcome(
    state: &AppState,
    agent: &AgentCaller,
    Report { id, lease_id, status, summary }: Report<Outcome>,
) -> Result<Answer, Problem> {
    let id = of(&id)?;
    state.service.report(agent, id, reported(lease_id, status, summary)).await?;
    present(state, agent, id).await
}

async fn rollback(
    state: &AppState,
    agent: &AgentCaller,
    Report { id, lease_id, status, summary }: Report<RollbackOutcome>,
) -> Result<Answer, Problem> {
    let id = of(&id)?;
    state.service.report_rollback(agent, id, reported(lease_id, status, summary)).await?;
    present(state, agent, id).await
}

/// Evidence is for the routes and the command line, which have files.
fn reported<Status>(lease_id: LeaseId, outcome: Status, summary: String) -> Reported<Status> {
    Reported { lease_id, outcome, summary, evidence: None }
}
