//! Each refusal as a sentence for the person who meets it, and as a status.

use axum::http::StatusCode;
use domain::{Ineligible, Refusal, StateName, Timestamp};
use service::act::ActError;
use service::review::ReviewError;

use super::desk::Trouble;
use crate::problem::status;

/// Why a person's form was not recorded: the status, and what to say; or the trouble that leads
/// to a page of its own.
pub(super) fn told(error: ReviewError) -> Result<(StatusCode, String), Trouble> {
    Ok(match error {
        ReviewError::Justification => {
            let text = "Say why, in 3 to 4,000 characters. Nothing was recorded.";
            (StatusCode::UNPROCESSABLE_ENTITY, text.to_owned())
        }
        ReviewError::NotShown => (StatusCode::CONFLICT, not_from_here()),
        ReviewError::WrongPassword => {
            let text = "The password is wrong. Nothing was recorded. If you never had one, set it under Settings.";
            (StatusCode::FORBIDDEN, text.to_owned())
        }
        ReviewError::TooManyAttempts => {
            let text = "Too many attempts. Wait a minute, then try again. Nothing was recorded.";
            (StatusCode::TOO_MANY_REQUESTS, text.to_owned())
        }
        ReviewError::Act(ActError::Refused(refusal)) => (status(&refusal), sentence(&refusal)),
        ReviewError::Act(error) => return Err(error.into()),
    })
}

/// A form that was made for something else than what is there.
pub(super) fn not_from_here() -> String {
    "This form was made for another revision, another person or another server. Nothing was recorded. Read the page again and decide on what it shows now.".to_owned()
}

/// What happened instead, and that nothing was recorded.
fn sentence(refusal: &Refusal) -> String {
    let what = match refusal {
        Refusal::NotPending { state } => not_pending(*state).to_owned(),
        Refusal::NotApproved { state } => not_approved(*state).to_owned(),
        Refusal::NotExecuting { state } => not_executing(*state).to_owned(),
        Refusal::NotEligible { why } => not_eligible(*why).to_owned(),
        Refusal::AlreadyHalting { at } => format!("It was asked to halt already, {}", clock(*at)),
        Refusal::AlreadyRedeemed { at } => format!("It was redeemed already, {}", clock(*at)),
        Refusal::ReauthenticationNeeded { within_s } => {
            let minutes = within_s.div_ceil(60);
            format!(
                "This asks for a sign-in not older than {minutes} minutes: give your password with it"
            )
        }
        other => plain(other).to_owned(),
    };
    format!("{what}. Your decision was not recorded; what you typed is still below.")
}

/// The refusals that are the same whatever they hold.
fn plain(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Changed { .. } => "The agent changed this request after you opened it",
        Refusal::AlreadyReviewed { .. } => "Your verdict on this revision is recorded already",
        Refusal::ShownTooLongAgo => "You opened this page more than 12 hours ago; read it again",
        Refusal::Suspended => "An agent of this request is suspended",
        Refusal::PolicyFailed => {
            "The policy in force could not be asked, so nothing is approved until an administrator mends it"
        }
        Refusal::PolicyForbids => "The policy in force does not permit this release",
        Refusal::MayNotStop => "You have no say in this request, so you cannot stop it",
        Refusal::NotByBreakGlass => {
            "The glass cannot be broken for this: it was already, or it is a change to the house"
        }
        Refusal::NoBreakGlassRight => "You have no right to break the glass, or you lost it",
        Refusal::NothingOwed => "No second review is owed any more",
        Refusal::OwnBreakGlass => "The second review is a second person’s",
        Refusal::NotStager => "Only whoever staged a request withdraws it",
        Refusal::DeadlinePassed => "The review deadline has passed",
        Refusal::Frozen { .. } => "A freeze stops this release",
        Refusal::OutsideWindow { .. } => "It is outside the window of this release",
        Refusal::NothingToRollBack { .. } => "There is no outcome to roll back",
        Refusal::TooManyRevisions { .. } => "It has as many revisions as there may be",
        // What only agents and the gate itself meet, should a person ever do.
        Refusal::NotStaged
        | Refusal::AlreadyStaged
        | Refusal::NotAChange
        | Refusal::NoRequirement
        | Refusal::NotExecutor
        | Refusal::DigestMismatch { .. }
        | Refusal::WrongLease
        | Refusal::NotDue => "This cannot be done to the request as it is now",
        // Told with what they hold.
        Refusal::NotPending { .. }
        | Refusal::NotApproved { .. }
        | Refusal::NotExecuting { .. }
        | Refusal::NotEligible { .. }
        | Refusal::AlreadyHalting { .. }
        | Refusal::AlreadyRedeemed { .. }
        | Refusal::ReauthenticationNeeded { .. } => "The request has moved on",
    }
}

