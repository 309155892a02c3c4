//! What an agent is told about its requests: the shape of the API's answers.

use std::time::Duration;

use domain::risk::{RiskCode, RiskFact};
use domain::{
    Digest, KindRef, RequestId, Risk, RiskLevel, State, StateName, Timestamp, binding_code, quorum,
};
use serde::Serialize;
use store::read::{RequestQuery, Stored};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::lists::{cursor, read_cursor};
use crate::act::ActError;
use crate::caller::AgentCaller;
use crate::current::Decidable;
use crate::stage::Warning;
use crate::wait::Topic;
use crate::{Failure, Service, describe, wait};

/// Requests on one page of the API.
const PAGE: u32 = 50;

/// A request as the API answers it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentRequest {
    #[schema(value_type = describe::Id)]
    pub id: RequestId,
    pub revision: u32,
    #[schema(value_type = describe::Digest)]
    pub digest: Digest,
    #[schema(value_type = describe::Digest)]
    pub content_digest: Digest,
    #[schema(value_type = describe::State)]
    pub state: StateName,
    #[schema(value_type = describe::KindVersion)]
    pub kind: KindRef,
    pub risk: AgentRisk,
    pub binding_code: String,
    pub review_url: String,
    pub status_url: String,
    #[schema(value_type = describe::Time)]
    pub staged_at: Timestamp,
    #[schema(value_type = describe::Time)]
    pub review_deadline: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::Time)]
    pub approved_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::Time)]
    pub redeemed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = describe::Time)]
    pub report_by: Option<Timestamp>,
    /// Somebody asked the running execution to stop.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub halt_requested: bool,
    pub requirements: Vec<AgentRequirement>,
    /// Whether the people who may still review could fill every seat.
    pub can_be_met: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Objection)]
    pub denial: Option<Objection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Objection)]
    pub changes_requested: Option<Objection>,
    /// What the author should look at: only told when it is staged or amended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What the agent should do next, in one sentence.
    pub next: &'static str,
    /// Strong validator of this answer (RFC 9110 §8.8.3).
    #[serde(skip)]
    pub etag: String,
}

/// The computed risk without what it rests on: that may be the doing of other agents.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentRisk {
    #[schema(value_type = describe::RiskLevel)]
    pub level: RiskLevel,
    pub facts: Vec<AgentRiskFact>,
}

/// A fact by name.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct AgentRiskFact {
    #[schema(value_type = describe::RiskCode)]
    pub code: RiskCode,
    #[schema(value_type = describe::RiskLevel)]
    pub level: RiskLevel,
}

impl From<&Risk> for AgentRisk {
    fn from(risk: &Risk) -> Self {
        let fact = |fact: &RiskFact| AgentRiskFact { code: fact.code, level: fact.level };
        Self { level: risk.level, facts: risk.facts.iter().map(fact).collect() }
    }
}

/// A requirement without names of people beyond what the agent's author needs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentRequirement {
    pub id: String,
    pub group: String,
    pub seats: u32,
    pub met: bool,
    pub missing: u32,
    pub who_could: u32,
    pub why: String,
}

/// Why it was denied or is to be changed, and what to do about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Objection {
    #[schema(value_type = describe::Time)]
    pub at: Timestamp,
    pub justification: Option<String>,
    pub retry: &'static str,
}

/// A page of the agent's requests.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentList {
    pub requests: Vec<AgentRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub next_cursor: Option<String>,
}

impl Service {
    /// One request of the agent.
    ///
    /// # Errors
    /// `NotFound` for any that is not its own.
    pub async fn agent_request(
        &self,
        caller: &AgentCaller,
        id: RequestId,
    ) -> Result<AgentRequest, ActError> {
        let now = self.now();
        let house = self.house().await?;
        let stored = self.visible_to_agent(&house, caller, id).await?;
        let decidable = self.decidable(&house, stored, now).await?;
        Ok(self.described(&decidable, now).await?)
    }

    /// The request once it differs from `seen` (an entity tag), or leaves `pending` where nothing
    /// was seen; after `patience` as it is then.
    ///
    /// # Errors
    /// As [`Service::agent_request`].
    pub async fn wait_for(
        &self,
        caller: &AgentCaller,
        id: RequestId,
        seen: Option<&str>,
        patience: Duration,
    ) -> Result<AgentRequest, ActError> {
        let waiter = self.wakers.subscribe(Topic::Request(id));
        let end = Instant::now() + patience;
        loop {
            // Taken before reading: a change between the two is not lost (threats C12).
            let woken = waiter.next();
            let request = self.agent_request(caller, id).await?;
            let done = match seen {
                Some(seen) => request.etag != seen,
                None => request.state != StateName::Pending,
            };
            if done || Instant::now() >= end {
                return Ok(request);
            }
            wait::pause(woken, end).await;
        }
    }

    /// Where an agent reads one of its requests.
    pub(crate) fn status_url(&self, id: RequestId) -> String {
        format!("{}/api/v1/requests/{id}", self.public_url())
    }

