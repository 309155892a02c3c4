//! `countersign serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use server::AppState;
use store::SystemClock;
use tokio::net::TcpListener;

use crate::database::{self, Place};
use crate::{limits, stop};

/// How the server runs.
#[derive(Args)]
pub struct Arguments {
    /// The address to listen on; put a TLS proxy before it for anything but localhost
    #[arg(
        long,
        env = "COUNTERSIGN_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
    #[command(flatten)]
    place: Place,
    /// The address that people and agents use [default: http://localhost:PORT]
    #[arg(long, env = "COUNTERSIGN_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    limits: limits::Arguments,
}

/// Serves until it is told to stop.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (listener, address) = listen(arguments.listen).await?;
    let local = format!("http://localhost:{}", address.port());
    let public_url = arguments.public_url.unwrap_or(local);
    let location = arguments.place.database.location()?;
    let clock = Arc::new(SystemClock::default());
    let (limits, keys) = (arguments.limits.limits(), &arguments.place.keys);
    let service = database::open_within(limits, &location, keys, public_url, clock).await?;
    if !service.is_initialised().await? {
        service.close().await;
        bail!(
            "`{location}` is not set up yet; run: countersign admin init --administrator \"Your Name\""
        );
    }
    tracing::info!(%address, url = service.public_url(), "serving");
    server::serve(listener, AppState::new(service, false), stop::asked()).await?;
    Ok(())
}

/// Takes the address, or says how to choose another.
pub async fn listen(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another with --listen"))?;
    let address = listener.local_addr().context("cannot tell the address listened on")?;
    Ok((listener, address))
}
