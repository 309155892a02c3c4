//! Redeeming: once, by the executor, exactly what was approved, while it still holds.

use domain::fact::RequestStaged;
use domain::stage::Window;
use domain::{Command, Digest, FreezeScope, Refusal, RequestFact, StateName};

use super::scene::{
    BOB, CAT, DAN, EXECUTOR, FREEZE, LEASE, OTHER_AGENT, OTHER_LEASE, REVIEW_DEADLINE_S, STAGER,
    Story, at, digest, freeze, fresh, need, one, staged, two,
};
use super::states::{Way, story_in};

fn approved() -> Story {
    story_in(StateName::Approved, Way::Quorum).at(20)
}

#[test]
fn i3_d01_a_release_is_redeemed_once_whatever_lease_is_asked_for() {
    let story = approved().redeemed().at(25);
    for lease_id in [LEASE, OTHER_LEASE] {
        let again = Command::Redeem { executor: EXECUTOR, digest: digest(1), lease_id };
        assert_eq!(story.refusal(again), Refusal::AlreadyRedeemed { at: at(20) });
    }
}

#[test]
fn i3_a_spent_release_stays_spent_in_every_state_that_follows() {
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum).at(30);
        let Some(release) = story.request().state.release() else { continue };
        let spent = Refusal::AlreadyRedeemed { at: release.redeemed_at };
        assert_eq!(story.refusal(story.redeem()), spent, "{}", name.as_str());
    }
}

#[test]
fn i1_nothing_is_redeemed_that_is_not_approved() {
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum).at(30);
        let redeemed = story.answer(story.redeem()).is_ok();
        assert_eq!(redeemed, name == StateName::Approved, "{}", name.as_str());
    }
}

#[test]
fn d03_only_the_named_executor_redeems() {
    for executor in [STAGER, OTHER_AGENT] {
        let redeem = Command::Redeem { executor, digest: digest(1), lease_id: LEASE };
        assert_eq!(approved().refusal(redeem), Refusal::NotExecutor);
    }
}

#[test]
fn i4_e11_only_the_approved_digest_is_redeemed() {
    let digest = Digest::of(b"another");
    let redeem = Command::Redeem { executor: EXECUTOR, digest, lease_id: LEASE };
    let mismatch = Refusal::DigestMismatch { digest: self::digest(1) };
    assert_eq!(approved().refusal(redeem), mismatch);
}

#[test]
fn i9_b13_an_approver_who_left_no_longer_counts_at_redemption() {
    let story = approved().without(BOB);
    let facts = story.answer(story.redeem()).unwrap();
    assert_eq!(facts, [RequestFact::QuorumLost { void: vec![BOB] }]);
    let back = story.redeemed();
    assert_eq!(back.state(), StateName::Pending);
    assert_eq!(back.request().review_deadline, at(REVIEW_DEADLINE_S), "deadlines are unmoved");
    assert_eq!(back.request().approvals().count(), 0);
    assert_eq!(back.approved_by(&[CAT]).redeemed().state(), StateName::Executing);
}

#[test]
fn i9_an_approver_whom_the_policy_no_longer_lets_review_does_not_count() {
    let mut story = approved();
    story.house.forbidden.insert(BOB);
    let facts = story.answer(story.redeem()).unwrap();
    assert_eq!(facts, [RequestFact::QuorumLost { void: vec![BOB] }]);
}

#[test]
fn i9_b13_valid_reviews_are_kept_when_the_quorum_is_lost() {
    let story = Story::staged(two()).approved_by(&[BOB, CAT]).without(BOB).redeemed();
    assert_eq!(story.state(), StateName::Pending);
    let kept: Vec<_> = story.request().approvals().map(|review| review.reviewer).collect();
    assert_eq!(kept, [CAT]);
}

#[test]
fn i9_i12_a_quorum_lost_after_the_review_deadline_is_expired_at_once() {
    let mut story = Story::staged(one()).at(REVIEW_DEADLINE_S - 10).approved_by(&[BOB]);
    story = story.at(REVIEW_DEADLINE_S + 10).without(BOB).redeemed();
    assert_eq!(story.state(), StateName::Expired);
    assert!(story.answer(story.approve(CAT)).is_err());
}

