//! What the rules are told with: a house, requests in it, and a clock that stands.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::entry::HouseFact;
use domain::fact::{RequestAmended, RequestStaged};
use domain::freeze::FreezeScope;
use domain::kind::EffectPart;
use domain::revision::{Identity, Revision, Sealed};
use domain::risk::{Risk, RiskLevel};
use domain::state::Release;
use domain::trust::Terms;
use domain::{
    Actor, AgentId, Commitment, Digest, Fact, Freeze, FreezeId, InstanceId, KeyId, Kind, KindRef,
    LeaseId, PersonId, Request, RequestFact, RequestId, Requirement, Scope, StageBody, Timestamp,
    TrustId, Verdict,
};
use serde_json::json;
use store::change::{Before, Staged};
use store::{
    CHUNK_BYTES, Change, Clock, ContentId, NewFact, RequestChange, Side, Store, Text, Upload, Write,
};
use uuid::Uuid;

pub const OWNER: PersonId = PersonId(Uuid::from_u128(20));
pub const BOB: PersonId = PersonId(Uuid::from_u128(21));
pub const AGENT: AgentId = AgentId(Uuid::from_u128(10));
pub const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(1));

/// The writer's clock: it stands at second 100, or where it is put.
#[derive(Debug)]
pub struct Standing(AtomicI64);

impl Default for Standing {
    fn default() -> Self {
        Self(AtomicI64::new(100))
    }
}

impl Standing {
    pub fn put(&self, second: i64) {
        self.0.store(second, Ordering::SeqCst);
    }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).unwrap().plus_seconds(second)
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }

    fn by_database(&self, _waited: Duration, _database: Timestamp) -> Timestamp {
        self.now()
    }
}

pub fn fact(actor: Actor, fact: impl Into<Fact>) -> NewFact {
    NewFact { at: at(0), actor, request: None, fact: fact.into(), texts: vec![] }
}

pub fn person(id: PersonId, name: &str) -> NewFact {
    let salt = [1; 16];
    let added = HouseFact::PersonAdded { person: id, name: Commitment::new(&salt, name) };
    let text = Text { field: "name", salt, text: name.into() };
    NewFact { texts: vec![text], ..fact(Actor::System, added) }
}

pub fn kind() -> Kind {
    serde_json::from_value(json!({
        "name": "k", "title": "", "description": "", "effect": "Do it", "parameters_schema": {},
        "required_evidence": [], "rollback_plan_required": false, "reversible": true,
        "reversal_note": "", "base_risk": "low", "review_deadline_s": 300, "release_ttl_s": 60,
        "report_deadline_s": 60, "example": {}
    }))
    .unwrap()
}

/// Gives a new store an owner, an approver, an agent and a kind: five entries.
pub async fn furnish(store: &dyn Store) {
    let system = Actor::System;
    let facts = vec![
        fact(system, HouseFact::InstanceCreated { product_version: "test".into() }),
        person(OWNER, "Olga Owner"),
        person(BOB, "Bob Approver"),
        fact(system, HouseFact::GroupMemberAdded { group: "approvers".into(), person: BOB }),
        fact(
            system,
            HouseFact::AgentAdded { agent: AGENT, name: "agent-1".into(), owner: Some(OWNER) },
        ),
    ];
    let writes =
        vec![Write::Instance { id: INSTANCE }, Write::Kind { kind: Box::new(kind()), version: 1 }];
    let change = Change { facts, writes, ..Change::default() };
    store.commit(change).await.unwrap();
}

fn body(environment: &str) -> StageBody {
    serde_json::from_value(json!({
        "kind": "k", "parameters": {}, "targets": ["t"], "environment": environment,
        "summary": "s", "justification": "j", "risk": {"factors": []}
    }))
    .unwrap()
}

fn sealed(id: RequestId, revision: u32, environment: &str) -> Sealed {
    let identity = Identity {
        instance: INSTANCE,
        request_id: id,
        revision,
        agent: AGENT,
        executor: AGENT,
        kind: KindRef { name: "k".into(), version: 1 },
    };
    Revision::new(identity, body(environment), vec![]).seal().unwrap()
}

