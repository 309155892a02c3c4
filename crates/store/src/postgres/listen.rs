//! What other nodes commit, as it happens: LISTEN on a connection of its own.
//!
//! Nothing rests on a notification that arrives: where the connection is lost, everybody who waits
//! is woken once a second until there is a new one, and once more when there is.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::sync::broadcast::Sender;
use tokio::time::{sleep, timeout};

use crate::change::Changed;

const CHANNEL: &str = "countersign";
/// How long the connection may be quiet before it has to show that it lives, and how often
/// everybody is woken while there is none.
const QUIET: Duration = Duration::from_secs(1);
/// How long it may take to show that.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Tells every node, when the transaction commits, what changed.
pub(super) async fn notify(tx: &mut PgConnection, changed: &[Changed]) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let payloads: Vec<String> = changed.iter().map(payload).collect();
    sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload")
        .bind(CHANNEL)
        .bind(payloads)
        .execute(tx)
        .await?;
    Ok(())
}

/// Passes on what is committed, until it is dropped.
pub(super) async fn follow(options: PgConnectOptions, changes: Sender<Changed>) {
    loop {
        match timeout(SIGN_OF_LIFE, listen(&options)).await {
            Ok(Ok(listener)) => {
                // What was committed before is in nobody's notification.
                tell(&changes, Changed::Anything);
                pass_on(listener, &changes).await;
                tracing::warn!("lost the connection that tells what other servers commit");
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot listen to what other servers commit");
            }
            Err(_) => tracing::warn!("the database does not answer"),
        }
        tell(&changes, Changed::Anything);
        sleep(QUIET).await;
    }
}

async fn listen(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let mut listener = PgListener::connect_with(&pool.connect_lazy_with(options.clone())).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Returns when the connection is lost.
async fn pass_on(mut listener: PgListener, changes: &Sender<Changed>) {
    loop {
        match timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => tell(changes, changed(&notification)),
            Ok(Ok(None) | Err(_)) => return,
            Err(_) => {
                let alive = sqlx::query("SELECT 1").execute(&mut listener);
                if !matches!(timeout(SIGN_OF_LIFE, alive).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

fn payload(changed: &Changed) -> String {
    match changed {
        Changed::Request { id, agents: [stager, executor] } => format!("{id} {stager} {executor}"),
        Changed::Anything => String::new(),
    }
}

/// What a payload says; one that another version wrote can be about anything.
fn changed(notification: &PgNotification) -> Changed {
    let mut words = notification.payload().split(' ');
    let mut read = || {
        let id = words.next()?.parse().ok()?;
        let mut agent = || words.next()?.parse().ok();
        Some(Changed::Request { id, agents: [agent()?, agent()?] })
    };
    read().unwrap_or(Changed::Anything)
}

fn tell(changes: &Sender<Changed>, changed: Changed) {
    // Nobody may be interested.
    let _ = changes.send(changed);
}
