//! The policy, what a draft would have asked, and the catalogue of kinds.

use domain::kind::EffectPart;
use domain::{Digest, Kind, RequestId, Requirement, Timestamp};
use serde::Serialize;

/// The policy in force and the versions before it.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyView {
    pub now: Timestamp,
    pub current: PolicyVersion,
    /// What the current one may ask for.
    pub asks: Vec<PolicyAsk>,
    /// Every version, the newest first.
    pub versions: Vec<PolicyVersion>,
    /// The viewer may propose another.
    pub may_propose: bool,
    /// A change waits for a second person; otherwise it holds at once.
    pub needs_second_person: bool,
}

/// A requirement as the policy writes it, whatever it is asked of.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyAsk {
    pub id: String,
    /// `None`: the group that owns the kind.
    pub group: Option<String>,
    pub seats: u32,
    /// How old the sign-in of whoever approves may be.
    pub reauth_s: Option<u32>,
    pub why: String,
}

/// One version of the policy.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyVersion {
    pub version: u32,
    pub digest: Digest,
    pub at: Timestamp,
    pub text: String,
}

/// A draft held against the newest requests.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayView {
    /// How many requests it was held against.
    pub replayed: usize,
    /// Of how many the draft asks less.
    pub laxer: usize,
    /// Those that would have fared differently.
    pub rows: Vec<ReplayRow>,
}

/// One request for which the draft and the policy in force differ.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayRow {
    pub request: RequestId,
    pub effect: Vec<EffectPart>,
    /// Asked by the draft only.
    pub added: Vec<Requirement>,
    /// Asked by the policy in force only.
    pub removed: Vec<Requirement>,
    /// Asked by both, but not alike: as it is, as it would be.
    pub changed: Vec<(Requirement, Requirement)>,
    /// Why the policy in force refuses it at staging.
    pub refused: Option<String>,
    /// Why the draft would refuse it at staging.
    pub would_be_refused: Option<String>,
}

/// The catalogue.
#[derive(Clone, Debug, Serialize)]
pub struct KindsView {
    pub kinds: Vec<KindView>,
    /// The base address for copyable commands.
    pub public_url: String,
}

/// One kind in its newest version.
#[derive(Clone, Debug, Serialize)]
pub struct KindView {
    pub version: u32,
    #[serde(flatten)]
    pub kind: Kind,
}
