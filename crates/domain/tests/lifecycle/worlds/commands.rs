//! Every command that anybody in the small house can give.

use domain::fact::{RequestAmended, RequestStaged};
use domain::request::SecondVerdict;
use domain::{
    Actor, Command, Ineligible, Outcome, PersonId, Request, ReviewInput, Reviewer, RollbackOutcome,
};

use super::house::at_staging;
use crate::scene::{
    BOB, CAT, EVE, EXECUTOR, LEASE, OTHER_AGENT, OTHER_LEASE, OUTSIDER, OWNER, STAGER, amend,
    amended, at, because, digest, renew, report,
};
use crate::states::{halt, revoke, rollback, second_review};

/// The request that every world starts from: staged at 0, to be reviewed by 110; a release lives
/// 50 s, a lease 100 s, a report is expected within 130 s. So the instants of the search are on the
/// borders of these times, and a heartbeat at 60 moves a lease.
pub fn staged() -> Request {
    let staged = RequestStaged {
        requirements: at_staging(),
        excluded: vec![],
        review_deadline: at(110),
        release_ttl_s: 50,
        lease_ttl_s: 100,
        report_deadline_s: 130,
        ..crate::scene::staged(vec![])
    };
    Request::evolve(None, &domain::RequestFact::RequestStaged(Box::new(staged)), at(0)).unwrap()
}

/// What `person` says of the revision they were shown, `signed_in_s` seconds after signing in.
fn input(person: PersonId, revision: u32, second: i64, signed_in_s: i64) -> ReviewInput {
    ReviewInput {
        reviewer: Reviewer::from_session(person),
        digest: digest(revision),
        shown_at: at(second),
        authenticated_at: at(second - signed_in_s),
        justification: because(),
    }
}

type Says = fn(ReviewInput) -> Command;

/// Everything that `person` can say of `revision` at `second`.
fn verdicts(person: PersonId, revision: u32, second: i64) -> Vec<Command> {
    let approvals: [Says; 2] = [Command::Approve, Command::BreakGlass];
    let others: [Says; 3] = [Command::RequestChanges, Command::Deny, Command::PassOn];
    let mut commands = Vec::new();
    for says in approvals.into_iter().chain(others) {
        commands.push(says(input(person, revision, second, 0)));
    }
    for says in approvals {
        // Shown the other revision, and signed in too long ago.
        commands.push(says(input(person, 3 - revision, second, 0)));
        commands.push(says(input(person, revision, second, 400)));
    }
    commands
}

/// The agent amends once.
const REVISIONS: u32 = 2;

/// Everything that may be asked of `request` at `second`.
pub fn all(request: &Request, second: i64) -> Vec<Command> {
    let mut commands: Vec<Command> = others().into();
    for person in [OWNER, BOB, CAT, EVE] {
        commands.extend(verdicts(person, request.revision, second));
        commands.push(second_review(person, SecondVerdict::Justified));
        commands.push(second_review(person, SecondVerdict::Unjustified));
    }
    if request.revision < REVISIONS {
        commands.push(next_revision(request));
    }
    let revision = request.revision;
    for (executor, revision) in [(EXECUTOR, revision), (OTHER_AGENT, revision), (EXECUTOR, 9)] {
        let (digest, lease_id) = (digest(revision), LEASE);
        commands.push(Command::Redeem { executor, digest, lease_id });
    }
    commands
}

/// Of the second revision CAT is the person that the agent acts for.
fn next_revision(request: &Request) -> Command {
    let excluded = vec![(CAT, Ineligible::ActsOnBehalf)];
    let review_deadline = at(110);
    let next = amended(request.revision + 1, at_staging());
    amend(RequestAmended { excluded, review_deadline, ..next })
}

/// What does not depend on the revision.
fn others() -> [Command; 16] {
    let wrong_lease = Command::Report {
        executor: EXECUTOR,
        lease_id: OTHER_LEASE,
        outcome: Outcome::Succeeded,
        summary: because(),
        evidence: vec![],
    };
    [
        Command::Elapse,
        Command::Void,
        Command::Withdraw { by: Actor::Agent(STAGER) },
        Command::Withdraw { by: Actor::Agent(OTHER_AGENT) },
        revoke(CAT),
        revoke(OUTSIDER),
        halt(BOB),
        halt(OUTSIDER),
        renew(),
        wrong_lease,
        report(Outcome::Succeeded),
        report(Outcome::Failed),
        report(Outcome::Halted),
        rollback(RollbackOutcome::RolledBack),
        rollback(RollbackOutcome::RollbackFailed),
        crate::scene::stage(crate::scene::staged(at_staging())),
    ]
}

/// `person` approves `revision`, having just signed in.
pub fn approve(person: PersonId, revision: u32, second: i64) -> Command {
    Command::Approve(input(person, revision, second, 0))
}
