//! `countersign serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use ipnet::IpNet;
use server::AppState;
use server::issuers::Documents;
use service::guard::Guard;
use service::keys::{Held, Use};
use store::SystemClock;
use tokio::net::TcpListener;

use crate::database::{self, Bounds, Place};
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
    /// A network that webhooks may go to although it is not public, also by http://: 10.20.0.0/16.
    /// Repeat it for several
    #[arg(
        long = "webhook-allow",
        env = "COUNTERSIGN_WEBHOOK_ALLOW",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    webhook_allow: Vec<IpNet>,
    /// A network, such as 10.0.0.0/8, in which issuers of tokens may be asked for their keys, also
    /// without TLS; may be given several times. Public addresses are asked with TLS only
    #[arg(long, env = "COUNTERSIGN_ISSUER_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    issuer_allow: Vec<IpNet>,
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
    let bounds =
        Bounds { limits: arguments.limits.limits(), guard: Guard::new(arguments.webhook_allow) };
    let service =
        database::open_with(&location, &arguments.place.keys, public_url, clock, bounds).await?;
    if !service.is_initialised().await? {
        service.close().await;
        bail!(
            "`{location}` is not set up yet; run: countersign admin init --administrator \"Your Name\""
        );
    }
    // A restore would put an older ledger under what this server vouches for.
    let _held = Held::take(&arguments.place.keys, Use::Serving)?;
    let documents = Documents::new(Guard::new(arguments.issuer_allow))
        .context("cannot ask issuers of tokens for their keys")?;
    service.ask_issuers_by(Arc::new(documents));
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
