//! Changes that one transaction commits together are what they would be one after the other.

use domain::{Entry, Fact, Request, RequestFact, RequestId};
use store::change::Before;
use store::{Change, NewFact, RequestChange, Store, StoreError};

use crate::fixture::{BOB, approval, at, fact, following, named, redemption, staging};
use crate::rules::Database;

/// The change that records `facts` on what `earlier` leaves, which is not committed yet.
fn after(earlier: &Change, facts: Vec<RequestFact>) -> Change {
    let request = earlier.request.as_ref().unwrap();
    let version = request.before.as_ref().map_or(1, |before| before.version + 1);
    let before = Before { request: request.after.clone(), version };
    let after = facts.iter().fold(before.request.clone(), |request, fact| {
        Request::evolve(Some(request), fact, at(0)).unwrap()
    });
    let new = |one: RequestFact| NewFact {
        request: Some(after.id),
        ..fact(domain::Actor::Person(BOB), one)
    };
    Change {
        facts: facts.into_iter().map(new).collect(),
        request: Some(RequestChange { before: Some(before), after: after.clone(), staged: None }),
        ..Change::default()
    }
}

async fn staged(store: &dyn Store, number: u128) -> (RequestId, domain::Digest) {
    let change = staging(number);
    let named = named(&change);
    store.commit(change).await.unwrap();
    named
}

/// What the entries of a request say of it.
async fn folded(store: &dyn Store, id: RequestId) -> Request {
    let recorded = store.record(id).await.unwrap().unwrap();
    let entries = recorded.entries.iter().map(|body| serde_json::from_slice(body).unwrap());
    let request = entries.fold(None, |request, entry: Entry| match &entry.fact {
        Fact::Request(fact) => Some(Request::evolve(request, fact, entry.at).unwrap()),
        Fact::House(_) => request,
    });
    request.unwrap()
}

pub async fn i7_a_request_is_read_with_what_it_follows_from(database: impl Database) {
    let store = database.furnished().await;
    let (id, digest) = staged(&*store, 1).await;
    let change = following(&*store, id, approval(digest)).await;
    store.commit(change).await.unwrap();
    let recorded = store.record(id).await.unwrap().unwrap();
    assert_eq!((recorded.stored.version, recorded.entries.len()), (2, 3));
    assert_eq!(recorded.revision, store.revision(id, 1).await.unwrap());
    let entries = store.entries_of(id).await.unwrap();
    let bodies: Vec<Vec<u8>> = entries.into_iter().map(|entry| entry.body).collect();
    assert_eq!(recorded.entries, bodies);
    assert_eq!(folded(&*store, id).await, recorded.stored.request);
    let nobody = RequestId(uuid::Uuid::from_u128(9));
    assert!(store.record(nobody).await.unwrap().is_none());
}

pub async fn i7_i9_changes_of_several_requests_at_once_are_each_recorded(database: impl Database) {
    let store = database.furnished().await;
    let (one, digest) = staged(&*store, 1).await;
    let (other, other_digest) = staged(&*store, 2).await;
    let approve = following(&*store, one, approval(digest)).await;
    let redeem = after(&approve, vec![redemption(digest)]);
    let stale = approve.clone();
    let beside = following(&*store, other, approval(other_digest)).await;
    let (approved, redeemed, approved_beside, refused) = tokio::join!(
        store.commit(approve),
        store.commit(redeem),
        store.commit(beside),
        store.commit(stale),
    );
    let redeemed = *redeemed.unwrap().after.unwrap();
    assert!(approved.is_ok() && approved_beside.is_ok());
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    let stored = store.load(one).await.unwrap().unwrap();
    assert_eq!((&stored.request, stored.version), (&redeemed, 3));
    assert_eq!(folded(&*store, one).await, redeemed);
    assert_eq!(store.load(other).await.unwrap().unwrap().version, 2);
}

/// The schema approves nothing without an approval that is there.
pub async fn i1_a_review_that_is_taken_back_at_once_is_gone(database: impl Database) {
    let store = database.furnished().await;
    let (id, digest) = staged(&*store, 1).await;
    let approve = following(&*store, id, approval(digest)).await;
    let lost = after(&approve, vec![RequestFact::QuorumLost { void: vec![BOB] }]);
    let mut without_review = approval(digest);
    without_review.remove(0);
    let unapproved = after(&lost, without_review);
    let (approve, lost, unapproved) =
        tokio::join!(store.commit(approve), store.commit(lost), store.commit(unapproved));
    assert!(approve.is_ok() && lost.is_ok());
    assert!(matches!(unapproved, Err(StoreError::Refused(_))), "{unapproved:?}");
    let again = following(&*store, id, approval(digest)).await;
    store.commit(again).await.unwrap();
    assert_eq!(store.load(id).await.unwrap().unwrap().version, 4);
}
