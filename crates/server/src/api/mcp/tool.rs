//! The tools: their names, what a model is told of each, and what they may do.
//!
//! INVARIANT: I10. None decides. Approving, denying, revoking and freezing ask for a person, whom
//! no key of an agent can become; a tool for them could not be written, and is not to be.

use rmcp::model::{self, ToolAnnotations};

use super::schema;

/// A tool. Names are kept: programs and prompts have them in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    ListKinds,
    GetKind,
    AddEvidence,
    ValidateRequest,
    StageRequest,
    ListRequests,
    GetRequest,
    WaitForDecision,
    AmendRequest,
    WithdrawRequest,
    RedeemRelease,
    SendHeartbeat,
    ReportOutcome,
    ReportRollback,
}

/// What a call may do to what is there.
enum Effect {
    /// Nothing.
    Reads,
    /// Adds; the same call again adds nothing.
    Adds,
    /// Adds something with each call.
    Renews,
    /// Uses something up or ends it; the same call again does nothing more.
    Spends,
}

impl Tool {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 14] = [
        Self::ListKinds,
        Self::GetKind,
        Self::AddEvidence,
        Self::ValidateRequest,
        Self::StageRequest,
        Self::ListRequests,
        Self::GetRequest,
        Self::WaitForDecision,
        Self::AmendRequest,
        Self::WithdrawRequest,
        Self::RedeemRelease,
        Self::SendHeartbeat,
        Self::ReportOutcome,
        Self::ReportRollback,
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::ListKinds => "list_kinds",
            Self::GetKind => "get_kind",
            Self::AddEvidence => "add_evidence",
            Self::ValidateRequest => "validate_request",
            Self::StageRequest => "stage_request",
            Self::ListRequests => "list_requests",
            Self::GetRequest => "get_request",
            Self::WaitForDecision => "wait_for_decision",
            Self::AmendRequest => "amend_request",
            Self::WithdrawRequest => "withdraw_request",
            Self::RedeemRelease => "redeem_release",
            Self::SendHeartbeat => "send_heartbeat",
            Self::ReportOutcome => "report_outcome",
            Self::ReportRollback => "report_rollback",
        }
    }

    /// What a client is told of the tool.
    pub fn definition(self) -> model::Tool {
        let (read_only, destructive, idempotent) = match self.effect() {
            Effect::Reads => (true, false, true),
            Effect::Adds => (false, false, true),
            Effect::Renews => (false, false, false),
            Effect::Spends => (false, true, true),
        };
        let hints = ToolAnnotations::new()
            .read_only(read_only)
            .destructive(destructive)
            .idempotent(idempotent)
            .open_world(false);
        model::Tool::new(self.name(), self.description(), schema::input(self))
            .with_title(self.title())
            .with_raw_output_schema(schema::output(self).into())
            .with_annotations(hints)
    }

    fn effect(self) -> Effect {
        match self {
            Self::ListKinds
            | Self::GetKind
            | Self::ValidateRequest
            | Self::ListRequests
            | Self::GetRequest
            | Self::WaitForDecision => Effect::Reads,
            Self::AddEvidence | Self::StageRequest | Self::ReportOutcome | Self::ReportRollback => {
                Effect::Adds
            }
            Self::SendHeartbeat => Effect::Renews,
            Self::AmendRequest | Self::WithdrawRequest | Self::RedeemRelease => Effect::Spends,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::ListKinds => "List kinds",
            Self::GetKind => "Get a kind",
            Self::AddEvidence => "Add evidence",
            Self::ValidateRequest => "Validate a request",
            Self::StageRequest => "Stage a request",
            Self::ListRequests => "List requests",
            Self::GetRequest => "Get a request",
            Self::WaitForDecision => "Wait for a decision",
            Self::AmendRequest => "Amend a request",
            Self::WithdrawRequest => "Withdraw a request",
            Self::RedeemRelease => "Redeem a release",
            Self::SendHeartbeat => "Send a heartbeat",
            Self::ReportOutcome => "Report the outcome",
            Self::ReportRollback => "Report the rollback",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::ListKinds => "The sorts of action that can be staged.",
            Self::GetKind => {
                "One kind: the schema of its parameters, the evidence it asks for, who executes it, and `example`, a complete body that stage_request takes as it is."
            }
            Self::AddEvidence => {
                "Keeps a text (a plan, a diff, a log) and answers its digest, to be named in `evidence` of a body. Staged within 24 hours, or removed. Texts up to 64 KiB can stand in the body itself, as `content`."
            }
            Self::ValidateRequest => {
                "Tries a body out: what is wrong with it, or who would have to approve it. Stores nothing."
            }
            Self::StageRequest => {
                "Stages the action for people to decide on. This does not carry anything out and approves nothing. Pointers in errors are into `body`. Numbers are integers within ±9007199254740991; others are sent as strings."
            }
            Self::ListRequests => "What you staged, the newest first, 50 a page.",
            Self::GetRequest => "A request that you staged or execute, as it is now.",
            Self::WaitForDecision => {
                "Waits while a request is pending, 25 seconds at most, and answers it as it is then. Call it again while `state` is `pending`: people need minutes or days."
            }
            Self::AmendRequest => {
                "Puts another body in the place of a request's, while it is pending or changes are requested. Every review of the old one is void."
            }
            Self::WithdrawRequest => "Takes back a request that nobody has decided on yet.",
            Self::RedeemRelease => {
                "Uses up the approval of exactly this digest, once, and opens the lease under which you carry the action out. The answer has `release_token`, the proof of the approval: hand it to the system that carries the action out, and to nobody and nothing else; keep it out of messages, files and logs."
            }
            Self::SendHeartbeat => {
                "Says that the execution is alive, and answers whether to go on or to halt. Send one every third of the lease."
            }
            Self::ReportOutcome => {
                "Records how the execution ended. People read the summary; say what happened, not what was meant to."
            }
            Self::ReportRollback => "Records how undoing it ended.",
        }
    }
}
