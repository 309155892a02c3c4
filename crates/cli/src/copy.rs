//! `countersign copy`: from one back end to the other.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use store::SystemClock;

use crate::backup::{expect_free, put, summary};
use crate::database::Location;

/// From where to where.
#[derive(Args)]
pub struct Arguments {
    /// The database to copy; no server may have it
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where to: a new SQLite file, or a PostgreSQL that is migrated and empty, as its owner
    #[arg(long, value_name = "URL")]
    to: String,
}

/// Copies a database with its ledger, entry for entry.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (from, to) = (Location::parse(&arguments.from)?, Location::parse(&arguments.to)?);
    expect_free(&to).await?;
    // Opening a file to write would make one.
    from.open_to_read().await?.close().await;
    let source = from.open(Arc::new(SystemClock::default())).await?;
    if !source.try_lead(service::sweep::JOB).await? {
        source.close().await;
        bail!("a server runs on `{from}`, or ran until some seconds ago; stop it first");
    }
    let verified = put(&*source, &to).await?;
    let size = source.ledger_size().await?;
    source.close().await;
    if size != verified.size {
        bail!("a server wrote to `{from}` meanwhile: stop it, empty `{to}`, and copy again");
    }
    println!("Copied `{from}` to `{to}`: {}, the same in both.", summary(&verified));
    println!("From now on serve only `{to}`, with the same keys, and keep `{from}` closed:");
    println!("once a checkpoint was issued from one of them, no server starts on the other.");
    Ok(())
}
