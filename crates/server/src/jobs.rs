//! What runs beside the handlers: the sweeper.

use std::time::Duration;

use service::sweep;

use crate::AppState;

/// Timers are written down within this long of firing; every read knows them at once.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// Old sessions, links and unused uploads are cleared this often, in sweeps.
const CLEAR_EVERY_SWEEPS: u32 = 300;

/// Runs until the server stops.
pub async fn run(state: AppState) {
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
