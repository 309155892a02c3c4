//! Endpoints, and how far each was told of what.

use domain::entry::HouseFact;
use domain::{Actor, Commitment, WebhookId};
use store::read::DeliveryState::{Dead, Delivered, Waiting};
use store::read::{Delivery, DeliveryState};
use store::{Change, NewFact, Next, Side, Step, Store, StoreError, Text};
use uuid::Uuid;

use crate::fixture::{at, fact};
use crate::rules::Database;

const HOOK: WebhookId = WebhookId(Uuid::from_u128(50));

/// The fact that an endpoint was added, with its address.
pub fn added(webhook: WebhookId, name: &str, from: u64) -> NewFact {
    let (salt, text) = ([4; 16], format!("https://{name}.example/hook"));
    let url = Commitment::new(&salt, &text);
    let (name, events) = (name.to_owned(), vec!["request.staged".to_owned()]);
    let added = HouseFact::WebhookAdded { webhook, name, url, events, from };
    NewFact { texts: vec![Text { field: "url", salt, text }], ..fact(Actor::System, added) }
}

async fn record(store: &dyn Store, facts: Vec<NewFact>) -> Result<(), StoreError> {
    store.commit(Change { facts, ..Change::default() }).await.map(drop)
}

async fn step(store: &dyn Store, step: Step) {
    store.side(Side::Deliver { webhook: HOOK, step }).await.unwrap();
}

async fn told(database: &impl Database) -> std::sync::Arc<dyn Store> {
    let store = database.furnished().await;
    record(&*store, vec![added(HOOK, "bridge", 2)]).await.unwrap();
    let advance = Step::Advance { from: 2, to: 5, wanted: vec![2, 4], at: at(10) };
    step(&*store, advance).await;
    store
}

async fn states(store: &dyn Store) -> Vec<(u64, DeliveryState, u32)> {
    let all = store.deliveries(HOOK, 10).await.unwrap();
    all.iter().map(|one| (one.index, one.state, one.attempts)).collect()
}

async fn due(store: &dyn Store, second: i64) -> Vec<u64> {
    let due: Vec<Delivery> = store.due_deliveries(HOOK, at(second), 10).await.unwrap();
    due.iter().map(|one| one.index).collect()
}

fn attempted(index: u64, before: u32, next: Next) -> Step {
    Step::Attempted { index, before, at: at(11), answer: "500".into(), next }
}

pub async fn an_endpoint_is_read_back_and_goes_with_what_waits_for_it(database: impl Database) {
    let store = told(&database).await;
    let hook = store.webhooks().await.unwrap().pop().unwrap();
    assert_eq!((hook.id, &*hook.name, &*hook.url), (HOOK, "bridge", "https://bridge.example/hook"));
    assert_eq!((hook.events, hook.cursor), (vec!["request.staged".to_owned()], 5));
    assert_eq!((hook.secret_version, hook.rotated_at, hook.disabled_at), (1, None, None));
    let again = added(WebhookId(Uuid::from_u128(51)), "Brldge", 2);
    let same = added(WebhookId(Uuid::from_u128(51)), "bridge", 2);
    assert!(matches!(record(&*store, vec![same]).await, Err(StoreError::NameTaken)));
    record(&*store, vec![again]).await.unwrap();

    let system = |one| fact(Actor::System, one);
    let rotated = |version| system(HouseFact::WebhookSecretRotated { webhook: HOOK, version });
    record(&*store, vec![rotated(2)]).await.unwrap();
    let twice = record(&*store, vec![rotated(2)]).await;
    assert!(matches!(twice, Err(StoreError::Stale)), "of two at once one holds: {twice:?}");
    record(&*store, vec![system(HouseFact::WebhookDisabled { webhook: HOOK })]).await.unwrap();
    let webhooks = store.webhooks().await.unwrap();
    let hook = webhooks.iter().find(|hook| hook.id == HOOK).unwrap();
    assert_eq!(hook.secret_version, 2);
    assert!(hook.rotated_at.is_some() && hook.disabled_at.is_some());

    record(&*store, vec![system(HouseFact::WebhookRemoved { webhook: HOOK })]).await.unwrap();
    assert_eq!(store.webhooks().await.unwrap().len(), 1);
    assert_eq!(states(&*store).await, []);
    // What comes too late does nothing.
    step(&*store, Step::Replay { wanted: vec![2], at: at(10) }).await;
    step(&*store, Step::Advance { from: 5, to: 6, wanted: vec![5], at: at(10) }).await;
    assert_eq!(states(&*store).await, []);
}

