//! Break-glass: one person in place of all requirements, and the second review it owes.

use domain::apply::SECOND_REVIEW_S;
use domain::fact::RequestStaged;
use domain::request::{SecondReview, SecondVerdict};
use domain::stage::Window;
use domain::{
    Command, Digest, FreezeScope, Ineligible, Refusal, RequestFact, ReviewInput, State, StateName,
    Verdict,
};

use super::scene::{
    BOB, CAT, DAN, EVE, FAY, FREEZE, OUTSIDER, OWNER, Story, amend, amended, at, change, freeze,
    one, staged, two,
};
use super::states::{Way, break_glass, second_review, story_in};

/// EVE broke the glass at second 10.
fn broken() -> Story {
    story_in(StateName::Approved, Way::BreakGlass)
}

fn breaks(mut story: Story) -> Story {
    let command = break_glass(&story, EVE);
    story.does(command);
    story
}

#[test]
fn b10_breaking_the_glass_approves_alone_and_is_marked() {
    let story = Story::staged(two()).at(10);
    let facts = story.answer(break_glass(&story, EVE)).unwrap();
    let [
        RequestFact::ReviewRecorded { reviewer, .. },
        RequestFact::GlassBroken { by, review_by, .. },
    ] = &facts[..]
    else {
        panic!("{facts:?}")
    };
    assert_eq!((*reviewer, *by), (EVE, EVE));
    assert_eq!(*review_by, at(10 + SECOND_REVIEW_S));
    assert_eq!(breaks(story).redeemed().state(), StateName::Executing);
}

#[test]
fn b10_only_a_holder_of_the_right_breaks_the_glass() {
    let story = Story::staged(one());
    for person in [BOB, DAN, OUTSIDER] {
        assert_eq!(story.refusal(break_glass(&story, person)), Refusal::NoBreakGlassRight);
    }
}

#[test]
fn i1_b07_break_glass_keeps_the_exclusions() {
    let mut story = Story::staged(one());
    story.house.groups.get_mut("break-glass").unwrap().insert(OWNER);
    let refusal = story.refusal(break_glass(&story, OWNER));
    assert_eq!(refusal, Refusal::NotEligible { why: Ineligible::OwnsAgent });
    story.house.excluded.insert(EVE, Ineligible::HoldsKey);
    let refusal = story.refusal(break_glass(&story, EVE));
    assert_eq!(refusal, Refusal::NotEligible { why: Ineligible::HoldsKey });
}

#[test]
fn i4_break_glass_is_on_exactly_what_was_shown() {
    let story = Story::staged(one()).at(10);
    let other = ReviewInput { digest: Digest::of(b"other"), ..story.input(EVE) };
    assert!(matches!(story.refusal(Command::BreakGlass(other)), Refusal::Changed { .. }));
    let later = ReviewInput { shown_at: at(11), ..story.input(EVE) };
    assert_eq!(story.refusal(Command::BreakGlass(later)), Refusal::ShownTooLongAgo);
}

#[test]
fn a10_break_glass_needs_a_sign_in_of_the_last_five_minutes() {
    let story = Story::staged(one()).at(1000);
    let signed_in = |second| {
        Command::BreakGlass(ReviewInput { authenticated_at: at(second), ..story.input(EVE) })
    };
    let needed = Refusal::ReauthenticationNeeded { within_s: 300 };
    assert_eq!(story.refusal(signed_in(699)), needed);
    assert_eq!(story.refusal(signed_in(1001)), needed);
    assert!(story.answer(signed_in(700)).is_ok());
}

#[test]
fn a_denial_and_requested_changes_stand_against_break_glass() {
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum).at(30);
        let answer = story.answer(break_glass(&story, EVE));
        assert_eq!(answer.is_ok(), name == StateName::Pending, "{}", name.as_str());
    }
}

#[test]
fn the_rules_of_the_house_are_never_changed_by_break_glass() {
    let story = Story::of(change());
    assert_eq!(story.refusal(break_glass(&story, EVE)), Refusal::NotByBreakGlass);
}

