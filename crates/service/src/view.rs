//! What the queries answer: everything a page or the API shows, names resolved, nothing to look up.
//!
//! Plain data. Text that an agent supplied is given as it was staged; making hidden characters
//! visible is the renderer's duty.

mod house;
mod policy;

use domain::fact::Missed;
use domain::kind::{EffectPart, Presenter};
use domain::stage::{ClaimedRisk, RollbackPlan, Window};
use domain::{
    AgentId, Digest, FreezeId, Ineligible, KindRef, Outcome, PersonId, RequestId, Risk, RiskLevel,
    RollbackOutcome, SecondVerdict, State, StateName, Timestamp, Verdict,
};
use serde::Serialize;
use serde_json::Value;

use crate::secret::Finding;

pub use house::{
    AgentRow, AgentsView, DeliveryRow, KeyRow, PeopleView, PersonRow, SettingsView, TrustRow,
    WebhookRow, WebhooksView,
};
pub use policy::{
    KindView, KindsView, PolicyAsk, PolicyVersion, PolicyView, ReplayRow, ReplayView,
};

/// Who is looking, for the header and for what is offered.
#[derive(Clone, Debug)]
pub struct Viewer {
    pub person: PersonId,
    pub name: String,
    /// Member of a group that reviews.
    pub reviewer: bool,
    /// May read the whole ledger and every request.
    pub auditor: bool,
    pub administrator: bool,
    /// Requests that wait for this person, as far as they were counted.
    pub waiting: u64,
    /// More requests are pending than were looked at for it.
    pub more: bool,
    /// The freezes that are on: every page says so.
    pub freezes: Vec<FreezeRow>,
    /// Where somebody broke the glass and nobody has looked at it yet: every page says so.
    pub broken_glass: Vec<BrokenGlassRow>,
}

/// A broken glass that a second person has to look at.
#[derive(Clone, Debug)]
pub struct BrokenGlassRow {
    pub id: RequestId,
    pub effect: Vec<EffectPart>,
    pub by: String,
    pub at: Timestamp,
    pub review_by: Timestamp,
}

/// One request in a list.
#[derive(Clone, Debug)]
pub struct RequestRow {
    pub id: RequestId,
    pub effect: Vec<EffectPart>,
    pub kind: KindRef,
    /// The agent; of a change to the house, the person who proposed it.
    pub agent: String,
    pub environment: String,
    pub risk: RiskLevel,
    pub state: StateName,
    pub staged_at: Timestamp,
    /// When the state it is in ends by itself, or the second review that the viewer owes is missed.
    pub due_at: Option<Timestamp>,
    /// When the last fact was recorded.
    pub changed_at: Timestamp,
    /// Who decided, where people did.
    pub decided_by: Vec<String>,
    pub filled_seats: u32,
    pub seats: u32,
    /// Why the viewer cannot review it, where that is so.
    pub not_you: Option<Ineligible>,
    /// The viewer's own standing verdict.
    pub your_verdict: Option<Verdict>,
    /// The viewer reviewed an earlier revision, and it was amended since.
    pub amended_since_you: bool,
    /// It was approved by break-glass, and the viewer may be the second person who looks at it.
    pub you_owe_second_review: bool,
    pub broken_glass: bool,
}

/// The inbox: what waits for the viewer first.
#[derive(Clone, Debug)]
pub struct InboxView {
    pub now: Timestamp,
    /// Pending, and the viewer may review: soonest deadline within highest risk first.
    pub your_turn: Vec<RequestRow>,
    /// Not ended, but not the viewer's turn; unknown outcomes among them until they are settled.
    pub waiting: Vec<RequestRow>,
    /// Ended within the last 24 hours, newest first.
    pub done: Vec<RequestRow>,
    /// No other request waits for the viewer.
    pub all_looked_at: bool,
    /// More requests are pending than are listed.
    pub more: bool,
    /// Moves whenever this page would show something else.
    pub fingerprint: String,
}

/// A page of past and present requests, newest first.
#[derive(Clone, Debug)]
pub struct HistoryView {
    pub now: Timestamp,
    pub state: Option<StateName>,
    pub query: String,
    pub rows: Vec<RequestRow>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// How many requests there are in each state.
    pub counts: Vec<(StateName, u64)>,
}

/// An agent as shown beside a request.
#[derive(Clone, Debug, Serialize)]
pub struct AgentRef {
    pub id: AgentId,
    pub name: String,
    pub owner: String,
    pub suspended: bool,
}

