//! Stopping: freezes and what they cover, revoking, withdrawing.

use domain::fact::RequestStaged;
use domain::{Actor, AgentId, Command, FreezeScope, KindRef, Refusal, StateName};

use super::scene::{
    self, ACTED_FOR, BOB, CAT, EVE, EXECUTOR, OTHER_AGENT, OUTSIDER, OWNER, STAGER, Story, one,
    stage, staged,
};
use super::states::{Way, revoke, story_in};

fn every_scope() -> Vec<(FreezeScope, bool)> {
    vec![
        (FreezeScope::All, true),
        (FreezeScope::Agent(STAGER), true),
        (FreezeScope::Agent(EXECUTOR), true),
        (FreezeScope::Agent(OTHER_AGENT), false),
        (FreezeScope::Kind("db.export".into()), true),
        (FreezeScope::Kind("db".into()), false),
        (FreezeScope::Kind("DB.export".into()), false),
        (FreezeScope::Environment("production".into()), true),
        (FreezeScope::Environment("staging".into()), false),
    ]
}

#[test]
fn a_freeze_covers_what_its_scope_names() {
    let story = Story::staged(one());
    for (scope, covers) in every_scope() {
        assert_eq!(scope.covers(story.request()), covers, "{scope:?}");
    }
}

#[test]
fn changes_to_the_house_are_exempt_from_every_freeze() {
    let change = Story::of(scene::change());
    let own = FreezeScope::Kind("countersign.policy".into());
    let gate = FreezeScope::Agent(AgentId::HOUSE);
    for (scope, _) in every_scope().into_iter().chain([(own, true), (gate, true)]) {
        assert!(!scope.covers(change.request()), "{scope:?}");
    }
}

#[test]
fn a_kind_that_only_looks_like_a_change_is_not_exempt() {
    for name in ["countersign", "countersign-policy", "x.countersign.policy", "Countersign.policy"]
    {
        let kind = KindRef { name: name.into(), version: 1 };
        let story = Story::of(RequestStaged { kind, ..staged(one()) });
        assert!(FreezeScope::All.covers(story.request()), "{name}");
    }
}

#[test]
fn c07_a_revoked_release_is_dead() {
    let story = story_in(StateName::Approved, Way::Quorum).then(revoke(CAT));
    assert_eq!(story.state(), StateName::Revoked);
    let dead = Refusal::NotApproved { state: StateName::Revoked };
    assert_eq!(story.refusal(story.redeem()), dead);
    assert_eq!(story.refusal(revoke(CAT)), dead);
}

#[test]
fn r08_whoever_has_a_say_may_revoke_even_where_they_may_not_approve() {
    let story = story_in(StateName::Approved, Way::Quorum);
    for person in [BOB, CAT, OWNER, ACTED_FOR, EVE] {
        assert!(story.answer(revoke(person)).is_ok());
    }
    assert_eq!(story.refusal(revoke(OUTSIDER)), Refusal::MayNotStop);
}

#[test]
fn the_owner_may_stop_without_being_in_any_group() {
    let story = story_in(StateName::Approved, Way::Quorum).without(OWNER);
    assert!(story.answer(revoke(OWNER)).is_ok());
}

#[test]
fn b16_only_the_stager_withdraws_and_only_while_people_decide() {
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum).at(30);
        let own = story.answer(Command::Withdraw { by: Actor::Agent(STAGER) });
        assert_eq!(own.is_ok(), name.is_open(), "{}", name.as_str());
        let strangers = [Actor::Agent(OTHER_AGENT), Actor::Person(OWNER), Actor::System];
        for by in strangers {
            assert!(story.answer(Command::Withdraw { by }).is_err());
        }
    }
}

#[test]
fn c03_a_withdrawn_request_is_never_approved() {
    let story = story_in(StateName::Withdrawn, Way::Quorum);
    let dead = Refusal::NotPending { state: StateName::Withdrawn };
    assert_eq!(story.refusal(story.approve(BOB)), dead);
}

#[test]
fn i10_only_a_person_wishes_for_a_change_to_the_house_and_the_gate_does_nothing_else() {
    let nothing = Story { request: None, ..Story::staged(one()) };
    let answer = |staged| nothing.answer(stage(staged)).map(|_| ());
    let change = scene::change();
    assert_eq!(answer(change.clone()), Ok(()));
    let by_agent = Actor::Agent(STAGER);
    let (kind, gate) = (staged(one()).kind, AgentId::HOUSE);
    let wrong = [
        RequestStaged { staged_by: by_agent, ..change.clone() },
        RequestStaged { staged_by: Actor::System, ..change.clone() },
        RequestStaged { staged_by: Actor::Agent(gate), ..change.clone() },
        RequestStaged { agent: STAGER, ..change.clone() },
        RequestStaged { executor: EXECUTOR, ..change.clone() },
        RequestStaged { kind, ..change },
        RequestStaged { agent: gate, ..staged(one()) },
        RequestStaged { executor: gate, ..staged(one()) },
    ];
    for staged in wrong {
        assert_eq!(answer(staged.clone()), Err(Refusal::NotAChange), "{staged:?}");
    }
}
