//! Verdicts: whose, on what, how fresh, and under which policy.

use domain::apply::MAX_SHOWN_S;
use domain::{Command, Digest, Ineligible, Refusal, RequestFact, ReviewInput, StateName, Verdict};

use super::scene::{
    ACTED_FOR, BOB, CAT, DAN, HOLDER, OWNER, Story, at, digest, fresh, groups, need, one, stage,
    staged, two,
};

#[test]
fn i1_b07_excluded_people_are_never_counted() {
    let story = Story::staged(one());
    for (person, why) in [
        (OWNER, Ineligible::OwnsAgent),
        (ACTED_FOR, Ineligible::ActsOnBehalf),
        (HOLDER, Ineligible::HoldsKey),
        (DAN, Ineligible::NotInGroup),
    ] {
        let refusal = story.refusal(story.approve(person));
        assert_eq!(refusal, Refusal::NotEligible { why });
    }
}

#[test]
fn i1_an_exclusion_after_the_approval_takes_it_away() {
    let mut story = Story::staged(two()).approved_by(&[BOB]);
    story.house.excluded.insert(BOB, Ineligible::HoldsKey);
    let story = story.approved_by(&[CAT]);
    assert_eq!(story.state(), StateName::Pending);
}

#[test]
fn i1_b14_one_person_fills_one_seat() {
    let story = Story::staged(vec![need("a", "approvers", 1), need("b", "approvers", 1)]);
    let story = story.approved_by(&[BOB]).at(1);
    assert_eq!(story.state(), StateName::Pending);
    let again = story.refusal(story.approve(BOB));
    assert_eq!(again, Refusal::AlreadyReviewed { verdict: Verdict::Approve, at: at(0) });
    assert_eq!(story.approved_by(&[CAT]).state(), StateName::Approved);
}

#[test]
fn i4_e01_a_verdict_on_another_digest_is_refused() {
    let story = Story::staged(one());
    let digest = Digest::of(b"what I saw");
    for verdict in Verdict::ALL {
        let command = match story.says(BOB, verdict) {
            Command::Approve(input) => Command::Approve(ReviewInput { digest, ..input }),
            Command::RequestChanges(input) => {
                Command::RequestChanges(ReviewInput { digest, ..input })
            }
            Command::Deny(input) => Command::Deny(ReviewInput { digest, ..input }),
            Command::PassOn(input) => Command::PassOn(ReviewInput { digest, ..input }),
            other => panic!("{other:?}"),
        };
        let changed = Refusal::Changed { revision: 1, digest: self::digest(1) };
        assert_eq!(story.refusal(command), changed);
    }
}

#[test]
fn i4_a_page_shown_too_long_ago_or_in_the_future_decides_nothing() {
    let mut story = Story::of(domain::fact::RequestStaged {
        review_deadline: at(3 * MAX_SHOWN_S),
        ..staged(one())
    });
    story.second = MAX_SHOWN_S + 1;
    let shown = |second| Command::Approve(ReviewInput { shown_at: at(second), ..story.input(BOB) });
    assert_eq!(story.refusal(shown(0)), Refusal::ShownTooLongAgo);
    assert_eq!(story.refusal(shown(MAX_SHOWN_S + 2)), Refusal::ShownTooLongAgo);
    assert!(story.answer(shown(1)).is_ok());
}

#[test]
fn b19_one_denial_ends_it_whoever_approved() {
    let story = Story::staged(two()).approved_by(&[BOB]);
    let denial = story.says(CAT, Verdict::Deny);
    let story = story.then(denial);
    assert_eq!(story.state(), StateName::Denied);
    assert!(story.answer(story.approve(BOB)).is_err());
}

#[test]
fn b19_whoever_approved_may_still_deny_pass_or_ask_for_changes() {
    for (verdict, state) in [
        (Verdict::Deny, StateName::Denied),
        (Verdict::RequestChanges, StateName::ChangesRequested),
        (Verdict::Pass, StateName::Pending),
    ] {
        let story = Story::staged(two()).approved_by(&[BOB]);
        let command = story.says(BOB, verdict);
        let story = story.then(command);
        assert_eq!(story.state(), state);
        assert_eq!(story.request().approvals().count(), 0, "{verdict:?}");
    }
}

#[test]
fn i1_passing_on_fills_no_seat() {
    let story = Story::staged(two()).approved_by(&[BOB]);
    let pass = story.says(CAT, Verdict::Pass);
    let story = story.then(pass);
    assert_eq!(story.state(), StateName::Pending);
    let again = story.refusal(story.says(CAT, Verdict::Pass));
    assert_eq!(again, Refusal::AlreadyReviewed { verdict: Verdict::Pass, at: at(0) });
    assert_eq!(story.approved_by(&[CAT]).state(), StateName::Approved);
}

#[test]
fn i5_b08_no_requirement_no_seat_and_an_empty_group_are_never_approved() {
    let nothing = Story { request: None, house: super::scene::house(vec![]), second: 0 };
    for needs in [vec![], vec![need("none", "approvers", 0)]] {
        assert_eq!(nothing.refusal(stage(staged(needs))), Refusal::NoRequirement);
    }
    let empty = Story::staged(vec![need("need", "nobody", 1)]);
    let refusal = empty.refusal(empty.approve(BOB));
    assert_eq!(refusal, Refusal::NotEligible { why: Ineligible::NotInGroup });
    assert_eq!(nothing.refusal(Command::Elapse), Refusal::NotStaged);
}

