//! How rates and times are taken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// How many clients a busy server has.
pub const CLIENTS: usize = 64;
/// Runs of each measurement; the median counts.
pub const RUNS: usize = 5;

/// How long things took.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// In milliseconds, the time below which `percent` of them lie.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut times = self.0.clone();
        times.sort();
        let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What all clients together do in a second: each repeats its work until the time is over.
pub async fn rate<C, W>(
    clients: Vec<C>,
    time: Duration,
    work: impl Fn(C) -> W + Send + Sync + 'static,
) -> anyhow::Result<(f64, Vec<C>)>
where
    C: Send + 'static,
    W: Future<Output = anyhow::Result<C>> + Send,
{
    let (work, start) = (Arc::new(work), Instant::now());
    let mut tasks = JoinSet::new();
    for mut client in clients {
        let work = Arc::clone(&work);
        tasks.spawn(async move {
            let mut done = 0_u32;
            while start.elapsed() < time {
                client = work(client).await?;
                done += 1;
            }
            anyhow::Ok((done, client))
        });
    }
    let (mut total, mut back) = (0, Vec::new());
    for finished in tasks.join_all().await {
        let (done, client) = finished?;
        total += done;
        back.push(client);
    }
    Ok((f64::from(total) / start.elapsed().as_secs_f64(), back))
}
