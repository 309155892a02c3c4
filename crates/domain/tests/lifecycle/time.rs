//! Time: what ends when, and that no clock approves or revives anything (I12).

use domain::{Command, Refusal, RequestFact, StateName};

use super::scene::{BOB, CAT, REVIEW_DEADLINE_S, Story, at, one, stage, staged};
use super::states::{Way, story_in};

const LONG_AFTER: i64 = 100 * 365 * 24 * 3600;

#[test]
fn i12_c02_the_deadline_itself_is_too_late() {
    let story = Story::staged(one());
    let last = story.clone().at(REVIEW_DEADLINE_S - 1);
    assert!(last.answer(last.approve(BOB)).is_ok());
    for second in [REVIEW_DEADLINE_S, REVIEW_DEADLINE_S + 1, LONG_AFTER] {
        let late = story.clone().at(second);
        let expired = Refusal::NotPending { state: StateName::Expired };
        assert_eq!(late.refusal(late.approve(BOB)), expired);
    }
}

#[test]
fn i12_d04_an_approval_lapses_and_stays_dead_when_the_clock_goes_back() {
    let approved = story_in(StateName::Approved, Way::Quorum);
    let late = approved.at(610);
    let lapsed = Refusal::NotApproved { state: StateName::Lapsed };
    assert_eq!(late.refusal(late.redeem()), lapsed);
    let recorded = late.then(Command::Elapse);
    for second in [-LONG_AFTER, 0, 20, 609] {
        let back = recorded.clone().at(second);
        assert_eq!(back.refusal(back.redeem()), lapsed);
    }
}

#[test]
fn i12_k13_whatever_the_clock_says_a_timer_only_ends_things() {
    let instants = [-LONG_AFTER, 0, 40, 320, 610, 920, REVIEW_DEADLINE_S, LONG_AFTER];
    for (name, way) in
        StateName::ALL.into_iter().flat_map(|n| [(n, Way::Quorum), (n, Way::BreakGlass)])
    {
        for second in instants {
            let story = story_in(name, way).at(second);
            for fact in story.answer(Command::Elapse).unwrap_or_default() {
                assert!(matches!(
                    fact,
                    RequestFact::RequestExpired { .. }
                        | RequestFact::ReleaseLapsed { .. }
                        | RequestFact::OutcomeMissed { .. }
                        | RequestFact::SecondReviewMissed { .. }
                ));
            }
        }
    }
}

#[test]
fn i12_what_holds_and_what_is_recorded_never_differ_after_the_timer() {
    for (name, way) in
        StateName::ALL.into_iter().flat_map(|n| [(n, Way::Quorum), (n, Way::BreakGlass)])
    {
        for second in [40, 320, 610, 920, REVIEW_DEADLINE_S, LONG_AFTER] {
            let story = story_in(name, way).at(second);
            let holds = story.state();
            let due = story.request().due_at().is_some_and(|due| due <= at(second));
            assert_eq!(story.answer(Command::Elapse).is_ok(), due, "{} {second}", name.as_str());
            if due {
                let recorded = story.then(Command::Elapse);
                assert_eq!(recorded.request().state.name(), holds);
                assert_eq!(recorded.refusal(Command::Elapse), Refusal::NotDue);
            }
        }
    }
}

#[test]
fn i12_an_unrecorded_end_holds_for_every_command() {
    for (name, second, end) in [
        (StateName::Pending, REVIEW_DEADLINE_S, StateName::Expired),
        (StateName::ChangesRequested, REVIEW_DEADLINE_S, StateName::Expired),
        (StateName::Approved, 610, StateName::Lapsed),
        (StateName::Executing, 320, StateName::OutcomeUnknown),
    ] {
        let holds = story_in(name, Way::Quorum).at(second);
        let recorded = holds.clone().then(Command::Elapse);
        assert_eq!(recorded.state(), end);
        for (command, make) in super::table::COMMANDS.into_iter().filter(|(c, _)| *c != "elapse") {
            let (early, late) = (holds.answer(make(&holds)), recorded.answer(make(&recorded)));
            assert_eq!(early.as_ref().err(), late.as_ref().err(), "{}: {command}", end.as_str());
        }
    }
}

#[test]
fn i12_a_request_whose_deadline_has_passed_is_not_even_staged() {
    for second in [REVIEW_DEADLINE_S, LONG_AFTER] {
        let story = Story { request: None, house: super::scene::house(one()), second };
        assert_eq!(story.refusal(stage(staged(one()))), Refusal::DeadlinePassed);
    }
}

#[test]
fn i12_a_clock_that_goes_back_shortens_no_lease_and_lengthens_no_release() {
    let story = story_in(StateName::Executing, Way::Quorum).at(170).then(super::scene::renew());
    let until = story.request().state.release().unwrap().lease_until;
    let back = story.at(0).then(super::scene::renew());
    assert_eq!(back.request().state.release().unwrap().lease_until, until);
    let approved = story_in(StateName::Approved, Way::Quorum).at(-1000);
    let facts = approved.answer(approved.redeem()).unwrap();
    let [RequestFact::ReleaseRedeemed { release, .. }] = &facts[..] else { panic!("{facts:?}") };
    assert!(release.token_expires_at <= at(610));
}

#[test]
fn i12_r06_nobody_answers_and_it_is_a_no() {
    let story = Story::staged(one()).at(LONG_AFTER).then(Command::Elapse);
    assert_eq!(story.state(), StateName::Expired);
    let back = story.at(10);
    assert_eq!(back.refusal(back.approve(CAT)), Refusal::NotPending { state: StateName::Expired });
}