/// Everything about one request: the page on which people decide.
#[derive(Clone, Debug)]
pub struct RequestView {
    pub now: Timestamp,
    pub id: RequestId,
    pub version: u64,
    pub revision: u32,
    pub digest: Digest,
    pub content_digest: Digest,
    pub binding_code: String,
    pub state: State,
    pub effect: Vec<EffectPart>,
    pub kind: KindRef,
    pub kind_title: String,
    pub reversible: bool,
    pub reversal_note: String,
    pub risk: Risk,
    /// What the kind's size counts.
    pub size_unit: Option<String>,
    pub claimed_risk: ClaimedRisk,
    pub agent: AgentRef,
    pub executor: AgentRef,
    pub on_behalf_of: Option<String>,
    pub environment: String,
    pub targets: Vec<String>,
    pub ticket: Option<String>,
    pub staged_at: Timestamp,
    pub review_deadline: Timestamp,
    pub window: Option<Window>,
    /// The agent's own words.
    pub summary: String,
    pub justification: String,
    /// What will run: parameters, targets, environment, command, window of the revision.
    pub action: Value,
    /// The complete canonical bytes that the digest is over.
    pub canonical: String,
    pub evidence: Vec<EvidenceView>,
    pub rollback_plan: Option<RollbackPlan>,
    pub requirements: Vec<RequirementView>,
    /// People who cannot review this request, by name, with the reason.
    pub excluded: Vec<(String, Ineligible)>,
    pub timeline: Vec<TimelineItem>,
    pub decision: DecisionView,
    /// The viewer's own standing verdict.
    pub your_verdict: Option<Verdict>,
    /// What the executor reported.
    pub outcome: Option<OutcomeView>,
    /// How undoing it ended.
    pub rollback: Option<RollbackView>,
    /// Whether the people who may still review could fill every seat.
    pub attainable: bool,
    pub stop: StopView,
    pub break_glass: Option<BreakGlassView>,
    /// Where in the request itself something looks like a secret, by pointer.
    pub secrets: Vec<(String, Vec<Finding>)>,
    /// What the current revision changed, if it is not the first.
    pub amendment: Option<AmendmentView>,
    /// The person who proposed it, where it is a change to the house.
    pub staged_by: Option<String>,
    /// What that would change, where it replaces something.
    pub proposal: Option<ProposalView>,
}

/// A change to the policy or to a kind, held against the version that it replaces.
#[derive(Clone, Debug)]
pub struct ProposalView {
    pub replaces: u32,
    pub changes: Vec<FieldChange>,
    /// While people decide on a policy: what it would have asked of the newest requests.
    pub replay: Option<ReplayView>,
}

/// What the viewer may stop, and what stops it already.
#[derive(Clone, Debug)]
pub struct StopView {
    /// Approved and unused: the viewer may take the release back.
    pub may_revoke: bool,
    /// Executing: the viewer may ask it to halt.
    pub may_halt: bool,
    /// Open, and staged by the viewer.
    pub may_withdraw: bool,
    /// Who asked the running execution to halt, and when.
    pub halt: Option<(String, Timestamp)>,
    /// The freezes that cover this request.
    pub freezes: Vec<FreezeRow>,
}

/// A freeze that is on.
#[derive(Clone, Debug, Serialize)]
pub struct FreezeRow {
    pub id: FreezeId,
    pub scope: FreezeScopeView,
    pub halts: bool,
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

/// What a freeze stops, with names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeScopeView {
    All,
    Agent(String),
    Kind(String),
    Environment(String),
}

/// The page of freezes.
#[derive(Clone, Debug, Serialize)]
pub struct FreezesView {
    pub now: Timestamp,
    pub freezes: Vec<FreezeRow>,
    /// The viewer may freeze.
    pub may_freeze: bool,
    /// The viewer may end a freeze.
    pub may_thaw: bool,
    /// For the form: agents, kinds and environments that there are.
    pub agents: Vec<(AgentId, String)>,
    pub kinds: Vec<String>,
    pub environments: Vec<String>,
}

/// An approval that one person gave in place of all requirements.
#[derive(Clone, Debug)]
pub struct BreakGlassView {
    pub by: String,
    pub at: Timestamp,
    /// Until when a second person has to have looked at it.
    pub review_by: Timestamp,
    pub second_review: SecondReviewView,
    /// Where the viewer may be that second person: that this page was rendered for them.
    pub shown: Option<String>,
}

/// The second review of a broken glass.
#[derive(Clone, Debug)]
pub enum SecondReviewView {
    Owed,
    Missed,
    Done { by: String, at: Timestamp, verdict: SecondVerdict },
}

/// What an amendment changed.
#[derive(Clone, Debug)]
pub struct AmendmentView {
    /// The revision that it is held against.
    pub since: u32,
    /// That is the revision which the viewer reviewed last.
    pub reviewed_by_you: bool,
    pub changes: Vec<FieldChange>,
    /// The pieces of evidence, by name, in which what is masked is not what was masked before.
    pub masked_otherwise: Vec<String>,
}

/// One field, old and new.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// JSON Pointer (RFC 6901) into the revision.
    pub pointer: String,
    /// `None`: it was not there.
    pub before: Option<Value>,
    /// `None`: it is gone.
    pub after: Option<Value>,
}

