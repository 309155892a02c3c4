//! Opening the database and the keys that the command line names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use service::guard::Guard;
use service::{KeyRing, Limits, OsEntropy, Service, ledger};
use store::{Clock, PostgresStore, SqliteStore, Store};

/// Which database.
#[derive(Args, Clone)]
pub struct Database {
    /// The database: sqlite://PATH, or postgres://USER@HOST/NAME for several servers
    #[arg(
        long = "database",
        env = "COUNTERSIGN_DATABASE",
        value_name = "URL",
        hide_env_values = true,
        default_value = "sqlite://countersign.db"
    )]
    url: String,
}

impl Database {
    /// Where it is.
    pub fn location(&self) -> anyhow::Result<Location> {
        Location::parse(&self.url)
    }
}

/// Where an installation lives.
#[derive(Args, Clone)]
pub struct Place {
    #[command(flatten)]
    pub database: Database,
    /// The directory of the secret keys; made on first use, never part of a backup
    #[arg(long, env = "COUNTERSIGN_KEYS", value_name = "DIR", default_value = "countersign-keys")]
    pub keys: PathBuf,
}

/// What a database URL names.
#[derive(Clone)]
pub enum Location {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A database of a server, by its whole URL.
    Postgres(String),
}

/// SECURITY: a URL can carry a password; what is shown never does.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::Sqlite(path) => return path.display().fmt(f),
            Self::Postgres(url) => url.split('?').next().unwrap_or_default(),
        };
        match url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')) {
            Some((user, place)) => {
                write!(f, "postgres://{}@{place}", user.split(':').next().unwrap_or_default())
            }
            None => f.write_str(url),
        }
    }
}

impl Location {
    /// Reads a URL.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let Some(path) = url.strip_prefix("sqlite://") else {
            bail!(
                "`{url}` is no database address; use --database sqlite://PATH or postgres://HOST/NAME"
            );
        };
        if path.is_empty() {
            bail!("the database address lacks its path: sqlite://PATH");
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// The URL, with everything that it takes to connect.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Opens it to read and write.
    pub async fn open(&self, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Store>> {
        let store: Result<Arc<dyn Store>, _> = match self {
            Self::Sqlite(path) => SqliteStore::open(path, clock).await.map(|s| Arc::new(s) as _),
            Self::Postgres(url) => PostgresStore::open(url, clock).await.map(|s| Arc::new(s) as _),
        };
        store.with_context(|| format!("cannot open the database `{self}`"))
    }

    /// Opens it for reading only, also while servers have it.
    pub async fn open_to_read(&self) -> anyhow::Result<Arc<dyn Store>> {
        let store: Result<Arc<dyn Store>, _> = match self {
            Self::Sqlite(path) => SqliteStore::open_to_read(path).await.map(|s| Arc::new(s) as _),
            Self::Postgres(url) => PostgresStore::open_to_read(url).await.map(|s| Arc::new(s) as _),
        };
        store.with_context(|| format!("cannot read `{self}`"))
    }

    /// Brings its schema up to date. A SQLite file is also brought up to date whenever it is
    /// opened to write: who can open it owns it.
    pub async fn migrate(&self, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(_) => self.open(clock).await?.close().await,
            Self::Postgres(url) => PostgresStore::migrate(url)
                .await
                .with_context(|| format!("cannot migrate `{self}`"))?,
        }
        Ok(())
    }
}

/// What the service may do beyond its use cases: how much agents may ask for, and where webhooks go.
#[derive(Default)]
pub struct Bounds {
    pub limits: Limits,
    pub guard: Guard,
}

/// Opens the database and the keys, and puts the use cases on them, for whoever is no agent.
/// Webhooks go to public addresses only.
pub async fn open(
    database: &Location,
    keys: &Path,
    public_url: String,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<Service>> {
    open_with(database, keys, public_url, clock, Bounds::default()).await
}

/// Like [`open`], for agents within their limits, with webhooks to where the guard permits.
pub async fn open_with(
    database: &Location,
    keys: &Path,
    public_url: String,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
) -> anyhow::Result<Arc<Service>> {
    let mut keys = KeyRing::open(keys, &OsEntropy)?;
    let store = database.open(Arc::clone(&clock)).await?;
    // SECURITY: L10. An older or another database than these keys have vouched for is not opened.
    ledger::check_against_keys(&*store, &mut keys)
        .await
        .with_context(|| format!("`{database}` does not go with these keys"))?;
    let service = Service::new(store, clock, Arc::new(OsEntropy), keys, public_url)?;
    Ok(Arc::new(service.within(bounds.limits).with_webhooks_to(bounds.guard)))
}

/// Like [`open`], but only while no server has the database: a file is held by its server, and of
/// the servers on a shared database one is always the one that sweeps.
pub async fn open_alone(
    database: &Location,
    keys: &Path,
    public_url: String,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<Service>> {
    let service = open(database, keys, public_url, clock).await?;
    if !service.leads(service::sweep::JOB).await? {
        service.close().await;
        bail!("a server runs on `{database}`, or ran until some seconds ago; stop it first");
    }
    Ok(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_database_holds_no_password() {
        for (url, shown) in [
            ("postgres://ada:s3cret@db.example:5433/gate", "postgres://ada@db.example:5433/gate"),
            ("postgresql://ada:p@ss@db/gate?sslmode=require", "postgres://ada@db/gate"),
            ("postgres://db/gate?password=s3cret", "postgres://db/gate"),
            ("sqlite:///var/lib/gate.db", "/var/lib/gate.db"),
        ] {
            assert_eq!(Location::parse(url).unwrap().to_string(), shown);
        }
    }
}
