//! Freezes: switches that stop redemption at once, and may halt what runs already.

use serde::{Deserialize, Serialize};

use crate::{AgentId, FreezeId, Request};

/// A switch that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub id: FreezeId,
    pub scope: FreezeScope,
    /// Executions that run already are told to halt at their next heartbeat.
    pub halts: bool,
}

/// What a freeze stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", content = "name", rename_all = "snake_case")]
pub enum FreezeScope {
    All,
    /// Everything that this agent staged or would execute.
    Agent(AgentId),
    Kind(String),
    Environment(String),
}

impl FreezeScope {
    /// Whether the freeze stops `request`. Changes to the house are exempt: they may be what
    /// ends the emergency.
    pub fn covers(&self, request: &Request) -> bool {
        !request.is_change()
            && match self {
                Self::All => true,
                Self::Agent(agent) => *agent == request.agent || *agent == request.executor,
                Self::Kind(name) => *name == request.kind.name,
                Self::Environment(name) => *name == request.environment,
            }
    }
}
