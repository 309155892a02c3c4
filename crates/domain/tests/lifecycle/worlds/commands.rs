//! Every command that anybody in the small house can give.

use domain::fact::{RequestAmended, RequestStaged};
use domain::request::SecondVerdict;
use domain::{
    Actor, Command, Digest, Ineligible, LeaseId, Outcome, PersonId, Request, RequestFact,
    ReviewInput, Reviewer, RollbackOutcome,
};

use super::house::at_staging;
use super::which::Which;
use crate::scene::{BOB, CAT, EVE, EXECUTOR, OUTSIDER, OWNER, amend, amended, at, because, digest};
use crate::states::{halt, revoke, second_review};

/// How a request begins: staged at 0, the first to be reviewed by 110; a release lives 50 s, a lease
/// 100 s, a report is expected within 130 s. So the instants of the search are on the borders of
/// these times, and a heartbeat at 60 moves a lease.
pub fn staged(which: Which) -> RequestFact {
    RequestFact::RequestStaged(Box::new(RequestStaged {
        request: which.id(),
        staged_by: Actor::Agent(which.stager()),
        agent: which.stager(),
        kind: which.kind(),
        environment: which.environment().into(),
        digest: which.digest(1),
        content_digest: which.digest(1),
        requirements: at_staging(),
        excluded: vec![],
        review_deadline: at(which.review_deadline_s()),
        release_ttl_s: 50,
        lease_ttl_s: 100,
        report_deadline_s: 130,
        ..crate::scene::staged(vec![])
    }))
}

/// What `person` says of what they were shown, `signed_in_s` seconds after signing in.
fn input(person: PersonId, digest: Digest, second: i64, signed_in_s: i64) -> ReviewInput {
    ReviewInput {
        reviewer: Reviewer::from_session(person),
        digest,
        shown_at: at(second),
        authenticated_at: at(second - signed_in_s),
        justification: because(),
    }
}

type Says = fn(ReviewInput) -> Command;

/// Everything that `person` can say of `request` at `second`.
fn verdicts(person: PersonId, request: &Request, second: i64) -> Vec<Command> {
    let approvals: [Says; 2] = [Command::Approve, Command::BreakGlass];
    let others: [Says; 3] = [Command::RequestChanges, Command::Deny, Command::PassOn];
    let other_revision = Which::of(request).digest(3 - request.revision);
    let mut commands = Vec::new();
    for says in approvals.into_iter().chain(others) {
        commands.push(says(input(person, request.digest, second, 0)));
    }
    for says in approvals {
        // Shown the other revision, and signed in too long ago.
        commands.push(says(input(person, other_revision, second, 0)));
        commands.push(says(input(person, request.digest, second, 400)));
    }
    commands
}

/// The agent amends once.
const REVISIONS: u32 = 2;

/// Everything that may be asked of `request` at `second`.
pub fn all(request: &Request, second: i64) -> Vec<Command> {
    let which = Which::of(request);
    let mut commands: Vec<Command> = others(which).into();
    for person in [OWNER, BOB, CAT, EVE] {
        commands.extend(verdicts(person, request, second));
        commands.push(second_review(person, SecondVerdict::Justified));
        commands.push(second_review(person, SecondVerdict::Unjustified));
    }
    commands.extend(next_revision(request));
    let digest_of_none = digest(9);
    for (executor, digest) in [
        (EXECUTOR, request.digest),
        (which.other().stager(), request.digest),
        (EXECUTOR, digest_of_none),
    ] {
        commands.push(Command::Redeem { executor, digest, lease_id: which.lease() });
    }
    commands
}

/// Of the second revision CAT is the person that the agent acts for.
fn next_revision(request: &Request) -> Option<Command> {
    let (which, revision) = (Which::of(request), request.revision + 1);
    let next = RequestAmended {
        amended_by: request.staged_by,
        environment: which.environment().into(),
        digest: which.digest(revision),
        content_digest: which.digest(revision),
        excluded: vec![(CAT, Ineligible::ActsOnBehalf)],
        review_deadline: request.review_deadline,
        ..amended(revision, at_staging())
    };
    (revision <= REVISIONS).then(|| amend(next))
}

