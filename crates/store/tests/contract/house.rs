//! The house: whatever it holds moves the authority epoch, so that it may be kept until then.

use domain::entry::{Attempt, HouseFact, SignInMethod};
use domain::freeze::FreezeScope;
use domain::{
    Actor, AgentId, Commitment, Digest, Freeze, FreezeId, KeyId, KindRef, PersonId, RequestFact,
    SecondVerdict, TrustId,
};
use store::{Change, NewFact, Write};
use uuid::Uuid;

use crate::fixture::*;
use crate::rules::Database;

const EVE: PersonId = PersonId(Uuid::from_u128(40));

fn change(facts: Vec<NewFact>, writes: Vec<Write>) -> Change {
    Change { facts, writes, ..Change::default() }
}

fn one(house_fact: HouseFact) -> Change {
    change(vec![fact(Actor::System, house_fact)], Vec::new())
}

/// Changes of everything that the house holds, each of which makes it another.
fn moving() -> Vec<(&'static str, Change)> {
    let (agent, key) = (AgentId(Uuid::from_u128(41)), KeyId(Uuid::from_u128(42)));
    let freeze = Freeze { id: FreezeId(Uuid::from_u128(43)), scope: FreezeScope::All, halts: true };
    let trust = TrustId(Uuid::from_u128(44));
    let hash = Write::KeyHash { key, hash: [9; 32], hint: "csn_agt_…".into() };
    let password = Write::PasswordHash { person: EVE, hash: "argon2".into(), replaces: None };
    let policy = Write::Policy { version: 1, text: "permit".into() };
    let (kind_put, digest) = (KindRef { name: "k".into(), version: 2 }, Digest::of(b"any"));
    let put = Write::Kind { kind: Box::new(kind()), version: 2 };
    let added = HouseFact::AgentAdded { agent, name: "agent-2".into(), owner: Some(EVE) };
    let system = Actor::System;
    vec![
        ("a person", change(vec![person(EVE, "Eve New")], Vec::new())),
        (
            "a password",
            change(vec![fact(system, HouseFact::PasswordSet { person: EVE })], vec![password]),
        ),
        ("a member", change(vec![joined("approvers", EVE)], Vec::new())),
        ("a member less", change(vec![withdrawn_from_approvers(EVE)], Vec::new())),
        ("an agent", one(added)),
        ("a key", change(vec![issued(key)], vec![hash])),
        ("a key for less long", one(HouseFact::KeyRetired { key, expires_at: at(20) })),
        ("a key less", one(HouseFact::KeyRevoked { key })),
        ("a trust", change(vec![trusted(trust)], Vec::new())),
        ("a trust less", one(HouseFact::TrustRemoved { trust })),
        ("an agent suspended", one(HouseFact::AgentSuspended { agent })),
        (
            "a kind",
            change(vec![fact(system, HouseFact::KindPut { kind: kind_put, digest })], vec![put]),
        ),
        (
            "a policy",
            change(vec![fact(system, HouseFact::PolicyPut { version: 1, digest })], vec![policy]),
        ),
        ("a freeze", change(vec![frozen(Actor::Person(BOB), freeze.clone())], Vec::new())),
        ("a thaw", change(vec![thawed(freeze.id)], Vec::new())),
        ("the gate on its own changes", one(HouseFact::ChangesGated)),
        ("a person disabled", one(HouseFact::PersonDisabled { person: EVE })),
    ]
}

pub async fn i9_whatever_changes_the_house_moves_the_epoch(database: impl Database) {
    let store = database.furnished().await;
    let mut before = store.house().await.unwrap();
    for (what, change) in moving() {
        store.commit(change).await.unwrap();
        let after = store.house().await.unwrap();
        assert!(format!("{before:?}") != format!("{after:?}"), "{what} is in the house");
        assert!(before.epoch() < after.epoch(), "{what} moves the epoch");
        assert_eq!(store.epoch().await.unwrap(), after.epoch(), "{what}");
        before = after;
    }
}

pub async fn i9_what_a_broken_glass_owes_moves_the_epoch(database: impl Database) {
    let store = database.furnished().await;
    let change = staging(1);
    let (id, digest) = named(&change);
    store.commit(change).await.unwrap();
    let before = store.house().await.unwrap();

    let review = approval(digest).remove(0);
    let (approved_until, review_by) = (at(700), at(900));
    let broken = RequestFact::GlassBroken { by: BOB, digest, approved_until, review_by };
    store.commit(following(&*store, id, vec![review, broken]).await).await.unwrap();
    let owing = store.house().await.unwrap();
    assert!(before.epoch() < owing.epoch());
    let request = store.load(id).await.unwrap().unwrap().request;
    assert_eq!(owing.authority(&request, at(0), []).owes_review_by, [(BOB, review_by)].into());

    let justification = Commitment::new(&[0; 16], "it was right");
    let (by, verdict) = (OWNER, SecondVerdict::Justified);
    let settled = RequestFact::SecondReviewRecorded { by, verdict, justification };
    store.commit(following(&*store, id, vec![settled]).await).await.unwrap();
    let after = store.house().await.unwrap();
    assert!(owing.epoch() < after.epoch());
    assert_eq!(after.authority(&request, at(0), []).owes_review_by, [].into());
}

pub async fn what_happens_every_day_does_not_move_the_epoch(database: impl Database) {
    let store = database.furnished().await;
    let before = store.epoch().await.unwrap();
    let refused = HouseFact::AttemptRefused { attempt: Attempt::Review, code: "late".into() };
    for house_fact in [
        HouseFact::SignedIn { person: BOB, method: SignInMethod::Password },
        HouseFact::SignedOut { person: BOB },
        HouseFact::SignInRefused { person: BOB },
        refused,
    ] {
        store.commit(one(house_fact)).await.unwrap();
    }
    four_states(&*store).await;
    assert_eq!(store.epoch().await.unwrap(), before);
}
