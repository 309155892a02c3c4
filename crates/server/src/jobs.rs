//! What runs beside the handlers: the sweeper, the issuing of checkpoints, the telling of endpoints.

use std::future::Future;
use std::time::Duration;

use service::ledger::LedgerError;
use service::{Failure, sweep};
use tokio::sync::oneshot;

use crate::{AppState, webhooks};

/// Timers are written down within this long of firing; every read knows them at once.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// Old sessions, links and unused uploads are cleared this often, in sweeps.
const CLEAR_EVERY_SWEEPS: u32 = 300;

/// A ledger that grows gets a checkpoint this often at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);
/// A round that takes longer is given up, and the next one begun.
const ROUND: Duration = Duration::from_secs(60);

/// Runs until the server stops; says in `at_odds` why it has to, where the database does not go with
/// the keys any more.
pub async fn run(state: AppState, at_odds: oneshot::Sender<LedgerError>) {
    tokio::join!(sweeps(&state), checkpoints(&state, at_odds), webhooks::run(&state));
}

/// Issues checkpoints; the last one when the server stops.
async fn checkpoints(state: &AppState, at_odds: oneshot::Sender<LedgerError>) {
    let mut ticks = tokio::time::interval(CHECKPOINT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let stopping = tokio::select! {
            _ = ticks.tick() => false,
            () = state.stopping.cancelled() => true,
        };
        match in_time(state.service.issue_checkpoint()).await {
            Ok(_) => {}
            Err(error) if error.is_final() => {
                // Who listens is told; the server ends by it.
                let _ended = at_odds.send(error);
                return;
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "no checkpoint was issued");
            }
        }
        if stopping {
            return;
        }
    }
}

async fn sweeps(state: &AppState) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    let mut sweeps = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = state.stopping.cancelled() => return,
        }
        let swept = tokio::select! {
            swept = in_time(sweep(state, &mut sweeps)) => swept,
            () = state.stopping.cancelled() => return,
        };
        if let Err(error) = swept {
            tracing::error!(error = &error as &dyn std::error::Error, "sweeping failed");
        }
    }
}

/// Sweeps where it is this server's turn, and counts that.
async fn sweep(state: &AppState, sweeps: &mut u32) -> Result<(), Failure> {
    if !state.service.leads(sweep::JOB).await? {
        return Ok(());
    }
    let clears = sweeps.is_multiple_of(CLEAR_EVERY_SWEEPS);
    *sweeps = sweeps.wrapping_add(1);
    state.service.sweep().await?;
    if clears { state.service.clear().await } else { Ok(()) }
}

/// A round of a job that ends. A database whose host is gone without a word may never answer.
pub(crate) async fn in_time<T, E: From<Failure>>(
    round: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(ROUND, round).await.unwrap_or_else(|_| Err(Failure::no_answer().into()))
}
