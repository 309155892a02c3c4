//! The policy: which reviews a revision needs, who may review it, whether it may be released.
//!
//! What is here: one Cedar schema, the form that a policy must have, its evaluation, the replay of
//! a draft, and whether a house could ever satisfy it. What is not: the invariants I1 to I12, which
//! are Rust in `domain` and which no policy can loosen; IO, async, clocks.
//!
//! INVARIANT: I5. Any doubt denies. A policy that is not exactly of the form is refused when it is
//! read; an error while deciding is an `Err`, never a "not required" or an "allowed".

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod decide;
mod error;
mod form;
mod parse;
mod replay;
mod rule;
mod satisfy;
mod source;
mod stack;
mod subject;
mod vocabulary;

pub use decide::{Decision, Reason, Reviewer};
pub use error::{PolicyError, PolicyFailure};
pub use parse::Policy;
pub use replay::{Replayed, replay};
pub use rule::{MAX_QUORUM, MAX_REAUTH_S, MIN_REAUTH_S, OWNING_GROUP};
pub use satisfy::{House, Unsatisfiable, could_ever_be_met};
pub use source::{MAX_NESTING, MAX_POLICIES, MAX_TEXT_BYTES, MAX_WORDS_PER_POLICY};
pub use subject::{AgentFacts, Subject, SubjectInput};
pub use vocabulary::SCHEMA;

/// The policy of a new installation.
pub const DEFAULT: &str = include_str!("default.cedar");
