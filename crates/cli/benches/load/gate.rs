//! The product: the release binary with the demo's people and agents, on a database of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, ensure};
use hyper::body::Bytes;
use serde_json::Value;

use crate::wire::{Call, Wire};

/// One agent stages the same content, as fast as it can.
const UNLIMITED: [(&str, &str); 5] = [
    ("COUNTERSIGN_AGENT_CALLS", "0"),
    ("COUNTERSIGN_AGENT_WAITS", "0"),
    ("COUNTERSIGN_AGENT_OPEN_REQUESTS", "0"),
    ("COUNTERSIGN_AGENT_DUPLICATES", "true"),
    ("COUNTERSIGN_AGENT_COOL_DOWN", "0"),
];

/// Who approves.
const APPROVER: &str = "Mia Okafor";

/// A running server.
pub struct Gate {
    child: Child,
    pub address: String,
    pub pid: u32,
    agent: String,
    body: Bytes,
    password: String,
    /// The cookie of an approver.
    cookie: RwLock<String>,
    /// No two redemptions share a key.
    keys: Arc<AtomicU64>,
    directory: tempfile::TempDir,
}

/// A request under way.
pub struct Staged {
    pub id: String,
    pub digest: String,
    /// The bytes of the answer.
    pub answered: usize,
}

impl Gate {
    /// Starts one on SQLite, or on the empty PostgreSQL database at `url`.
    pub async fn start(url: Option<&str>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let sqlite = format!("sqlite://{}", directory.path().join("gate.db").display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["demo", "--print-json", "--listen", "127.0.0.1:0"])
            .args(["--database", url.unwrap_or(&sqlite)])
            .env("TMPDIR", directory.path())
            .envs(UNLIMITED)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let pid = child.id();
        let mut line = String::new();
        let stdout = child.stdout.take().context("no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let handout: Value = serde_json::from_str(&line).context("the demo printed no JSON")?;
        let text = |pointer: &str| -> anyhow::Result<String> {
            let value = handout.pointer(pointer).and_then(Value::as_str);
            Ok(value.with_context(|| format!("the demo printed no {pointer}"))?.to_owned())
        };
        let address = text("/url")?.replace("http://localhost", "127.0.0.1");
        let body = std::fs::read(PathBuf::from(text("/data_dir")?).join("request.json"))?;
        let gate = Self {
            child,
            address,
            pid,
            agent: format!("Bearer {}", text("/agent_key")?),
            body: body.into(),
            password: text("/password")?,
            cookie: RwLock::default(),
            keys: Arc::default(),
            directory,
        };
        gate.sign_in().await?;
        Ok(gate)
    }

    /// Signs the approver in anew: what is approved here is of high risk, being one of so many, and
    /// asks for a sign-in that is not older than some minutes.
    pub async fn sign_in(&self) -> anyhow::Result<()> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let fields = [("name", APPROVER), ("password", &self.password)];
        let form = serde_urlencoded::to_string(fields)?;
        let call = Call::post("/sign-in", &headers, form.into());
        let answer = self.wire().await?.expect(303, call).await?;
        let cookie = answer.headers.get("set-cookie").context("nobody was signed in")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
        cookie.clone_into(&mut self.cookie.write().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    fn cookie(&self) -> String {
        self.cookie.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an agent stages.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// The file of the database, where it is SQLite.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("gate.db")
    }

    /// What `countersign ledger …` prints.
    pub fn ledger(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut ledger = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let output = ledger.arg("ledger").args(arguments).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "`ledger {}` has failed", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    pub async fn wire(&self) -> anyhow::Result<Wire> {
        Wire::connect(&self.address).await
    }

    fn key(&self) -> String {
        format!("bench-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn stage(&self, wire: &mut Wire) -> anyhow::Result<Staged> {
        let key = self.key();
        let headers = [
            ("authorization", &*self.agent),
            ("content-type", "application/json"),
            ("idempotency-key", &key),
        ];
        let call = Call::post("/api/v1/requests", &headers, self.body());
        let answer = wire.expect(201, call).await?;
        let staged: Value = serde_json::from_slice(&answer.body)?;
        let text = |name: &str| staged[name].as_str().unwrap_or_default().to_owned();
        Ok(Staged { id: text("id"), digest: text("digest"), answered: answer.body.len() })
    }

    /// Reads the page and approves what it shows, as the approver.
    pub async fn approve(&self, wire: &mut Wire, staged: &Staged) -> anyhow::Result<()> {
        let shown = self.shown(wire, staged).await?;
        self.decide(wire, staged, &shown).await
    }

    /// The token that says what the page showed.
    pub async fn shown(&self, wire: &mut Wire, staged: &Staged) -> anyhow::Result<String> {
        let path = format!("/requests/{}", staged.id);
        let page = wire.expect(200, Call::get(&path, &[("cookie", &self.cookie())])).await?;
        let page = String::from_utf8_lossy(&page.body);
        let field = page.split("name=\"shown\"").nth(1).context("the page has no form")?;
        Ok(field
            .split("value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .context("the form has no token")?
            .to_owned())
    }

    /// Posts the form.
    pub async fn decide(
        &self,
        wire: &mut Wire,
        staged: &Staged,
        shown: &str,
    ) -> anyhow::Result<()> {
        let fields = [
            ("verdict", "approve"),
            ("justification", "as measured"),
            ("digest", &staged.digest),
            ("shown", shown),
        ];
        let form = serde_urlencoded::to_string(fields)?;
        let cookie = self.cookie();
        let headers = [("cookie", &*cookie), ("content-type", "application/x-www-form-urlencoded")];
        let path = format!("/requests/{}/review", staged.id);
        wire.expect(303, Call::post(&path, &headers, form.into())).await?;
        Ok(())
    }

    pub async fn redeem(&self, wire: &mut Wire, staged: &Staged) -> anyhow::Result<()> {
        let key = self.key();
        let headers = [
            ("authorization", &*self.agent),
            ("content-type", "application/json"),
            ("idempotency-key", &key),
        ];
        let path = format!("/api/v1/requests/{}/redeem", staged.id);
        let body = format!("{{\"digest\":\"{}\"}}", staged.digest);
        wire.expect(200, Call::post(&path, &headers, body.into())).await?;
        Ok(())
    }

    /// Waits, as the agent, until the request is no longer what it was.
    pub async fn wait(&self, wire: &mut Wire, staged: &Staged) -> anyhow::Result<()> {
        let path = format!("/api/v1/requests/{}", staged.id);
        let headers = [("authorization", &*self.agent), ("prefer", "wait=30")];
        let answer = wire.expect(200, Call::get(&path, &headers)).await?;
        let read: Value = serde_json::from_slice(&answer.body)?;
        ensure!(read["state"] == "approved", "woken to {}", read["state"]);
        Ok(())
    }

    /// The approver's inbox; answers with its bytes.
    pub async fn inbox(&self, wire: &mut Wire) -> anyhow::Result<usize> {
        let answer = wire.expect(200, Call::get("/inbox", &[("cookie", &self.cookie())])).await?;
        Ok(answer.body.len())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
