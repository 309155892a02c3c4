//! `countersign report`: how an execution or its rollback ended, said by whoever looked.

use clap::{Args, ValueEnum};
use domain::RequestId;
use serde_json::json;
use uuid::Uuid;

use super::Access;
use super::api::{Agent, Answer, Call};
use super::requests::put;
use crate::exit::Exit;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Status {
    Succeeded,
    Failed,
    Halted,
    RolledBack,
    RollbackFailed,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Halted => "halted",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
        })
    }
}

/// What to report.
#[derive(Args)]
pub struct Arguments {
    /// The request's id
    id: RequestId,
    /// How it ended, or how undoing it ended
    #[arg(long)]
    status: Status,
    /// What happened, in words for people
    #[arg(long)]
    summary: String,
    /// The lease that redeeming gave; `exec` names it
    #[arg(long, value_name = "LEASE_ID")]
    lease: Uuid,
    #[command(flatten)]
    pub access: Access,
}

/// Reports, and prints the request.
pub async fn report(arguments: Arguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let lease = arguments.lease.to_string();
    let answer = send(&agent, arguments.id, &lease, arguments.status, &arguments.summary).await?;
    put(&answer.document, arguments.access.json);
    Ok(Exit::Done)
}

/// Sends a report. The same again is answered as the first time.
pub async fn send(
    agent: &Agent,
    id: RequestId,
    lease: &str,
    status: Status,
    summary: &str,
) -> anyhow::Result<Answer> {
    let call = match status {
        Status::Succeeded | Status::Failed | Status::Halted => "/outcome",
        Status::RolledBack | Status::RollbackFailed => "/rollback",
    };
    let body = json!({"lease_id": lease, "status": status, "summary": summary});
    let path = Agent::path(id, call);
    agent.send(Call::post(&path, serde_json::to_vec(&body)?)).await
}
