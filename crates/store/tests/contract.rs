//! The contract of the port, as one function a rule; and what the schema itself refuses.

use std::path::Path;
use std::sync::Arc;

use domain::entry::HouseFact;
use domain::fact::RequestStaged;
use domain::kind::EffectPart;
use domain::request::Release;
use domain::revision::{Identity, Revision};
use domain::risk::{Risk, RiskLevel};
use domain::{
    Actor, AgentId, Commitment, Digest, Fact, InstanceId, Kind, KindRef, LeaseId, PersonId,
    Request, RequestFact, RequestId, Requirement, StageBody, Timestamp, Verdict,
};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use store::change::{Idempotency, Staged};
use store::{Change, Clock, NewFact, RequestChange, SqliteStore, Store, StoreError, Text, Write};
use uuid::Uuid;

const OWNER: PersonId = PersonId(Uuid::from_u128(20));
const BOB: PersonId = PersonId(Uuid::from_u128(21));
const AGENT: AgentId = AgentId(Uuid::from_u128(10));
const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(1));

/// The writer's clock: it stands at second 100.
#[derive(Debug)]
struct Standing;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).unwrap().plus_seconds(second)
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        at(100)
    }
}

fn fact(actor: Actor, fact: impl Into<Fact>) -> NewFact {
    NewFact { at: at(0), actor, request: None, fact: fact.into(), texts: vec![] }
}

fn person(id: PersonId, name: &str) -> NewFact {
    let salt = [1; 16];
    let added = HouseFact::PersonAdded { person: id, name: Commitment::new(&salt, name) };
    let text = Text { field: "name", salt, text: name.into() };
    NewFact { texts: vec![text], ..fact(Actor::System, added) }
}

fn kind() -> Kind {
    serde_json::from_value(json!({
        "name": "k", "title": "", "description": "", "effect": "Do it", "parameters_schema": {},
        "required_evidence": [], "rollback_plan_required": false, "reversible": true,
        "reversal_note": "", "base_risk": "low", "review_deadline_s": 300, "release_ttl_s": 60,
        "report_deadline_s": 60, "example": {}
    }))
    .unwrap()
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Arc::new(Standing)).await.unwrap()
}

/// A store with an owner, an approver, an agent and a kind: five entries.
async fn furnished(path: &Path) -> SqliteStore {
    let store = open(path).await;
    let system = Actor::System;
    let facts = vec![
        fact(system, HouseFact::InstanceCreated { product_version: "test".into() }),
        person(OWNER, "Olga Owner"),
        person(BOB, "Bob Approver"),
        fact(system, HouseFact::GroupMemberAdded { group: "approvers".into(), person: BOB }),
        fact(system, HouseFact::AgentAdded { agent: AGENT, name: "agent-1".into(), owner: OWNER }),
    ];
    let writes =
        vec![Write::Instance { id: INSTANCE }, Write::Kind { kind: Box::new(kind()), version: 1 }];
    let change = Change { facts, writes, moves_epoch: true, ..Change::default() };
    store.commit(change).await.unwrap();
    store
}

fn staging(number: u128) -> Change {
    let id = RequestId(Uuid::from_u128(1000 + number));
    let kind = KindRef { name: "k".into(), version: 1 };
    let body: StageBody = serde_json::from_value(json!({
        "kind": "k", "parameters": {}, "targets": ["t"], "environment": "production",
        "summary": "s", "justification": "j", "risk": {"factors": []}
    }))
    .unwrap();
    let identity = Identity {
        instance: INSTANCE,
        request_id: id,
        revision: 1,
        agent: AGENT,
        executor: AGENT,
        kind: kind.clone(),
    };
    let sealed = Revision::new(identity, body, vec![]).seal().unwrap();
    let need = Requirement {
        id: "need.one".into(),
        group: "approvers".into(),
        seats: 1,
        reauth_s: None,
        why: String::new(),
    };
    let staged = RequestStaged {
        request: id,
        agent: AGENT,
        executor: AGENT,
        kind,
        revision: 1,
        digest: sealed.digest,
        content_digest: sealed.content_digest,
        requirements: vec![need],
        excluded: vec![],
        risk: Risk { level: RiskLevel::Low, facts: vec![] },
        review_deadline: at(3600),
        release_ttl_s: 600,
        report_deadline_s: 600,
        window: None,
    };
    let staged = RequestFact::RequestStaged(Box::new(staged));
    let after = Request::evolve(None, &staged, at(0)).unwrap();
    let effect = vec![EffectPart::Words("Do it".into())];
    let fact = NewFact { request: Some(id), ..fact(Actor::Agent(AGENT), staged) };
    let staged = Some(Staged { sealed, effect });
    let request = Some(RequestChange { expected_version: None, after, staged });
    Change { request, facts: vec![fact], ..Change::default() }
}

