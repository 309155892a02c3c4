//! `countersign ledger checkpoint`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use domain::Checkpoint;
use domain::merkle;
use domain::note::VerifierKey;
use service::ledger::{self, Consistency};
use store::Store;

use crate::database::Database;

/// What to print, or what to check.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    database: Database,
    /// A new file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the public keys instead, the one in force last
    #[arg(long, conflicts_with = "since")]
    vkey: bool,
    /// Print the proof that the newest checkpoint goes on from this one instead
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// Check that this checkpoint goes on from the one of --since; needs no database
    #[arg(long, value_name = "CHECKPOINT", requires_all = ["since", "proof", "key"])]
    check: Option<PathBuf>,
    /// The proof that was printed
    #[arg(long, value_name = "FILE", requires = "check")]
    proof: Option<PathBuf>,
    /// A public key that you have from elsewhere; both keys where it was changed in between
    #[arg(long = "key", id = "key", value_name = "VKEY", requires = "check")]
    keys: Vec<VerifierKey>,
}

/// Prints or checks it.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let since = arguments.since.as_deref().map(super::read_text).transpose()?;
    if let (Some(new), Some(old), Some(proof)) = (arguments.check, &since, arguments.proof) {
        let (new, proof) = (super::read_text(&new)?, super::read(&proof)?);
        return check(old, &new, &proof, &arguments.keys);
    }
    let (store, location) = super::open(&arguments.database).await?;
    let text = if arguments.vkey {
        let instance = store
            .instance()
            .await?
            .with_context(|| format!("`{location}` has no ledger; is it the right database?"))?;
        let history = ledger::key_history(&*store, instance.id).await?;
        history.keys().map(|key| format!("{key}\n")).collect()
    } else {
        let newest = store.newest_checkpoint().await?.context("no checkpoint was issued yet")?;
        match since {
            Some(old) => consistency(&*store, &old, newest.size).await?,
            None => newest.note,
        }
    };
    super::put(arguments.output.as_deref(), &text)
}

/// The proof from a held checkpoint to the newest one, as a line of JSON.
async fn consistency(store: &dyn Store, old: &str, newest: u64) -> anyhow::Result<String> {
    let old = Checkpoint::unverified(old).map_err(|error| anyhow::anyhow!("--since {error}"))?;
    let Some(proof) = ledger::prove_consistency(store, old.size, newest).await? else {
        bail!(
            "the newest checkpoint is of {newest} entries, fewer than the {} of --since",
            old.size
        );
    };
    if proof.from_root.0 != old.root {
        bail!("the first {} entries here are not those of --since", old.size);
    }
    Ok(serde_json::to_string(&proof)? + "\n")
}

fn check(old: &str, new: &str, proof: &[u8], keys: &[VerifierKey]) -> anyhow::Result<()> {
    let open = |which: &str, note: &str| {
        let opened = keys.iter().map(|key| Checkpoint::open(note, key));
        let opened = opened.reduce(Result::or).context("give a public key with --key")?;
        opened.map_err(|error| anyhow::anyhow!("{which} {error}"))
    };
    let (old, new) = (open("--since", old)?, open("--check", new)?);
    if old.origin != new.origin {
        bail!("these are checkpoints of two ledgers, {} and {}", old.origin, new.origin);
    }
    let proof: Consistency = serde_json::from_slice(proof).context("--proof is no such proof")?;
    let path: Vec<_> = proof.proof.iter().map(|digest| digest.0).collect();
    if !merkle::verify_consistency((old.size, &old.root), (new.size, &new.root), &path) {
        bail!(
            "the proof does not hold: {} entries are not shown to go on from {}",
            new.size,
            old.size
        );
    }
    println!("The proof holds: {} entries go on from the first {}", new.size, old.size);
    Ok(())
}
