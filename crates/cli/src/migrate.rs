//! `countersign migrate`.

use std::sync::Arc;

use clap::Args;
use store::SystemClock;

use crate::database::Database;

/// What to migrate.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    database: Database,
}

/// Brings the schema up to date; does nothing where it is.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let location = arguments.database.location()?;
    location.migrate(Arc::new(SystemClock::default())).await?;
    println!("The schema of `{location}` is up to date.");
    Ok(())
}
