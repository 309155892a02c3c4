//! What was staged before, as risk asks for it.

use domain::revision::{Identity, Revision, Sealed};
use domain::risk::{BURST_COUNTED, BURST_S, Ended, Ending, History, REPEAT_S, TargetHistory};
use domain::{AgentId, KindRef, RequestFact, RequestId, StageBody, Timestamp};
use serde_json::json;
use store::Store;
use uuid::Uuid;

use crate::fixture::{AGENT, BOB, INSTANCE, amending, approval, at, following, named, staging};
use crate::rules::Database;

pub const OTHER: AgentId = AgentId(Uuid::from_u128(11));
const KNOWN: TargetHistory = TargetHistory { agent_knows_it: true, kind_knows_it: true, lately: 1 };
const UNKNOWN: TargetHistory =
    TargetHistory { agent_knows_it: false, kind_knows_it: false, lately: 0 };

/// A revision that is about to be staged; what is stored is the agent's, of the kind `k`, on `t`.
pub struct Asked {
    pub request: u128,
    pub agent: AgentId,
    pub kind: &'static str,
    pub targets: Vec<String>,
    pub now: Timestamp,
}

pub fn asked(targets: &[&str]) -> Asked {
    let targets = targets.iter().map(|target| (*target).to_owned()).collect();
    Asked { request: 1, agent: AGENT, kind: "k", targets, now: at(60) }
}

impl Asked {
    pub fn sealed(&self) -> Sealed {
        let body: StageBody = serde_json::from_value(json!({
            "kind": self.kind, "parameters": {}, "targets": self.targets,
            "environment": "production", "summary": "other words", "justification": "j",
            "risk": {"factors": []}
        }))
        .unwrap();
        let identity = Identity {
            instance: INSTANCE,
            request_id: RequestId(Uuid::from_u128(self.request)),
            revision: 1,
            agent: self.agent,
            executor: AGENT,
            kind: KindRef { name: self.kind.into(), version: 1 },
        };
        Revision::new(identity, body, vec![]).seal().unwrap()
    }

    async fn of(&self, store: &dyn Store) -> History {
        store.history(&self.sealed(), self.now).await.unwrap()
    }
}

pub async fn first_times_are_told_by_agent_kind_and_target(database: impl Database) {
    let store = database.furnished().await;
    let nothing = asked(&["t", "u"]).of(&*store).await;
    let wanted = History { targets: vec![UNKNOWN; 2], ..History::default() };
    assert_eq!(nothing, wanted);
    store.commit(staging(1)).await.unwrap();
    let again = asked(&["t", "u"]).of(&*store).await;
    assert!(again.agent_knows_kind);
    assert_eq!(again.targets, [KNOWN, UNKNOWN]);
    let other_agent = Asked { agent: OTHER, ..asked(&["t"]) }.of(&*store).await;
    assert!(!other_agent.agent_knows_kind);
    assert_eq!(other_agent.targets, [TargetHistory { agent_knows_it: false, ..KNOWN }]);
    let other_kind = Asked { kind: "l", ..asked(&["t"]) }.of(&*store).await;
    assert!(!other_kind.agent_knows_kind);
    assert_eq!(other_kind.targets, [TargetHistory { kind_knows_it: false, ..KNOWN }]);
    let itself = Asked { request: 1001, ..asked(&["t", "u"]) }.of(&*store).await;
    assert_eq!(itself, wanted, "a request is no history of its own");
}

pub async fn targets_are_answered_in_the_order_they_were_asked(database: impl Database) {
    let store = database.furnished().await;
    store.commit(staging(1)).await.unwrap();
    let names: Vec<String> =
        (0..12).map(|n| if n == 10 { "t".into() } else { format!("u{n}") }).collect();
    let history = Asked { targets: names, ..asked(&[]) }.of(&*store).await;
    let known: Vec<bool> = history.targets.iter().map(|target| target.kind_knows_it).collect();
    assert_eq!(known.iter().position(|known| *known), Some(10));
    assert_eq!(known.len(), 12);
}

pub async fn requests_on_a_target_are_counted_for_an_hour_up_to_a_limit(database: impl Database) {
    let store = database.furnished().await;
    let lately = async |second: i64| {
        Asked { now: at(second), ..asked(&["t"]) }.of(&*store).await.targets[0].lately
    };
    let all = (1..=3).map(|number| store.commit(staging(number)));
    futures::future::try_join_all(all).await.unwrap();
    assert_eq!(lately(BURST_S - 1).await, 3);
    assert_eq!(lately(BURST_S).await, 0);
    let amended = amending(&*store, RequestId(Uuid::from_u128(1001))).await;
    store.commit(amended).await.unwrap();
    assert_eq!(lately(60).await, 3, "an amendment is no other request");
    let many = (4..=u128::from(BURST_COUNTED) + 1).map(|number| store.commit(staging(number)));
    futures::future::try_join_all(many).await.unwrap();
    assert_eq!(lately(60).await, BURST_COUNTED);
}

pub async fn a_repeat_is_known_by_its_content_and_how_it_ended(database: impl Database) {
    let store = database.furnished().await;
    let ended = async |asked: Asked| asked.of(&*store).await.ended;
    let (denied, approved) = (staging(1), staging(2));
    let (id, _) = named(&denied);
    store.commit(denied).await.unwrap();
    assert_eq!(ended(asked(&["t"])).await, None, "it is still open");
    let (other, digest) = named(&approved);
    store.commit(approved).await.unwrap();
    store.commit(following(&*store, other, approval(digest)).await).await.unwrap();
    assert_eq!(ended(asked(&["t"])).await, None, "approved is no no");
    let denial = vec![RequestFact::RequestDenied { by: BOB }];
    store.commit(following(&*store, id, denial).await).await.unwrap();
    let wanted = Some(Ended { how: Ending::Denied, at: at(0) });
    assert_eq!(ended(asked(&["t"])).await, wanted);
    assert_eq!(ended(Asked { agent: OTHER, ..asked(&["t"]) }).await, wanted);
    assert_eq!(ended(asked(&["t", "u"])).await, None, "other content");
    let late = |second: i64| Asked { now: at(second), ..asked(&["t"]) };
    assert_eq!(ended(late(REPEAT_S - 1)).await, wanted);
    assert_eq!(ended(late(REPEAT_S)).await, None);
    let itself = Asked { request: 1001, ..asked(&["t"]) };
    assert_eq!(ended(itself).await, None, "a request is no repeat of its own");
}

pub async fn what_expired_is_told_from_what_was_denied(database: impl Database) {
    let store = database.furnished().await;
    let change = staging(1);
    let (id, _) = named(&change);
    store.commit(change).await.unwrap();
    let expired = vec![RequestFact::RequestExpired { review_deadline: at(3600) }];
    store.commit(following(&*store, id, expired).await).await.unwrap();
    let history = asked(&["t"]).of(&*store).await;
    assert_eq!(history.ended, Some(Ended { how: Ending::Expired, at: at(0) }));
}