fn need() -> Requirement {
    Requirement {
        id: "need.one".into(),
        group: "approvers".into(),
        seats: 1,
        reauth_s: None,
        why: String::new(),
    }
}

pub fn staging(number: u128) -> Change {
    staging_by(number, AGENT, AGENT)
}

pub fn staging_by(number: u128, agent: AgentId, executor: AgentId) -> Change {
    let id = RequestId(Uuid::from_u128(1000 + number));
    let sealed = sealed(id, 1, "production");
    let staged = RequestStaged {
        request: id,
        staged_by: Actor::Agent(agent),
        agent,
        executor,
        kind: KindRef { name: "k".into(), version: 1 },
        environment: "production".into(),
        revision: 1,
        digest: sealed.digest,
        content_digest: sealed.content_digest,
        requirements: vec![need()],
        excluded: vec![],
        risk: Risk { level: RiskLevel::Low, facts: vec![] },
        review_deadline: at(3600),
        release_ttl_s: 600,
        lease_ttl_s: 600,
        report_deadline_s: 600,
        window: None,
    };
    let staged = RequestFact::RequestStaged(Box::new(staged));
    let after = Request::evolve(None, &staged, at(0)).unwrap();
    let effect = vec![EffectPart::Words("Do it".into())];
    let fact = NewFact { request: Some(id), ..fact(Actor::Agent(agent), staged) };
    let staged = Some(Staged { sealed, effect });
    let request = Some(RequestChange { before: None, after, staged });
    Change { request, facts: vec![fact], ..Change::default() }
}

/// The change that moves a stored request to staging, in words too.
pub async fn amending(store: &dyn Store, id: RequestId) -> Change {
    let sealed = sealed(id, 2, "staging");
    let amended = RequestAmended {
        amended_by: Actor::Agent(AGENT),
        environment: "staging".into(),
        revision: 2,
        digest: sealed.digest,
        content_digest: sealed.content_digest,
        requirements: vec![need()],
        excluded: vec![],
        risk: Risk { level: RiskLevel::High, facts: vec![] },
        review_deadline: at(7200),
        window: None,
    };
    let amended = RequestFact::RequestAmended(Box::new(amended));
    let mut change = following(store, id, vec![amended]).await;
    let effect = vec![EffectPart::Words("Do it ELSEWHERE".into())];
    if let Some(request) = &mut change.request {
        request.staged = Some(Staged { sealed, effect });
    }
    change
}

/// The change that records `facts` on a stored request.
pub async fn following(store: &dyn Store, id: RequestId, facts: Vec<RequestFact>) -> Change {
    let stored = store.load(id).await.unwrap().unwrap();
    let after = facts.iter().fold(stored.request.clone(), |request, fact| {
        Request::evolve(Some(request), fact, at(0)).unwrap()
    });
    let new = |one: RequestFact| NewFact { request: Some(id), ..fact(Actor::Person(BOB), one) };
    let before = Some(Before { request: stored.request, version: stored.version });
    Change {
        request: Some(RequestChange { before, after, staged: None }),
        facts: facts.into_iter().map(new).collect(),
        ..Change::default()
    }
}

pub fn approval(digest: Digest) -> Vec<RequestFact> {
    let review = RequestFact::ReviewRecorded {
        reviewer: BOB,
        verdict: Verdict::Approve,
        revision: 1,
        digest,
        shown_at: at(1),
        authenticated_at: at(1),
        justification: Commitment::new(&[0; 16], "ok"),
    };
    vec![review, RequestFact::RequestApproved { digest, approved_until: at(700), seats: vec![] }]
}

pub fn redemption(digest: Digest) -> RequestFact {
    let release = Release {
        lease_id: LeaseId(Uuid::from_u128(77)),
        redeemed_at: at(10),
        token_expires_at: at(310),
        lease_until: at(610),
        report_by: at(610),
    };
    RequestFact::ReleaseRedeemed { digest, executor: AGENT, release }
}

pub fn named(change: &Change) -> (RequestId, Digest) {
    let request = &change.request.as_ref().unwrap().after;
    (request.id, request.digest)
}

