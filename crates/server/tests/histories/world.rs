//! The server that a history happens on: carries turns out and holds every answer against what the
//! ledger says after it.

mod deeds;

use std::collections::BTreeMap;

use axum::Router;
use domain::{Digest, Entry, FreezeScope, PersonId, RequestId, StateName, Verdict};
use service::change::Membership;
use store::Clock;
use testing::{Reply, TestAgent, TestApp, TestPerson};

use crate::model::{Life, Model, Wish};
use crate::turns::{Deed, REVIEWERS, Turn};

const GROUP: &str = "approvers";
/// How far back a clock may be.
const DAY_S: i64 = 24 * 3600;
const WHY: &str = "the ticket matches";

pub struct World {
    app: TestApp,
    nodes: [Router; 2],
    agent: TestAgent,
    stranger: TestAgent,
    reviewers: Vec<TestPerson>,
    administrator: PersonId,
    /// The clock was moved since this reviewer signed in.
    stale: Vec<bool>,
    /// In the order in which they were found in the ledger.
    requests: Vec<RequestId>,
    /// What a reviewer last saw of a request: its digest and the page's token.
    seen: BTreeMap<(usize, RequestId), (Digest, String)>,
    pub model: Model,
    /// Calls that nobody waited for.
    pub cut: usize,
    pub entries: u64,
    amendments: usize,
}

/// A call's answer; nothing where the caller vanished.
type Answer = Option<Reply>;

impl World {
    pub async fn new() -> Self {
        let app = TestApp::new().await;
        let nodes = app.nodes().await;
        let mut reviewers = Vec::new();
        for name in REVIEWERS {
            reviewers.push(app.person(name, &[GROUP]).await);
        }
        let owner = reviewers.last().unwrap().id;
        let agent = app.agent("agent-1", owner).await;
        let stranger = app.agent("agent-2", reviewers[0].id).await;
        let administrator = app.person("Ann Administrator", &["administrators"]).await.id;
        let model = Model::new(agent.id, owner);
        let stale = vec![false; reviewers.len()];
        let (requests, seen, cut, entries, amendments) = Default::default();
        let mut world = Self {
            app,
            nodes,
            agent,
            stranger,
            reviewers,
            administrator,
            stale,
            requests,
            seen,
            model,
            cut,
            entries,
            amendments,
        };
        world.read().await;
        world
    }

    /// Holds what the ledger has gained against the model.
    async fn read(&mut self) {
        for stored in self.app.store.entries(self.entries, 10_000).await.unwrap() {
            let entry: Entry = serde_json::from_slice(&stored.body).unwrap();
            self.model.take(&entry);
            self.entries += 1;
            if entry.fact.name() == "RequestStaged" {
                self.requests.extend(entry.request);
            }
        }
    }

    /// The request so many before the newest.
    fn request(&self, back: usize) -> Option<RequestId> {
        let newest = self.requests.len().checked_sub(1)?;
        Some(self.requests[newest.saturating_sub(back)])
    }

    /// Somebody who approved a request.
    fn approver(&self, back: usize) -> Option<usize> {
        let votes = &self.life(self.request(back)?).votes;
        let approved = |person: &TestPerson| votes.get(&person.id) == Some(&Verdict::Approve);
        self.reviewers.iter().position(approved)
    }

    fn life(&self, id: RequestId) -> &Life {
        &self.model.lives[&id]
    }

