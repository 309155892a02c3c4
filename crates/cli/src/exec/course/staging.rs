//! From a command line to a request that people see, and to another revision of it.

use anyhow::{Context, bail};
use serde_json::Value;

use super::{Course, Next};
use crate::agent::api::{Agent, Answer, Call, fresh_key};
use crate::agent::stage::warn;
use crate::agent::{evidence, print, say};
use crate::exec::proposal::Proposal;
use crate::exec::record::Step;
use crate::exit::Exit;
use crate::wire::{Problem, rows};

impl Course {
    /// What the command line says; nothing is sent of it yet.
    pub(super) async fn proposal(&mut self) -> anyhow::Result<Proposal> {
        let path = format!("/api/v1/kinds/{}", self.arguments.kind);
        let asked = self.agent.clone();
        let kind = self.or_signal(asked.send(Call::get(&path))).await?;
        let kind = kind.with_context(|| format!("the kind `{}`", self.arguments.kind))?.document;
        Proposal::of(&self.arguments, &self.directory, &kind)
    }

    pub(super) async fn propose(&mut self) -> anyhow::Result<Step> {
        let proposal = self.proposal().await?;
        let preview = self.preview(&proposal).await?;
        if preview["can_be_met"] == false {
            say(&print::text(&preview["next"]));
        }
        let record = self.place.record(proposal.body.clone(), fresh_key("exec")?);
        self.wanted = Some(proposal);
        self.place.write(&record)?;
        let step = record.step.clone();
        self.record = Some(record);
        Ok(step)
    }

    /// What the server would ask for; refuses what nobody here could redeem.
    pub(super) async fn preview(&mut self, proposal: &Proposal) -> anyhow::Result<Value> {
        self.upload(proposal).await?;
        let (agent, body) = (self.agent.clone(), serde_json::to_vec(&proposal.body)?);
        let call = Call::post("/api/v1/requests?validate=true", body);
        let preview = self.or_signal(agent.send(call)).await?;
        let preview = preview.context("nothing is staged")?.document;
        if rows(&preview["risk"]["facts"]).any(|fact| fact["code"] == "self_executed") {
            return Ok(preview);
        }
        let path = format!("/api/v1/kinds/{}", self.arguments.kind);
        let kind = self.or_signal(agent.send(Call::get(&path))).await??.document;
        let executor = print::text(&kind["executor"]);
        bail!(Exit::Refused.because(format!(
            "{} is redeemed by `{executor}` alone, and this is the key of another agent; nothing is \
             staged. Run `exec` with the key of `{executor}`",
            self.arguments.kind
        )))
    }

    pub(super) async fn stage(&mut self, key: &str) -> anyhow::Result<Next> {
        let proposal = match self.wanted.take() {
            Some(proposal) => proposal,
            None => self.proposal().await?,
        };
        self.upload(&proposal).await?;
        let body = serde_json::to_vec(&self.record()?.body)?;
        let agent = self.agent.clone();
        let call = Call::post("/api/v1/requests", body).keyed(key);
        let staged = self.or_signal(agent.send(call)).await?;
        let answer = match staged {
            Ok(answer) => answer,
            Err(error) => {
                if error.downcast_ref::<Problem>().is_some_and(Problem::is_final) {
                    // It is not staged and will not be: the next time begins anew. After any other
                    // answer it may be staged, and the key says so.
                    self.place.clear()?;
                }
                return Err(error.context("cannot stage"));
            }
        };
        self.wanted = Some(proposal);
        self.staged(&answer, 1)
    }

    /// Writes down what the server has, if that is still what was sent.
    fn staged(&mut self, answer: &Answer, revision: u32) -> anyhow::Result<Next> {
        let request = answer.request()?;
        // An answer that is given again describes the request as it is by now.
        if answer.replayed && request.revision != revision {
            self.place.clear()?;
            bail!(Exit::NotAsApproved.because(format!(
                "{} was amended by something else, to revision {}. Nothing was run",
                request.id, request.revision
            )));
        }
        self.tell(&format!("staged {}", request.id), &answer.document);
        warn(&answer.document);
        let record = self.record()?;
        record.request = Some(request);
        self.go(Step::Staged)
    }

    pub(super) async fn upload(&mut self, proposal: &Proposal) -> anyhow::Result<()> {
        for file in &proposal.evidence {
            let agent = self.agent.clone();
            self.or_signal(evidence::upload(&agent, file)).await??;
        }
        Ok(())
    }

    pub(super) async fn amend(&mut self, key: &str, body: Value) -> anyhow::Result<Next> {
        let before = self.request()?;
        let (agent, path) = (self.agent.clone(), Agent::path(before.id, "/revisions"));
        let call = Call::post(&path, serde_json::to_vec(&body)?).keyed(key);
        match self.or_signal(agent.send(call)).await? {
            Ok(answer) => {
                self.record()?.body = body;
                self.staged(&answer, before.revision + 1)
            }
            Err(error) => {
                let problem = error.downcast_ref::<Problem>().filter(|problem| problem.is_final());
                // Refused, whatever for: what is staged stands as it was.
                if problem.is_some() {
                    self.write(Step::Staged)?;
                }
                // People were faster.
                match problem.map(Problem::code) {
                    Some("not_pending") => Ok(Next::Continue(())),
                    _ => Err(error),
                }
            }
        }
    }
}
