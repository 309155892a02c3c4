//! A house to start from: the demo's, at rest, and copies of it.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Entry, RequestId};
use serde_json::Value;
use store::{PostgresStore, SqliteStore, Store};
use tempfile::TempDir;

use crate::caller::{Caller, Desk, sign_in, text};
use crate::server::{Place, Server, demo, run};

/// A house that nobody serves just now.
pub struct House {
    pub place: Place,
    pub desk: Arc<Desk>,
    pub directory: TempDir,
}

impl House {
    /// The demo's house on a SQLite file.
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", directory.path().join("gate.db").display());
        Self::on(directory, database).await
    }

    /// The demo's house on any database.
    pub async fn on(directory: TempDir, database: String) -> Self {
        let (mut child, handout) = demo(directory.path(), &database);
        let url = text(&handout["url"]).replace("localhost", "127.0.0.1");
        let cookie = sign_in(&url, text(&handout["sign_in"]["approver"])).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let example = Path::new(text(&handout["data_dir"])).join("request.json");
        let body = serde_json::from_slice(&std::fs::read(example).unwrap()).unwrap();
        let agent_key = text(&handout["agent_key"]).to_owned();
        let password = text(&handout["password"]).to_owned();
        let keys = PathBuf::from(text(&handout["keys"]));
        let place = Place { database, keys, log: directory.path().join("server.log") };
        Self { place, desk: Arc::new(Desk { agent_key, cookie, password, body }), directory }
    }

    /// A copy of a house on a file: what a killed server leaves, in a directory of its own.
    pub fn copy(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (self.directory.path(), directory.path());
        for name in ["gate.db", "gate.db-wal"] {
            if from.join(name).exists() {
                std::fs::copy(from.join(name), to.join(name)).unwrap();
            }
        }
        let keys = to.join("keys");
        std::fs::DirBuilder::new().mode(0o700).create(&keys).unwrap();
        for key in std::fs::read_dir(&self.place.keys).unwrap() {
            let key = key.unwrap();
            std::fs::copy(key.path(), keys.join(key.file_name())).unwrap();
        }
        let database = format!("sqlite://{}", to.join("gate.db").display());
        let place = Place { database, keys, log: to.join("server.log") };
        Self { place, desk: Arc::clone(&self.desk), directory }
    }

    /// A server on it, and its callers.
    pub async fn serve(&self) -> (Server, Caller) {
        let server = Server::start(&self.place).await;
        let caller = Caller::new(&self.desk, &server.url);
        (server, caller)
    }

    /// Checks the ledger from its first entry, and every table against it.
    pub fn assert_whole(&self, when: &str) {
        let verified = run(&["ledger", "verify", "--database", &self.place.database]);
        assert!(verified.status.success(), "{when}: {verified:?}");
    }

    /// The entries from `index` on.
    pub async fn entries(&self, index: u64) -> Vec<Entry> {
        let store = self.open().await;
        let mut entries = Vec::new();
        loop {
            let more = store.entries(index + entries.len() as u64, 1000).await.unwrap();
            if more.is_empty() {
                store.close().await;
                return entries;
            }
            let read = |body: &[u8]| serde_json::from_slice::<Entry>(body).unwrap();
            entries.extend(more.iter().map(|entry| read(&entry.body)));
        }
    }

    /// For reading only, as `ledger verify` opens it.
    async fn open(&self) -> Arc<dyn Store> {
        match self.place.database.strip_prefix("sqlite://") {
            Some(path) => Arc::new(SqliteStore::open_to_read(Path::new(path)).await.unwrap()),
            None => Arc::new(PostgresStore::open_to_read(&self.place.database).await.unwrap()),
        }
    }
}

/// How often each fact stands in these entries, by request.
#[derive(Default)]
pub struct Facts(BTreeMap<RequestId, BTreeMap<&'static str, usize>>);

impl Facts {
    pub fn of(entries: &[Entry]) -> Self {
        let mut facts = Self::default();
        facts.take(entries);
        facts
    }

    /// Counts more entries.
    pub fn take(&mut self, entries: &[Entry]) {
        for entry in entries {
            if let Some(id) = entry.request {
                *self.0.entry(id).or_default().entry(entry.fact.name()).or_default() += 1;
            }
        }
    }

    /// How often a fact stands for a request.
    pub fn count(&self, request: &Value, fact: &str) -> usize {
        let id: RequestId = text(&request["id"]).parse().unwrap();
        self.0.get(&id).and_then(|facts| facts.get(fact)).copied().unwrap_or_default()
    }

    /// How often a fact stands at all.
    pub fn total(&self, fact: &str) -> usize {
        self.0.values().filter_map(|facts| facts.get(fact)).sum()
    }
}

impl House {
    /// Returns once the newest checkpoint beside the keys is of every entry: nothing is left to do.
    pub async fn vouched(&self) {
        let size = self.entries(0).await.len().to_string();
        let file = self.place.keys.join("newest.checkpoint");
        let signed = || std::fs::read_to_string(&file).unwrap_or_default();
        while signed().lines().nth(1) != Some(size.as_str()) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// A reader in the midst of reading the file.
    pub async fn reading(&self) -> sqlx::SqliteConnection {
        use sqlx::ConnectOptions;
        let file = self.directory.path().join("gate.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
        let mut reader = options.connect().await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT count(*) FROM entries").execute(&mut reader).await.unwrap();
        reader
    }
}