/// What does not depend on the revision.
fn others(which: Which) -> [Command; 16] {
    let lease = which.lease();
    [
        Command::Elapse,
        Command::Void,
        Command::Withdraw { by: Actor::Agent(which.stager()) },
        Command::Withdraw { by: Actor::Agent(which.other().stager()) },
        revoke(CAT),
        revoke(OUTSIDER),
        halt(BOB),
        halt(OUTSIDER),
        renew(lease),
        report(which.other().lease(), Outcome::Succeeded),
        report(lease, Outcome::Succeeded),
        report(lease, Outcome::Failed),
        report(lease, Outcome::Halted),
        rollback(lease, RollbackOutcome::RolledBack),
        rollback(lease, RollbackOutcome::RollbackFailed),
        crate::scene::stage(crate::scene::staged(at_staging())),
    ]
}

fn renew(lease_id: LeaseId) -> Command {
    Command::Renew { executor: EXECUTOR, lease_id }
}

fn report(lease_id: LeaseId, outcome: Outcome) -> Command {
    Command::Report { executor: EXECUTOR, lease_id, outcome, summary: because(), evidence: vec![] }
}

fn rollback(lease_id: LeaseId, outcome: RollbackOutcome) -> Command {
    Command::ReportRollback {
        executor: EXECUTOR,
        lease_id,
        outcome,
        summary: because(),
        evidence: vec![],
    }
}

/// `person` approves what `request` is now, having just signed in.
pub fn approve(person: PersonId, request: &Request, second: i64) -> Command {
    Command::Approve(input(person, request.digest, second, 0))
}

/// EVE breaks the glass for what `request` is now, having just signed in.
pub fn break_glass(request: &Request, second: i64) -> Command {
    Command::BreakGlass(input(EVE, request.digest, second, 0))
}

/// The executor redeems what `request` is now.
pub fn redeem(request: &Request) -> Command {
    let lease_id = Which::of(request).lease();
    Command::Redeem { executor: EXECUTOR, digest: request.digest, lease_id }
}

/// What is asked of `request` where there is another one beside it: of each sort the command that
/// leads somewhere.
pub fn few(request: &Request, second: i64) -> Vec<Command> {
    let which = Which::of(request);
    let mut commands = vec![
        approve(BOB, request, second),
        approve(CAT, request, second),
        break_glass(request, second),
        Command::Deny(input(CAT, request.digest, second, 0)),
        second_review(BOB, SecondVerdict::Justified),
        Command::Withdraw { by: Actor::Agent(which.stager()) },
        revoke(CAT),
        redeem(request),
        halt(BOB),
        report(which.lease(), Outcome::Succeeded),
        Command::Void,
        Command::Elapse,
    ];
    commands.extend(next_revision(request).filter(|_| which == Which::First));
    commands
}

/// What is asked beside that in a larger world.
pub fn more(request: &Request, second: i64) -> Vec<Command> {
    let lease = Which::of(request).lease();
    let amend = next_revision(request).filter(|_| Which::of(request) == Which::Second);
    let others = [
        approve(EVE, request, second),
        Command::RequestChanges(input(BOB, request.digest, second, 0)),
        second_review(BOB, SecondVerdict::Unjustified),
        renew(lease),
        report(lease, Outcome::Failed),
        rollback(lease, RollbackOutcome::RolledBack),
    ];
    amend.into_iter().chain(others).collect()
}

/// What would be right for `other`, or is `other`'s, and is asked of the request beside it.
pub fn meant_for(other: &Request, second: i64) -> Vec<Command> {
    let (which, digest) = (Which::of(other), other.digest);
    let says = |person| input(person, digest, second, 0);
    vec![
        Command::Approve(says(BOB)),
        Command::Approve(says(CAT)),
        Command::BreakGlass(says(EVE)),
        Command::RequestChanges(says(BOB)),
        Command::Deny(says(CAT)),
        Command::PassOn(says(BOB)),
        Command::Redeem { executor: EXECUTOR, digest, lease_id: which.other().lease() },
        Command::Withdraw { by: Actor::Agent(which.stager()) },
        renew(which.lease()),
        report(which.lease(), Outcome::Succeeded),
        rollback(which.lease(), RollbackOutcome::RolledBack),
    ]
}