    /// The agent's requests, newest first. `None` for a cursor that is not one of ours.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn agent_requests(
        &self,
        caller: &AgentCaller,
        state: Option<StateName>,
        after: Option<&str>,
    ) -> Result<Option<AgentList>, Failure> {
        let before = after.map(read_cursor);
        if before == Some(None) {
            return Ok(None);
        }
        let query = RequestQuery {
            states: state.into_iter().collect(),
            agents: Some(vec![caller.agent]),
            before: before.flatten(),
            limit: PAGE + 1,
            ..RequestQuery::default()
        };
        let mut stored = self.store.list(query).await?;
        let more = stored.len() > PAGE as usize;
        stored.truncate(PAGE as usize);
        let last = stored.last().filter(|_| more);
        let next_cursor = last.map(|last| cursor(last.request.staged_at, last.request.id));
        let now = self.now();
        let house = self.house().await?;
        let scope = self.scope_of(&house, caller);
        let in_scope = |stored: &Stored| {
            scope.is_some_and(|scope| {
                scope.covers(&stored.request.kind.name, &stored.request.environment)
            })
        };
        let mut requests = Vec::new();
        for stored in stored.into_iter().filter(in_scope) {
            let decidable = self.decidable(&house, stored, now).await?;
            requests.push(self.described(&decidable, now).await?);
        }
        Ok(Some(AgentList { requests, next_cursor }))
    }

    pub(crate) async fn described(
        &self,
        decidable: &Decidable,
        now: Timestamp,
    ) -> Result<AgentRequest, Failure> {
        let request = &decidable.stored.request;
        let state = request.state_at(now);
        let base = self.public_url();
        let release = state.release();
        let decided = release.is_some() || state.name() == StateName::Approved;
        let explanation = quorum::explain(request, &decidable.authority);
        let approved_until = match state {
            State::Approved { approved_until, .. } => Some(approved_until),
            _ => None,
        };
        Ok(AgentRequest {
            id: request.id,
            revision: request.revision,
            digest: request.digest,
            content_digest: request.content_digest,
            state: state.name(),
            kind: request.kind.clone(),
            risk: AgentRisk::from(&request.risk),
            binding_code: binding_code::binding_code(&request.digest),
            review_url: format!("{base}/requests/{}", request.id),
            status_url: self.status_url(request.id),
            staged_at: request.staged_at,
            review_deadline: request.review_deadline,
            approved_until,
            redeemed_at: release.map(|release| release.redeemed_at),
            report_by: release.map(|release| release.report_by),
            halt_requested: matches!(state, State::Executing { halt: Some(_), .. }),
            can_be_met: explanation.attainable,
            requirements: requirements(explanation, decided),
            denial: self.denial(decidable, &state).await?,
            changes_requested: self.changes_requested(decidable, &state).await?,
            warnings: Vec::new(),
            next: next(state.name()),
            etag: format!("\"{}-{}\"", decidable.stored.version, state.name().as_str()),
        })
    }

    async fn denial(
        &self,
        decidable: &Decidable,
        state: &State,
    ) -> Result<Option<Objection>, Failure> {
        let State::Denied { at, .. } = state else { return Ok(None) };
        let retry = "Do not retry or route around it: stage again only if what was objected to has changed.";
        self.objection(decidable, *at, retry).await.map(Some)
    }

    async fn changes_requested(
        &self,
        decidable: &Decidable,
        state: &State,
    ) -> Result<Option<Objection>, Failure> {
        let State::ChangesRequested { at, .. } = state else { return Ok(None) };
        let retry = "POST the whole amended stage body to status_url/revisions, or withdraw.";
        self.objection(decidable, *at, retry).await.map(Some)
    }

    /// The words of the review that ended or stopped it: the last one that stands in the ledger.
    async fn objection(
        &self,
        decidable: &Decidable,
        at: Timestamp,
        retry: &'static str,
    ) -> Result<Objection, Failure> {
        let entries = self.store.entries_of(decidable.stored.request.id).await?;
        let text = |entry: &store::read::StoredEntry| {
            let mut texts = entry.texts.iter();
            texts.find(|(field, ..)| field == "justification").map(|(_, _, text)| text.clone())
        };
        Ok(Objection { at, justification: entries.iter().rev().find_map(text), retry })
    }
}

fn requirements(explanation: quorum::Explanation, decided: bool) -> Vec<AgentRequirement> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let status = |need: quorum::RequirementStatus| AgentRequirement {
        met: decided || need.missing() == 0,
        missing: if decided { 0 } else { count(need.missing()) },
        who_could: count(need.could_fill.len()),
        id: need.requirement.id,
        group: need.requirement.group,
        seats: need.requirement.seats,
        why: need.requirement.why,
    };
    explanation.requirements.into_iter().map(status).collect()
}

fn next(state: StateName) -> &'static str {
    match state {
        StateName::Pending => {
            "People decide. Wait with GET on status_url and `Prefer: wait=25`; do not act yet."
        }
        StateName::ChangesRequested => {
            "Read changes_requested.justification, then POST the amended stage body to status_url/revisions. Do not act."
        }
        StateName::Approved => {
            "The executor may redeem: POST status_url/redeem with the digest and an Idempotency-Key, before approved_until."
        }
        StateName::Executing => {
            "Carry the action out: POST status_url/heartbeat with the lease_id well before lease_until, stop on `halt`, then POST status_url/outcome."
        }
        StateName::Denied => "Do not act. Read denial.justification.",
        StateName::Expired => "Nobody decided in time, which is a no. Do not act.",
        StateName::Withdrawn => "It was withdrawn. Do not act.",
        StateName::Revoked => "The approval was revoked. Do not act.",
        StateName::Lapsed => {
            "The approval was not used in time and is dead. Stage again if it is still needed."
        }
        StateName::Succeeded => {
            "Nothing: the outcome is recorded. If it has to be undone, POST status_url/rollback afterwards."
        }
        StateName::Failed | StateName::Halted => {
            "Follow the rollback plan, then POST status_url/rollback with how that ended."
        }
        StateName::OutcomeUnknown => {
            "The lease ended without a report. Find out what happened, then POST status_url/outcome. Never retry blindly."
        }
        StateName::RolledBack | StateName::RollbackFailed => {
            "Nothing: the outcome and its rollback are recorded."
        }
    }
}
