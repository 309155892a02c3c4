//! Where races are run: one database, the servers on it, and everybody who acts.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use domain::RequestId;
use serde_json::{Value, json};
use testing::{Reply, TestAgent, TestApp, TestPerson, stage_body};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How many rounds each race has.
const ROUNDS: &str = "COUNTERSIGN_ROUNDS";

/// A call that waits for the others.
pub type Call = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// One database with an agent and four approvers.
pub struct Arena {
    pub app: TestApp,
    pub nodes: [Router; 2],
    pub agent: TestAgent,
    pub approvers: Vec<TestPerson>,
}

impl Arena {
    pub async fn new() -> Self {
        let app = TestApp::new().await;
        let nodes = app.nodes().await;
        let owner = app.person("Olga Owner", &[]).await;
        let agent = app.agent("agent-1", owner.id).await;
        let mut approvers = Vec::new();
        for name in ["Bob Approver", "Cat Approver", "Dan Approver", "Eve Approver"] {
            approvers.push(app.person(name, &["approvers"]).await);
        }
        Self { app, nodes, agent, approvers }
    }

    /// Runs every round, and then checks the ledger from its first entry.
    pub async fn run(&self, race: &str, round: impl AsyncFn(u64)) {
        let rounds = std::env::var(ROUNDS).ok().map_or(100, |text| text.parse().unwrap());
        for number in 0..rounds {
            round(number).await;
        }
        self.app.assert_ledger_holds().await;
        println!("proved: {race}, {rounds} rounds");
    }

    /// A request that one approver decides.
    pub async fn staged(&self) -> Value {
        self.agent.stage().await
    }

    /// A request that takes two approvers.
    pub async fn staged_for_two(&self) -> Value {
        let mut body = stage_body();
        body["environment"] = json!("production");
        let reply = self.agent.post("/api/v1/requests", &body, None).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// A request that one approver has approved.
    pub async fn approved(&self) -> Value {
        let request = self.staged().await;
        let reply = self.approvers[0].review(&request, "approve").await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        request
    }

    /// The verdict of the approver of this number on what they were shown, at a server of its own.
    pub async fn verdict(&self, approver: usize, request: &Value, verdict: &'static str) -> Call {
        let person = self.approvers[approver].at(&self.nodes[approver % 2]);
        let (request, shown) = (request.clone(), person.shown(request).await);
        Box::pin(async move { person.review_as_shown(&request, verdict, &shown).await })
    }

    /// A call of the agent at the server of this number.
    pub fn call(&self, node: usize, path: &str, body: Value, key: Option<String>) -> Call {
        let (agent, path) = (self.agent.at(&self.nodes[node % 2]), path.to_owned());
        Box::pin(async move { agent.post(&path, &body, key.as_deref()).await })
    }

    /// The redemption of a request at the server of this number.
    pub fn redemption(&self, node: usize, request: &Value, key: String) -> Call {
        let body = json!({"digest": request["digest"]});
        self.call(node, &path(request, "/redeem"), body, Some(key))
    }

    pub async fn state(&self, request: &Value) -> String {
        let read = self.agent.get(&path(request, "")).await.json();
        read["state"].as_str().unwrap().to_owned()
    }

    /// How often each fact stands in the ledger for this request.
    pub async fn facts(&self, request: &Value) -> BTreeMap<String, usize> {
        let id: RequestId = request["id"].as_str().unwrap().parse().unwrap();
        let mut facts = BTreeMap::new();
        for entry in self.app.store.entries_of(id).await.unwrap() {
            let entry: domain::Entry = serde_json::from_slice(&entry.body).unwrap();
            *facts.entry(entry.fact.name().to_owned()).or_default() += 1;
        }
        facts
    }
}

/// The address of a request for its agent.
pub fn path(request: &Value, rest: &str) -> String {
    format!("/api/v1/requests/{}{rest}", request["id"].as_str().unwrap())
}

/// Starts every call at one barrier; answers in the order of the calls.
pub async fn at_once(calls: Vec<Call>) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(calls.len()));
    let mut tasks = JoinSet::new();
    for (number, call) in calls.into_iter().enumerate() {
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            (number, call.await)
        });
    }
    let mut replies = tasks.join_all().await;
    replies.sort_by_key(|(number, _)| *number);
    replies.into_iter().map(|(_, reply)| reply).collect()
}

/// The statuses of the answers.
pub fn statuses(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.status.as_u16()).collect()
}
