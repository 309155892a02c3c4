//! `countersign ledger export`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use service::ledger;

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
    let mut to: Box<dyn Write> = match &arguments.output {
        Some(path) => {
            let file = File::create_new(path);
            Box::new(file.with_context(|| format!("cannot make `{}`", path.display()))?)
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let mut buffered = BufWriter::with_capacity(1 << 20, &mut to);
    let size = ledger::export(&*store, arguments.with_texts, &mut buffered).await?;
    let beyond = store.ledger_size().await?.saturating_sub(size);
    eprintln!("Exported {size} entries, all that the newest checkpoint covers.");
    if beyond > 0 {
        eprintln!("{beyond} later entries are not in it: no checkpoint covers them yet.");
    }
    Ok(())
}
