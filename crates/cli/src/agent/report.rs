//! `countersign report`: how an execution or its rollback ended, said by whoever looked.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use domain::RequestId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Agent, Answer, Call, Until};
use super::requests::put;
use super::{Access, evidence};
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

/// What a report says.
pub struct Said<'a> {
    pub status: Status,
    pub summary: &'a str,
    /// As in a stage body.
    pub evidence: Vec<Value>,
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
    /// A file that shows it; its type is the file's name without its end
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    #[command(flatten)]
    pub access: Access,
}

/// Reports, and prints the request.
pub async fn report(arguments: Arguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let lease = arguments.lease.to_string();
    let mut evidence = Vec::new();
    for file in &arguments.evidence {
        evidence.push(uploaded(&agent, file).await?);
    }
    let said = Said { status: arguments.status, summary: &arguments.summary, evidence };
    let answer = send(&agent, arguments.id, &lease, said, agent.patiently()).await?;
    put(&answer.document, arguments.access.json);
    Ok(Exit::Done)
}

async fn uploaded(agent: &Agent, file: &Path) -> anyhow::Result<Value> {
    let digest = evidence::upload(agent, file).await?["digest"].take();
    let (stem, name) = (evidence::type_of(file), evidence::name_of(file));
    let media_type = evidence::media_type(file);
    Ok(json!({"type": stem, "name": name, "media_type": media_type, "digest": digest}))
}

/// Sends a report. The same again is answered as the first time.
pub async fn send(
    agent: &Agent,
    id: RequestId,
    lease: &str,
    said: Said<'_>,
    until: Until,
) -> anyhow::Result<Answer> {
    let Said { status, summary, evidence } = said;
    let call = match status {
        Status::Succeeded | Status::Failed | Status::Halted => "/outcome",
        Status::RolledBack | Status::RollbackFailed => "/rollback",
    };
    let mut body = json!({"lease_id": lease, "status": status, "summary": summary});
    if !evidence.is_empty() {
        body["evidence"] = evidence.into();
    }
    let path = Agent::path(id, call);
    agent.send_until(Call::post(&path, serde_json::to_vec(&body)?), until).await
}
