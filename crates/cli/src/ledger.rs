//! `countersign ledger`: checking the record.

use anyhow::{Context, bail};
use clap::Subcommand;
use service::query::verify_ledger;
use store::SqliteStore;

use crate::database;

/// What can be done with the record.
#[derive(Subcommand)]
pub enum Command {
    /// Check the whole Merkle log, entry by entry; works while a server runs
    Verify {
        /// The database: sqlite://PATH
        #[arg(
            long,
            env = "COUNTERSIGN_DATABASE",
            value_name = "URL",
            default_value = "sqlite://countersign.db"
        )]
        database: String,
    },
}

/// Does it.
pub async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Verify { database } = command;
    let path = database::sqlite_path(&database)?;
    let store = SqliteStore::open_to_read(&path)
        .await
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    match verify_ledger(&store).await? {
        Ok(head) if head.size == 0 => {
            bail!("`{}` has no ledger; is it the right database?", path.display())
        }
        Ok(head) => {
            println!("The ledger holds: {} entries, root {}", head.size, head.root);
            Ok(())
        }
        Err(broken) => bail!("the ledger does not hold: {broken}"),
    }
}
