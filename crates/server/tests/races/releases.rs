//! Redemptions against each other.

use crate::arena::{Arena, at_once, statuses};

/// Redemptions of one release at once.
const REDEMPTIONS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i3_d01_of_many_redemptions_at_once_one_succeeds() {
    let arena = Arena::new().await;
    let round = async |number: u64| {
        let request = arena.approved().await;
        let call = |n| arena.redemption(n, &request, format!("d01-{number}-{n}"));
        let replies = at_once((0..REDEMPTIONS).map(call).collect()).await;
        let mut sorted = statuses(&replies);
        sorted.sort_unstable();
        assert_eq!((sorted[0], sorted[1], sorted[REDEMPTIONS - 1]), (200, 409, 409));
        let refused = replies.iter().filter(|reply| reply.status == 409);
        for reply in refused {
            let problem = reply.problem();
            assert_eq!(problem["code"], "already_redeemed");
            assert!(problem["redeemed_at"].is_string(), "{problem}");
        }
        assert_eq!(arena.facts(&request).await["ReleaseRedeemed"], 1);
    };
    arena.run("d01", round).await;
}
