//! The rules that hold on every back end.

use std::sync::Arc;

use domain::entry::HouseFact;
use domain::freeze::FreezeScope;
use domain::{
    Actor, AgentId, Digest, Freeze, FreezeId, KeyId, PersonId, RequestFact, RequestId, StateName,
    TrustId,
};
use store::change::Idempotency;
use store::read::{Order, RequestQuery};
use store::{Change, NewFact, Side, Store, StoreError, Write};
use tokio::sync::broadcast::error::TryRecvError;
use uuid::Uuid;

use crate::fixture::{
    AGENT, BOB, OWNER, Standing, amending, approval, at, fact, following, four_states, frozen,
    furnish, issued, joined, named, narrow, person, staging, staging_by, thawed, trusted,
    withdrawn_from_approvers,
};

/// A database of one test, which can be closed and opened again.
pub trait Database {
    async fn new() -> Self;
    async fn open_by(&self, clock: Arc<Standing>) -> Result<Arc<dyn Store>, StoreError>;
    /// Brings the schema up to date.
    async fn migrate(&self) -> Result<(), StoreError>;
    /// Statements, each of which takes a rule of the schema away or alters it, and which rule.
    fn alterations() -> &'static [(&'static str, &'static str)];
    /// Runs statements as they are.
    async fn run(&self, sql: &str);
    /// Runs statements past every rule of the schema.
    async fn forge(&self, sql: &str);

    async fn open(&self) -> Arc<dyn Store> {
        self.open_by(Arc::default()).await.unwrap()
    }

    async fn furnished(&self) -> Arc<dyn Store> {
        let store = self.open().await;
        furnish(&*store).await;
        store
    }
}

/// Runs every rule on one back end.
macro_rules! hold {
    ($database:ty) => {
        $crate::rules::hold!($database:
            i7_what_is_answered_is_what_was_recorded,
            i7_a_change_is_durable_whole_and_read_back,
            i7_a_change_that_fails_leaves_nothing_and_takes_nobody_with_it,
            i9_a_stale_version_epoch_or_deadline_is_refused_inside_the_transaction,
            i11_an_idempotency_key_stands_for_one_change,
            many_changes_at_once_get_contiguous_indices,
            c01_of_many_decisions_at_once_one_is_recorded,
            i4_an_amendment_is_a_new_revision_and_is_listed_anew,
            requests_are_listed_by_state_text_agent_and_place,
            the_house_is_read_back,
            a_sign_in_link_is_used_once,
            a13_a_password_ends_the_links_of_its_person,
            a_freeze_is_on_until_it_is_thawed,
            every_version_of_the_policy_is_kept,
            a01_a_session_is_new_once_and_goes_when_it_is_deleted,
            what_is_an_agents_in_the_ledger_is_found_from_any_place_and_nothing_else,
            a_closed_store_is_unavailable,
            one_process_leads_a_job_and_goes_on_leading,
            m01_a_backup_is_everything_at_one_instant_in_a_file_of_its_own,
            m03_going_on_from_a_backup_ends_sessions_and_links,
            i8_the_first_checkpoint_of_a_size_stays_and_older_sizes_come_too_late,
            i8_nodes_are_read_as_far_as_they_go_without_a_gap_and_key_entries_in_order
        );
        $crate::rules::hold!($database, batch:
            i7_a_request_is_read_with_what_it_follows_from,
            i7_i9_changes_of_several_requests_at_once_are_each_recorded,
            i1_a_review_that_is_taken_back_at_once_is_gone
        );
        $crate::rules::hold!($database, history:
            first_times_are_told_by_agent_kind_and_target,
            targets_are_answered_in_the_order_they_were_asked,
            requests_on_a_target_are_counted_for_an_hour_up_to_a_limit,
            a_repeat_is_known_by_its_content_and_how_it_ended,
            what_expired_is_told_from_what_was_denied
        );
        $crate::rules::hold!($database, admission:
            j03_what_waits_for_people_is_counted_by_agent_up_to_a_limit,
            r01_what_may_still_be_used_is_known_by_agent_and_content,
            r01_what_was_denied_is_known_by_agent_and_content_for_a_while,
            j11_uploads_count_until_a_request_refers_to_them
        );
        $crate::rules::hold!($database, evidence:
            evidence_is_read_back_whole_and_cleared_when_nothing_refers_to_it,
            evidence_is_cleared_some_at_a_time_and_in_the_end_all_of_it,
            an_upload_is_evidence_whole_or_not_at_all,
            the_same_bytes_are_kept_once,
            pieces_of_uploads_and_changes_are_written_side_by_side
        );
        $crate::rules::hold!($database, webhooks:
            an_endpoint_is_read_back_and_goes_with_what_waits_for_it,
            f10_a_cursor_and_what_is_to_be_told_move_together_and_once,
            f10_an_attempt_counts_once_and_what_waits_is_due_in_its_time,
            what_is_over_is_told_again_when_asked_and_cleared_in_its_time
        );
        $crate::rules::hold!($database, time:
            i12_a_clock_set_back_revives_nothing_and_records_nothing_before_the_newest_entry,
            i12_k13_a_clock_that_is_a_day_behind_records_nothing,
            i12_a_change_decided_in_a_future_that_has_not_come_is_decided_anew,
            i12_times_of_entries_never_go_back_however_many_commit_at_once
        );
        $crate::rules::hold!($database, house:
            i9_whatever_changes_the_house_moves_the_epoch,
            i9_what_a_broken_glass_owes_moves_the_epoch,
            what_happens_every_day_does_not_move_the_epoch
        );
        $crate::rules::hold!($database, vanish:
            k08_a_caller_that_vanishes_leaves_no_connection_in_the_past
        );
        $crate::rules::hold!($database, intact:
            l14_nothing_opens_a_schema_whose_rules_were_taken_away_or_altered,
            l14_what_others_add_beside_the_schema_is_theirs
        );
        $crate::rules::hold!($database, rebuild:
            l13_a_forged_row_of_any_table_that_follows_from_entries_is_reported,
            l13_every_table_is_compared_or_it_is_said_why_not
        );
    };
    ($database:ty: $($rule:ident),+) => {
        $crate::rules::hold!($database, rules: $($rule),+);
    };
    ($database:ty, $place:ident: $($rule:ident),+) => {$(
        #[tokio::test]
        async fn $rule() {
            $crate::$place::$rule(<$database as $crate::rules::Database>::new().await).await;
        }
    )+};
}
pub(crate) use hold;