#[test]
fn freeze_window_and_digest_hold_for_a_broken_glass_too() {
    let mut frozen = broken().at(20);
    frozen.house.frozen.push(freeze(FreezeScope::All, false));
    assert_eq!(frozen.refusal(frozen.redeem()), Refusal::Frozen { freeze: FREEZE });

    let window = Some(Window { not_before: at(1000), not_after: at(1100) });
    let early = breaks(Story::of(RequestStaged { window, ..staged(one()) }));
    assert!(matches!(early.refusal(early.redeem()), Refusal::OutsideWindow { .. }));
    assert_eq!(early.at(1000).redeemed().state(), StateName::Executing);

    let unused = broken().at(610);
    let lapsed = Refusal::NotApproved { state: StateName::Lapsed };
    assert_eq!(unused.refusal(unused.redeem()), lapsed);
}

#[test]
fn i9_the_right_is_checked_again_at_redemption() {
    let story = broken().at(20).without(EVE);
    let facts = story.answer(story.redeem()).unwrap();
    assert_eq!(facts, [RequestFact::QuorumLost { void: vec![EVE] }]);
    assert_eq!(story.redeemed().state(), StateName::Pending);
    let mut excluded = broken().at(20);
    excluded.house.excluded.insert(EVE, Ineligible::HoldsKey);
    assert_eq!(excluded.redeemed().state(), StateName::Pending);
}

#[test]
fn i9_a_right_lost_by_a_missed_second_review_releases_nothing() {
    let mut elsewhere = broken().at(20);
    elsewhere.house.owes_review_by.insert(EVE, at(20));
    assert_eq!(elsewhere.redeemed().state(), StateName::Pending);

    // The window opens after the second review of this very request was due.
    let late = 10 + SECOND_REVIEW_S;
    let window = Some(Window { not_before: at(late), not_after: at(late + 100) });
    let mut story = breaks(Story::of(RequestStaged { window, ..staged(one()) }).at(10)).at(late);
    let due = story.request().break_glass.as_ref().unwrap().review_by;
    story.house.owes_review_by.insert(EVE, due);
    let facts = story.answer(story.redeem()).unwrap();
    assert_eq!(facts, [RequestFact::QuorumLost { void: vec![EVE] }]);
}

#[test]
fn i9_approvals_that_still_count_are_kept_when_a_broken_glass_is_lost() {
    let story = Story::staged(two()).approved_by(&[BOB]).at(10);
    let story = breaks(story).without(EVE).redeemed();
    let kept: Vec<_> = story.request().approvals().map(|review| review.reviewer).collect();
    assert_eq!(kept, [BOB]);
    assert_eq!(story.approved_by(&[CAT]).redeemed().state(), StateName::Executing);
}

#[test]
fn i1_an_approval_given_by_break_glass_fills_no_seat_afterwards() {
    let mut story = Story::staged(two()).approved_by(&[BOB]).at(10);
    story.house.groups.get_mut("approvers").unwrap().insert(EVE);
    let mut story = breaks(story);
    story.house.groups.get_mut("break-glass").unwrap().remove(&EVE);
    let story = story.redeemed();
    assert_eq!(story.request().approvals().count(), 1, "EVE has to say it as an approver");
    assert_eq!(story.approved_by(&[EVE]).state(), StateName::Approved);
}

#[test]
fn the_glass_of_a_request_is_broken_once() {
    let story = broken().at(20).without(EVE).redeemed();
    assert_eq!(story.state(), StateName::Pending);
    assert_eq!(story.refusal(break_glass(&story, FAY)), Refusal::NotByBreakGlass);
    let amended = story.then(amend(amended(2, one())));
    assert_eq!(amended.refusal(break_glass(&amended, FAY)), Refusal::NotByBreakGlass);
    assert!(amended.request().break_glass.is_some(), "it stays on record");
}

#[test]
fn the_right_is_lost_the_moment_a_second_review_is_late_whether_or_not_that_is_recorded() {
    let mut story = Story::staged(one()).at(100);
    story.house.owes_review_by.insert(EVE, at(101));
    assert!(story.answer(break_glass(&story, EVE)).is_ok());
    story.house.owes_review_by.insert(EVE, at(100));
    assert_eq!(story.refusal(break_glass(&story, EVE)), Refusal::NoBreakGlassRight);
}

