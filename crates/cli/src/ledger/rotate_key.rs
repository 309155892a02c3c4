//! `countersign ledger rotate-key`.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use store::{Clock, SystemClock};

use crate::database::{self, Place};

/// Whose key.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Names a new key under the old one's signature, and issues its first checkpoint.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Place { database, keys } = arguments.place;
    let location = database.location()?;
    let clock = Arc::new(SystemClock::default());
    let open = || {
        let clock = Arc::clone(&clock) as Arc<dyn Clock>;
        database::open_alone(&location, &keys, String::new(), clock)
    };
    let service = open().await?;
    if !service.is_initialised().await? {
        service.close().await;
        bail!("`{location}` is not set up yet; there is no key to change");
    }
    let named = service.name_next_key().await;
    service.close().await;
    // With the last hold on it the database is free to be opened again.
    drop(service);
    let key = named?;
    // Opening the keys anew puts the named one in its place.
    let service = open().await?;
    let issued = service.issue_checkpoint().await;
    service.close().await;
    issued?;
    println!("Checkpoints are signed by a new key from now on. Give it to those who verify:");
    println!("{key}");
    Ok(())
}
