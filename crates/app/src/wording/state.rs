//! Words for the states of a request and for the lines of its timeline.

use domain::{Outcome, StateName};
use service::view::TimelineFact;

/// The state as a word on a page.
pub fn word(state: StateName) -> &'static str {
    match state {
        StateName::Pending => "Pending",
        StateName::Approved => "Approved",
        StateName::Denied => "Denied",
        StateName::Expired => "Expired",
        StateName::Withdrawn => "Withdrawn",
        StateName::Lapsed => "Lapsed",
        StateName::Executing => "Executing",
        StateName::Succeeded => "Succeeded",
        StateName::Failed => "Failed",
    }
}

/// An outcome as a word.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
    }
}

/// What an actor did, to follow their name. A name or a time in it is shown separately.
pub fn did(fact: &TimelineFact) -> String {
    match fact {
        TimelineFact::Staged { revision } => format!("staged revision {revision}"),
        TimelineFact::EvidenceOpened { .. } => "opened evidence".to_owned(),
        TimelineFact::Approved => "approved".to_owned(),
        TimelineFact::Denied => "denied".to_owned(),
        TimelineFact::QuorumMet { .. } => "every review is in: approved".to_owned(),
        TimelineFact::QuorumLost => {
            "the reviews no longer fill every seat: pending again".to_owned()
        }
        TimelineFact::Expired => "the deadline passed without a decision: expired".to_owned(),
        TimelineFact::Withdrawn => "withdrew the request".to_owned(),
        TimelineFact::Redeemed => "redeemed the release and began".to_owned(),
        TimelineFact::Lapsed => "the approval was not used in time: lapsed".to_owned(),
        TimelineFact::Reported { outcome: reported } => {
            format!("reported that it {}", outcome(*reported))
        }
        TimelineFact::Refused { attempt, .. } => format!("tried to {attempt} and was refused"),
    }
}

/// Whether the line is the gate's own, so that no actor stands before it.
pub fn by_the_gate(fact: &TimelineFact) -> bool {
    match fact {
        TimelineFact::QuorumMet { .. }
        | TimelineFact::QuorumLost
        | TimelineFact::Expired
        | TimelineFact::Lapsed => true,
        TimelineFact::Staged { .. }
        | TimelineFact::EvidenceOpened { .. }
        | TimelineFact::Approved
        | TimelineFact::Denied
        | TimelineFact::Withdrawn
        | TimelineFact::Redeemed
        | TimelineFact::Reported { .. }
        | TimelineFact::Refused { .. } => false,
    }
}
