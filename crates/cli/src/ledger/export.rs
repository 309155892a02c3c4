//! `countersign ledger export`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use service::ledger;
use store::Store;

use crate::backup::NewFile;
use crate::database::Database;

/// What to export, and where to.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    database: Database,
    /// A new file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With the clear texts behind the commitments, as far as they were not erased
    #[arg(long)]
    with_texts: bool,
}

/// Writes it.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (store, _) = super::open(&arguments.database).await?;
    let size = match &arguments.output {
        Some(path) => {
            let new = NewFile::begin(path)?;
            let size = write(&*store, arguments.with_texts, new.partial.as_file()).await?;
            new.end()?;
            size
        }
        None => write(&*store, arguments.with_texts, std::io::stdout().lock()).await?,
    };
    let beyond = store.ledger_size().await?.saturating_sub(size);
    eprintln!("Exported {size} entries, all that the newest checkpoint covers.");
    if beyond > 0 {
        eprintln!("{beyond} later entries are not in it: no checkpoint covers them yet.");
    }
    Ok(())
}

async fn write(store: &dyn Store, with_texts: bool, to: impl Write) -> anyhow::Result<u64> {
    let mut buffered = BufWriter::with_capacity(1 << 20, to);
    Ok(ledger::export(store, with_texts, &mut buffered).await?)
}
