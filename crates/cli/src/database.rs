//! Opening the database and the keys that the command line names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use service::{KeyRing, OsEntropy, Service, ledger};
use store::{Clock, SqliteStore};

/// Which database.
#[derive(Args, Clone)]
pub struct Database {
    /// The database: sqlite://PATH
    #[arg(
        long = "database",
        env = "COUNTERSIGN_DATABASE",
        value_name = "URL",
        default_value = "sqlite://countersign.db"
    )]
    url: String,
}

impl Database {
    /// The file that it is in.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        sqlite_path(&self.url)
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

/// The file that a database URL names.
pub fn sqlite_path(url: &str) -> anyhow::Result<PathBuf> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        bail!("this version knows only the embedded database; use --database sqlite://PATH");
    }
    let Some(path) = url.strip_prefix("sqlite://") else {
        bail!("`{url}` is no database address; use --database sqlite://PATH");
    };
    if path.is_empty() {
        bail!("the database address lacks its path: sqlite://PATH");
    }
    Ok(PathBuf::from(path))
}

/// Opens the database and the keys, and puts the use cases on them.
pub async fn open(
    path: &Path,
    keys: &Path,
    public_url: String,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<Service>> {
    let mut keys = KeyRing::open(keys, &OsEntropy)?;
    let store = SqliteStore::open(path, Arc::clone(&clock))
        .await
        .with_context(|| format!("cannot open the database `{}`", path.display()))?;
    // SECURITY: L10. An older or another database than these keys have vouched for is not opened.
    ledger::check_against_keys(&store, &mut keys, &OsEntropy)
        .await
        .with_context(|| format!("`{}` does not go with these keys", path.display()))?;
    let service = Service::new(Arc::new(store), clock, Arc::new(OsEntropy), keys, public_url)?;
    Ok(Arc::new(service))
}
