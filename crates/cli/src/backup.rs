//! `countersign backup`, and what `restore` and `copy` share with it: a whole database put into a
//! place where none is, verified before it counts.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use domain::Digest;
use domain::audit::Verified;
use service::ledger::{self, Trust};
use store::read::Difference;
use store::{PostgresStore, SqliteStore, Store};

use crate::database::{Database, Location};

/// What to back up, and into which file.
#[derive(Args)]
pub struct Arguments {
    /// The file to write; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

/// Writes a backup, also while servers have the database.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, database } = arguments;
    let location = database.location()?;
    let store = location.open_to_read().await?;
    let verified = to_new_file(&*store, &file).await?;
    let bytes = file.metadata().context("cannot tell its size")?.len();
    println!("Backed up `{location}` in `{}`: {bytes} bytes.", file.display());
    println!("Verified: {}.", summary(&verified));
    println!("It holds no keys: keep a copy of their directory, elsewhere than this file.");
    Ok(())
}

/// The ledger in a few words.
pub fn summary(verified: &Verified) -> String {
    format!("{} entries, root {}", verified.size, Digest(verified.root))
}

/// Refuses a place where something is: nothing is ever written over.
pub async fn expect_free(location: &Location) -> anyhow::Result<()> {
    let taken = match location {
        Location::Sqlite(path) => beside(path).into_iter().find(|file| file.exists()),
        Location::Postgres(_) => {
            let store = location.open_to_read().await?;
            store.instance().await?.map(|_| PathBuf::from(location.to_string()))
        }
    };
    match taken {
        Some(taken) => bail!(
            "`{}` is there already, and nothing is written over; move it away, or choose another \
             --database",
            taken.display()
        ),
        None => Ok(()),
    }
}

/// A database file, and what would be taken for a part of it.
fn beside(path: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}

/// Puts everything in `store` into an empty place, where it is verified.
pub async fn put(store: &dyn Store, location: &Location) -> anyhow::Result<Verified> {
    match location {
        Location::Sqlite(path) => to_new_file(store, path).await,
        Location::Postgres(url) => {
            let scratch = scratch(&std::env::temp_dir())?;
            let file = scratch.path().join("whole.db");
            let verified = to_new_file(store, &file).await?;
            PostgresStore::fill(url, &file)
                .await
                .with_context(|| format!("cannot fill `{location}` as the owner of its tables"))?;
            // Its room is needed for the check.
            drop(scratch);
            let filled = check(&*location.open_to_read().await?).await.with_context(|| {
                format!("`{location}` was filled, but must not be served: empty it")
            })?;
            if (filled.size, filled.root) != (verified.size, verified.root) {
                bail!("`{location}` was filled, but has another ledger: empty it");
            }
            Ok(verified)
        }
    }
}

/// A directory for files that nobody needs afterwards, readable by nobody else.
pub fn scratch(parent: &Path) -> anyhow::Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix(".countersign-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot write to `{}`", parent.display()))
}

/// A new file that only its owner reads. Under its name it is whole and on the disk, or it is not there.
pub struct NewFile {
    name: PathBuf,
    directory: PathBuf,
    /// What is there until then, under another name.
    pub partial: tempfile::NamedTempFile,
}

impl NewFile {
    /// Begins a file where there is none.
    pub fn begin(name: &Path) -> anyhow::Result<Self> {
        if name.exists() {
            bail!("`{}` is there already, and nothing is written over", name.display());
        }
        let Some(file) = name.file_name() else { bail!("`{}` names no file", name.display()) };
        let directory = match name.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let partial = tempfile::Builder::new()
            .prefix(file)
            .suffix(".partial")
            .tempfile_in(directory)
            .with_context(|| format!("cannot write to `{}`", directory.display()))?;
        Ok(Self { name: name.to_owned(), directory: directory.to_owned(), partial })
    }

    /// Gives it its name.
    pub fn end(self) -> anyhow::Result<()> {
        let Self { name, directory, partial } = self;
        partial.as_file().sync_all().context("cannot write the file to the disk")?;
        partial
            .persist_noclobber(&name)
            .with_context(|| format!("cannot give the file its name, `{}`", name.display()))?;
        std::fs::File::open(&directory)
            .and_then(|directory| directory.sync_all())
            .with_context(|| format!("cannot write `{}` to the disk", directory.display()))
    }
}

/// Writes everything in `store` into a new file, verified.
async fn to_new_file(store: &dyn Store, file: &Path) -> anyhow::Result<Verified> {
    let new = NewFile::begin(file)?;
    store.backup(new.partial.path()).await.context("cannot copy the database")?;
    let verified = check_file(new.partial.path()).await.context("what was copied does not hold")?;
    new.end()?;
    Ok(verified)
}

async fn check_file(file: &Path) -> anyhow::Result<Verified> {
    let store = SqliteStore::open_to_read(file).await?;
    let verified = check(&store).await?;
    store.examine().await?;
    store.close().await;
    Ok(verified)
}

/// Checks a whole database: its ledger from the first entry, and that its tables say the same.
pub async fn check(store: &dyn Store) -> anyhow::Result<Verified> {
    let verified = match ledger::verify_ledger(store, Trust::default()).await? {
        Ok(verified) => verified,
        Err(broken) => bail!("the ledger does not hold: {broken}"),
    };
    let differences = store.rebuild().await?.differences;
    if let Some(Difference { table, row, column, recorded, found }) = differences.first() {
        let column = column.as_deref().map(|column| format!(", {column}")).unwrap_or_default();
        bail!(
            "the tables differ from the entries in {} places, first {table} {row}{column}: the \
             entries say {recorded}, the table says {found}",
            differences.len()
        );
    }
    Ok(verified)
}
