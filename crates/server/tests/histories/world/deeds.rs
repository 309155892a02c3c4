//! What people, agents and the operator do in a world, one function a deed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use domain::{Actor, Digest, LeaseId, RequestId, StateName, Verdict};
use serde_json::{Value, json};
use service::Steward;
use service::change::Membership;
use service::house::HouseError;
use testing::{Reply, TestPerson, stage_body};

use super::{Answer, GROUP, WHY, World};
use crate::model::{Life, Wish};
use crate::turns::{Deed, Which};

/// Waits for a call, or only until it has waited `cut` times.
async fn cut_after<T>(cut: Option<u8>, call: impl Future<Output = T>) -> Option<T> {
    let (mut call, mut left) = (pin!(call), cut);
    poll_fn(|context| {
        if let Poll::Ready(answer) = call.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        left = left.map(|left| left - 1);
        if left == Some(0) { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

impl World {
    pub(super) async fn on_request(
        &mut self,
        id: RequestId,
        deed: &Deed,
        node: usize,
        cut: Option<u8>,
    ) {
        match deed {
            Deed::Amend { production, .. } => self.amend(id, *production, node, cut).await,
            Deed::Look { person, .. } => drop(self.look(*person, id, node).await),
            Deed::Review { person, verdict, .. } => {
                self.review(id, *person, verdict, node, cut).await;
            }
            Deed::Redeem { key, digest, stranger, .. } => {
                self.redeem(id, *key, *digest, *stranger, node, cut).await;
            }
            Deed::Heartbeat { .. } => {
                let body = json!({"lease_id": self.lease(id)});
                let reply = self.post(id, "/heartbeat", &body, node, cut).await;
                if let Some(reply) = reply.filter(|reply| reply.status == 200) {
                    self.read().await;
                    let halt = self.life(id).halting;
                    assert_eq!(reply.json()["signal"], if halt { "halt" } else { "continue" });
                }
            }
            Deed::Report { path, status, .. } => self.report(id, path, status, node, cut).await,
            Deed::Withdraw { .. } => {
                let wish = self.wish(id, "RequestWithdrawn");
                self.model.wishes.push(wish.clone());
                let reply = self.post(id, "/withdraw", &json!({}), node, cut).await;
                let withdrawn = |life: &Life| life.state == StateName::Withdrawn;
                self.answered(wish, reply, id, withdrawn).await;
            }
            Deed::Revoke { person, .. } => {
                let revoked = |life: &Life| life.state == StateName::Revoked;
                self.stop(id, *person, ("/revoke", "ReleaseRevoked"), node, cut, revoked).await;
            }
            Deed::Halt { person, .. } => {
                let halting = |life: &Life| life.halting;
                self.stop(id, *person, ("/halt", "HaltRequested"), node, cut, halting).await;
            }
            _ => unreachable!("not about a request"),
        }
    }

    fn wish(&self, id: RequestId, fact: &'static str) -> Wish {
        let actor = Actor::Agent(self.agent.id);
        Wish { actor, request: Some(id), fact, verdict: None, digest: None }
    }

    async fn post(
        &self,
        id: RequestId,
        path: &str,
        body: &Value,
        node: usize,
        cut: Option<u8>,
    ) -> Answer {
        let (agent, path) =
            (self.agent.at(&self.nodes[node]), format!("/api/v1/requests/{id}{path}"));
        cut_after(cut, agent.post(&path, body, None)).await
    }

    pub(super) async fn stage(&mut self, node: usize, cut: Option<u8>, production: bool) {
        let wish = Wish {
            actor: Actor::Agent(self.agent.id),
            request: None,
            fact: "RequestStaged",
            verdict: None,
            digest: None,
        };
        self.model.wishes.push(wish);
        let agent = self.agent.at(&self.nodes[node]);
        let body = self.body(production);
        let reply = cut_after(cut, agent.post("/api/v1/requests", &body, None)).await;
        self.read().await;
        let Some(reply) = reply else {
            self.cut += 1;
            return;
        };
        assert_eq!(reply.status, 201, "{}", reply.text());
        let staged = reply.json();
        let id: RequestId = serde_json::from_value(staged["id"].clone()).unwrap();
        let digest: Digest = serde_json::from_value(staged["digest"].clone()).unwrap();
        assert_eq!(self.model.lives.get(&id).map(|life| life.revisions[0]), Some(digest), "I6");
    }

    fn body(&self, production: bool) -> Value {
        let mut body = stage_body();
        if production {
            body["environment"] = json!("production");
        }
        body
    }

    async fn amend(&mut self, id: RequestId, production: bool, node: usize, cut: Option<u8>) {
        let mut body = self.body(production);
        self.amendments += 1;
        body["summary"] = json!(format!("Another summary, number {}", self.amendments));
        let wish = self.wish(id, "RequestAmended");
        self.model.wishes.push(wish.clone());
        let reply = self.post(id, "/revisions", &body, node, cut).await;
        let answer = reply.as_ref().filter(|reply| reply.status == 201).map(Reply::json);
        let digest = answer.map(|answer| answer["digest"].clone());
        let digest: Option<Digest> = digest.map(|digest| serde_json::from_value(digest).unwrap());
        let is_there = |life: &Life| digest.is_some_and(|digest| life.revisions.contains(&digest));
        self.answered(wish, reply, id, is_there).await;
    }

    /// A session that is as fresh as can be.
    async fn person(&mut self, person: usize, node: usize) -> TestPerson {
        if std::mem::take(&mut self.stale[person]) {
            self.reviewers[person] = self.app.session(self.reviewers[person].id).await;
        }
        self.reviewers[person].at(&self.nodes[node])
    }

    /// What a person sees of a request now.
    async fn look(&mut self, person: usize, id: RequestId, node: usize) -> (Digest, String) {
        let reviewer = self.person(person, node).await;
        self.read().await;
        let digest = self.life(id).digest;
        let shown = reviewer.shown(&json!({"id": id})).await;
        self.seen.insert((person, id), (digest, shown.clone()));
        (digest, shown)
    }

    async fn review(
        &mut self,
        id: RequestId,
        person: usize,
        verdict: &str,
        node: usize,
        cut: Option<u8>,
    ) {
        let (digest, shown) = match self.seen.remove(&(person, id)) {
            Some(seen) => seen,
            None => self.look(person, id, node).await,
        };
        let reviewer = self.person(person, node).await;
        let meant: Verdict = serde_json::from_value(json!(verdict)).unwrap();
        let wish = Wish {
            actor: Actor::Person(reviewer.id),
            request: Some(id),
            fact: "ReviewRecorded",
            verdict: Some(meant),
            digest: Some(digest),
        };
        self.model.wishes.push(wish.clone());
        let request = json!({"id": id, "digest": digest});
        let call = reviewer.review_as_shown(&request, verdict, &shown);
        let reply = cut_after(cut, call).await;
        let who = reviewer.id;
        let recorded = |life: &Life| life.reviews.contains(&(who, digest, meant));
        self.answered(wish, reply, id, recorded).await;
    }

    async fn redeem(
        &mut self,
        id: RequestId,
        key: u8,
        which: Which,
        stranger: bool,
        node: usize,
        cut: Option<u8>,
    ) {
        let life = self.life(id);
        let digest = if which == Which::First { life.revisions[0] } else { life.digest };
        let agent = if stranger { &self.stranger } else { &self.agent }.at(&self.nodes[node]);
        let wish = Wish {
            actor: Actor::Agent(agent.id),
            request: Some(id),
            fact: "ReleaseRedeemed",
            verdict: None,
            digest: Some(digest),
        };
        self.model.wishes.push(wish.clone());
        let (request, key) = (json!({"id": id, "digest": digest}), format!("key-{key}"));
        let reply = cut_after(cut, agent.redeem(&request, &key)).await;
        let answer = reply.as_ref().filter(|reply| reply.status == 200).map(Reply::json);
        let lease: Option<LeaseId> =
            answer.map(|answer| serde_json::from_value(answer["lease_id"].clone()).unwrap());
        assert!(lease.is_none() || !stranger, "I1: a stranger redeemed");
        self.answered(wish, reply, id, |life| life.lease == lease && life.digest == digest).await;
    }

    fn lease(&self, id: RequestId) -> LeaseId {
        self.life(id).lease.unwrap_or(LeaseId(id.0))
    }

    async fn report(
        &mut self,
        id: RequestId,
        path: &str,
        status: &'static str,
        node: usize,
        cut: Option<u8>,
    ) {
        let fact = if path == "outcome" { "OutcomeReported" } else { "RollbackReported" };
        let wish = self.wish(id, fact);
        self.model.wishes.push(wish.clone());
        let body = json!({"lease_id": self.lease(id), "status": status, "summary": "Done"});
        let reply = self.post(id, &format!("/{path}"), &body, node, cut).await;
        self.answered(wish, reply, id, |life| life.state.as_str() == status).await;
    }

    async fn stop(
        &mut self,
        id: RequestId,
        person: usize,
        (path, fact): (&str, &'static str),
        node: usize,
        cut: Option<u8>,
        holds: impl Fn(&Life) -> bool,
    ) {
        let person = self.person(person, node).await;
        let wish = Wish { actor: Actor::Person(person.id), ..self.wish(id, fact) };
        self.model.wishes.push(wish.clone());
        let path = format!("/requests/{id}{path}");
        let reply = cut_after(cut, person.post(&path, &[("reason", WHY)])).await;
        self.answered(wish, reply, id, holds).await;
    }

    pub(super) async fn thaw(&mut self) {
        let caller = self.app.caller(self.administrator).await;
        for standing in self.app.service.freezes().await.unwrap() {
            self.app.service.thaw(&caller, standing.freeze.id, WHY).await.unwrap();
        }
    }

    pub(super) async fn membership(&mut self, person: usize, change: Membership) {
        let (by, person) = (Steward::Operator, self.reviewers[person].id);
        match self.app.service.change_group(&by, change, person, GROUP, WHY).await {
            Ok(_) | Err(HouseError::AlreadySo) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