/// The change that records `facts` on a stored request.
async fn following(store: &dyn Store, id: RequestId, facts: Vec<RequestFact>) -> Change {
    let stored = store.load(id).await.unwrap().unwrap();
    let after = facts.iter().fold(stored.request, |request, fact| {
        Request::evolve(Some(request), fact, at(10)).unwrap()
    });
    let new = |one: RequestFact| NewFact { request: Some(id), ..fact(Actor::Person(BOB), one) };
    let expected_version = Some(stored.version);
    Change {
        request: Some(RequestChange { expected_version, after, staged: None }),
        facts: facts.into_iter().map(new).collect(),
        ..Change::default()
    }
}

fn approval(digest: Digest) -> Vec<RequestFact> {
    let review = RequestFact::ReviewRecorded {
        reviewer: BOB,
        verdict: Verdict::Approve,
        revision: 1,
        digest,
        shown_at: at(1),
        justification: Commitment::new(&[0; 16], "ok"),
    };
    vec![review, RequestFact::RequestApproved { digest, approved_until: at(700), seats: vec![] }]
}

fn redemption(digest: Digest) -> RequestFact {
    let release = Release {
        lease_id: LeaseId(Uuid::from_u128(77)),
        redeemed_at: at(10),
        token_expires_at: at(310),
        report_by: at(610),
    };
    RequestFact::ReleaseRedeemed { digest, executor: AGENT, release }
}

fn named(change: &Change) -> (RequestId, Digest) {
    let request = &change.request.as_ref().unwrap().after;
    (request.id, request.digest)
}

#[tokio::test]
async fn i7_a_change_is_durable_whole_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = furnished(&path).await;
    let change = staging(1);
    let (id, _) = named(&change);
    let committed = store.commit(change).await.unwrap();
    assert_eq!((committed.first_index, committed.size), (5, 6));
    store.close().await;
    drop(store);
    let store = open(&path).await;
    assert_eq!(store.load(id).await.unwrap().unwrap().version, 1);
    assert_eq!(store.ledger_size().await.unwrap(), 6);
    let (bytes, digest) = store.revision(id, 1).await.unwrap().unwrap();
    assert_eq!(Digest::of(&bytes), digest);
    let next = store.commit(staging(2)).await.unwrap();
    assert_eq!(next.first_index, 6, "the tree goes on where it was");
}

#[tokio::test]
async fn i7_a_change_that_fails_leaves_nothing_and_takes_nobody_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = furnished(&dir.path().join("a.db")).await;
    let mut broken = staging(1);
    broken.facts.push(person(PersonId(Uuid::from_u128(99)), "BOB approver"));
    let (good, failed) = tokio::join!(store.commit(staging(2)), store.commit(broken));
    assert!(matches!(failed, Err(StoreError::NameTaken)), "{failed:?}");
    assert!(good.is_ok());
    assert_eq!(store.ledger_size().await.unwrap(), 6);
    assert!(store.load(RequestId(Uuid::from_u128(1001))).await.unwrap().is_none());
}

#[tokio::test]
async fn i9_a_stale_version_epoch_or_deadline_is_refused_inside_the_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = furnished(&dir.path().join("a.db")).await;
    let change = staging(1);
    let (id, digest) = named(&change);
    store.commit(change).await.unwrap();
    let one = following(&store, id, approval(digest)).await;
    let two = following(&store, id, vec![RequestFact::RequestDenied { by: BOB }]).await;
    store.commit(one).await.unwrap();
    assert!(matches!(store.commit(two).await, Err(StoreError::Stale)));
    let old = Change { expected_epoch: Some(0), ..staging(2) };
    assert!(matches!(store.commit(old).await, Err(StoreError::Stale)));
    let late = Change { valid_until: Some(at(100)), ..staging(3) };
    assert!(matches!(store.commit(late).await, Err(StoreError::TooLate)));
    let timely = Change { valid_until: Some(at(101)), expected_epoch: Some(1), ..staging(4) };
    assert!(store.commit(timely).await.is_ok());
}

#[tokio::test]
async fn i11_an_idempotency_key_stands_for_one_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = furnished(&dir.path().join("a.db")).await;
    let keyed = |number| {
        let change = staging(number);
        let (request, _) = named(&change);
        let fingerprint = Digest::of(b"body");
        let record = Idempotency { scope: "s".into(), key: "k".into(), fingerprint, request };
        Change { idempotency: Some(record), ..change }
    };
    store.commit(keyed(1)).await.unwrap();
    let Err(StoreError::KeyUsed(used)) = store.commit(keyed(2)).await else {
        panic!("the key was taken twice")
    };
    assert_eq!(used.request, RequestId(Uuid::from_u128(1001)));
    assert_eq!(store.ledger_size().await.unwrap(), 6);
}

