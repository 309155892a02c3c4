//! What the gate does in a second and how long it takes, beside what this machine could do at most.
//!
//! One run measures the release binary over loopback and, in turn with it, what it is set against: a
//! server that does nothing, a SQLite file that takes the same rows, `pgbench`. Nothing passes or
//! fails by the clock: a figure that misses its goal says so. `cargo xtask bench` runs it.

mod figure;
mod floor;
mod gate;
mod measure;
mod noop;
mod runs;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;

use figure::Figure;

/// What is measured, and for how long.
#[derive(Parser)]
struct Arguments {
    /// Seconds of each run of a rate
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Pending requests to measure with, one after the other
    #[arg(long, value_delimiter = ',', default_value = "0,100000")]
    sizes: Vec<usize>,
    /// Agents that wait at the same time
    #[arg(long, default_value_t = 5000)]
    waiters: usize,
    /// Leave PostgreSQL out
    #[arg(long)]
    sqlite_only: bool,
    /// Says `cargo bench` to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let run = async {
        if std::env::args().nth(1).as_deref() == Some(noop::ARGUMENT) {
            return noop::serve().await;
        }
        let arguments = Arguments::parse();
        for figure in measured(&arguments).await? {
            println!("{figure}");
        }
        Ok(())
    };
    let runtime = tokio::runtime::Runtime::new();
    match runtime.map_err(anyhow::Error::new).and_then(|runtime| runtime.block_on(run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measured(arguments: &Arguments) -> anyhow::Result<Vec<Figure>> {
    let time = Duration::from_secs(arguments.seconds);
    let noop = noop::Noop::start()?;
    let mut figures = Vec::new();
    let gate = Arc::new(gate::Gate::start(None).await?);
    let mut pending = 0;
    for size in &arguments.sizes {
        eprintln!("bench: {size} requests");
        runs::fill(&gate, size.saturating_sub(pending)).await?;
        pending = pending.max(*size);
        figures.extend(runs::on_sqlite(&gate, &noop, time, *size).await?);
    }
    figures.extend(runs::waiting(&gate, arguments.waiters).await?);
    drop(gate);
    if !arguments.sqlite_only {
        eprintln!("bench: PostgreSQL");
        figures.extend(runs::on_postgres(time).await?);
    }
    Ok(figures)
}
