//! `countersign admin rotate-release-key`: on the directory of keys alone, which servers read at every
//! use, so that none has to stop.

use std::path::PathBuf;

use clap::Args;
use service::OsEntropy;
use service::keys::{Rotation, rotate_release};
use store::{Clock, SystemClock};

/// Whose key.
#[derive(Args)]
pub struct Arguments {
    /// The directory of the secret keys, which the servers share
    #[arg(long, env = "COUNTERSIGN_KEYS", value_name = "DIR", default_value = "countersign-keys")]
    keys: PathBuf,
}

/// Makes the next key, and says when it signs.
pub fn rotate(arguments: &Arguments) -> anyhow::Result<()> {
    let now = SystemClock::default().now();
    let Rotation { key_id, from, until } = rotate_release(&arguments.keys, now, &OsEntropy)?;
    println!("{key_id} is in /.well-known/jwks.json now, and signs release tokens from {from} on.");
    println!("The key before it stays there until {until}.");
    Ok(())
}
