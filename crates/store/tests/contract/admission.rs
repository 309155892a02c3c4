//! The agent's other requests and its unused uploads, as admission asks for them.

use domain::revision::EvidenceDescriptor;
use domain::{Digest, RequestFact, RequestId, StateName};
use store::read::{Others, Unused};
use store::{Change, Store};

use crate::fixture::{
    AGENT, BOB, amending, approval, at, following, named, redemption, staging, upload,
};
use crate::history::{Asked, OTHER, asked};
use crate::rules::Database;

/// What is asked of a revision that was not staged, at the second 60, of denials since the second -1.
async fn others(store: &dyn Store, asked: Asked) -> Others {
    store.others(&asked.sealed(), 3, at(-1), asked.now).await.unwrap()
}

pub async fn j03_what_waits_for_people_is_counted_by_agent_up_to_a_limit(database: impl Database) {
    let store = database.furnished().await;
    let open = async |asked: Asked| others(&*store, asked).await.open;
    let other_content = || asked(&["u"]);
    assert_eq!(open(other_content()).await, 0);
    let changes: Vec<Change> = (1..=4).map(staging).collect();
    let staged: Vec<_> = changes.iter().map(named).collect();
    for (change, counted) in changes.into_iter().zip([1, 2, 3, 3]) {
        store.commit(change).await.unwrap();
        assert_eq!(open(other_content()).await, counted);
    }
    assert_eq!(open(Asked { agent: OTHER, ..other_content() }).await, 0);
    let (approved, digest) = staged[0];
    store.commit(following(&*store, approved, approval(digest)).await).await.unwrap();
    let denial = vec![RequestFact::RequestDenied { by: BOB }];
    store.commit(following(&*store, staged[1].0, denial).await).await.unwrap();
    assert_eq!(open(other_content()).await, 2, "nobody has to decide on the others any more");
    assert_eq!(open(Asked { request: 1003, ..other_content() }).await, 1, "not the request itself");
    assert_eq!(open(Asked { now: at(3600), ..other_content() }).await, 0, "they ran out");
}

pub async fn r01_what_may_still_be_used_is_known_by_agent_and_content(database: impl Database) {
    let store = database.furnished().await;
    let same = async |asked: Asked| others(&*store, asked).await.same;
    let change = staging(1);
    let (id, digest) = named(&change);
    assert_eq!(same(asked(&["t"])).await, None);
    store.commit(change).await.unwrap();
    assert_eq!(same(asked(&["t"])).await, Some((id, StateName::Pending)));
    assert_eq!(same(asked(&["t", "u"])).await, None, "other content");
    assert_eq!(same(Asked { agent: OTHER, ..asked(&["t"]) }).await, None);
    assert_eq!(
        same(Asked { request: 1001, ..asked(&["t"]) }).await,
        None,
        "not the request itself"
    );
    assert_eq!(same(Asked { now: at(3600), ..asked(&["t"]) }).await, None, "it ran out");
    store.commit(following(&*store, id, approval(digest)).await).await.unwrap();
    assert_eq!(same(asked(&["t"])).await, Some((id, StateName::Approved)));
    let redeemed = vec![redemption(digest)];
    store.commit(following(&*store, id, redeemed).await).await.unwrap();
    assert_eq!(same(asked(&["t"])).await, None, "it is used");
    let change = staging(2);
    let (amended, _) = named(&change);
    store.commit(change).await.unwrap();
    store.commit(amending(&*store, amended).await).await.unwrap();
    assert_eq!(same(asked(&["t"])).await, None, "it is of other content by now");
}

pub async fn r01_what_was_denied_is_known_by_agent_and_content_for_a_while(
    database: impl Database,
) {
    let store = database.furnished().await;
    let denied = async |asked: Asked| others(&*store, asked).await.denied;
    let mut ids: Vec<RequestId> = Vec::new();
    for number in 1..=2 {
        let change = staging(number);
        ids.push(named(&change).0);
        store.commit(change).await.unwrap();
    }
    assert_eq!(denied(asked(&["t"])).await, None, "it is still open");
    let expired = vec![RequestFact::RequestExpired { review_deadline: at(3600) }];
    store.commit(following(&*store, ids[0], expired).await).await.unwrap();
    assert_eq!(denied(asked(&["t"])).await, None, "nobody said no");
    let denial = vec![RequestFact::RequestDenied { by: BOB }];
    store.commit(following(&*store, ids[1], denial).await).await.unwrap();
    assert_eq!(denied(asked(&["t"])).await, Some((ids[1], at(0))));
    assert_eq!(denied(asked(&["t", "u"])).await, None, "other content");
    assert_eq!(denied(Asked { agent: OTHER, ..asked(&["t"]) }).await, None);
    let later = store.others(&asked(&["t"]).sealed(), 3, at(0), at(60)).await.unwrap();
    assert_eq!(later.denied, None, "a while ago");
}

pub async fn j11_uploads_count_until_a_request_refers_to_them(database: impl Database) {
    let store = database.furnished().await;
    let next = Digest::of(b"the next one");
    let unused = async || store.unused_evidence(AGENT, next, at(10)).await.unwrap();
    assert_eq!(unused().await, Unused::default());
    for (bytes, second) in [("too old", 9), ("four", 10), ("seven b", 11)] {
        upload(&*store, bytes.as_bytes(), at(second)).await;
    }
    assert_eq!(unused().await, Unused { uploads: 2, bytes: 11 });
    let of_other = store.unused_evidence(OTHER, next, at(10)).await.unwrap();
    assert_eq!(of_other, Unused::default());
    let again = store.unused_evidence(AGENT, Digest::of(b"four"), at(10)).await.unwrap();
    assert_eq!(again, Unused { uploads: 1, bytes: 7 }, "what is uploaded again counts once");
    let mut change = staging(1);
    let staged = change.request.as_mut().and_then(|request| request.staged.as_mut()).unwrap();
    staged.sealed.revision.evidence.push(EvidenceDescriptor {
        evidence_type: "note".into(),
        name: "four".into(),
        media_type: "text/plain".into(),
        digest: Digest::of(b"four"),
        size_bytes: 4,
        source: None,
        collected_at: None,
    });
    store.commit(change).await.unwrap();
    assert_eq!(unused().await, Unused { uploads: 1, bytes: 7 });
}
