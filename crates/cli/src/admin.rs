//! `countersign admin`: setting up an installation, and saving one, while no server holds its database.

use std::sync::Arc;

use clap::Subcommand;
use service::Steward;
use service::caller::ADMINISTRATORS;
use store::SystemClock;

use crate::database::{self, Place};

/// What can be set up.
#[derive(Subcommand)]
pub enum Command {
    /// Make an installation out of an empty database, with its first administrator
    Init {
        /// The name of the first administrator
        #[arg(long, value_name = "NAME")]
        administrator: String,
        #[command(flatten)]
        place: Place,
        /// The address under which the server will be reached
        #[arg(
            long,
            env = "COUNTERSIGN_PUBLIC_URL",
            value_name = "URL",
            default_value = "http://localhost:8080"
        )]
        public_url: String,
    },
    /// Add an administrator past everybody else, when the house can no longer change itself.
    /// The ledger keeps a mark of it for ever
    Recover {
        /// The name of the new administrator
        #[arg(long, value_name = "NAME")]
        administrator: String,
        #[command(flatten)]
        place: Place,
        /// The address under which the server will be reached
        #[arg(
            long,
            env = "COUNTERSIGN_PUBLIC_URL",
            value_name = "URL",
            default_value = "http://localhost:8080"
        )]
        public_url: String,
    },
}

/// Does it.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init { administrator, place, public_url } => {
            init(&administrator, place, public_url).await
        }
        Command::Recover { administrator, place, public_url } => {
            recover(&administrator, place, public_url).await
        }
    }
}

async fn init(administrator: &str, place: Place, public_url: String) -> anyhow::Result<()> {
    let location = place.database.location()?;
    let clock = Arc::new(SystemClock::default());
    let service = database::open_alone(&location, &place.keys, public_url, clock).await?;
    // A name that would be refused is refused before anything is made.
    domain::name::check(administrator)?;
    service.initialise().await?;
    let (person, _) =
        service.add_person(&Steward::Operator, administrator, &[ADMINISTRATORS]).await?;
    let link = service.sign_in_link(&Steward::Operator, person).await?;
    service.close().await;
    println!("Set up in `{location}`, keys in `{}`.", place.keys.display());
    println!("1. Start the server:  countersign serve");
    println!("2. Within 60 minutes, open this link once as {administrator}:");
    println!("   {link}");
    println!(
        "3. Add people under People and agents under Agents. From the second administrator on,"
    );
    println!("   every change to policy, kinds and groups takes two of them.");
    Ok(())
}

async fn recover(administrator: &str, place: Place, public_url: String) -> anyhow::Result<()> {
    let location = place.database.location()?;
    let clock = Arc::new(SystemClock::default());
    let service = database::open_alone(&location, &place.keys, public_url, clock).await?;
    if !service.is_initialised().await? {
        anyhow::bail!("`{location}` is empty: use `countersign admin init`");
    }
    let person = service.recover(administrator).await?;
    let link = service.sign_in_link(&Steward::Operator, person).await?;
    service.close().await;
    println!(
        "{administrator} is an administrator now. The ledger says for ever how that came about."
    );
    println!("Start the server, then within 60 minutes open this link once:");
    println!("   {link}");
    Ok(())
}