fn not_pending(state: StateName) -> &'static str {
    match state {
        StateName::Expired => {
            "The review deadline passed before your decision arrived, which is a no"
        }
        StateName::Denied => "Somebody denied this request meanwhile",
        StateName::Withdrawn => "The agent withdrew this request meanwhile",
        StateName::ChangesRequested => {
            "Somebody asked for changes meanwhile; until the agent amends it, it can only be denied"
        }
        StateName::Approved
        | StateName::Executing
        | StateName::Succeeded
        | StateName::Failed
        | StateName::Halted
        | StateName::OutcomeUnknown
        | StateName::RolledBack
        | StateName::RollbackFailed => "This request was approved meanwhile",
        StateName::Revoked => "This request was approved and revoked meanwhile",
        StateName::Lapsed => "This request was approved and lapsed meanwhile",
        StateName::Pending => "This request is pending again",
    }
}

fn not_approved(state: StateName) -> &'static str {
    match state {
        StateName::Executing => {
            "It was redeemed meanwhile and runs: there is nothing to revoke, but it can be asked to halt"
        }
        StateName::Succeeded
        | StateName::Failed
        | StateName::Halted
        | StateName::OutcomeUnknown
        | StateName::RolledBack
        | StateName::RollbackFailed => "It was redeemed meanwhile and has ended",
        StateName::Revoked => "It is revoked already",
        StateName::Lapsed => "It lapsed meanwhile, unused",
        StateName::Pending => "An approval no longer counted: it is pending again",
        StateName::ChangesRequested
        | StateName::Approved
        | StateName::Denied
        | StateName::Expired
        | StateName::Withdrawn => "It is not approved, so there is nothing to revoke",
    }
}

fn not_executing(state: StateName) -> &'static str {
    match state {
        StateName::OutcomeUnknown => {
            "Its executor fell silent meanwhile: nobody can tell it to halt any more"
        }
        StateName::Succeeded
        | StateName::Failed
        | StateName::Halted
        | StateName::RolledBack
        | StateName::RollbackFailed => "It ended meanwhile",
        StateName::Approved => "It has not begun: revoke its release instead",
        StateName::Pending
        | StateName::ChangesRequested
        | StateName::Executing
        | StateName::Denied
        | StateName::Expired
        | StateName::Withdrawn
        | StateName::Revoked
        | StateName::Lapsed => "It does not run, so there is nothing to halt",
    }
}

fn not_eligible(why: Ineligible) -> &'static str {
    match why {
        Ineligible::Staged => "You proposed this yourself, so your verdict cannot count",
        Ineligible::OwnsAgent => "You own this agent, so your verdict cannot count",
        Ineligible::ActsOnBehalf => "The agent acts on your behalf, so your verdict cannot count",
        Ineligible::HoldsKey => "You were shown a key of this agent, so your verdict cannot count",
        Ineligible::MadeTrust => {
            "You chose whose tokens speak as this agent, so your verdict cannot count"
        }
        Ineligible::PolicyForbids => "The policy in force does not let you review this request",
        Ineligible::NotInGroup => "You are in no group that may review this request",
    }
}

fn clock(at: Timestamp) -> String {
    at.utc().format("%-d %b %H:%M UTC").to_string()
}
