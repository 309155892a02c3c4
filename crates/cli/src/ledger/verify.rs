//! `countersign ledger verify`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use domain::Digest;
use domain::audit::{Broken, ExportAudit, Verified};
use domain::note::VerifierKey;
use service::ledger::{self, Trust};
use store::Store;
use store::read::{Difference, Rebuilt};

use crate::database::Database;

/// The longest line of an export that is read: far above what an entry can have.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;
const BUFFER_BYTES: usize = 1024 * 1024;

/// What to check, and what to trust.
#[derive(Args)]
pub struct Arguments {
    /// An export to check, instead of a database; needs --key
    #[arg(value_name = "EXPORT", requires = "key")]
    file: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
    /// The public key that you have from elsewhere, as `ledger checkpoint --vkey` prints it
    #[arg(long, value_name = "VKEY")]
    key: Option<VerifierKey>,
    /// A checkpoint that was held elsewhere; may be given more than once
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
}

/// Checks it.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, database, key, checkpoints } = arguments;
    let held: Vec<String> =
        checkpoints.iter().map(|path| super::read_text(path)).collect::<Result<_, _>>()?;
    let count = held.len();
    let verified = match (file, key) {
        (Some(path), Some(key)) => match export(&path, ExportAudit::new(key, held))? {
            Ok(verified) => {
                println!("The export holds: {}", summary(&verified));
                verified
            }
            Err(broken) => bail!("the export does not hold: {broken}"),
        },
        (_, key) => of_database(&database, Trust { key, checkpoints: held }).await?,
    };
    println!("The last of them was made at {}.", verified.at);
    match verified.keys.of_size(verified.signed_to) {
        Some(key) => println!("The first {} are signed by {key}", verified.signed_to),
        None => println!("None of them is signed: no checkpoint was issued yet."),
    }
    match count {
        0 => println!("To see that it goes on from what you saw before, give that --checkpoint."),
        1 => println!("It goes on from the checkpoint that you held."),
        count => println!("It goes on from the {count} checkpoints that you held."),
    }
    Ok(())
}

async fn of_database(database: &Database, trust: Trust) -> anyhow::Result<Verified> {
    let (store, location) = super::open(database).await?;
    match ledger::verify_ledger(&*store, trust).await? {
        Ok(verified) => {
            println!("The ledger holds: {}", summary(&verified));
            tables(&*store).await?;
            Ok(verified)
        }
        Err(broken) => bail!("the ledger in `{location}` does not hold: {broken}"),
    }
}

/// Builds the tables anew from the entries, and says where those at hand differ.
async fn tables(store: &dyn Store) -> anyhow::Result<()> {
    let Rebuilt { differences, erased } = store.rebuild().await?;
    if !erased.is_empty() {
        println!("Erased are the texts of {} commitments:", erased.len());
        erased.iter().for_each(|(index, field)| println!("  entry {index}, {field}"));
    }
    for Difference { table, row, column, recorded, found } in &differences {
        let column = column.as_deref().map(|column| format!(", {column}")).unwrap_or_default();
        println!("{table} {row}{column}: the entries say {recorded}, the table says {found}");
    }
    match differences.len() {
        0 => println!("The tables say what the entries say."),
        count => bail!("the tables differ from the entries in {count} places"),
    }
    Ok(())
}

fn summary(verified: &Verified) -> String {
    format!("{} entries, root {}", verified.size, Digest(verified.root))
}

/// Reads an export once, a line at a time.
fn export(path: &Path, mut audit: ExportAudit) -> anyhow::Result<Result<Verified, Broken>> {
    let unreadable = || format!("cannot read `{}`", path.display());
    let file = File::open(path).with_context(unreadable)?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut reader).take(MAX_LINE_BYTES);
        limited.read_until(b'\n', &mut line).with_context(unreadable)?;
        let taken = match line.strip_suffix(b"\n") {
            Some(whole) => audit.line(whole),
            None => match audit.rest(&line) {
                Ok(()) => return Ok(audit.finish()),
                Err(broken) => Err(broken),
            },
        };
        if let Err(broken) = taken {
            return Ok(Err(broken));
        }
    }
}
