//! Evidence: kept in pieces beside the ledger's writer, whole under its digest.

use domain::Digest;
use futures::future::join_all;
use store::change::CLEARED_AT_ONCE;
use store::{CHUNK_BYTES, ContentId, Side, Store, StoreError, Upload};

use crate::fixture::{AGENT, at, keep_chunks, staging, upload};
use crate::rules::Database;

fn numbers(count: u32) -> Vec<u8> {
    (0..count).flat_map(u32::to_be_bytes).collect()
}

async fn sweep(store: &dyn Store, evidence: i64, contents: i64) {
    let sweep = Side::Sweep {
        now: at(100),
        evidence_before: at(evidence),
        contents_before: at(contents),
        delivered_before: at(0),
        dead_before: at(0),
    };
    store.side(sweep).await.unwrap();
}

/// What is said once every piece is there.
fn ended(bytes: &[u8], content: ContentId) -> Side {
    let (digest, size_bytes) = (Digest::of(bytes), bytes.len() as u64);
    Side::Evidence { upload: Upload { agent: AGENT, digest, content, size_bytes }, at: at(1) }
}

pub async fn evidence_is_read_back_whole_and_cleared_when_nothing_refers_to_it(
    database: impl Database,
) {
    let store = database.furnished().await;
    let bytes = numbers(600_000);
    let digest = upload(&*store, &bytes, at(1)).await;
    assert_eq!(upload(&*store, &bytes, at(50)).await, digest);
    assert_eq!(store.evidence_size(AGENT, digest).await.unwrap(), Some(2_400_000));
    sweep(&*store, 50, 50).await;
    assert!(store.evidence_bytes(digest).await.unwrap().is_some_and(|found| found == bytes));
    sweep(&*store, 51, 51).await;
    assert_eq!(store.evidence_bytes(digest).await.unwrap(), None);
    assert_eq!(store.evidence_size(AGENT, digest).await.unwrap(), None);
    // The content went with it.
    let again = store.side(ended(&bytes, ContentId::from(digest))).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
}

pub async fn evidence_is_cleared_some_at_a_time_and_in_the_end_all_of_it(database: impl Database) {
    let store = database.furnished().await;
    let mut digests = Vec::new();
    for n in 0..=CLEARED_AT_ONCE {
        digests.push(upload(&*store, &n.to_be_bytes(), at(1)).await);
    }
    let left = async || {
        let sizes = digests.iter().map(|digest| store.evidence_size(AGENT, *digest));
        join_all(sizes).await.iter().filter(|size| matches!(size, Ok(Some(_)))).count()
    };
    sweep(&*store, 2, 2).await;
    assert_eq!(left().await, 1);
    sweep(&*store, 2, 2).await;
    assert_eq!(left().await, 0);
}

pub async fn an_upload_is_evidence_whole_or_not_at_all(database: impl Database) {
    let store = database.furnished().await;
    let bytes = numbers(100_000);
    let digest = Digest::of(&bytes);
    let [young, old, kept, given_up] = [1, 2, 3, 5].map(|n| ContentId([n; 32]));
    for (content, second) in [(young, 10), (old, 9), (kept, 9), (given_up, 10)] {
        keep_chunks(&*store, content, &bytes, at(second)).await;
    }
    assert_eq!(store.evidence_size(AGENT, digest).await.unwrap(), None, "nothing names it yet");
    assert_eq!(store.evidence_bytes(digest).await.unwrap(), None);
    store.side(ended(&bytes, kept)).await.unwrap();
    // What is old goes, what is evidence stays.
    sweep(&*store, 0, 10).await;
    store.discard(kept).await.unwrap();
    assert_eq!(store.evidence_bytes(digest).await.unwrap().as_deref(), Some(&bytes[..]));
    let other = numbers(7);
    for gone in [old, ContentId([4; 32])] {
        let made = store.side(ended(&other, gone)).await;
        assert!(matches!(made, Err(StoreError::Refused(_))), "{made:?}");
    }
    store.discard(given_up).await.unwrap();
    let made = store.side(ended(&other, given_up)).await;
    assert!(matches!(made, Err(StoreError::Refused(_))), "{made:?}");
    // What is young was spared. Evidence whose pieces are not what it is called by is not shown.
    store.side(ended(&other, young)).await.unwrap();
    let read = store.evidence_bytes(Digest::of(&other)).await;
    assert!(matches!(read, Err(StoreError::Corrupt { table: "evidence_chunks", .. })), "{read:?}");
}

pub async fn the_same_bytes_are_kept_once(database: impl Database) {
    let store = database.furnished().await;
    let bytes = numbers(10);
    let (first, second) = (ContentId([1; 32]), ContentId([2; 32]));
    for content in [first, second] {
        keep_chunks(&*store, content, &bytes, at(1)).await;
        store.side(ended(&bytes, content)).await.unwrap();
        store.discard(content).await.unwrap();
    }
    let digest = Digest::of(&bytes);
    assert_eq!(store.evidence_bytes(digest).await.unwrap().as_deref(), Some(&bytes[..]));
    let made = store.side(ended(&numbers(11), second)).await;
    assert!(matches!(made, Err(StoreError::Refused(_))), "{made:?}");
}

pub async fn pieces_of_uploads_and_changes_are_written_side_by_side(database: impl Database) {
    let store = database.furnished().await;
    let before = store.ledger_size().await.unwrap();
    let contents: Vec<Vec<u8>> = (1..=6).map(|n| vec![n; 3 * CHUNK_BYTES + 1]).collect();
    let uploads = join_all(contents.iter().map(|bytes| upload(&*store, bytes, at(1))));
    let changes = join_all((0..100).map(|number| store.commit(staging(number))));
    let (digests, committed) = tokio::join!(uploads, changes);
    assert!(committed.iter().all(Result::is_ok), "{committed:?}");
    assert_eq!(store.ledger_size().await.unwrap(), before + 100);
    for (digest, bytes) in digests.iter().zip(&contents) {
        let found = store.evidence_bytes(*digest).await.unwrap();
        assert_eq!(found.as_deref(), Some(&bytes[..]));
    }
}