    pub async fn take(&mut self, turn: &Turn) {
        let Turn { deed, node, cut } = turn;
        match deed {
            Deed::Stage { production } => self.stage(*node, *cut, *production).await,
            Deed::Freeze { person } => {
                let caller = self.app.caller(self.reviewers[*person].id).await;
                // Only who approves may: a refusal is no harm.
                drop(self.app.service.freeze(&caller, FreezeScope::All, false, WHY).await);
            }
            Deed::Thaw => self.thaw().await,
            Deed::Leave { request } => {
                if let Some(person) = self.approver(*request) {
                    self.membership(person, Membership::Remove).await;
                }
            }
            Deed::Join { person } => self.membership(*person, Membership::Add).await,
            Deed::Pass { seconds } => {
                let behind_s = self.model.newest.seconds_since(self.app.clock.now());
                // A clock that is further back is refused as broken: then nothing happens at all.
                if behind_s - seconds < DAY_S {
                    self.app.clock.advance(*seconds);
                    self.stale.fill(true);
                }
            }
            Deed::Sweep => drop(self.app.service.sweep().await.unwrap()),
            Deed::Restart => unreachable!("a world of its own"),
            Deed::Amend { request, .. }
            | Deed::Look { request, .. }
            | Deed::Review { request, .. }
            | Deed::Redeem { request, .. }
            | Deed::Heartbeat { request }
            | Deed::Report { request, .. }
            | Deed::Withdraw { request }
            | Deed::Revoke { request, .. }
            | Deed::Halt { request, .. } => {
                if let Some(id) = self.request(*request) {
                    self.on_request(id, deed, *node, *cut).await;
                    self.shown(id, *node).await;
                }
            }
        }
        self.read().await;
    }

    /// Holds an answer against the ledger: what was acknowledged is in it, what was refused is not.
    async fn answered(
        &mut self,
        wish: Wish,
        reply: Answer,
        id: RequestId,
        holds: impl Fn(&Life) -> bool,
    ) {
        self.read().await;
        let Some(reply) = reply else {
            self.cut += 1;
            return;
        };
        let status = reply.status;
        assert!(!status.is_server_error(), "{wish:?}: {}", reply.text());
        let left = self.model.wishes.iter().position(|made| *made == wish);
        if status.is_client_error() {
            assert!(left.is_some(), "I7: refused with {status}, and recorded: {wish:?}");
        } else {
            assert!(holds(self.life(id)), "I6: {status}, and not recorded: {wish:?}");
        }
        // What is left of it was said before, or was refused: nothing more may come of it.
        if let Some(left) = left {
            self.model.wishes.remove(left);
        }
    }

    /// The same world after its servers have stopped and started again.
    pub async fn restarted(mut self) -> Self {
        let nowhere = Router::new();
        self.nodes = [nowhere.clone(), nowhere.clone()];
        self.agent = self.agent.at(&nowhere);
        self.stranger = self.stranger.at(&nowhere);
        self.reviewers = self.reviewers.iter().map(|person| person.at(&nowhere)).collect();
        let app = self.app.restarted().await;
        let nodes = app.nodes().await;
        let mut world = Self { app, nodes, ..self };
        world.read().await;
        world
    }

    /// The agent is shown a state that the request came to, or one that only time leads to.
    async fn shown(&mut self, id: RequestId, node: usize) {
        let agent = self.agent.at(&self.nodes[node]);
        let reply = agent.get(&format!("/api/v1/requests/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let state: StateName = serde_json::from_value(reply.json()["state"].clone()).unwrap();
        self.read().await;
        let by_time = [StateName::Expired, StateName::Lapsed, StateName::OutcomeUnknown];
        let reached = self.life(id).reached.contains(&state) || by_time.contains(&state);
        assert!(reached, "I6: {state:?} is shown, and never was");
    }

    /// Lets everything that was left undone end, and holds every table against the ledger.
    pub async fn settle(&mut self) {
        while self.app.service.sweep().await.unwrap() > 0 {}
        self.read().await;
        for (id, life) in &self.model.lives {
            let stored = self.app.store.load(*id).await.unwrap().unwrap().request;
            assert_eq!((stored.state.name(), stored.digest), (life.state, life.digest), "I7");
            let told = self.agent.at(&self.nodes[1]).get(&format!("/api/v1/requests/{id}")).await;
            assert_eq!(told.json()["state"], life.state.as_str());
        }
        self.app.assert_ledger_holds().await;
        let rebuilt = self.app.store.rebuild().await.unwrap();
        assert_eq!(rebuilt.differences, [], "I7: the tables differ from the ledger");
    }

    pub async fn end(self) {
        self.app.end().await;
    }
}