#[test]
fn the_second_review_is_a_second_persons_in_whatever_state() {
    for name in StateName::ALL {
        let story = story_in(name, Way::BreakGlass).at(40);
        let before = story.request().state.clone();
        let own = second_review(EVE, SecondVerdict::Justified);
        assert_eq!(story.refusal(own), Refusal::OwnBreakGlass);
        let outsider = second_review(OUTSIDER, SecondVerdict::Justified);
        assert_eq!(story.refusal(outsider), Refusal::NotEligible { why: Ineligible::NotInGroup });
        let owner = second_review(OWNER, SecondVerdict::Justified);
        assert_eq!(story.refusal(owner), Refusal::NotEligible { why: Ineligible::OwnsAgent });
        for person in [BOB, FAY] {
            let after = story.clone().then(second_review(person, SecondVerdict::Unjustified));
            let done = &after.request().break_glass.as_ref().unwrap().second_review;
            let verdict = SecondVerdict::Unjustified;
            assert_eq!(*done, SecondReview::Done { by: person, at: at(40), verdict });
            let unused = name == StateName::Approved;
            let expected =
                if unused { State::Revoked { at: at(40), by: person } } else { before.clone() };
            assert_eq!(after.request().state, expected, "{}", name.as_str());
            let again = second_review(CAT, SecondVerdict::Justified);
            assert_eq!(after.refusal(again), Refusal::NothingOwed);
        }
    }
}

#[test]
fn a_missed_second_review_is_recorded_and_can_still_be_given() {
    let due = 10 + SECOND_REVIEW_S;
    let story = story_in(StateName::Succeeded, Way::BreakGlass);
    assert_eq!(story.request().due_at(), Some(at(due)));
    assert_eq!(story.clone().at(due - 1).refusal(Command::Elapse), Refusal::NotDue);
    let late = story.at(due);
    let missed = RequestFact::SecondReviewMissed { review_by: at(due) };
    assert_eq!(late.answer(Command::Elapse).unwrap(), std::slice::from_ref(&missed));
    let facts = late.answer(second_review(FAY, SecondVerdict::Justified)).unwrap();
    assert_eq!(facts[0], missed, "that it was late stays on record");
    let recorded = late.then(Command::Elapse);
    assert_eq!(recorded.state(), StateName::Succeeded);
    assert_eq!(recorded.request().due_at(), None);
    assert_eq!(recorded.refusal(Command::Elapse), Refusal::NotDue);
    let looked = recorded.then(second_review(FAY, SecondVerdict::Justified));
    assert_eq!(looked.refusal(second_review(BOB, SecondVerdict::Justified)), Refusal::NothingOwed);
}

#[test]
fn i12_a_lapse_and_a_missed_second_review_may_fall_due_together() {
    let late = 10 + SECOND_REVIEW_S;
    let window = Some(Window { not_before: at(late - 10), not_after: at(late) });
    let story = breaks(Story::of(RequestStaged { window, ..staged(one()) }).at(10)).at(late);
    let facts = story.answer(Command::Elapse).unwrap();
    let names: Vec<_> = facts.iter().map(RequestFact::name).collect();
    assert_eq!(names, ["ReleaseLapsed", "SecondReviewMissed"]);
    assert_eq!(story.then(Command::Elapse).state(), StateName::Lapsed);
}

#[test]
fn nothing_is_owed_where_no_glass_was_broken() {
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum).at(30);
        let looked = second_review(FAY, SecondVerdict::Justified);
        assert_eq!(story.refusal(looked), Refusal::NothingOwed);
    }
}

#[test]
fn whoever_passed_or_approved_before_may_still_break_the_glass() {
    let mut story = Story::staged(two()).at(10);
    story.house.groups.get_mut("approvers").unwrap().insert(EVE);
    for verdict in [Verdict::Pass, Verdict::Approve] {
        let command = story.says(EVE, verdict);
        let story = story.clone().then(command);
        assert_eq!(breaks(story).state(), StateName::Approved);
    }
}
