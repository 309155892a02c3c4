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
pub mod stage;
pub mod time;
pub mod tlog_proof;

pub use apply::{Command, Context, ReviewInput, Reviewer, Staging, apply};
pub use authority::{Authority, Ineligible};
pub use checkpoint::Checkpoint;
pub use commitment::Commitment;
pub use digest::Digest;
pub use entry::{Actor, Entry, Fact};
pub use fact::RequestFact;
pub use id::{AgentId, InstanceId, KeyId, LeaseId, PersonId, RequestId};
pub use kind::{Kind, KindRef};
pub use quorum::Requirement;
pub use refusal::Refusal;
pub use request::{Outcome, Request, Review, State, StateName, Verdict};
pub use revision::Revision;
pub use risk::{Risk, RiskLevel};
pub use stage::StageBody;
pub use time::Timestamp;