#[tokio::test]
async fn many_changes_at_once_get_contiguous_indices() {
    let dir = tempfile::tempdir().unwrap();
    let store = furnished(&dir.path().join("a.db")).await;
    let commits = (0..300).map(|number| store.commit(staging(number)));
    let answers = futures::future::join_all(commits).await;
    let mut indices: Vec<u64> = answers.into_iter().map(|a| a.unwrap().first_index).collect();
    indices.sort_unstable();
    assert_eq!(indices, (5..305).collect::<Vec<u64>>());
}

#[tokio::test]
async fn k15_a_second_server_on_one_file_is_refused_and_a_reader_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = furnished(&path).await;
    let second = SqliteStore::open(&path, Arc::new(Standing)).await;
    assert!(matches!(second, Err(StoreError::Held(_))));
    let reader = SqliteStore::open_to_read(&path).await.unwrap();
    assert_eq!(reader.ledger_size().await.unwrap(), store.ledger_size().await.unwrap());
    assert!(matches!(reader.commit(staging(1)).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn n03_a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    furnished(&path).await.close().await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
               execution_time) VALUES (9999, 'later', 1, x'00', 0)";
    sqlx::query(sql).execute(&mut raw(&path).await).await.unwrap();
    let opened = SqliteStore::open(&path, Arc::new(Standing)).await;
    assert!(matches!(opened, Err(StoreError::NewerSchema { found: 9999, .. })));
}

async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What somebody with SQL and no respect tries, and the rule that stops it.
#[tokio::test]
async fn the_schema_refuses_what_the_code_never_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = furnished(&path).await;
    let mut staged = Vec::new();
    for number in 0..4 {
        let change = staging(number);
        staged.push(named(&change));
        store.commit(change).await.unwrap();
    }
    let [pending, denied, approved, executing] = staged[..] else { panic!("four were staged") };
    let denial = vec![RequestFact::RequestDenied { by: BOB }];
    store.commit(following(&store, denied.0, denial).await).await.unwrap();
    for (id, digest) in [approved, executing] {
        store.commit(following(&store, id, approval(digest)).await).await.unwrap();
    }
    let redeemed = vec![redemption(executing.1)];
    store.commit(following(&store, executing.0, redeemed).await).await.unwrap();
    store.close().await;
    let mut raw = raw(&path).await;
    let set = |(id, _): (RequestId, Digest), state: &str| {
        format!("UPDATE requests SET state = '{state}', version = version + 1 WHERE id = '{id}'")
    };
    let entry = "INSERT INTO entries (idx, at, fact, body, leaf) \
                 VALUES (999, 0, 'x', x'00', zeroblob(32))";
    let attempts = [
        (set(pending, "approved"), ") I"),
        (set(pending, "executing"), ") I"),
        (set(pending, "succeeded"), ") I"),
        (set(pending, "nonsense"), ") I"),
        (set(denied, "pending"), ") I"),
        (set(denied, "approved"), ") I"),
        (set(approved, "executing"), ") I"),
        (set(executing, "approved"), ") I"),
        (format!("UPDATE requests SET state = 'expired' WHERE id = '{}'", pending.0), "versions"),
        ("DELETE FROM requests".to_owned(), "deleted"),
        ("DELETE FROM entries".to_owned(), "I8"),
        ("UPDATE entries SET at = 0".to_owned(), "I8"),
        (entry.to_owned(), "I8"),
        ("UPDATE tree_nodes SET hash = zeroblob(32)".to_owned(), "I8"),
        ("DELETE FROM tree_nodes".to_owned(), "I8"),
        ("UPDATE revisions SET body = x'00'".to_owned(), "I4"),
        ("DELETE FROM revisions".to_owned(), "I4"),
        ("DELETE FROM releases".to_owned(), "I3"),
        (format!("INSERT INTO releases VALUES ('{}', 'again', 0)", executing.0), "I3"),
        (format!("INSERT OR REPLACE INTO releases VALUES ('{}', 'again', 0)", executing.0), "I3"),
        ("INSERT OR REPLACE INTO revisions SELECT request_id, number, digest, x'00' FROM revisions".to_owned(), "I4"),
        ("INSERT OR REPLACE INTO tree_nodes SELECT level, idx, zeroblob(32) FROM tree_nodes".to_owned(), "I8"),
        ("INSERT OR REPLACE INTO entries SELECT idx, 0, fact, request_id, body, leaf FROM entries".to_owned(), "I8"),
        ("INSERT OR REPLACE INTO kinds SELECT name, version, x'00', put_at FROM kinds".to_owned(), "never changes"),
        (format!("INSERT OR REPLACE INTO requests SELECT * FROM requests WHERE id = '{}'", pending.0), "never replaced"),
        ("UPDATE kinds SET body = x'00'".to_owned(), "never changes"),
        ("DELETE FROM kinds".to_owned(), "never deleted"),
    ];
    for (sql, rule) in attempts {
        let refused = sqlx::query(sqlx::AssertSqlSafe(sql.clone())).execute(&mut raw).await;
        let error = refused.expect_err(&sql).to_string();
        assert!(error.contains(rule), "{sql}: {error}");
    }
}
