//! The lifecycle: which command is allowed in which state, and what then becomes fact.
//!
//! Total and pure: every (state, command) pair is written out, there is no catch-all arm, and
//! time, actor and authority are arguments. A no is a [`Refusal`] with the reason.

use crate::authority::Authority;
use crate::commitment::Commitment;
use crate::entry::Actor;
use crate::fact::{RequestFact, RequestStaged};
use crate::quorum;
use crate::request::{Outcome, Release, Request, State, Verdict};
use crate::{AgentId, Digest, LeaseId, PersonId, Refusal, Timestamp};

/// How long a rendered page may be decided on: 12 hours.
pub const MAX_SHOWN_S: i64 = 12 * 3600;
/// The longest life of a release token: 300 seconds.
pub const TOKEN_LIFE_S: i64 = 300;

/// A person who may form a verdict.
///
/// SECURITY: I10. Only a signed-in person becomes a reviewer; there is no way from an agent, a key
/// or an [`Actor`] to this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reviewer(PersonId);

impl Reviewer {
    /// The reviewer that a person's own session makes.
    pub fn from_session(person: PersonId) -> Self {
        Self(person)
    }

    /// Who it is.
    pub fn person(self) -> PersonId {
        self.0
    }
}

/// Something that somebody wants to happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Stage(Box<Staging>),
    Approve(ReviewInput),
    Deny(ReviewInput),
    Withdraw {
        by: AgentId,
    },
    Redeem {
        executor: AgentId,
        digest: Digest,
        lease_id: LeaseId,
    },
    Report {
        executor: AgentId,
        lease_id: LeaseId,
        outcome: Outcome,
        summary: Commitment,
    },
    /// Let time take its course: expire or lapse what is due.
    Elapse,
}

/// Everything that staging fixes; see [`RequestStaged`].
#[derive(Clone, Debug, PartialEq)]
pub struct Staging(pub RequestStaged);

/// A verdict as it arrives: by whom, on exactly what, and when it was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewInput {
    pub reviewer: Reviewer,
    pub digest: Digest,
    pub shown_at: Timestamp,
    pub justification: Commitment,
}

/// What the rules rest on besides the request itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub authority: &'a Authority,
}

/// What follows from `command` for `request` at `now`.
///
/// # Errors
/// [`Refusal`] says why nothing follows.
pub fn apply(
    request: Option<&Request>,
    command: Command,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    let Some(request) = request else {
        return match command {
            Command::Stage(staging) => stage(staging.0, context, now),
            Command::Approve(_)
            | Command::Deny(_)
            | Command::Withdraw { .. }
            | Command::Redeem { .. }
            | Command::Report { .. }
            | Command::Elapse => Err(Refusal::NotStaged),
        };
    };
    let state = request.state_at(now);
    match (&state, command) {
        (State::Pending, Command::Approve(input)) => {
            review(request, Verdict::Approve, &input, context, now)
        }
        (State::Pending, Command::Deny(input)) => {
            review(request, Verdict::Deny, &input, context, now)
        }
        (
            State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. },
            Command::Approve(_) | Command::Deny(_),
        ) => Err(Refusal::NotPending { state: state.name() }),

        (State::Pending, Command::Withdraw { by }) if by == request.agent => {
            Ok(vec![RequestFact::RequestWithdrawn { by: Actor::Agent(by) }])
        }
        (State::Pending, Command::Withdraw { .. }) => Err(Refusal::NotStager),
        (
            State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. },
            Command::Withdraw { .. },
        ) => Err(Refusal::NotPending { state: state.name() }),

        (
            State::Approved { approved_until, .. },
            Command::Redeem { executor, digest, lease_id },
        ) => redeem(
            request,
            Redemption { executor, digest, lease_id },
            *approved_until,
            context,
            now,
        ),
        (
            State::Executing { release }
            | State::Succeeded { release, .. }
            | State::Failed { release, .. },
            Command::Redeem { executor, .. },
        ) => Err(if executor == request.executor {
            Refusal::AlreadyRedeemed { at: release.redeemed_at }
        } else {
            Refusal::NotExecutor
        }),
        (
            State::Pending
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. },
            Command::Redeem { executor, .. },
        ) => Err(if executor == request.executor {
            Refusal::NotApproved { state: state.name() }
        } else {
            Refusal::NotExecutor
        }),

        (
            State::Executing { release },
            Command::Report { executor, lease_id, outcome, summary },
        ) => {
            if executor != request.executor {
                Err(Refusal::NotExecutor)
            } else if lease_id != release.lease_id {
                Err(Refusal::WrongLease)
            } else {
                Ok(vec![RequestFact::OutcomeReported { outcome, summary }])
            }
        }
        (
            State::Pending
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. }
            | State::Succeeded { .. }
            | State::Failed { .. },
            Command::Report { .. },
        ) => Err(Refusal::NotExecuting { state: state.name() }),

        (State::Expired { .. }, Command::Elapse) => match request.state {
            State::Pending => {
                Ok(vec![RequestFact::RequestExpired { review_deadline: request.review_deadline }])
            }
            _ => Err(Refusal::NotDue),
        },
        (State::Lapsed { .. }, Command::Elapse) => match request.state {
            State::Approved { approved_until, .. } => {
                Ok(vec![RequestFact::ReleaseLapsed { approved_until }])
            }
            _ => Err(Refusal::NotDue),
        },
        (
            State::Pending
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Withdrawn { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. },
            Command::Elapse,
        ) => Err(Refusal::NotDue),

        (
            State::Pending
            | State::Approved { .. }
            | State::Denied { .. }
            | State::Expired { .. }
            | State::Withdrawn { .. }
            | State::Lapsed { .. }
            | State::Executing { .. }
            | State::Succeeded { .. }
            | State::Failed { .. },
            Command::Stage(_),
        ) => Err(Refusal::AlreadyStaged),
    }
}

