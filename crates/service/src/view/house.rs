//! Who is in the house, by what they get in, and which endpoints are told.

use std::collections::BTreeMap;

use domain::{KeyId, PersonId, Scope, Timestamp, TrustId, WebhookId};
use serde::Serialize;

use super::AgentRef;

/// Every agent.
#[derive(Clone, Debug, Serialize)]
pub struct AgentsView {
    pub now: Timestamp,
    pub agents: Vec<AgentRow>,
    /// People who may own an agent, for the form of an administrator.
    pub people: Vec<(PersonId, String)>,
}

/// One agent with its keys.
#[derive(Clone, Debug, Serialize)]
pub struct AgentRow {
    pub agent: AgentRef,
    pub pending: u64,
    /// None for whoever may not know of them.
    pub keys: Option<Vec<KeyRow>>,
    /// None for whoever may not know of them.
    pub trusts: Option<Vec<TrustRow>>,
}

/// A trust that stands: whose tokens speak as the agent.
#[derive(Clone, Debug, Serialize)]
pub struct TrustRow {
    pub id: TrustId,
    pub issuer: String,
    pub audience: String,
    pub claims: BTreeMap<String, String>,
    pub scope: Scope,
    /// The issuer's keys came with it, and the issuer is never asked.
    pub has_keys: bool,
    pub added_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// One API key, never the key itself.
#[derive(Clone, Debug, Serialize)]
pub struct KeyRow {
    pub id: KeyId,
    pub hint: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub live: bool,
    pub scope: Scope,
}

/// What a person sets for themselves.
#[derive(Clone, Debug)]
pub struct SettingsView {
    pub now: Timestamp,
    /// An auditor, who may read the ledger by a program.
    pub may_have_keys: bool,
    /// Their own keys, the newest first.
    pub keys: Vec<KeyRow>,
}

/// Every person.
#[derive(Clone, Debug, Serialize)]
pub struct PeopleView {
    pub people: Vec<PersonRow>,
    pub groups: Vec<String>,
}

/// One person with the groups they are in.
#[derive(Clone, Debug, Serialize)]
pub struct PersonRow {
    pub id: PersonId,
    pub name: String,
    pub groups: Vec<String>,
    pub active: bool,
    pub has_password: bool,
    pub added_at: Timestamp,
}

/// The page of endpoints.
#[derive(Clone, Debug, Serialize)]
pub struct WebhooksView {
    pub now: Timestamp,
    pub webhooks: Vec<WebhookRow>,
    /// Every type of event, and when it is sent.
    pub events: Vec<(&'static str, &'static str)>,
}

/// An endpoint, and how far it was told.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookRow {
    pub id: WebhookId,
    pub name: String,
    pub url: String,
    /// The types of event it is told of; none stands for all.
    pub events: Vec<String>,
    pub added_at: Timestamp,
    /// It answered that it is gone, and is told nothing any more.
    pub disabled_at: Option<Timestamp>,
    /// Until when the secret before signs too.
    pub overlap_until: Option<Timestamp>,
    pub waiting: u64,
    pub dead: u64,
    /// The newest first.
    pub deliveries: Vec<DeliveryRow>,
}

/// What an endpoint was told, or will be.
#[derive(Clone, Debug, Serialize)]
pub struct DeliveryRow {
    pub index: u64,
    pub event: &'static str,
    pub state: &'static str,
    pub attempts: u32,
    /// The last answer: a status, or why there was none.
    pub answer: Option<String>,
    pub last_at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
}