/// Four requests: pending, denied, approved, executing.
pub async fn four_states(store: &dyn Store) -> [(RequestId, Digest); 4] {
    let mut staged = Vec::new();
    for number in 0..4 {
        let change = staging(number);
        staged.push(named(&change));
        store.commit(change).await.unwrap();
    }
    let [pending, denied, approved, executing] = staged[..] else { panic!("four were staged") };
    let denial = vec![RequestFact::RequestDenied { by: BOB }];
    store.commit(following(store, denied.0, denial).await).await.unwrap();
    for (id, digest) in [approved, executing] {
        store.commit(following(store, id, approval(digest)).await).await.unwrap();
    }
    let redeemed = vec![redemption(executing.1)];
    store.commit(following(store, executing.0, redeemed).await).await.unwrap();
    [pending, denied, approved, executing]
}

/// The fact that `actor` turned a freeze on, with its reason.
pub fn frozen(actor: Actor, freeze: Freeze) -> NewFact {
    let salt = [2; 16];
    let text = Text { field: "reason", salt, text: "an incident".into() };
    let frozen = HouseFact::Frozen { freeze, reason: Commitment::new(&salt, &text.text) };
    NewFact { texts: vec![text], ..fact(actor, frozen) }
}

/// The fact that a freeze was turned off.
pub fn thawed(freeze: FreezeId) -> NewFact {
    let reason = Commitment::new(&[3; 16], "over");
    fact(Actor::Person(BOB), HouseFact::Thawed { freeze, reason })
}

/// A policy, a freeze, and changes to the house that go on needing a second person.
pub async fn rule_the_house(store: &dyn Store) {
    let freeze = Freeze { id: FreezeId(Uuid::from_u128(6)), scope: FreezeScope::All, halts: false };
    let gated = fact(Actor::System, HouseFact::ChangesGated);
    let facts = vec![frozen(Actor::System, freeze), gated];
    let writes = vec![Write::Policy { version: 1, text: "policy".into() }];
    store.commit(Change { facts, writes, ..Change::default() }).await.unwrap();
}

/// The kind of the fixture, in one environment.
pub fn narrow() -> Scope {
    Scope { kinds: ["k".to_owned()].into(), environments: ["staging".to_owned()].into() }
}

/// The fact that the agent got a key so limited, which its owner was shown.
pub fn issued(key: KeyId) -> NewFact {
    let (holder, expires_at) = (Actor::Agent(AGENT), at(9000));
    let scope = narrow();
    fact(Actor::System, HouseFact::KeyIssued { key, holder, expires_at, shown_to: OWNER, scope })
}

/// The fact that Bob trusts tokens to speak as the agent.
pub fn trusted(trust: TrustId) -> NewFact {
    let terms = Terms {
        issuer: "https://issuer.example".into(),
        audience: "gate".into(),
        claims: [("sub".to_owned(), "job".to_owned())].into(),
        scope: narrow(),
        jwks: None,
    };
    fact(Actor::Person(BOB), HouseFact::TrustAdded { trust, agent: AGENT, terms })
}

/// Keeps the pieces of a content.
pub async fn keep_chunks(store: &dyn Store, content: ContentId, bytes: &[u8], at: Timestamp) {
    for (seq, chunk) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
        store.keep_chunk(content, seq, chunk.to_vec(), at).await.unwrap();
    }
}

/// Uploads as the agent.
pub async fn upload(store: &dyn Store, bytes: &[u8], at: Timestamp) -> Digest {
    let digest = Digest::of(bytes);
    let content = ContentId::from(digest);
    keep_chunks(store, content, bytes, at).await;
    let upload = Upload { agent: AGENT, digest, content, size_bytes: bytes.len() as u64 };
    store.side(Side::Evidence { upload, at }).await.unwrap();
    digest
}

pub fn joined(group: &str, person: PersonId) -> NewFact {
    fact(Actor::System, HouseFact::GroupMemberAdded { group: group.into(), person })
}

pub fn withdrawn_from_approvers(person: PersonId) -> NewFact {
    fact(Actor::System, HouseFact::GroupMemberRemoved { group: "approvers".into(), person })
}