fn stage(
    staged: RequestStaged,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    // INVARIANT: I5. A revision that nobody has to review could never be approved.
    let nobody = staged.requirements.is_empty();
    if nobody || staged.requirements.iter().any(|requirement| requirement.seats == 0) {
        return Err(Refusal::NoRequirement);
    }
    if !context.authority.agent_active || !context.authority.executor_active {
        return Err(Refusal::Suspended);
    }
    if staged.review_deadline <= now {
        return Err(Refusal::DeadlinePassed);
    }
    Ok(vec![RequestFact::RequestStaged(Box::new(staged))])
}

fn review(
    request: &Request,
    verdict: Verdict,
    input: &ReviewInput,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    let person = input.reviewer.person();
    // INVARIANT: I4. The verdict names what was shown, and that is what there is.
    if input.digest != request.digest {
        return Err(Refusal::Changed { revision: request.revision, digest: request.digest });
    }
    if input.shown_at > now || now.seconds_since(input.shown_at) > MAX_SHOWN_S {
        return Err(Refusal::ShownTooLongAgo);
    }
    if let Some(why) = context.authority.ineligible(request, person) {
        return Err(Refusal::NotEligible { why });
    }
    let earlier = request.reviews.iter().find(|review| review.reviewer == person);
    if let Some(earlier) = earlier.filter(|review| review.verdict == verdict) {
        return Err(Refusal::AlreadyReviewed { verdict, at: earlier.at });
    }
    let recorded = RequestFact::ReviewRecorded {
        reviewer: person,
        verdict,
        revision: request.revision,
        digest: request.digest,
        shown_at: input.shown_at,
        justification: input.justification,
    };
    // A single denial by an eligible reviewer ends it.
    if verdict == Verdict::Deny {
        return Ok(vec![recorded, RequestFact::RequestDenied { by: person }]);
    }
    let reviewed = Request::evolve(Some(request.clone()), &recorded, now)
        .map_err(|_| Refusal::NotPending { state: request.state.name() })?;
    let mut facts = vec![recorded];
    // INVARIANT: I1. Approved exists only where a complete assignment exists.
    if let Some(seats) = quorum::complete(&reviewed, context.authority) {
        let approved_until = request.approved_until(now);
        facts.push(RequestFact::RequestApproved { digest: request.digest, approved_until, seats });
    }
    Ok(facts)
}

struct Redemption {
    executor: AgentId,
    digest: Digest,
    lease_id: LeaseId,
}

fn redeem(
    request: &Request,
    redemption: Redemption,
    approved_until: Timestamp,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Vec<RequestFact>, Refusal> {
    if redemption.executor != request.executor {
        return Err(Refusal::NotExecutor);
    }
    if !context.authority.agent_active || !context.authority.executor_active {
        return Err(Refusal::Suspended);
    }
    if redemption.digest != request.digest {
        return Err(Refusal::DigestMismatch { digest: request.digest });
    }
    if let Some(window) = request.window
        && (now < window.not_before || now >= window.not_after)
    {
        let (not_before, not_after) = (window.not_before, window.not_after);
        return Err(Refusal::OutsideWindow { not_before, not_after });
    }
    // INVARIANT: I9. The quorum must hold now, not only when it was reached.
    if quorum::complete(request, context.authority).is_none() {
        let ineligible =
            |person: &PersonId| context.authority.ineligible(request, *person).is_some();
        let void = request.approvers().into_iter().filter(ineligible).collect();
        return Ok(vec![RequestFact::QuorumLost { void }]);
    }
    let window_end = request.window.map_or(approved_until, |window| window.not_after);
    let token_expires_at = now.plus_seconds(TOKEN_LIFE_S).min(window_end).min(approved_until);
    let release = Release {
        lease_id: redemption.lease_id,
        redeemed_at: now,
        token_expires_at,
        report_by: now.plus_seconds(i64::from(request.report_deadline_s)),
    };
    Ok(vec![RequestFact::ReleaseRedeemed {
        digest: request.digest,
        executor: redemption.executor,
        release,
    }])
}
