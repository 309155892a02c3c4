//! Callers that vanish: a client hangs up, and what was asked for it is dropped where it stands.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use domain::entry::HouseFact;
use domain::{Actor, RequestId};
use store::Change;
use uuid::Uuid;

use crate::fixture::{BOB, fact};
use crate::rules::Database;

/// More waits than a read has.
const WAITS: usize = 24;
/// More reads at once than there are connections.
const READERS: usize = 16;

/// Drops a call once it has waited `waits` times.
async fn vanishing(call: impl Future, waits: usize) {
    let mut call = pin!(call);
    let mut waited = 0;
    poll_fn(|context| {
        if waited == waits || call.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        waited += 1;
        Poll::Pending
    })
    .await;
}

pub async fn k08_a_caller_that_vanishes_leaves_no_connection_in_the_past(database: impl Database) {
    let store = database.furnished().await;
    let nobody = RequestId(Uuid::nil());
    for waits in 0..WAITS {
        // Several at once, so that it is no one connection that all later reads happen to miss.
        let calls = (0..READERS).map(|_| vanishing(store.entries_of(nobody), waits));
        futures::future::join_all(calls).await;
        let signed_out = HouseFact::SignedOut { person: BOB };
        let facts = vec![fact(Actor::System, signed_out)];
        let committed = store.commit(Change { facts, ..Change::default() }).await.unwrap();
        let sizes = (0..READERS).map(|_| store.ledger_size());
        for size in futures::future::join_all(sizes).await {
            assert_eq!(size.unwrap(), committed.size, "after {waits} waits");
        }
    }
}
