//! Requested changes and new revisions.

use domain::apply::MAX_REVISIONS;
use domain::fact::RequestAmended;
use domain::{Actor, Command, Ineligible, Refusal, ReviewInput, StateName, Verdict};

use super::scene::{
    BOB, CAT, EVE, OTHER_AGENT, OWNER, Story, amend, amended, at, digest, need, one, two,
};
use super::states::{Way, story_in};

#[test]
fn e02_a_new_revision_voids_every_review_of_the_old() {
    let story = Story::staged(two()).approved_by(&[BOB]).then(amend(amended(2, two())));
    assert_eq!(story.state(), StateName::Pending);
    assert_eq!(story.request().standing().count(), 0);
    assert_eq!(story.request().reviews.len(), 1, "the old review stays on record");
    let story = story.approved_by(&[CAT]);
    assert_eq!(story.state(), StateName::Pending, "two are needed on the new revision");
    assert_eq!(story.approved_by(&[BOB]).state(), StateName::Approved);
}

#[test]
fn i4_e01_c06_a_verdict_on_the_old_revision_is_refused() {
    let story = Story::staged(one());
    let seen: ReviewInput = story.input(BOB);
    let story = story.then(amend(amended(2, one())));
    let changed = Refusal::Changed { revision: 2, digest: digest(2) };
    for command in [
        Command::Approve(seen.clone()),
        Command::Deny(seen.clone()),
        Command::RequestChanges(seen.clone()),
        Command::PassOn(seen.clone()),
    ] {
        assert_eq!(story.refusal(command), changed);
    }
    let broken =
        Command::BreakGlass(ReviewInput { reviewer: domain::Reviewer::from_session(EVE), ..seen });
    assert_eq!(story.refusal(broken), changed);
}

#[test]
fn requested_changes_are_answered_by_amending_and_nothing_else_approves() {
    let story = story_in(StateName::ChangesRequested, Way::Quorum);
    let open = Refusal::NotPending { state: StateName::ChangesRequested };
    assert_eq!(story.refusal(story.approve(CAT)), open);
    assert_eq!(story.refusal(story.says(CAT, Verdict::Pass)), open);
    let story = story.then(amend(amended(2, one())));
    assert_eq!(story.state(), StateName::Pending);
    assert_eq!(story.approved_by(&[BOB]).state(), StateName::Approved);
}

#[test]
fn requested_changes_expire_like_a_pending_request() {
    let story = story_in(StateName::ChangesRequested, Way::Quorum).at(3600);
    assert_eq!(story.state(), StateName::Expired);
    assert_eq!(
        story.refusal(amend(amended(2, one()))),
        Refusal::NotPending { state: StateName::Expired }
    );
}

#[test]
fn i1_exclusions_of_every_revision_add_up() {
    let staged = Story::staged(one());
    let excluded = vec![(BOB, Ineligible::ActsOnBehalf)];
    let second = staged.then(amend(RequestAmended { excluded, ..amended(2, one()) }));
    let third = second.then(amend(amended(3, one())));
    let refusal = third.refusal(third.approve(BOB));
    assert_eq!(refusal, Refusal::NotEligible { why: Ineligible::ActsOnBehalf });
    let twice = third.then(amend(RequestAmended {
        excluded: vec![(BOB, Ineligible::ActsOnBehalf)],
        ..amended(4, one())
    }));
    assert_eq!(twice.request().excluded.iter().filter(|(person, _)| *person == BOB).count(), 1);
}

#[test]
fn only_whoever_staged_it_amends_it() {
    let story = Story::staged(one());
    for by in [Actor::Agent(OTHER_AGENT), Actor::Person(OWNER), Actor::System] {
        let amendment = RequestAmended { amended_by: by, ..amended(2, one()) };
        assert_eq!(story.refusal(amend(amendment)), Refusal::NotStager);
    }
}

#[test]
fn c06_of_two_amendments_of_one_revision_the_second_is_refused() {
    let story = Story::staged(one()).then(amend(amended(2, one())));
    for number in [0, 1, 2, 4, u32::MAX] {
        let refusal = story.refusal(amend(amended(number, one())));
        assert_eq!(refusal, Refusal::Changed { revision: 2, digest: digest(2) }, "{number}");
    }
}

#[test]
fn a_request_has_at_most_fifty_revisions() {
    let mut story = Story::staged(one());
    for number in 2..=MAX_REVISIONS {
        story.does(amend(amended(number, one())));
    }
    let refusal = story.refusal(amend(amended(MAX_REVISIONS + 1, one())));
    assert_eq!(refusal, Refusal::TooManyRevisions { most: 50 });
    assert_eq!(story.approved_by(&[BOB]).state(), StateName::Approved, "the last one is decided");
}

#[test]
fn i5_a_revision_is_held_to_what_staging_is_held_to() {
    let story = Story::staged(one()).at(10);
    for needs in [vec![], vec![need("none", "approvers", 0)]] {
        assert_eq!(story.refusal(amend(amended(2, needs))), Refusal::NoRequirement);
    }
    for second in [9, 10] {
        let late = RequestAmended { review_deadline: at(second), ..amended(2, one()) };
        assert_eq!(story.refusal(amend(late)), Refusal::DeadlinePassed);
    }
    let mut suspended = story;
    suspended.house.agent_active = false;
    assert_eq!(suspended.refusal(amend(amended(2, one()))), Refusal::Suspended);
}

#[test]
fn i4_what_was_approved_cannot_change_any_more() {
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum).at(30);
        let answer = story.answer(amend(amended(2, one())));
        assert_eq!(answer.is_ok(), name.is_open(), "{}", name.as_str());
    }
}
