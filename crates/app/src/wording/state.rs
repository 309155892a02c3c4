//! Words for the states of a request and for the lines of its timeline.

use domain::fact::Missed;
use domain::{Outcome, RollbackOutcome, SecondVerdict, StateName};
use service::view::TimelineFact;

use super::person;

/// The state as a word on a page.
pub fn word(state: StateName) -> &'static str {
    match state {
        StateName::Pending => "Pending",
        StateName::ChangesRequested => "Changes requested",
        StateName::Approved => "Approved",
        StateName::Denied => "Denied",
        StateName::Expired => "Expired",
        StateName::Withdrawn => "Withdrawn",
        StateName::Revoked => "Revoked",
        StateName::Lapsed => "Lapsed",
        StateName::Executing => "Executing",
        StateName::Succeeded => "Succeeded",
        StateName::Failed => "Failed",
        StateName::Halted => "Halted",
        StateName::OutcomeUnknown => "Outcome unknown",
        StateName::RolledBack => "Rolled back",
        StateName::RollbackFailed => "Rollback failed",
    }
}

/// Whether somebody has to look into it, whatever else there is to do.
pub fn is_alarm(state: StateName) -> bool {
    match state {
        StateName::OutcomeUnknown | StateName::RollbackFailed => true,
        StateName::Pending
        | StateName::ChangesRequested
        | StateName::Approved
        | StateName::Denied
        | StateName::Expired
        | StateName::Withdrawn
        | StateName::Revoked
        | StateName::Lapsed
        | StateName::Executing
        | StateName::Succeeded
        | StateName::Failed
        | StateName::Halted
        | StateName::RolledBack => false,
    }
}

/// An outcome as a word.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Halted => "halted",
    }
}

/// How undoing it ended, as a clause.
pub fn rollback(outcome: RollbackOutcome) -> &'static str {
    match outcome {
        RollbackOutcome::RolledBack => "it was rolled back",
        RollbackOutcome::RollbackFailed => "rolling it back failed",
    }
}

/// What the second person said of a broken glass.
pub fn second_verdict(verdict: SecondVerdict) -> &'static str {
    match verdict {
        SecondVerdict::Justified => "justified",
        SecondVerdict::Unjustified => "not justified",
    }
}

/// What an actor did, to follow their name. A name or a time in it is shown separately.
pub fn did(fact: &TimelineFact) -> String {
    let plain = match fact {
        TimelineFact::Staged { revision } => return format!("staged revision {revision}"),
        TimelineFact::Amended { revision } => {
            return format!("amended it to revision {revision}; earlier reviews are void");
        }
        TimelineFact::Reviewed { verdict, .. } => person::said(*verdict),
        TimelineFact::SecondReview { verdict } => {
            let verdict = second_verdict(*verdict);
            return format!("looked at the broken glass as the second person: {verdict}");
        }
        TimelineFact::Reported { outcome: reported } => {
            return format!("reported that it {}", outcome(*reported));
        }
        TimelineFact::RollbackReported { outcome } => {
            return format!("reported that {}", rollback(*outcome));
        }
        TimelineFact::Refused { attempt, .. } => {
            return format!("tried to {attempt} and was refused");
        }
        TimelineFact::EvidenceOpened { unmasked: false, .. } => "opened evidence",
        TimelineFact::EvidenceOpened { unmasked: true, .. } => "unmasked evidence",
        TimelineFact::GlassBroken { .. } => "broke the glass: approved alone",
        TimelineFact::SecondReviewMissed { .. } => {
            "nobody looked at the broken glass in time: the right to break it is lost"
        }
        TimelineFact::QuorumMet { .. } => "every review is in: approved",
        TimelineFact::QuorumLost => "the reviews no longer fill every seat: pending again",
        TimelineFact::Expired => "the deadline passed without a decision: expired",
        TimelineFact::Withdrawn => "withdrew the request",
        TimelineFact::Revoked => "revoked the release",
        TimelineFact::Redeemed => "redeemed the release and began",
        TimelineFact::Heartbeat { .. } => "is running",
        TimelineFact::HaltRequested => "asked the executor to halt",
        TimelineFact::OutcomeMissed { missed: Missed::Heartbeat } => {
            "no heartbeat came in time: the outcome is unknown"
        }
        TimelineFact::OutcomeMissed { missed: Missed::Report } => {
            "no report came in time: the outcome is unknown"
        }
        TimelineFact::Lapsed => "the approval was not used in time: lapsed",
        TimelineFact::Voided => "the gate went on from a backup, so the release is void: lapsed",
    };
    plain.to_owned()
}

/// Whether the line is the gate's own, so that no actor stands before it.
pub fn by_the_gate(fact: &TimelineFact) -> bool {
    match fact {
        TimelineFact::QuorumMet { .. }
        | TimelineFact::QuorumLost
        | TimelineFact::SecondReviewMissed { .. }
        | TimelineFact::OutcomeMissed { .. }
        | TimelineFact::Expired
        | TimelineFact::Lapsed
        | TimelineFact::Voided => true,
        TimelineFact::Staged { .. }
        | TimelineFact::Amended { .. }
        | TimelineFact::EvidenceOpened { .. }
        | TimelineFact::Reviewed { .. }
        | TimelineFact::GlassBroken { .. }
        | TimelineFact::SecondReview { .. }
        | TimelineFact::Withdrawn
        | TimelineFact::Revoked
        | TimelineFact::Redeemed
        | TimelineFact::Heartbeat { .. }
        | TimelineFact::HaltRequested
        | TimelineFact::Reported { .. }
        | TimelineFact::RollbackReported { .. }
        | TimelineFact::Refused { .. } => false,
    }
}

/// Whether a text belongs to the fact, so that a missing one was erased.
pub fn has_text(fact: &TimelineFact) -> bool {
    match fact {
        TimelineFact::Reviewed { .. }
        | TimelineFact::SecondReview { .. }
        | TimelineFact::Revoked
        | TimelineFact::HaltRequested
        | TimelineFact::Reported { .. }
        | TimelineFact::RollbackReported { .. } => true,
        TimelineFact::Staged { .. }
        | TimelineFact::Amended { .. }
        | TimelineFact::EvidenceOpened { .. }
        | TimelineFact::GlassBroken { .. }
        | TimelineFact::SecondReviewMissed { .. }
        | TimelineFact::QuorumMet { .. }
        | TimelineFact::QuorumLost
        | TimelineFact::Expired
        | TimelineFact::Withdrawn
        | TimelineFact::Redeemed
        | TimelineFact::Heartbeat { .. }
        | TimelineFact::OutcomeMissed { .. }
        | TimelineFact::Lapsed
        | TimelineFact::Voided
        | TimelineFact::Refused { .. } => false,
    }
}
