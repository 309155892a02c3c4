//! The course of an execution, step by step; each step is written down before it is taken.

mod carry;
mod ending;
mod release;
mod staging;

use std::future::Future;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use domain::revision::content_digest;
use domain::stage::StageBody;
use domain::{RequestId, StateName};
use serde_json::Value;

use super::arguments::Arguments;
use super::proposal::{Proposal, same};
use super::record::{Place, Record, Step};
use super::signals::{self, Signals};
use crate::agent::api::{Agent, Call, Known, fresh_key, known};
use crate::agent::decision::decided;
use crate::agent::stage::{put_preview, warn};
use crate::agent::{Progress, print, say, writer};
use crate::exit::Exit;

/// Where it goes on, or the code with which it ends.
type Next = ControlFlow<u8>;

/// An execution under way.
pub struct Course {
    arguments: Arguments,
    agent: Agent,
    directory: PathBuf,
    place: Place,
    record: Option<Record>,
    signals: Signals,
    /// When the patience for people is over.
    end: Option<Instant>,
    /// What this command line says now, where it is not too late to say it.
    wanted: Option<Proposal>,
}

impl Course {
    /// Takes the place of this command line, with what stands there.
    pub fn begin(arguments: Arguments) -> anyhow::Result<Self> {
        let agent = arguments.access.agent()?;
        let directory = std::env::current_dir().context("there is no working directory")?;
        let identity = arguments.identity(&directory)?;
        let (place, record) = Place::take(arguments.state.as_deref(), identity)?;
        let (signals, end) = (Signals::catch()?, arguments.patience.end());
        Ok(Self { arguments, agent, directory, place, record, signals, end, wanted: None })
    }

    /// Goes on to the end; gives the code to end with.
    pub async fn run(mut self) -> anyhow::Result<u8> {
        let done = self.steps().await;
        if let Err(error) = &done {
            say(&format!("{error:#}"));
        }
        // All that was printed is for whoever reads it, also slowly; a signal ends the waiting for them.
        tokio::select! {
            () = writer::all_written() => {}
            _ = self.signals.next() => {}
        }
        done
    }

    async fn steps(&mut self) -> anyhow::Result<u8> {
        if self.arguments.validate {
            let proposal = self.proposal().await?;
            let preview = self.preview(&proposal).await?;
            warn(&preview);
            put_preview(&preview, self.arguments.access.json);
            return Ok(Exit::Done as u8);
        }
        loop {
            let step = match &self.record {
                Some(record) => record.step.clone(),
                None => self.propose().await?,
            };
            let next = match step {
                Step::Staging { key } => self.stage(&key).await?,
                Step::Amending { key, body } => self.amend(&key, body).await?,
                Step::Staged => self.wait().await?,
                Step::Redeeming { key } => self.redeem(&key).await?,
                Step::Started { lease } => self.look(&lease, "command", "succeeded").await?,
                Step::Ended { lease, end } => self.report(lease, end).await?,
                Step::Undoing { lease, unsent } => self.look_for_undoing(lease, unsent).await?,
                Step::Undone { lease, end, unsent } => {
                    self.report_undone(lease, end, unsent).await?
                }
            };
            if let Next::Break(code) = next {
                return Ok(code);
            }
        }
    }

    /// Waits for people; where the command line says something else than what they see, amends.
    async fn wait(&mut self) -> anyhow::Result<Next> {
        let id = self.request()?.id;
        let wanted = match self.wanted.take() {
            Some(proposal) => proposal,
            None => self.proposal().await?,
        };
        let differs = !same(&wanted.body, &self.record()?.body);
        if differs && self.found(id).await?.state.is_open() {
            self.upload(&wanted).await?;
            say("the command line says something else than what is staged: amending");
            let (key, body) = (fresh_key("exec")?, wanted.body.clone());
            self.wanted = Some(wanted);
            return self.go(Step::Amending { key, body });
        }
        let (agent, end) = (self.agent.clone(), self.end);
        let mut progress = Progress::start();
        let request = self.or_signal(decided(&agent, id, end, &mut progress)).await;
        drop(progress);
        let request = request??;
        if differs {
            say("what counts is what was decided, not what the command line adds now");
        }
        self.judge(&request)
    }

