//! The base of what is measured over HTTP: a server that reads the body and answers as many bytes as
//! it is asked for. Another process, as the product is.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::any;
use tokio::net::TcpListener;

/// The argument that makes this program the server.
pub const ARGUMENT: &str = "serve-nothing";

/// Serves until it is killed; prints its address first.
pub async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let router = Router::new().route("/{size}", any(answer));
    Ok(axum::serve(listener, router).await?)
}

async fn answer(Path(size): Path<usize>, _body: Bytes) -> Vec<u8> {
    vec![b' '; size]
}

/// The running server.
pub struct Noop {
    child: Child,
    pub address: String,
}

impl Noop {
    pub fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the no-op server")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().to_owned() })
    }
}

impl Drop for Noop {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
