//! `countersign demo`: a seeded throwaway server, to try the product.
//!
//! Everything it shows came about through the same use cases as in production, at the times that
//! the demo's clock gave; then the clock is the machine's.

mod cast;
mod clock;
mod play;
mod print;
mod scenario;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use ipnet::IpNet;
use server::AppState;
use service::guard::Guard;

use crate::database::{Bounds, Location};
use crate::{database, limits, serve, stop};
use clock::DemoClock;

/// How the demo runs.
#[derive(Args)]
pub struct Arguments {
    /// The loopback address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// An empty database to use instead of a temporary one: sqlite://PATH or postgres://HOST/NAME
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Print one JSON object with addresses, links and keys, and nothing else
    #[arg(long)]
    print_json: bool,
    #[command(flatten)]
    limits: limits::Arguments,
}

/// Seeds and serves until it is told to stop; temporary data goes with it.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if !arguments.listen.ip().is_loopback() {
        bail!(
            "the demo has keys and links that everybody can read, so it listens on loopback only; \
             {} is not loopback",
            arguments.listen.ip()
        );
    }
    let (listener, address) = serve::listen(arguments.listen).await?;
    let data = tempfile::Builder::new()
        .prefix("countersign-demo-")
        .tempdir()
        .context("cannot make a temporary directory")?;
    let location = match &arguments.database {
        Some(url) => Location::parse(url)?,
        None => Location::Sqlite(data.path().join("countersign.db")),
    };
    let keys: PathBuf = data.path().join("keys");
    let url = format!("http://localhost:{}", address.port());
    let clock = Arc::new(DemoClock::default());
    location.migrate(Arc::clone(&clock) as _).await?;
    // It listens on this machine only, and may talk to this machine.
    let loopback: Vec<IpNet> = vec!["127.0.0.0/8".parse()?, "::1/128".parse()?];
    let bounds = Bounds { limits: arguments.limits.limits(), guard: Guard::new(loopback) };
    let time = Arc::clone(&clock);
    let service = database::open_with(&location, &keys, url, time, bounds).await?;
    if service.is_initialised().await? {
        bail!("`{location}` is not empty; the demo wants an empty database");
    }
    let cast = cast::seed(&service, &clock).await.context("cannot seed the demo")?;
    play::play(&service, &clock, &cast).await.context("cannot play the demo's scenarios")?;
    clock.is_now();
    let handout = cast.handout(&service, &location, &keys, data.path()).await?;
    let state = AppState::new(service, true);
    if arguments.print_json {
        print::json(&handout)?;
    } else {
        print::text(&handout, state.site.is_built());
    }
    server::serve(listener, state, stop::asked()).await?;
    Ok(())
}