pub use crate::backup::{
    m01_a_backup_is_everything_at_one_instant_in_a_file_of_its_own,
    m03_going_on_from_a_backup_ends_sessions_and_links,
};
pub use crate::checkpoints::{
    i8_nodes_are_read_as_far_as_they_go_without_a_gap_and_key_entries_in_order,
    i8_the_first_checkpoint_of_a_size_stays_and_older_sizes_come_too_late,
};

pub async fn i7_a_change_is_durable_whole_and_read_back(database: impl Database) {
    let store = database.furnished().await;
    let change = staging(1);
    let (id, _) = named(&change);
    let committed = store.commit(change).await.unwrap();
    assert_eq!((committed.first_index, committed.size), (5, 6));
    store.close().await;
    drop(store);
    let store = database.open().await;
    assert_eq!(store.load(id).await.unwrap().unwrap().version, 1);
    assert_eq!(store.ledger_size().await.unwrap(), 6);
    let (bytes, digest) = store.revision(id, 1).await.unwrap().unwrap();
    assert_eq!(Digest::of(&bytes), digest);
    let next = store.commit(staging(2)).await.unwrap();
    assert_eq!(next.first_index, 6, "the tree goes on where it was");
}

pub async fn i7_what_is_answered_is_what_was_recorded(database: impl Database) {
    let store = database.furnished().await;
    let later = NewFact { at: at(50), ..person(PersonId(Uuid::from_u128(99)), "Ann Later") };
    store.commit(Change { facts: vec![later], ..Change::default() }).await.unwrap();
    let (change, between) = (staging(1), staging(2));
    let (id, _) = named(&change);
    assert!(change.request.as_ref().is_some_and(|request| request.after.staged_at == at(0)));
    let (committed, other) = tokio::join!(store.commit(change), store.commit(between));
    let after = committed.unwrap().after.unwrap();
    assert_eq!(after.staged_at, at(50), "never before the newest entry");
    assert_eq!(*after, store.load(id).await.unwrap().unwrap().request);
    assert!(other.is_ok());
}

