//! When to stop: SIGINT or SIGTERM.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals within this time are one.
const ONE_SIGNAL: Duration = Duration::from_millis(500);

/// Resolves at the first SIGINT or SIGTERM. The second ends the process at once.
pub async fn asked() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signal handlers the default action ends the process.
        return std::future::pending().await;
    };
    either(&mut interrupt, &mut terminate).await;
    tokio::spawn(async {
        // Whoever starts us may send one signal twice: to us, and to our group.
        tokio::time::sleep(ONE_SIGNAL).await;
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        either(&mut interrupt, &mut terminate).await;
        eprintln!("Stopped at once.");
        std::process::exit(1);
    });
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
