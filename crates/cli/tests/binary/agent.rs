//! The commands of an agent's author, on a running server that comes and goes.

mod amend;
mod client;
mod examples;
mod exec;
mod patience;

use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::backup::Gate;
use crate::{BINARY, text};

impl Gate {
    /// The binary, as the agent with this key of the handout.
    pub(super) fn as_agent(&self, key: &str, arguments: &[&str]) -> Command {
        self.as_agent_at(&self.server.url, key, arguments)
    }

    pub(super) fn as_agent_at(&self, url: &str, key: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .env("COUNTERSIGN_URL", url)
            .env("COUNTERSIGN_KEY", text(&self.handout[key]))
            .env("XDG_STATE_HOME", self.path("state"))
            // A key in the clear goes through no proxy: through this one it would get nowhere.
            .env("http_proxy", "http://127.0.0.1:1")
            .current_dir(self.directory.path());
        command
    }

    pub(super) fn port(&self) -> u16 {
        self.server.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(super) fn example(&self) -> String {
        format!("{}/request.json", text(&self.handout["data_dir"]))
    }
}

pub(super) fn done(mut command: Command) -> Said {
    Said::of(command.output().unwrap())
}

/// Starts a command whose output is read at its end.
pub(super) fn started(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    pub(super) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(super) async fn by(child: Child) -> Self {
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
        Self::of(output.await.unwrap())
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl Gate {
    /// What the agent with this key staged, the newest first.
    pub(super) fn requests(&self, key: &str) -> Vec<Value> {
        let listed = done(self.as_agent(key, &["list", "--json"])).json();
        listed["requests"].as_array().unwrap().clone()
    }

    /// The id of the pending request of this kind, once the agent has staged it.
    pub(super) async fn staged_by(&self, key: &str, kind: &str) -> String {
        self.found(key, |request| request["kind"]["name"] == kind && request["state"] == "pending")
            .await
    }

    /// The id of what the agent has staged beside what it had before, once it has.
    pub(super) async fn staged_beside(&self, key: &str, before: &[Value]) -> String {
        self.found(key, |request| before.iter().all(|other| other["id"] != request["id"])).await
    }

    async fn found(&self, key: &str, is_it: impl Fn(&Value) -> bool) -> String {
        for _ in 0..400 {
            if let Some(request) = self.requests(key).into_iter().find(&is_it) {
                return text(&request["id"]);
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("nothing of that sort is staged");
    }
}