pub async fn f10_a_cursor_and_what_is_to_be_told_move_together_and_once(database: impl Database) {
    let store = told(&database).await;
    assert_eq!(states(&*store).await, [(4, Waiting, 0), (2, Waiting, 0)]);
    // Another process that was slower moves nothing, and adds nothing.
    step(&*store, Step::Advance { from: 2, to: 9, wanted: vec![3], at: at(10) }).await;
    assert_eq!(states(&*store).await.len(), 2);
    assert_eq!(store.webhooks().await.unwrap()[0].cursor, 5);
    let no_entry = Step::Advance { from: 5, to: 99, wanted: vec![98], at: at(10) };
    let refused = store.side(Side::Deliver { webhook: HOOK, step: no_entry }).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert_eq!(store.webhooks().await.unwrap()[0].cursor, 5, "together or not at all");
}

pub async fn f10_an_attempt_counts_once_and_what_waits_is_due_in_its_time(database: impl Database) {
    let store = told(&database).await;
    assert_eq!(due(&*store, 9).await, [] as [u64; 0]);
    assert_eq!(due(&*store, 10).await, [2, 4]);
    step(&*store, attempted(2, 0, Next::At(at(20)))).await;
    step(&*store, attempted(2, 0, Next::Dead)).await;
    assert_eq!(states(&*store).await, [(4, Waiting, 0), (2, Waiting, 1)]);
    assert_eq!(due(&*store, 19).await, [4]);
    assert_eq!(due(&*store, 20).await, [4, 2], "the longest overdue first");
    let second = store.deliveries(HOOK, 10).await.unwrap().pop().unwrap();
    assert_eq!((second.last_at, second.answer.as_deref()), (Some(at(11)), Some("500")));

    step(&*store, attempted(2, 1, Next::Dead)).await;
    step(&*store, attempted(4, 0, Next::Delivered)).await;
    assert_eq!(due(&*store, 9999).await, [] as [u64; 0]);
    assert_eq!(store.delivery_counts(HOOK).await.unwrap(), [(Dead, 1), (Delivered, 1)]);
    // Nothing is told of it any more by an answer that comes late.
    step(&*store, attempted(4, 1, Next::At(at(30)))).await;
    assert_eq!(states(&*store).await, [(4, Delivered, 1), (2, Dead, 2)]);
}

pub async fn what_is_over_is_told_again_when_asked_and_cleared_in_its_time(
    database: impl Database,
) {
    let store = told(&database).await;
    step(&*store, attempted(2, 0, Next::Dead)).await;
    step(&*store, attempted(4, 0, Next::Delivered)).await;
    step(&*store, Step::ReplayDead { at: at(40) }).await;
    assert_eq!(states(&*store).await, [(4, Delivered, 1), (2, Waiting, 0)]);
    step(&*store, Step::Replay { wanted: vec![3, 4], at: at(50) }).await;
    assert_eq!(states(&*store).await, [(4, Waiting, 0), (3, Waiting, 0), (2, Waiting, 0)]);
    assert_eq!(due(&*store, 50).await, [2, 3, 4]);
    step(&*store, attempted(2, 0, Next::Dead)).await;
    step(&*store, attempted(4, 0, Next::Delivered)).await;
    let sweep = |delivered, dead| Side::Sweep {
        now: at(100),
        evidence_before: at(0),
        contents_before: at(0),
        delivered_before: at(delivered),
        dead_before: at(dead),
    };
    store.side(sweep(11, 11)).await.unwrap();
    assert_eq!(states(&*store).await.len(), 3);
    store.side(sweep(12, 11)).await.unwrap();
    assert_eq!(states(&*store).await, [(3, Waiting, 0), (2, Dead, 1)]);
    store.side(sweep(12, 12)).await.unwrap();
    assert_eq!(states(&*store).await, [(3, Waiting, 0)], "what waits stays");
}
