//! `countersign ledger`: the record, exported, checked and proved.
//!
//! All but `rotate-key` only read, and work while a server runs; `verify FILE` and `proof --check`
//! need no database at all.

mod checkpoint;
mod export;
mod proof;
mod rotate_key;
mod verify;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Subcommand;
use store::Store;

use crate::database::{Database, Location};

/// What can be done with the record.
#[derive(Subcommand)]
pub enum Command {
    /// Write the record up to its newest checkpoint into one file, for checking elsewhere
    Export(export::Arguments),
    /// Check the record, entry by entry: a database, or an export without any database
    Verify(verify::Arguments),
    /// Prove that one entry is in the record, or check such a proof
    Proof(proof::Arguments),
    /// Print the newest signed checkpoint, the public keys, or what lies between two checkpoints
    Checkpoint(checkpoint::Arguments),
    /// Have checkpoints signed by a new key from now on; only while no server holds the database
    RotateKey(rotate_key::Arguments),
}

/// Does it.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Export(arguments) => export::run(arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Proof(arguments) => proof::run(arguments).await,
        Command::Checkpoint(arguments) => checkpoint::run(arguments).await,
        Command::RotateKey(arguments) => rotate_key::run(arguments).await,
    }
}

/// The database, for reading only.
async fn open(database: &Database) -> anyhow::Result<(Arc<dyn Store>, Location)> {
    let location = database.location()?;
    Ok((location.open_to_read().await?, location))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Writes a small result to a new file, or to standard output.
fn put(output: Option<&Path>, text: &str) -> anyhow::Result<()> {
    let Some(path) = output else {
        print!("{text}");
        return Ok(());
    };
    if path.exists() {
        bail!("`{}` is there already", path.display());
    }
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
