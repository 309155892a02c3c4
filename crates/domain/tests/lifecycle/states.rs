//! A story for each of the fifteen states, told by commands alone, and for the moments beside them.

use domain::apply::SECOND_REVIEW_S;
use domain::request::SecondVerdict;
use domain::{
    Actor, Command, FreezeScope, Outcome, PersonId, Reviewer, RollbackOutcome, StateName, Verdict,
};

use super::scene::{
    BOB, CAT, EVE, EXECUTOR, FAY, LEASE, REVIEW_DEADLINE_S, STAGER, Story, because, freeze, one,
    report,
};

/// How a state is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the people who are asked.
    Quorum,
    /// The glass was broken. Where the state is one before a release, the approval was lost again.
    BreakGlass,
}

pub fn break_glass(story: &Story, person: PersonId) -> Command {
    Command::BreakGlass(story.input(person))
}

pub fn second_review(person: PersonId, verdict: SecondVerdict) -> Command {
    let reviewer = Reviewer::from_session(person);
    Command::ReviewBreakGlass { reviewer, verdict, justification: because() }
}

pub fn revoke(by: PersonId) -> Command {
    Command::Revoke { by, reason: because() }
}

pub fn halt(by: PersonId) -> Command {
    Command::Halt { by, reason: because() }
}

pub fn rollback(outcome: RollbackOutcome) -> Command {
    let (executor, lease_id, summary, evidence) = (EXECUTOR, LEASE, because(), vec![]);
    Command::ReportRollback { executor, lease_id, outcome, summary, evidence }
}

/// Staged at second 0 and pending at second 10.
fn pending(way: Way) -> Story {
    let story = Story::staged(one()).at(10);
    match way {
        Way::Quorum => story,
        Way::BreakGlass => {
            let everybody = story.house.clone();
            let broken = break_glass(&story, EVE);
            let mut lost = story.then(broken).without(EVE).redeemed();
            assert_eq!(lost.state(), StateName::Pending);
            lost.house = everybody;
            lost
        }
    }
}

fn approved(way: Way) -> Story {
    match way {
        Way::Quorum => pending(way).approved_by(&[BOB]),
        Way::BreakGlass => {
            let story = Story::staged(one()).at(10);
            let broken = break_glass(&story, EVE);
            story.then(broken)
        }
    }
}

/// A request in `name`, reached by second 30.
pub fn story_in(name: StateName, way: Way) -> Story {
    let says = |verdict| {
        let story = pending(way);
        let command = story.says(BOB, verdict);
        story.then(command)
    };
    let executing = || approved(way).at(20).redeemed();
    let reported = |outcome| executing().at(30).then(report(outcome));
    match name {
        StateName::Pending => pending(way),
        StateName::ChangesRequested => says(Verdict::RequestChanges),
        StateName::Approved => approved(way),
        StateName::Denied => says(Verdict::Deny),
        StateName::Expired => pending(way).at(REVIEW_DEADLINE_S).then(Command::Elapse).at(30),
        StateName::Withdrawn => pending(way).then(Command::Withdraw { by: Actor::Agent(STAGER) }),
        StateName::Revoked => approved(way).then(revoke(CAT)),
        StateName::Lapsed => approved(way).at(610).then(Command::Elapse).at(30),
        StateName::Executing => executing(),
        StateName::Succeeded => reported(Outcome::Succeeded),
        StateName::Failed => reported(Outcome::Failed),
        StateName::Halted => executing().then(halt(CAT)).at(30).then(report(Outcome::Halted)),
        StateName::OutcomeUnknown => executing().at(320).then(Command::Elapse).at(30),
        StateName::RolledBack => {
            reported(Outcome::Failed).then(rollback(RollbackOutcome::RolledBack))
        }
        StateName::RollbackFailed => {
            reported(Outcome::Failed).then(rollback(RollbackOutcome::RollbackFailed))
        }
    }
}

/// The moments that a table has to show beside the fifteen states: what time has done already, and
/// what the house says.
pub fn moments() -> Vec<(&'static str, Story)> {
    let quorum = |name| story_in(name, Way::Quorum).at(200);
    let broken = |name| story_in(name, Way::BreakGlass).at(200);
    let executing = || quorum(StateName::Executing);
    let looked = second_review(FAY, SecondVerdict::Justified);
    let mut no_answer = quorum(StateName::Approved);
    no_answer.house.ruling = None;
    let mut forbidden = quorum(StateName::Approved);
    forbidden.house.ruling.as_mut().unwrap().permits_release = false;
    let mut frozen = quorum(StateName::Approved);
    frozen.house.frozen.push(freeze(FreezeScope::All, true));
    let mut suspended = quorum(StateName::Approved);
    suspended.house.executor_active = false;
    let in_hand = executing().at(310).then(super::scene::renew());
    vec![
        ("pending, review deadline passed", quorum(StateName::Pending).at(3600)),
        ("changes_requested, review deadline passed", quorum(StateName::ChangesRequested).at(3600)),
        ("approved, not used in time", quorum(StateName::Approved).at(610)),
        ("approved, the approver has left", quorum(StateName::Approved).without(BOB)),
        ("approved, the policy cannot be asked", no_answer),
        ("approved, the policy forbids the release", forbidden),
        ("approved, frozen", frozen),
        ("approved, executor suspended", suspended),
        ("approved by break-glass", broken(StateName::Approved)),
        ("approved by break-glass, the right is lost", broken(StateName::Approved).without(EVE)),
        ("executing, just redeemed", executing().at(21)),
        ("executing, asked to halt", executing().then(halt(CAT))),
        ("executing, no heartbeat in time", executing().at(320)),
        ("executing, no report in time", in_hand.at(920)),
        ("succeeded, second review owed", broken(StateName::Succeeded)),
        ("succeeded, second review late", broken(StateName::Succeeded).at(10 + SECOND_REVIEW_S)),
        ("succeeded, second review done", broken(StateName::Succeeded).then(looked)),
    ]
}