pub async fn i7_a_change_that_fails_leaves_nothing_and_takes_nobody_with_it(
    database: impl Database,
) {
    let store = database.furnished().await;
    let mut broken = staging(1);
    broken.facts.push(person(PersonId(Uuid::from_u128(99)), "BOB approver"));
    let (good, failed) = tokio::join!(store.commit(staging(2)), store.commit(broken));
    assert!(matches!(failed, Err(StoreError::NameTaken)), "{failed:?}");
    assert!(good.is_ok());
    assert_eq!(store.ledger_size().await.unwrap(), 6);
    assert!(store.load(RequestId(Uuid::from_u128(1001))).await.unwrap().is_none());
}

pub async fn i9_a_stale_version_epoch_or_deadline_is_refused_inside_the_transaction(
    database: impl Database,
) {
    let store = database.furnished().await;
    let change = staging(1);
    let (id, digest) = named(&change);
    store.commit(change).await.unwrap();
    let one = following(&*store, id, approval(digest)).await;
    let two = following(&*store, id, vec![RequestFact::RequestDenied { by: BOB }]).await;
    store.commit(one).await.unwrap();
    assert!(matches!(store.commit(two).await, Err(StoreError::Stale)));
    let old = Change { expected_epoch: Some(0), ..staging(2) };
    assert!(matches!(store.commit(old).await, Err(StoreError::Stale)));
    let late = Change { valid_until: Some(at(100)), ..staging(3) };
    assert!(matches!(store.commit(late).await, Err(StoreError::TooLate)));
    let timely = Change { valid_until: Some(at(101)), expected_epoch: Some(1), ..staging(4) };
    assert!(store.commit(timely).await.is_ok());
}

pub async fn i11_an_idempotency_key_stands_for_one_change(database: impl Database) {
    let store = database.furnished().await;
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

pub async fn many_changes_at_once_get_contiguous_indices(database: impl Database) {
    let store = database.furnished().await;
    let commits = (0..300).map(|number| store.commit(staging(number)));
    let answers = futures::future::join_all(commits).await;
    let mut indices: Vec<u64> = answers.into_iter().map(|a| a.unwrap().first_index).collect();
    indices.sort_unstable();
    assert_eq!(indices, (5..305).collect::<Vec<u64>>());
}

pub async fn c01_of_many_decisions_at_once_one_is_recorded(database: impl Database) {
    let store = database.furnished().await;
    let change = staging(1);
    let (id, digest) = named(&change);
    store.commit(change).await.unwrap();
    let mut decisions = Vec::new();
    for number in 0..40 {
        let denial = vec![RequestFact::RequestDenied { by: BOB }];
        let facts = if number % 2 == 0 { approval(digest) } else { denial };
        decisions.push(following(&*store, id, facts).await);
    }
    let commits = decisions.into_iter().map(|decision| store.commit(decision));
    let answers = futures::future::join_all(commits).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.iter().all(|a| matches!(a, Ok(_) | Err(StoreError::Stale))), "{answers:?}");
    assert_eq!(store.load(id).await.unwrap().unwrap().version, 2);
}

pub async fn i4_an_amendment_is_a_new_revision_and_is_listed_anew(database: impl Database) {
    let store = database.furnished().await;
    let change = staging(1);
    let (id, first) = named(&change);
    store.commit(change).await.unwrap();
    store.commit(amending(&*store, id).await).await.unwrap();
    let stored = store.load(id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.request.revision), (2, 2));
    let (_, digest) = store.revision(id, 1).await.unwrap().unwrap();
    assert_eq!(digest, first, "the first revision stays");
    let (_, digest) = store.revision(id, 2).await.unwrap().unwrap();
    assert_eq!(digest, stored.request.digest);
    assert_eq!(store.environments().await.unwrap(), ["staging"]);
    let text = Some("elsewhere".to_owned());
    let found = store.list(RequestQuery { text, limit: 9, ..RequestQuery::default() }).await;
    assert_eq!(found.unwrap().len(), 1);
}

