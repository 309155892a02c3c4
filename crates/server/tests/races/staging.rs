//! Stagings under one Idempotency-Key.

use std::collections::BTreeSet;

use testing::stage_body;

use crate::arena::{Arena, at_once};

/// Stagings of one body at once.
const STAGINGS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i11_c09_stagings_at_once_under_one_key_are_one_request() {
    let arena = Arena::new().await;
    let round = async |number: u64| {
        let key = Some(format!("c09-{number}"));
        let call = |n| arena.call(n, "/api/v1/requests", stage_body(), key.clone());
        let before = arena.app.entries().await;
        let replies = at_once((0..STAGINGS).map(call).collect()).await;
        let ids: BTreeSet<String> =
            replies.iter().map(|reply| reply.json()["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert!(replies.iter().all(|reply| reply.status == 201));
        let replayed = |reply: &&testing::Reply| reply.header("idempotency-replayed") == "true";
        assert_eq!(replies.iter().filter(replayed).count(), STAGINGS - 1);
        assert_eq!(arena.app.entries().await, before + 1);
    };
    arena.run("c09", round).await;
}
