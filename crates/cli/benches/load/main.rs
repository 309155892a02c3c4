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
        measure(&Arguments::parse()).await
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

/// Prints each figure as soon as it is there.
async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    println!("{}", figure::HEAD);
    let time = Duration::from_secs(arguments.seconds);
    let noop = noop::Noop::start()?;
    let gate = Arc::new(gate::Gate::start(None).await?);
    let mut pending = 0;
    for size in &arguments.sizes {
        eprintln!("bench: {size} requests");
        runs::fill(&gate, size.saturating_sub(pending)).await?;
        pending = pending.max(*size);
        print(runs::on_sqlite(&gate, &noop, time, *size).await?);
    }
    print(runs::verifying(&gate)?);
    print(runs::waiting(&gate, arguments.waiters).await?);
    drop(gate);
    if !arguments.sqlite_only {
        eprintln!("bench: PostgreSQL");
        print(runs::on_postgres(time).await?);
    }
    Ok(())
}

fn print(figures: Vec<Figure>) {
    for figure in figures {
        println!("{figure}");
    }
}