#[test]
fn i9_d07_the_policy_of_today_is_asked_again_at_redemption() {
    let story = approved().under(two());
    assert_eq!(story.answer(story.redeem()).unwrap(), [RequestFact::QuorumLost { void: vec![] }]);
    let back = story.redeemed();
    assert_eq!(back.state(), StateName::Pending);
    assert_eq!(back.approved_by(&[CAT]).redeemed().state(), StateName::Executing);

    let other = approved().under(vec![need("need.security", "security", 1)]).redeemed();
    assert_eq!(other.approved_by(&[DAN]).redeemed().state(), StateName::Executing);

    let weaker = Story::staged(two()).approved_by(&[BOB, CAT]).under(one()).without(BOB);
    assert_eq!(weaker.redeemed().state(), StateName::Pending, "what it was staged under holds too");
}

#[test]
fn i9_a10_an_approval_too_stale_for_the_policy_of_today_is_given_again() {
    let mut story = Story::staged(one()).at(1000);
    let input = domain::ReviewInput { authenticated_at: at(0), ..story.input(BOB) };
    story.does(Command::Approve(input));
    let story = story.under(vec![fresh("need.fresh", "approvers", 1)]).redeemed();
    assert_eq!(story.state(), StateName::Pending);
    assert_eq!(story.approved_by(&[BOB]).redeemed().state(), StateName::Executing);
}

#[test]
fn i5_d07_a_policy_that_cannot_be_asked_or_forbids_releases_nothing() {
    let mut story = approved();
    story.house.ruling.as_mut().unwrap().permits_release = false;
    assert_eq!(story.refusal(story.redeem()), Refusal::PolicyForbids);
    story.house.ruling = None;
    assert_eq!(story.refusal(story.redeem()), Refusal::PolicyFailed);
    let nothing_asked = approved().under(vec![]).redeemed();
    assert_eq!(nothing_asked.state(), StateName::Pending);
}

#[test]
fn i9_d07_a_suspended_agent_redeems_nothing() {
    for (stager, executor) in [(false, true), (true, false)] {
        let mut story = approved();
        story.house.agent_active = stager;
        story.house.executor_active = executor;
        assert_eq!(story.refusal(story.redeem()), Refusal::Suspended);
    }
}

#[test]
fn i9_a_freeze_stops_redemption_and_its_end_lets_it_go_on() {
    let mut story = approved();
    story.house.frozen.push(freeze(FreezeScope::All, false));
    assert_eq!(story.refusal(story.redeem()), Refusal::Frozen { freeze: FREEZE });
    story.house.frozen.clear();
    assert_eq!(story.redeemed().state(), StateName::Executing);
}

#[test]
fn a_window_bounds_the_release_and_its_token() {
    let window = Some(Window { not_before: at(1000), not_after: at(1100) });
    let story = Story::of(RequestStaged { window, ..staged(one()) }).approved_by(&[BOB]);
    let outside = Refusal::OutsideWindow { not_before: at(1000), not_after: at(1100) };
    for second in [0, 999] {
        let early = story.clone().at(second);
        assert_eq!(early.refusal(early.redeem()), outside);
    }
    for (second, exp) in [(1000, 1100), (1050, 1100)] {
        let inside = story.clone().at(second);
        let facts = inside.answer(inside.redeem()).unwrap();
        let [RequestFact::ReleaseRedeemed { release, .. }] = &facts[..] else { panic!() };
        assert_eq!(release.token_expires_at, at(exp));
    }
    let after = story.at(1100);
    let lapsed = Refusal::NotApproved { state: StateName::Lapsed };
    assert_eq!(after.refusal(after.redeem()), lapsed);
}

#[test]
fn the_token_of_a_window_ends_with_the_approval_where_that_is_earlier() {
    let window = Some(Window { not_before: at(1000), not_after: at(5000) });
    let story = Story::of(RequestStaged { window, ..staged(one()) }).approved_by(&[BOB]).at(1500);
    let facts = story.answer(story.redeem()).unwrap();
    let [RequestFact::ReleaseRedeemed { release, .. }] = &facts[..] else { panic!() };
    assert_eq!(release.token_expires_at, at(1600), "approved until 600 s after the window opens");
}

#[test]
fn the_token_lives_300_seconds_and_never_past_the_approval() {
    for (second, exp) in [(20, 320), (500, 610), (609, 610)] {
        let story = approved().at(second);
        let facts = story.answer(story.redeem()).unwrap();
        let [RequestFact::ReleaseRedeemed { release, digest: of, executor }] = &facts[..] else {
            panic!("{facts:?}")
        };
        assert_eq!(release.token_expires_at, at(exp));
        assert_eq!((*of, *executor), (digest(1), EXECUTOR));
        assert_eq!(release.redeemed_at, at(second));
        assert_eq!(release.lease_until, at(second + 300));
        assert_eq!(release.report_by, at(second + 900));
    }
}