    fn judge(&mut self, request: &Value) -> anyhow::Result<Next> {
        let found = known(request)?;
        self.tell(&print::standing(request), request);
        for line in print::objection(request) {
            say(line.trim());
        }
        let seen = self.request()?;
        if found.digest != seen.digest && found.state.is_live() {
            bail!(Exit::NotAsApproved.because(format!(
                "{} was amended by something else: it has revision {} now, and this command line \
                 staged revision {}. Nothing was run",
                found.id, found.revision, seen.revision
            )));
        }
        match found.state {
            StateName::Approved => {
                self.is_ours(request)?;
                // What was replaced since the approval costs no release.
                self.approved_programs()?;
                self.go(Step::Redeeming { key: fresh_key("exec")? })
            }
            // The same command line goes on with it, or amends it.
            StateName::Pending | StateName::ChangesRequested => {
                say("run the same command line again to go on with it");
                Ok(Next::Break(Exit::of(found.state) as u8))
            }
            StateName::Executing | StateName::OutcomeUnknown => {
                self.place.clear()?;
                bail!(Exit::OutcomeUnknown.because(format!(
                    "{} was redeemed by another process; nothing was run here",
                    found.id
                )))
            }
            over => {
                self.place.clear()?;
                // Somebody else carried it out: that is no success of this command.
                let exit = match Exit::of(over) {
                    Exit::Done => Exit::NotWell,
                    exit => exit,
                };
                Ok(Next::Break(exit as u8))
            }
        }
    }

    /// INVARIANT: I4, on this side, too: what people approved is what stands in our record.
    fn is_ours(&mut self, request: &Value) -> anyhow::Result<()> {
        let body: StageBody = serde_json::from_value(self.record()?.body.clone())?;
        let ours = content_digest(&body)?;
        if request["content_digest"] == ours.to_string() {
            return Ok(());
        }
        bail!(Exit::NotAsApproved.because(
            "what was approved is another action than what this command line staged; nothing was run"
        ))
    }

    async fn found(&mut self, id: RequestId) -> anyhow::Result<Known> {
        let agent = self.agent.clone();
        let path = Agent::path(id, "");
        self.or_signal(agent.send(Call::get(&path))).await??.request()
    }

    /// Writes the next step down, and goes on with it.
    fn go(&mut self, step: Step) -> anyhow::Result<Next> {
        self.write(step)?;
        Ok(Next::Continue(()))
    }

    /// Writes down what is about to be done.
    fn write(&mut self, step: Step) -> anyhow::Result<()> {
        let record = self.record.as_mut().context("nothing was written down")?;
        record.step = step;
        self.place.write(record)
    }

    fn record(&mut self) -> anyhow::Result<&mut Record> {
        self.record.as_mut().context("nothing was written down")
    }

    fn request(&mut self) -> anyhow::Result<Known> {
        self.record()?.request.clone().context("nothing was staged")
    }

    /// What happens, for people; with `--json` the API's object too.
    fn tell(&self, text: &str, document: &Value) {
        if self.arguments.access.json { writer::line(&document.to_string()) } else { say(text) }
    }

    /// Does it, unless a signal comes first: that ends this process, and nothing else.
    async fn or_signal<T>(&mut self, doing: impl Future<Output = T>) -> anyhow::Result<T> {
        let signal = tokio::select! {
            done = doing => return Ok(done),
            signal = self.signals.next() => signal,
        };
        let said = "stopped by a signal; the same command line goes on where it was";
        let how = match self.record.as_ref().and_then(|record| record.request.as_ref()) {
            Some(request) => {
                format!("{said}, `countersign show {}` says how it stands", request.id)
            }
            None => said.to_owned(),
        };
        bail!(Interrupted { code: signals::code(signal.as_raw()), how })
    }
}

/// A signal came before the end.
#[derive(Debug)]
pub struct Interrupted {
    pub code: u8,
    how: String,
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.how)
    }
}

impl std::error::Error for Interrupted {}