pub async fn requests_are_listed_by_state_text_agent_and_place(database: impl Database) {
    let store = database.furnished().await;
    let [pending, denied, approved, executing] = four_states(&*store).await;
    let ids = async |query: RequestQuery| -> Vec<RequestId> {
        let found = store.list(RequestQuery { limit: 9, ..query }).await.unwrap();
        found.iter().map(|stored| stored.request.id).collect()
    };
    let all = ids(RequestQuery::default()).await;
    assert_eq!(all, [executing.0, approved.0, denied.0, pending.0], "the newest first");
    let before = Some((at(0), approved.0));
    let page = RequestQuery { before, ..RequestQuery::default() };
    assert_eq!(ids(page).await, [denied.0, pending.0]);
    let states = vec![StateName::Denied, StateName::Pending];
    let two = RequestQuery { states, order: Order::MostUrgentFirst, ..RequestQuery::default() };
    assert_eq!(ids(two).await, [denied.0, pending.0], "what has no deadline first");
    let text = Some("DO IT".to_owned());
    assert_eq!(ids(RequestQuery { text, ..RequestQuery::default() }).await.len(), 4);
    let text = Some("100%".to_owned());
    assert_eq!(ids(RequestQuery { text, ..RequestQuery::default() }).await, []);
    let agents = Some(vec![AGENT]);
    assert_eq!(ids(RequestQuery { agents, ..RequestQuery::default() }).await.len(), 4);
    let agents = Some(Vec::new());
    assert_eq!(ids(RequestQuery { agents, ..RequestQuery::default() }).await, []);
    let owing = RequestQuery { owes_review: true, ..RequestQuery::default() };
    assert_eq!(ids(owing).await, []);
    assert_eq!(store.count_of_agent(AGENT, StateName::Executing).await.unwrap(), 1);
    assert_eq!(store.counts().await.unwrap().len(), 4);
    assert_eq!(store.due(at(610), 9).await.unwrap(), [executing.0]);
}

pub async fn the_house_is_read_back(database: impl Database) {
    let store = database.furnished().await;
    let (key, hash) = (KeyId(Uuid::from_u128(3)), [9; 32]);
    let hashed = |hash: &str, replaces: Option<&str>| Write::PasswordHash {
        person: BOB,
        hash: hash.into(),
        replaces: replaces.map(Into::into),
    };
    let hint = Write::KeyHash { key, hash, hint: "csn_agt_…".into() };
    let set = || fact(Actor::Person(BOB), HouseFact::PasswordSet { person: BOB });
    let facts = vec![issued(key), withdrawn_from_approvers(BOB), joined("auditors", BOB), set()];
    let writes = vec![hashed("argon2", None), hint];
    store.commit(Change { facts, writes, ..Change::default() }).await.unwrap();
    // Another password was checked than the one that is there.
    let (facts, writes) = (vec![set()], vec![hashed("other", Some("first"))]);
    let stale = store.commit(Change { facts, writes, ..Change::default() }).await;
    assert!(matches!(stale, Err(StoreError::Stale)), "{stale:?}");
    store.side(Side::TouchKey { key, at: at(7) }).await.unwrap();

    let house = store.house().await.unwrap();
    let names: Vec<&str> = house.people().iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["Bob Approver", "Olga Owner"]);
    let bob = house.person(BOB).unwrap();
    assert_eq!((bob.groups.join(" "), bob.active, bob.passwords), ("auditors".into(), true, 1));
    assert_eq!(store.password_hash(BOB).await.unwrap().as_deref(), Some("argon2"));
    assert_eq!(store.password_hash(OWNER).await.unwrap(), None);
    let agent = house.agent(AGENT).unwrap();
    assert_eq!((house.agents().len(), agent.owner, agent.suspended), (1, Some(OWNER), false));
    let found = house.key(&hash).unwrap();
    assert_eq!((found.id, found.last_used_at, found.shown_to), (key, Some(at(7)), OWNER));
    assert_eq!((&found.scope, found.expires_at), (&narrow(), at(9000)));
    // A key that is retired never lives longer for it.
    for (until, ends) in [(at(8000), at(8000)), (at(8500), at(8000))] {
        let retired = fact(Actor::System, HouseFact::KeyRetired { key, expires_at: until });
        store.commit(Change { facts: vec![retired], ..Change::default() }).await.unwrap();
        assert_eq!(store.house().await.unwrap().key(&hash).unwrap().expires_at, ends);
    }
    assert!(house.key(&[8; 32]).is_none());
    let trust = TrustId(Uuid::from_u128(4));
    store.commit(Change { facts: vec![trusted(trust)], ..Change::default() }).await.unwrap();
    store.side(Side::TouchTrust { trust, at: at(8) }).await.unwrap();
    let [read] = &store.trusts_of(AGENT).await.unwrap()[..] else { panic!("one trust") };
    assert_eq!((read.id, read.agent, read.added_by), (trust, AGENT, Some(BOB)));
    assert_eq!((&read.terms.scope, read.last_used_at), (&narrow(), Some(at(8))));
    let standing = store.house().await.unwrap();
    assert_eq!(standing.trust(trust).map(|found| &found.terms), Some(&read.terms));
    assert_eq!(standing.trust_makers(AGENT).collect::<Vec<_>>(), [BOB]);
    let removed = fact(Actor::System, HouseFact::TrustRemoved { trust });
    store.commit(Change { facts: vec![removed], ..Change::default() }).await.unwrap();
    assert!(store.house().await.unwrap().trust(trust).is_none());
    assert!(store.trusts_of(AGENT).await.unwrap().is_empty());
    assert_eq!(store.keys_of(&Actor::Agent(AGENT)).await.unwrap().len(), 1);
    assert_eq!((house.kinds().len(), house.kind("k").unwrap().1), (1, 1));
    assert!(store.kind("k", 1).await.unwrap().is_some());
    assert!(store.kind("k", 2).await.unwrap().is_none());

    let request = staging(1).request.unwrap().after;
    let authority = house.authority(&request, at(0), &["auditors".to_owned()]);
    assert_eq!(authority.groups["auditors"], [BOB].into());
    assert_eq!(authority.groups["approvers"], [].into());
    assert_eq!(authority.excluded.keys().collect::<Vec<_>>(), [&OWNER]);
    assert!(authority.agent_active);
}

