//! Heartbeats, reports and their deadlines, halting, rolling back.

use domain::apply::{Signal, signal};
use domain::fact::Missed;
use domain::{Command, FreezeScope, Outcome, Refusal, RequestFact, RollbackOutcome, StateName};

use super::scene::{
    BOB, CAT, EXECUTOR, LEASE, LEASE_TTL_S, OTHER_AGENT, OTHER_LEASE, OUTSIDER, OWNER, Story, at,
    because, freeze, renew, report,
};
use super::states::{Way, halt, rollback, story_in};

/// Redeemed at second 20: the lease runs until 320, the report is expected by 920.
fn executing() -> Story {
    story_in(StateName::Executing, Way::Quorum)
}

fn renewed(story: &Story) -> Option<i64> {
    let facts = story.answer(renew()).unwrap();
    assert!(facts.len() <= 1);
    facts.first().map(|fact| match fact {
        RequestFact::LeaseRenewed { lease_until } => lease_until.seconds_since(at(0)),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_heartbeat_moves_the_lease_and_is_recorded_when_half_of_it_is_gone() {
    assert_eq!(renewed(&executing().at(21)), None);
    assert_eq!(renewed(&executing().at(169)), None);
    assert_eq!(renewed(&executing().at(170)), Some(470));
    assert_eq!(renewed(&executing().at(319)), Some(619));
}

#[test]
fn j02_heartbeats_without_end_are_recorded_at_most_twice_per_lease() {
    let mut story = executing();
    let mut recorded = 0;
    for second in 20..919 {
        story.second = second;
        let facts = story.answer(renew()).unwrap();
        recorded += facts.len();
        story.does(renew());
        assert_eq!(story.state(), StateName::Executing, "at {second}");
    }
    assert!(recorded <= 2 * 900 / LEASE_TTL_S as usize, "{recorded}");
}

#[test]
fn no_heartbeat_moves_the_lease_past_the_report_deadline() {
    let mut story = executing();
    for second in [300, 599, 890] {
        story = story.at(second).then(renew());
    }
    assert_eq!(story.request().state.release().unwrap().lease_until, at(920));
    assert_eq!(renewed(&story.clone().at(919)), None);
    assert_eq!(story.clone().at(919).state(), StateName::Executing);
    let late = story.at(920);
    assert_eq!(late.state(), StateName::OutcomeUnknown);
    let missed = RequestFact::OutcomeMissed { missed: Missed::Report, due: at(920) };
    assert_eq!(late.answer(Command::Elapse).unwrap(), [missed]);
}

#[test]
fn d13_without_a_heartbeat_the_outcome_is_unknown_and_no_heartbeat_revives_it() {
    let late = executing().at(320);
    assert_eq!(late.state(), StateName::OutcomeUnknown);
    let unknown = Refusal::NotExecuting { state: StateName::OutcomeUnknown };
    assert_eq!(late.refusal(renew()), unknown);
    assert_eq!(late.refusal(halt(CAT)), unknown);
    let missed = RequestFact::OutcomeMissed { missed: Missed::Heartbeat, due: at(320) };
    assert_eq!(late.answer(Command::Elapse).unwrap(), [missed]);
    let recorded = late.then(Command::Elapse).at(100);
    assert_eq!(recorded.state(), StateName::OutcomeUnknown, "the clock going back changes nothing");
    assert_eq!(recorded.refusal(renew()), unknown);
}

#[test]
fn a_late_report_settles_what_was_unknown_and_stays_late_on_record() {
    for (outcome, state) in [
        (Outcome::Succeeded, StateName::Succeeded),
        (Outcome::Failed, StateName::Failed),
        (Outcome::Halted, StateName::Halted),
    ] {
        let late = executing().at(5000);
        let facts = late.answer(report(outcome)).unwrap();
        let names: Vec<_> = facts.iter().map(RequestFact::name).collect();
        assert_eq!(names, ["OutcomeMissed", "OutcomeReported"]);
        assert_eq!(late.then(report(outcome)).state(), state);
        let recorded = executing().at(320).then(Command::Elapse).at(5000);
        let facts = recorded.answer(report(outcome)).unwrap();
        assert!(matches!(facts[..], [RequestFact::OutcomeReported { .. }]));
        assert_eq!(recorded.then(report(outcome)).state(), state);
    }
}

#[test]
fn i2_an_outcome_is_reported_once() {
    let story = executing().at(30).then(report(Outcome::Failed));
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Halted] {
        let refusal = story.refusal(report(outcome));
        assert_eq!(refusal, Refusal::NotExecuting { state: StateName::Failed });
    }
}

#[test]
fn d03_only_the_executor_with_its_lease_renews_reports_and_rolls_back() {
    let story = executing().at(30);
    let failed = story_in(StateName::Failed, Way::Quorum);
    for (executor, lease_id, refusal) in
        [(OTHER_AGENT, LEASE, Refusal::NotExecutor), (EXECUTOR, OTHER_LEASE, Refusal::WrongLease)]
    {
        let summary = because();
        let renew = Command::Renew { executor, lease_id };
        assert_eq!(story.refusal(renew), refusal);
        let outcome = Outcome::Succeeded;
        let report = Command::Report { executor, lease_id, outcome, summary, evidence: vec![] };
        assert_eq!(story.refusal(report), refusal);
        let outcome = RollbackOutcome::RolledBack;
        let rollback =
            Command::ReportRollback { executor, lease_id, outcome, summary, evidence: vec![] };
        assert_eq!(failed.refusal(rollback), refusal);
    }
}

#[test]
fn halt_asks_at_the_next_heartbeat_and_is_asked_once() {
    let story = executing().at(30);
    assert_eq!(signal(story.request(), &story.house), Signal::Continue);
    assert_eq!(story.refusal(halt(OUTSIDER)), Refusal::MayNotStop);
    for person in [BOB, CAT, OWNER] {
        assert!(story.answer(halt(person)).is_ok());
    }
    let story = story.then(halt(CAT)).at(200);
    assert_eq!(signal(story.request(), &story.house), Signal::Halt);
    assert_eq!(story.refusal(halt(BOB)), Refusal::AlreadyHalting { at: at(30) });
    let story = story.then(renew());
    assert_eq!(signal(story.request(), &story.house), Signal::Halt, "a heartbeat does not forget");
    let story = story.then(report(Outcome::Halted));
    let story = story.then(rollback(RollbackOutcome::RolledBack));
    assert_eq!(story.state(), StateName::RolledBack);
}

#[test]
fn a_freeze_that_halts_is_heard_at_the_next_heartbeat_and_another_is_not() {
    let mut story = executing().at(30);
    story.house.frozen.push(freeze(FreezeScope::All, false));
    assert_eq!(signal(story.request(), &story.house), Signal::Continue);
    story.house.frozen.push(freeze(FreezeScope::All, true));
    assert_eq!(signal(story.request(), &story.house), Signal::Halt);
    assert!(story.answer(renew()).is_ok(), "the lease goes on while the executor stops");
}

#[test]
fn a_rollback_is_reported_once_after_any_outcome() {
    use StateName::{Failed, Halted, OutcomeUnknown, Succeeded};
    for name in [Succeeded, Failed, Halted, OutcomeUnknown] {
        for (outcome, state) in [
            (RollbackOutcome::RolledBack, StateName::RolledBack),
            (RollbackOutcome::RollbackFailed, StateName::RollbackFailed),
        ] {
            let story = story_in(name, Way::Quorum).at(30).then(rollback(outcome));
            assert_eq!(story.state(), state);
            assert_eq!(story.refusal(rollback(outcome)), Refusal::NothingToRollBack { state });
        }
    }
    let running = executing().at(30);
    let refusal = running.refusal(rollback(RollbackOutcome::RolledBack));
    assert_eq!(refusal, Refusal::NothingToRollBack { state: StateName::Executing });
}

#[test]
fn a_suspended_executor_still_says_how_it_ended() {
    let mut story = executing().at(30);
    story.house.executor_active = false;
    assert_eq!(story.then(report(Outcome::Succeeded)).state(), StateName::Succeeded);
}