#[test]
fn i5_a_policy_that_cannot_be_asked_or_asks_nothing_approves_nothing() {
    let mut story = Story::staged(one());
    story.house.ruling = None;
    assert_eq!(story.refusal(story.approve(BOB)), Refusal::PolicyFailed);
    assert!(story.answer(story.says(BOB, Verdict::Deny)).is_ok(), "a no needs no policy");
    let nothing_asked = story.under(vec![]).approved_by(&[BOB, CAT]);
    assert_eq!(nothing_asked.state(), StateName::Pending);
}

#[test]
fn i9_b17_the_requirements_of_staging_and_of_today_both_have_to_be_met() {
    let stricter = Story::staged(one()).under(two()).approved_by(&[BOB]);
    assert_eq!(stricter.state(), StateName::Pending);
    assert_eq!(stricter.approved_by(&[CAT]).state(), StateName::Approved);
    let weaker = Story::staged(two()).under(one()).approved_by(&[BOB]);
    assert_eq!(weaker.state(), StateName::Pending);
    let other = Story::staged(one()).under(vec![need("need.security", "security", 1)]);
    let other = other.approved_by(&[BOB]);
    assert_eq!(other.state(), StateName::Pending);
    assert_eq!(other.approved_by(&[DAN]).state(), StateName::Approved);
}

#[test]
fn a10_an_approval_needs_the_fresh_sign_in_that_its_seat_asks_for() {
    let story = Story::staged(vec![fresh("need.fresh", "approvers", 1)]).at(1000);
    let signed_in =
        |second| Command::Approve(ReviewInput { authenticated_at: at(second), ..story.input(BOB) });
    let needed = Refusal::ReauthenticationNeeded { within_s: 300 };
    assert_eq!(story.refusal(signed_in(699)), needed);
    assert_eq!(story.refusal(signed_in(1001)), needed, "not from the future");
    assert!(story.answer(signed_in(700)).is_ok());
    let stale = ReviewInput { authenticated_at: at(0), ..story.input(BOB) };
    assert!(story.answer(Command::Deny(stale)).is_ok(), "a no needs no fresh sign-in");
}

#[test]
fn a10_a_part_of_a_second_too_old_is_too_old() {
    let story = Story::staged(vec![fresh("need.fresh", "approvers", 1)]).at(1000);
    let just = domain::Timestamp::from_micros(at(700).micros() - 1).unwrap();
    let input = ReviewInput { authenticated_at: just, ..story.input(BOB) };
    let refusal = story.refusal(Command::Approve(input));
    assert_eq!(refusal, Refusal::ReauthenticationNeeded { within_s: 300 });
}

#[test]
fn a10_the_policy_of_today_may_ask_for_a_fresher_approval() {
    let stale = |story: &Story| {
        Command::Approve(ReviewInput { authenticated_at: at(0), ..story.input(BOB) })
    };
    let story = Story::staged(two()).at(1000);
    let command = stale(&story);
    let story = story.then(command).under(vec![fresh("need.fresh", "approvers", 2)]);
    let once = story.clone().approved_by(&[CAT]);
    assert_eq!(once.state(), StateName::Pending, "an old sign-in no longer counts");
    assert_eq!(once.approved_by(&[BOB]).state(), StateName::Approved, "given anew it does");
    let again = story.approved_by(&[BOB]);
    assert!(matches!(
        again.refusal(again.approve(BOB)),
        Refusal::AlreadyReviewed { verdict: Verdict::Approve, .. }
    ));
}

#[test]
fn a10_a_sign_in_of_the_future_is_never_fresh() {
    let mut story = Story::staged(two()).at(100);
    let ahead = ReviewInput { authenticated_at: at(200), ..story.input(BOB) };
    story.does(Command::Approve(ahead));
    let story = story.under(vec![fresh("need.fresh", "approvers", 2)]).approved_by(&[CAT]);
    assert_eq!(story.state(), StateName::Pending);
}

#[test]
fn i1_a_person_in_two_groups_is_held_to_the_stricter_seat() {
    let mut story =
        Story::staged(vec![need("lax", "approvers", 1), fresh("strict", "security", 1)]);
    story.house.groups = groups(&[("approvers", &[BOB, CAT]), ("security", &[BOB, DAN])]);
    let story = story.at(1000);
    let old =
        |person| Command::Approve(ReviewInput { authenticated_at: at(0), ..story.input(person) });
    let needed = Refusal::ReauthenticationNeeded { within_s: 300 };
    assert_eq!(story.refusal(old(BOB)), needed);
    assert!(story.answer(old(CAT)).is_ok());
}

#[test]
fn i1_the_approval_says_who_fills_which_seat() {
    let story = Story::staged(two()).approved_by(&[BOB]);
    let facts = story.answer(story.approve(CAT)).unwrap();
    let [_, RequestFact::RequestApproved { digest: approved, seats, approved_until }] = &facts[..]
    else {
        panic!("{facts:?}")
    };
    assert_eq!((*approved, *approved_until), (digest(1), at(600)));
    let mut people: Vec<_> = seats.iter().map(|seat| seat.person).collect();
    people.sort_unstable();
    assert_eq!(people, [BOB, CAT]);
}