pub async fn a_sign_in_link_is_used_once(database: impl Database) {
    let store = database.furnished().await;
    let hash = [4; 32];
    let writes = vec![Write::SignInLink { hash, person: BOB, expires_at: at(101) }];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    assert_eq!(store.sign_in_link(hash, at(100)).await.unwrap().unwrap().person, BOB);
    assert!(store.sign_in_link(hash, at(101)).await.unwrap().is_none(), "it has expired");
    let spend = || Change { writes: vec![Write::SpendSignInLink { hash }], ..Change::default() };
    store.commit(spend()).await.unwrap();
    assert!(matches!(store.commit(spend()).await, Err(StoreError::LinkSpent)));
    assert!(store.sign_in_link(hash, at(100)).await.unwrap().is_none(), "it is used");
}

pub async fn a13_a_password_ends_the_links_of_its_person(database: impl Database) {
    let store = database.furnished().await;
    let link = |hash, person| Write::SignInLink { hash, person, expires_at: at(101) };
    let writes = vec![link([4; 32], BOB), link([5; 32], OWNER)];
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    let facts = vec![fact(Actor::Person(BOB), HouseFact::PasswordSet { person: BOB })];
    store.commit(Change { facts, ..Change::default() }).await.unwrap();
    assert!(store.sign_in_link([4; 32], at(1)).await.unwrap().is_none());
    assert_eq!(store.sign_in_link([5; 32], at(1)).await.unwrap().unwrap().person, OWNER);
}

pub async fn a_freeze_is_on_until_it_is_thawed(database: impl Database) {
    let store = database.furnished().await;
    let id = FreezeId(Uuid::from_u128(5));
    let freeze = Freeze { id, scope: FreezeScope::Kind("k".into()), halts: true };
    let facts = vec![frozen(Actor::Person(BOB), freeze.clone())];
    store.commit(Change { facts, ..Change::default() }).await.unwrap();
    let house = store.house().await.unwrap();
    let standing = house.freezes();
    assert_eq!(standing.len(), 1);
    assert_eq!((&standing[0].freeze, standing[0].by), (&freeze, Some(BOB)));
    let request = staging(1).request.unwrap().after;
    assert_eq!(house.authority(&request, at(0), []).frozen, [freeze]);
    assert_eq!((house.epoch(), store.epoch().await.unwrap()), (Some(2), Some(2)));
    let thaw = || Change { facts: vec![thawed(id)], ..Change::default() };
    store.commit(thaw()).await.unwrap();
    assert_eq!(store.house().await.unwrap().freezes(), []);
    assert_eq!(store.epoch().await.unwrap(), Some(3));
    assert!(matches!(store.commit(thaw()).await, Err(StoreError::Stale)), "it is off already");
}

