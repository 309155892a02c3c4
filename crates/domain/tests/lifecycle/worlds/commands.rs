//! Every command that anybody in the small house can give.

use domain::fact::{RequestAmended, RequestStaged};
use domain::request::SecondVerdict;
use domain::{
    Actor, Command, Ineligible, Outcome, PersonId, Request, ReviewInput, Reviewer, RollbackOutcome,
};

use super::Size;
use super::house::at_staging;
use crate::scene::{
    BOB, CAT, EVE, EXECUTOR, LEASE, OTHER_AGENT, OTHER_LEASE, OUTSIDER, OWNER, STAGER, amend,
    amended, at, because, digest, renew, report,
};
use crate::states::{halt, revoke, rollback, second_review};

/// A command as it would be given for a request at a second.
pub type Make = Box<dyn Fn(&Request, i64) -> Command>;

/// The request that every world starts from: staged at 0, to be reviewed by 100; a release lives
/// 50 s, a lease 20 s, a report is expected within 60 s.
pub fn staged() -> Request {
    let staged = RequestStaged {
        requirements: at_staging(),
        excluded: vec![],
        review_deadline: at(100),
        release_ttl_s: 50,
        lease_ttl_s: 20,
        report_deadline_s: 60,
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

fn verdicts(person: PersonId, revision: u32, size: &Size) -> Vec<Make> {
    let mut makes: Vec<Make> = Vec::new();
    let mut says = |says: Says, revision: u32, signed_in_s: i64| {
        makes.push(Box::new(move |_, second| says(input(person, revision, second, signed_in_s))));
    };
    for verdict in [
        Command::Approve,
        Command::RequestChanges,
        Command::Deny,
        Command::PassOn,
        Command::BreakGlass,
    ] as [Says; 5]
    {
        says(verdict, revision, 0);
    }
    for approval in [Command::Approve, Command::BreakGlass] as [Says; 2] {
        // Shown the other revision.
        says(approval, 3 - revision, 0);
        if size.signed_in_long_ago {
            says(approval, revision, 400);
        }
    }
    makes
}

fn second_reviews(person: PersonId) -> Vec<Make> {
    [SecondVerdict::Justified, SecondVerdict::Unjustified]
        .map(|verdict| Box::new(move |_: &_, _| second_review(person, verdict)) as Make)
        .into()
}

/// Everything that may be asked of `request`.
pub fn all(request: &Request, size: &Size) -> Vec<Make> {
    let people = [OWNER, BOB, CAT, EVE];
    let mut makes: Vec<Make> = Vec::new();
    for person in people {
        makes.extend(verdicts(person, request.revision, size));
        makes.extend(second_reviews(person));
    }
    if request.revision < size.revisions {
        makes.push(Box::new(|request, _| next_revision(request)));
    }
    makes.extend(others().map(|command| Box::new(move |_: &_, _| command.clone()) as Make));
    for (executor, revision) in
        [(EXECUTOR, request.revision), (OTHER_AGENT, request.revision), (EXECUTOR, 9)]
    {
        let (digest, lease_id) = (digest(revision), LEASE);
        makes.push(Box::new(move |_, _| Command::Redeem { executor, digest, lease_id }));
    }
    makes
}

/// Of the second revision CAT is the person that the agent acts for.
fn next_revision(request: &Request) -> Command {
    let excluded = vec![(CAT, Ineligible::ActsOnBehalf)];
    let review_deadline = at(100);
    let next = amended(request.revision + 1, at_staging());
    amend(RequestAmended { excluded, review_deadline, ..next })
}

/// What does not depend on the revision.
fn others() -> impl Iterator<Item = Command> {
    let wrong_lease = Command::Report {
        executor: EXECUTOR,
        lease_id: OTHER_LEASE,
        outcome: Outcome::Succeeded,
        summary: because(),
    };
    [
        Command::Elapse,
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
    .into_iter()
}

/// `person` approves `revision`, having just signed in.
pub fn approve(person: PersonId, revision: u32, second: i64) -> Command {
    Command::Approve(input(person, revision, second, 0))
}