/// One piece of evidence; its content only once the viewer has opened it.
#[derive(Clone, Debug)]
pub struct EvidenceView {
    pub evidence_type: String,
    pub name: String,
    pub media_type: String,
    pub digest: Digest,
    pub size_bytes: u64,
    pub source: Option<String>,
    pub collected_at: Option<Timestamp>,
    /// The kind asks for this type.
    pub required: bool,
    /// How the kind wants it shown.
    pub presenter: Option<Presenter>,
    /// When the viewer opened it.
    pub opened_at: Option<Timestamp>,
    /// What is masked in the content, or would be, had the viewer not had it shown.
    pub secrets: Vec<Finding>,
    /// When the viewer had shown what is masked.
    pub unmasked_at: Option<Timestamp>,
    /// The viewer may have it shown.
    pub may_unmask: bool,
    pub content: Option<EvidenceContent>,
}

/// Evidence as a page can show it.
#[derive(Clone, Debug)]
pub enum EvidenceContent {
    /// Text, whole.
    Text(String),
    /// Not text, or more than a page should hold: to be downloaded. Nobody looked for secrets in it.
    Download,
}

/// One requirement: what it asks, who fills it, who could.
#[derive(Clone, Debug)]
pub struct RequirementView {
    pub id: String,
    pub group: String,
    pub seats: u32,
    pub why: String,
    pub filled_by: Vec<(String, Timestamp)>,
    pub could_fill: Vec<String>,
}

/// One line of the timeline, from one ledger entry.
#[derive(Clone, Debug)]
pub struct TimelineItem {
    pub at: Timestamp,
    pub index: u64,
    pub actor: String,
    pub what: TimelineFact,
    /// The free text that belongs to it; `None` also where it was erased.
    pub text: Option<String>,
}

/// What a timeline line says. Evidence has no name where the present revision does not name it.
#[derive(Clone, Debug)]
pub enum TimelineFact {
    Staged { revision: u32 },
    EvidenceOpened { name: Option<String>, evidence: Digest, unmasked: bool },
    Amended { revision: u32 },
    Reviewed { verdict: Verdict, revision: u32 },
    GlassBroken { until: Timestamp, review_by: Timestamp },
    SecondReview { verdict: SecondVerdict },
    SecondReviewMissed { due: Timestamp },
    QuorumMet { until: Timestamp },
    QuorumLost,
    Expired,
    Withdrawn,
    Revoked,
    Redeemed,
    Heartbeat { until: Timestamp },
    HaltRequested,
    OutcomeMissed { missed: Missed },
    Lapsed,
    Voided,
    Reported { outcome: Outcome },
    RollbackReported { outcome: RollbackOutcome },
    Refused { attempt: &'static str, code: String },
}

/// Whether the viewer may decide, and if not, why.
#[derive(Clone, Debug)]
pub enum DecisionView {
    Open(DecisionForm),
    /// The viewer's verdict stands; until it is decided they may change their mind.
    Reviewed {
        verdict: Verdict,
        at: Timestamp,
        form: DecisionForm,
    },
    /// Not open any more.
    Over,
    /// The viewer may not; where they may break the glass, the form for that.
    NotYou {
        why: Ineligible,
        form: Option<DecisionForm>,
    },
}

/// What the viewer may say, and what it takes.
#[derive(Clone, Debug)]
pub struct DecisionForm {
    /// The signed token: when this page was rendered, for whom, with which digest.
    pub shown: String,
    pub verdicts: Vec<Verdict>,
    /// The policy asks for a fresher sign-in than the viewer's: approving takes the password.
    pub approve_needs_password: bool,
    /// The viewer may approve alone, in place of all requirements.
    pub break_glass: bool,
    pub break_glass_needs_password: bool,
}

/// How undoing it ended.
#[derive(Clone, Debug)]
pub struct RollbackView {
    pub outcome: RollbackOutcome,
    pub at: Timestamp,
    pub summary: Option<String>,
    pub evidence: Vec<EvidenceView>,
}

/// What the executor reported.
#[derive(Clone, Debug)]
pub struct OutcomeView {
    pub outcome: Outcome,
    pub at: Timestamp,
    pub summary: Option<String>,
    pub evidence: Vec<EvidenceView>,
}

/// A page of the ledger, newest first.
#[derive(Clone, Debug)]
pub struct LedgerView {
    pub now: Timestamp,
    pub size: u64,
    pub root: Digest,
    pub checkpoint: Option<CheckpointView>,
    pub rows: Vec<LedgerRow>,
    /// Start of the next older page: entries below this index.
    pub older: Option<u64>,
    pub newer: Option<u64>,
}

/// The newest signed tree head.
#[derive(Clone, Debug)]
pub struct CheckpointView {
    pub size: u64,
    pub root: Digest,
    pub issued_at: Timestamp,
    /// The public key that it is signed by, in the form `NAME+KEYID+BASE64`.
    pub key: String,
}

/// One entry as listed.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    pub index: u64,
    pub at: Timestamp,
    pub fact: String,
    pub actor: String,
    pub request: Option<RequestId>,
    pub leaf: Digest,
    /// The canonical bytes.
    pub canonical: String,
    /// The texts behind its commitments: field, and the text unless erased.
    pub texts: Vec<(String, Option<String>)>,
}