pub async fn every_version_of_the_policy_is_kept(database: impl Database) {
    let store = database.furnished().await;
    let put = |version, text: &str| {
        let writes = vec![Write::Policy { version, text: text.to_owned() }];
        store.commit(Change { writes, ..Change::default() })
    };
    assert_eq!(store.house().await.unwrap().policy(), None);
    put(1, "first").await.unwrap();
    put(2, "second").await.unwrap();
    assert!(matches!(put(2, "again").await, Err(StoreError::Refused(_))));
    assert!(matches!(put(4, "a gap").await, Err(StoreError::Refused(_))));
    let texts: Vec<String> =
        store.policies().await.unwrap().into_iter().map(|policy| policy.text).collect();
    assert_eq!(texts, ["second", "first"]);
    assert_eq!(store.house().await.unwrap().policy().unwrap().version, 2);
}

pub async fn a01_a_session_is_new_once_and_goes_when_it_is_deleted(database: impl Database) {
    let store = database.furnished().await;
    let id_hash = [7; 32];
    let save = |data: &str, create| {
        let data = data.to_owned();
        store.side(Side::SaveSession { id_hash, data, expires_at: at(500), create })
    };
    save("{}", true).await.unwrap();
    assert!(matches!(save("{}", true).await, Err(StoreError::Refused(_))), "an id is new once");
    save("{\"a\":1}", false).await.unwrap();
    let found = store.session(id_hash).await.unwrap();
    assert_eq!(found, Some(("{\"a\":1}".to_owned(), at(500))));
    store.side(Side::DeleteSession { id_hash }).await.unwrap();
    assert_eq!(store.session(id_hash).await.unwrap(), None);
    save("{}", false).await.unwrap();
    assert_eq!(store.session(id_hash).await.unwrap(), None, "what has ended does not come back");
}

pub async fn what_is_an_agents_in_the_ledger_is_found_from_any_place_and_nothing_else(
    database: impl Database,
) {
    let store = database.furnished().await;
    let other = AgentId(Uuid::from_u128(11));
    let added = HouseFact::AgentAdded { agent: other, name: "two".into(), owner: Some(OWNER) };
    let facts = vec![fact(Actor::System, added)];
    store.commit(Change { facts, ..Change::default() }).await.unwrap();
    // From index 6 on: the one's own, the other's own, one that it carries out for the other.
    for (number, stager, executor) in [(1, AGENT, AGENT), (2, other, other), (3, other, AGENT)] {
        store.commit(staging_by(number, stager, executor)).await.unwrap();
    }
    let one = RequestId(Uuid::from_u128(1001));
    let denied = RequestFact::RequestDenied { by: BOB };
    store.commit(following(&*store, one, vec![denied]).await).await.unwrap();
    let found = async |agent, from| {
        let found = store.entries_of_agent(agent, from).await.unwrap();
        assert_eq!((found.next, found.size), (from.max(10), 10));
        let entries = found.entries.into_iter();
        entries.map(|(index, id)| (index, id.0.as_u128() - 1000)).collect::<Vec<_>>()
    };
    assert_eq!(found(AGENT, 0).await, [(6, 1), (8, 3), (9, 1)]);
    assert_eq!(found(AGENT, 7).await, [(8, 3), (9, 1)]);
    assert_eq!(found(other, 0).await, [(7, 2), (8, 3)]);
    assert_eq!(found(AGENT, 10).await, []);
    assert_eq!(found(AGENT, 11).await, [], "a place that is not there yet");
    assert_eq!(found(AgentId(Uuid::from_u128(12)), 0).await, []);
    // One look goes through a thousand entries, and says where the next begins.
    let signed_out = |_| fact(Actor::System, HouseFact::SignedOut { person: BOB });
    let facts = (0..1000).map(signed_out).collect();
    store.commit(Change { facts, ..Change::default() }).await.unwrap();
    let looked = store.entries_of_agent(AGENT, 5).await.unwrap();
    assert_eq!((looked.entries.len(), looked.next, looked.size), (3, 1005, 1010));
    let rest = store.entries_of_agent(AGENT, looked.next).await.unwrap();
    assert_eq!((rest.entries.len(), rest.next), (0, 1010));
}

pub async fn a_closed_store_is_unavailable(database: impl Database) {
    let store = database.furnished().await;
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.commit(staging(1)).await, Err(StoreError::Unavailable(_))));
}

pub async fn one_process_leads_a_job_and_goes_on_leading(database: impl Database) {
    let store = database.furnished().await;
    assert!(store.try_lead("sweep").await.unwrap());
    assert!(store.try_lead("sweep").await.unwrap());
    assert!(matches!(store.changes().try_recv(), Err(TryRecvError::Empty)));
}
