//! What runs beside the handlers: the sweeper, the issuing of checkpoints, the telling of endpoints.

use std::time::Duration;

use service::sweep;

use crate::{AppState, webhooks};

/// Timers are written down within this long of firing; every read knows them at once.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// Old sessions, links and unused uploads are cleared this often, in sweeps.
const CLEAR_EVERY_SWEEPS: u32 = 300;

/// A ledger that grows gets a checkpoint this often at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

/// Runs until the server stops.
pub async fn run(state: AppState) {
    tokio::join!(sweeps(&state), checkpoints(&state), webhooks::run(&state));
}

/// Issues checkpoints; the last one when the server stops.
async fn checkpoints(state: &AppState) {
    let mut ticks = tokio::time::interval(CHECKPOINT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let stopping = tokio::select! {
            _ = ticks.tick() => false,
            () = state.stopping.cancelled() => true,
        };
        if let Err(error) = state.service.issue_checkpoint().await {
            tracing::error!(error = &error as &dyn std::error::Error, "no checkpoint was issued");
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
        match state.service.leads(sweep::JOB).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot tell who sweeps");
                continue;
            }
        }
        if let Err(error) = state.service.sweep().await {
            tracing::error!(error = &error as &dyn std::error::Error, "sweeping failed");
        }
        if sweeps % CLEAR_EVERY_SWEEPS == 0
            && let Err(error) = state.service.clear().await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "clearing failed");
        }
        sweeps = sweeps.wrapping_add(1);
    }
}
