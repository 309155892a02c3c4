//! `countersign restore`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use service::keys::{Held, Use};
use service::{KeyRing, OsEntropy, Service, ledger};
use store::{SqliteStore, SystemClock};

use crate::backup::{self, expect_free, scratch, summary};
use crate::database::{Location, Place};

/// What to go on from, and where.
#[derive(Args)]
pub struct Arguments {
    /// The backup, as `countersign backup` wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Goes on from a backup, in a place where nothing is.
///
/// Everything is done to a copy beside it first; in its place it is whole, or not there at all. The
/// keys vouch for it last: a crash before that leaves what no server starts on.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, place } = arguments;
    let location = place.database.location()?;
    expect_free(&location).await?;
    if !place.keys.is_dir() {
        bail!(
            "there are no keys in `{}`: a backup goes on under the keys of its installation",
            place.keys.display()
        );
    }
    let _alone = Held::take(&place.keys, Use::Restoring)?;
    let scratch = scratch(&directory(&location))?;
    let copy = scratch.path().join("restored.db");
    let backup = open_copy(&file, &copy)
        .await
        .with_context(|| format!("cannot restore from `{}`", file.display()))?;
    let mut keys = KeyRing::open(&place.keys, &OsEntropy)?;
    let checkpointed = ledger::check_backup_against_keys(&*backup, &mut keys)
        .await
        .with_context(|| format!("`{}` does not go with these keys", file.display()))?;
    let entries = store::Store::ledger_size(&*backup).await?;
    let (clock, url) = (Arc::new(SystemClock::default()), String::new());
    let service = Service::new(backup.clone(), clock, Arc::new(OsEntropy), keys, url)?;
    let restored = service.go_on_from_backup(checkpointed).await?;
    let verified = backup::put(&*backup, &location).await?;
    service.close().await;
    service.vouch_for(&restored.checkpoint).with_context(|| {
        format!(
            "`{location}` is complete, but the keys do not vouch for it; remove it, restore again"
        )
    })?;
    println!("Restored `{}` to `{location}`: {}.", file.display(), summary(&verified));
    match checkpointed {
        Some(size) if size > entries => println!(
            "The keys had vouched for {size} entries, the backup has {entries}: what came after it \
             is lost."
        ),
        _ => println!(
            "No checkpoint beside the keys is of more than the backup's {entries} entries."
        ),
    }
    println!("Everybody has to sign in again, and sign-in links are dead.");
    println!("Void are {} releases that the backup has as unused:", restored.voided.len());
    restored.voided.iter().for_each(|id| println!("  {id}"));
    println!("Requests that the backup has as pending may have run since: ask their executors.");
    Ok(())
}

/// Where there is room beside the target.
fn directory(location: &Location) -> PathBuf {
    match location {
        Location::Sqlite(path) => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        },
        Location::Postgres(_) => std::env::temp_dir(),
    }
}

/// Opens a copy of a backup, brought up to date and verified. The backup itself is only read.
async fn open_copy(file: &Path, copy: &Path) -> anyhow::Result<Arc<SqliteStore>> {
    SqliteStore::expect_whole(file)?;
    std::fs::copy(file, copy).context("cannot copy it")?;
    // A backup may be kept read-only; its mode comes with it.
    std::fs::set_permissions(copy, Permissions::from_mode(0o600)).context("cannot open a copy")?;
    let store = SqliteStore::open(copy, Arc::new(SystemClock::default())).await?;
    backup::check(&store).await?;
    store.examine().await?;
    Ok(Arc::new(store))
}
