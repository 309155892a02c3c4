//! `countersign admin init` and `recover`: with the database open, while no server holds it.

use std::sync::Arc;

use clap::Args;
use service::Steward;
use service::caller::ADMINISTRATORS;
use store::SystemClock;

use crate::database::{self, Place};

/// Who is to be an administrator, and where.
#[derive(Args)]
pub struct Arguments {
    /// The name of the administrator
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
}

/// Makes an installation out of an empty database.
pub async fn init(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { administrator, place, public_url } = arguments;
    let location = place.database.location()?;
    let clock = Arc::new(SystemClock::default());
    let service = database::open_alone(&location, &place.keys, public_url, clock).await?;
    // A name that would be refused is refused before anything is made.
    domain::name::check(&administrator)?;
    service.initialise().await?;
    let (person, _) =
        service.add_person(&Steward::Operator, &administrator, &[ADMINISTRATORS]).await?;
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

/// Adds an administrator past everybody else, marked for ever.
pub async fn recover(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { administrator, place, public_url } = arguments;
    let location = place.database.location()?;
    let clock = Arc::new(SystemClock::default());
    let service = database::open_alone(&location, &place.keys, public_url, clock).await?;
    if !service.is_initialised().await? {
        anyhow::bail!("`{location}` is empty: use `countersign admin init`");
    }
    let person = service.recover(&administrator).await?;
    let link = service.sign_in_link(&Steward::Operator, person).await?;
    service.close().await;
    println!(
        "{administrator} is an administrator now. The ledger says for ever how that came about."
    );
    println!("Start the server, then within 60 minutes open this link once:");
    println!("   {link}");
    Ok(())
}
