//! Verdicts against verdicts, withdrawals and amendments.

use serde_json::json;
use testing::stage_body;

use crate::arena::{Arena, at_once, path, statuses};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c01_of_approvals_and_denials_at_once_exactly_one_decides() {
    let arena = Arena::new().await;
    let round = async |_| {
        let request = arena.staged().await;
        let mut calls = Vec::new();
        for approver in 0..4 {
            let verdict = if approver % 2 == 0 { "approve" } else { "deny" };
            calls.push(arena.verdict(approver, &request, verdict).await);
        }
        let statuses = statuses(&at_once(calls).await);
        let mut sorted = statuses.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [303, 409, 409, 409]);
        let winner = statuses.iter().position(|status| *status == 303).unwrap();
        let state = if winner % 2 == 0 { "approved" } else { "denied" };
        assert_eq!(arena.state(&request).await, state);
        let facts = arena.facts(&request).await;
        let decided = ["RequestApproved", "RequestDenied"].map(|fact| facts.contains_key(fact));
        assert_eq!(facts["ReviewRecorded"], 1, "{facts:?}");
        assert_eq!(decided, [state == "approved", state == "denied"], "{facts:?}");
    };
    arena.run("c01", round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c03_of_an_approval_and_a_withdrawal_at_once_one_happens() {
    let arena = Arena::new().await;
    let round = async |number: u64| {
        let request = arena.staged().await;
        let approval = arena.verdict(0, &request, "approve").await;
        let withdrawal = arena.call(1, &path(&request, "/withdraw"), json!({}), None);
        let statuses = statuses(&at_once(vec![approval, withdrawal]).await);
        let state = match statuses[..] {
            [303, 409] => "approved",
            [409, 200] => "withdrawn",
            _ => panic!("{statuses:?}"),
        };
        assert_eq!(arena.state(&request).await, state);
        let released = arena.redemption(0, &request, format!("c03-{number}")).await.status;
        assert_eq!(released == 200, state == "approved");
    };
    arena.run("c03", round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c04_two_approvals_at_once_are_both_recorded_and_decide_once() {
    let arena = Arena::new().await;
    let round = async |_| {
        let request = arena.staged_for_two().await;
        let one = arena.verdict(0, &request, "approve").await;
        let other = arena.verdict(1, &request, "approve").await;
        assert_eq!(statuses(&at_once(vec![one, other]).await), [303, 303]);
        let facts = arena.facts(&request).await;
        assert_eq!((facts["ReviewRecorded"], facts["RequestApproved"]), (2, 1));
        assert_eq!(arena.state(&request).await, "approved");
    };
    arena.run("c04", round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c05_one_person_at_once_in_two_places_is_one_vote() {
    let arena = Arena::new().await;
    let round = async |_| {
        let request = arena.staged_for_two().await;
        let [here, there] = [0, 1].map(|node| arena.approvers[0].at(&arena.nodes[node]));
        let shown = here.shown(&request).await;
        let calls = [here, there].map(|person| {
            let (request, shown) = (request.clone(), shown.clone());
            Box::pin(async move { person.review_as_shown(&request, "approve", &shown).await }) as _
        });
        for status in statuses(&at_once(calls.into()).await) {
            assert!(status == 303 || status == 409, "{status}");
        }
        let facts = arena.facts(&request).await;
        assert_eq!(facts["ReviewRecorded"], 1, "{facts:?}");
        assert_eq!(arena.state(&request).await, "pending");
    };
    arena.run("c05", round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c06_an_approval_holds_for_the_revision_that_was_shown_or_not_at_all() {
    let arena = Arena::new().await;
    let round = async |number: u64| {
        let request = arena.staged().await;
        let approval = arena.verdict(0, &request, "approve").await;
        let mut body = stage_body();
        body["summary"] = json!(format!("Another summary, number {number}"));
        let amendment = arena.call(1, &path(&request, "/revisions"), body, None);
        let replies = at_once(vec![approval, amendment]).await;
        let read = arena.agent.get(&path(&request, "")).await.json();
        match statuses(&replies)[..] {
            [303, 409] => {
                assert_eq!((&read["state"], &read["revision"]), (&json!("approved"), &json!(1)));
                assert_eq!(read["digest"], request["digest"]);
            }
            [409, 201] => {
                assert_eq!((&read["state"], &read["revision"]), (&json!("pending"), &json!(2)));
                assert_ne!(read["digest"], request["digest"]);
            }
            _ => panic!("{:?}", statuses(&replies)),
        }
    };
    arena.run("c06", round).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c08_a_denial_that_was_acknowledged_is_never_outvoted() {
    let arena = Arena::new().await;
    let round = async |_| {
        let request = arena.staged_for_two().await;
        assert_eq!(arena.verdict(0, &request, "approve").await.await.status, 303);
        let approval = arena.verdict(1, &request, "approve").await;
        let denial = arena.verdict(2, &request, "deny").await;
        let statuses = statuses(&at_once(vec![approval, denial]).await);
        let state = match statuses[..] {
            [303, 409] => "approved",
            [409, 303] => "denied",
            _ => panic!("{statuses:?}"),
        };
        assert_eq!(arena.state(&request).await, state);
    };
    arena.run("c08", round).await;
}
