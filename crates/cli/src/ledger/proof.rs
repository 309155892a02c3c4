//! `countersign ledger proof`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use domain::export::Line;
use domain::note::VerifierKey;
use domain::tlog_proof::TlogProof;
use service::ledger;

use crate::database::Database;

/// Which entry to prove, or which proof to check.
#[derive(Args)]
pub struct Arguments {
    /// The index of the entry to prove
    #[arg(value_name = "INDEX", required_unless_present = "check")]
    index: Option<u64>,
    #[command(flatten)]
    database: Database,
    /// A new file to write, by custom NAME.tlog-proof [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Check this proof instead; needs --entry and --key, and no database
    #[arg(long, value_name = "FILE", conflicts_with = "index", requires_all = ["entry", "key"])]
    check: Option<PathBuf>,
    /// The entry that it is about: its canonical bytes, or its line of an export
    #[arg(long, value_name = "FILE", requires = "check")]
    entry: Option<PathBuf>,
    /// The public key that you have from elsewhere
    #[arg(long, value_name = "VKEY", requires = "check")]
    key: Option<VerifierKey>,
}

/// Makes a proof, or checks one.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let (Some(proof), Some(entry), Some(key)) = (arguments.check, arguments.entry, arguments.key)
    {
        let (proof, entry) = (super::read_text(&proof)?, super::read(&entry)?);
        return check(&proof, &entry, &key);
    }
    let index = arguments.index.context("which entry? give its index")?;
    let (store, _) = super::open(&arguments.database).await?;
    let Some(proof) = ledger::prove_entry(&*store, index).await? else {
        bail!("no checkpoint covers entry {index}");
    };
    super::put(arguments.output.as_deref(), &proof.to_text())
}

fn check(proof: &str, entry: &[u8], key: &VerifierKey) -> anyhow::Result<()> {
    let line = entry.strip_suffix(b"\n").unwrap_or(entry);
    let bytes = match Line::parse(line) {
        Ok(Line::Entry { body, .. }) => body,
        _ => line,
    };
    let parsed = TlogProof::parse(proof);
    match parsed.and_then(|proof| Ok((proof.verify(bytes, key)?, proof.index))) {
        Ok((checkpoint, index)) => {
            println!("The proof holds: this is entry {index} of {}", checkpoint.size);
            Ok(())
        }
        Err(error) => bail!("the proof does not hold: it {error}"),
    }
}
