//! `countersign migrate`.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use store::SystemClock;

use crate::database::{Database, Location};

/// What to migrate.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    database: Database,
}

/// Brings the schema up to date; does nothing where it is.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let location = arguments.database.location()?;
    // Opening a file to write would make one.
    if matches!(&location, Location::Sqlite(path) if !path.exists()) {
        bail!("there is no database `{location}`; countersign admin init makes one");
    }
    location.migrate(Arc::new(SystemClock::default())).await?;
    println!("The schema of `{location}` is up to date.");
    Ok(())
}
