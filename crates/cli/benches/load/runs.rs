//! The measurements.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use hyper::body::Bytes;
use tokio::task::JoinSet;

use crate::figure::{Figure, Goal};
use crate::floor::{self, Raw};
use crate::gate::Gate;
use crate::measure::{CLIENTS, RUNS, Times, median, rate};
use crate::noop::Noop;
use crate::wire::{Call, Wire};

/// One client's cycles, alone.
const ALONE: usize = 300;
/// Decisions that a waiting agent is told of.
const DECISIONS: usize = 300;
/// Views of the inbox.
const VIEWS: usize = 200;

/// Stages until there are `more` requests.
pub async fn fill(gate: &Arc<Gate>, more: usize) -> anyhow::Result<()> {
    let left = Arc::new(AtomicUsize::new(more));
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let (gate, left) = (Arc::clone(gate), Arc::clone(&left));
        tasks.spawn(async move {
            let mut wire = gate.wire().await?;
            let take = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                gate.stage(&mut wire).await?;
            }
            anyhow::Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Rates at 64 clients, one cycle alone, and the inbox, with `size` requests there.
pub async fn on_sqlite(
    gate: &Arc<Gate>,
    noop: &Noop,
    time: Duration,
    size: usize,
) -> anyhow::Result<Vec<Figure>> {
    gate.sign_in().await?;
    let answered = gate.stage(&mut gate.wire().await?).await?.answered;
    let (mut nothing, mut stages, mut cycles) = (vec![], vec![], vec![]);
    for _ in 0..RUNS {
        nothing.push(noops(noop, gate.body(), answered, time).await?);
        stages.push(staging(gate, time).await?);
        cycles.push(cycling(gate, time).await?);
    }
    let mut raw = Raw::beside(&gate.file()).await?;
    let (mut single, mut grouped) = (vec![], vec![]);
    for _ in 0..RUNS {
        single.push(raw.rate(1, time / 2).await?);
        grouped.push(raw.rate(CLIENTS, time / 2).await?);
    }
    let alone = alone(gate, noop, &mut raw, answered).await?;
    let (nothing, stages, cycles) = (median(nothing), median(stages), median(cycles));
    let at = |what: &str| format!("{what}, {size} requests");
    let figure = |name: String, value, base, goal| Figure {
        name,
        value,
        unit: "/s",
        base: Some(base),
        goal,
    };
    Ok(vec![
        figure(at("stage, 64 clients"), stages, ("no-op", nothing), Some(Goal::AtLeast(0.3))),
        figure(
            at("stage, 64 clients"),
            stages,
            ("raw SQLite, groups of 64", median(grouped)),
            None,
        ),
        figure(at("stage, 64 clients"), stages, ("raw SQLite, one by one", median(single)), None),
        figure(
            at("stage, approve, redeem, 64 clients"),
            cycles,
            ("no-op / 3", nothing / 3.0),
            Some(Goal::AtLeast(0.2)),
        ),
        Figure {
            name: at("stage, approve, redeem alone, p50"),
            value: alone.0,
            unit: "ms",
            base: Some(("3 raw commits + 3 no-ops", alone.1)),
            goal: Some(Goal::AtMost(2.0)),
        },
        Figure {
            name: at("inbox, p95"),
            value: inbox(gate).await?,
            unit: "ms",
            base: None,
            goal: Some(Goal::Below(100.0)),
        },
    ])
}

async fn wires(address: &str) -> anyhow::Result<Vec<Wire>> {
    let mut wires = Vec::new();
    for _ in 0..CLIENTS {
        wires.push(Wire::connect(address).await?);
    }
    Ok(wires)
}

/// What a server that does nothing answers in a second, with the same bytes in and out.
async fn noops(noop: &Noop, body: Bytes, size: usize, time: Duration) -> anyhow::Result<f64> {
    let path = format!("/{size}");
    let work = move |mut wire: Wire| {
        let (path, body) = (path.clone(), body.clone());
        async move {
            let headers = [("content-type", "application/json")];
            wire.expect(200, Call::post(&path, &headers, body)).await?;
            Ok(wire)
        }
    };
    Ok(rate(wires(&noop.address).await?, time, work).await?.0)
}

/// Stagings a second.
async fn staging(gate: &Arc<Gate>, time: Duration) -> anyhow::Result<f64> {
    let used = Arc::clone(gate);
    let work = move |mut wire: Wire| {
        let gate = Arc::clone(&used);
        async move {
            gate.stage(&mut wire).await?;
            Ok(wire)
        }
    };
    Ok(rate(wires(&gate.address).await?, time, work).await?.0)
}

/// Whole cycles a second: stage, read the page, approve by the form, redeem.
async fn cycling(gate: &Arc<Gate>, time: Duration) -> anyhow::Result<f64> {
    let used = Arc::clone(gate);
    let work = move |mut wire: Wire| {
        let gate = Arc::clone(&used);
        async move {
            let staged = gate.stage(&mut wire).await?;
            gate.approve(&mut wire, &staged).await?;
            gate.redeem(&mut wire, &staged).await?;
            Ok(wire)
        }
    };
    Ok(rate(wires(&gate.address).await?, time, work).await?.0)
}

/// The median of one client's cycle, without the reading of the page, and of its base.
async fn alone(gate: &Gate, noop: &Noop, raw: &mut Raw, size: usize) -> anyhow::Result<(f64, f64)> {
    let (mut ours, mut base) = (Times::default(), Times::default());
    let (mut wire, mut idle) = (gate.wire().await?, Wire::connect(&noop.address).await?);
    let (path, headers) = (format!("/{size}"), [("content-type", "application/json")]);
    for _ in 0..ALONE {
        let start = Instant::now();
        let staged = gate.stage(&mut wire).await?;
        let staging = start.elapsed();
        let shown = gate.shown(&mut wire, &staged).await?;
        let start = Instant::now();
        gate.decide(&mut wire, &staged, &shown).await?;
        gate.redeem(&mut wire, &staged).await?;
        ours.push(staging + start.elapsed());

        let mut spent = Duration::ZERO;
        for _ in 0..3 {
            let start = Instant::now();
            idle.expect(200, Call::post(&path, &headers, gate.body())).await?;
            spent += start.elapsed() + raw.once().await?;
        }
        base.push(spent);
    }
    Ok((ours.percentile(50), base.percentile(50)))
}

async fn inbox(gate: &Gate) -> anyhow::Result<f64> {
    let (mut times, mut wire) = (Times::default(), gate.wire().await?);
    for _ in 0..VIEWS {
        let start = Instant::now();
        gate.inbox(&mut wire).await?;
        times.push(start.elapsed());
    }
    Ok(times.percentile(95))
}

/// Entries a second of a check of everything, from the start of the program to its end: of an export
/// up to the newest checkpoint, and of the database beside its server, with every table built anew.
pub fn verifying(gate: &Gate) -> anyhow::Result<Vec<Figure>> {
    let database = format!("sqlite://{}", gate.file().display());
    let export = gate.file().with_extension("export");
    let export = export.to_str().context("the directory has a name that is no text")?;
    gate.ledger(&["export", "--database", &database, "--output", export])?;
    let keys = gate.ledger(&["checkpoint", "--vkey", "--database", &database])?;
    let key = keys.lines().last().context("no key signs")?;
    let verified = |arguments: &[&str]| {
        let start = Instant::now();
        let said = gate.ledger(arguments)?;
        let count = said.split_once(" entries").and_then(|(before, _)| before.rsplit(' ').next());
        let count: f64 = count.context("it says no count")?.parse()?;
        anyhow::Ok((count, count / start.elapsed().as_secs_f64()))
    };
    let (mut count, mut rates) = (0.0, vec![]);
    for _ in 0..RUNS {
        let (entries, rate) = verified(&["verify", export, "--key", key])?;
        count = entries;
        rates.push(rate);
    }
    let (entries, rate) = verified(&["verify", "--database", &database])?;
    let figure = |name, value, goal| Figure { name, value, unit: "/s", base: None, goal };
    Ok(vec![
        figure(
            format!("entries of an export verified, {count} of them"),
            median(rates),
            Some(Goal::From(300_000.0)),
        ),
        figure(format!("entries and tables of a database verified, {entries} entries"), rate, None),
    ])
}

/// How soon a decision reaches an agent that waits, and what agents that wait cost.
pub async fn waiting(gate: &Arc<Gate>, waiters: usize) -> anyhow::Result<Vec<Figure>> {
    gate.sign_in().await?;
    let mut times = Times::default();
    let (mut agent, mut approver) = (gate.wire().await?, gate.wire().await?);
    for _ in 0..DECISIONS {
        let staged = gate.stage(&mut agent).await?;
        let shown = gate.shown(&mut approver, &staged).await?;
        let (decided, told) = tokio::join!(
            async {
                // The agent waits already when the decision is sent.
                tokio::time::sleep(Duration::from_millis(5)).await;
                let start = Instant::now();
                gate.decide(&mut approver, &staged, &shown).await.map(|()| start)
            },
            async { gate.wait(&mut agent, &staged).await.map(|()| Instant::now()) }
        );
        times.push(told?.duration_since(decided?));
    }
    let before = resident(gate.pid)?;
    let staged = gate.stage(&mut agent).await?;
    let mut open = JoinSet::new();
    for _ in 0..waiters {
        let mut wire = gate.wire().await?;
        let (gate, id, digest) = (Arc::clone(gate), staged.id.clone(), staged.digest.clone());
        open.spawn(async move {
            let staged = crate::gate::Staged { id, digest, answered: 0 };
            gate.wait(&mut wire, &staged).await
        });
    }
    // All of them are waiting, and none has waited for its 30 seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let during = resident(gate.pid)?;
    gate.approve(&mut approver, &staged).await?;
    for told in open.join_all().await {
        told?;
    }
    Ok(vec![
        Figure {
            name: "a decision reaches an agent that waits, p99".to_owned(),
            value: times.percentile(99),
            unit: "ms",
            base: None,
            goal: Some(Goal::Below(25.0)),
        },
        Figure {
            name: format!("{waiters} agents that wait"),
            value: during - before,
            unit: "MB",
            base: None,
            goal: Some(Goal::Below(300.0)),
        },
    ])
}

/// The resident memory of a process, in MB.
fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(kilobytes.parse::<f64>()? / 1000.0)
}

/// Stagings against single inserts.
pub async fn on_postgres(time: Duration) -> anyhow::Result<Vec<Figure>> {
    let gate = Arc::new(Gate::start(Some(&testing::postgres::empty_database().await)).await?);
    let scratch = testing::postgres::empty_database().await;
    let seconds = u32::try_from(time.as_secs())?;
    let (mut stages, mut inserts) = (vec![], vec![]);
    for _ in 0..RUNS {
        inserts.push(floor::pgbench(&scratch, gate.body().len(), seconds).await?);
        stages.push(staging(&gate, time).await?);
    }
    Ok(vec![Figure {
        name: "stage, 64 clients, PostgreSQL".to_owned(),
        value: median(stages),
        unit: "/s",
        base: Some(("pgbench, 16 clients, one insert", median(inserts))),
        goal: Some(Goal::AtLeast(1.0)),
    }])
}
