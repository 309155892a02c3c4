//! `countersign ledger`: checking the record.

use anyhow::bail;
use clap::Subcommand;
use service::query::verify_ledger;

use crate::database::Database;

/// What can be done with the record.
#[derive(Subcommand)]
pub enum Command {
    /// Check the whole Merkle log, entry by entry; works while a server runs
    Verify {
        #[command(flatten)]
        database: Database,
    },
}

/// Does it.
pub async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Verify { database } = command;
    let location = database.location()?;
    let store = location.open_to_read().await?;
    match verify_ledger(&*store).await? {
        Ok(head) if head.size == 0 => {
            bail!("`{location}` has no ledger; is it the right database?")
        }
        Ok(head) => {
            println!("The ledger holds: {} entries, root {}", head.size, head.root);
            Ok(())
        }
        Err(broken) => bail!("the ledger does not hold: {broken}"),
    }
}
