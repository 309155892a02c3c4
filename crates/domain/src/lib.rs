//! The pure rules of the gate.
//!
//! What is here: the lifecycle (`apply`), the quorum, the canonical form and its digests, the
//! catalogue of kinds, the computed risk, the ledger's entries and its Merkle tree.
//! What is not: IO, async, clocks, randomness, SQL, HTTP. Time, identity and authority are
//! arguments; the same input gives the same answer, on a server and in a browser.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod apply;
pub mod audit;
pub mod authority;
pub mod binding_code;
pub mod canonical;
pub mod checkpoint;
pub mod commitment;
pub mod digest;
pub mod entry;
pub mod export;
pub mod fact;
pub mod freeze;
pub mod hidden;
pub mod id;
pub mod kind;
pub mod merkle;
pub mod name;
pub mod note;
pub mod quorum;
pub mod refusal;
pub mod request;
pub mod revision;
pub mod risk;
pub mod scope;
pub mod stage;
pub mod state;
pub mod time;
pub mod tlog_proof;
pub mod trust;

pub use apply::{Amendment, Command, Context, ReviewInput, Reviewer, Signal, Staging, apply};
pub use authority::{Authority, Ineligible, Ruling};
pub use checkpoint::Checkpoint;
pub use commitment::Commitment;
pub use digest::Digest;
pub use entry::{Actor, Entry, Fact};
pub use fact::RequestFact;
pub use freeze::{Freeze, FreezeScope};
pub use id::{
    AgentId, FreezeId, InstanceId, KeyId, LeaseId, PersonId, RequestId, TrustId, WebhookId,
};
pub use kind::{Kind, KindRef};
pub use quorum::Requirement;
pub use refusal::Refusal;
pub use request::{Request, Review, SecondVerdict, Verdict};
pub use revision::Revision;
pub use risk::{Risk, RiskLevel};
pub use scope::Scope;
pub use stage::StageBody;
pub use state::{Outcome, RollbackOutcome, State, StateName};
pub use time::Timestamp;
