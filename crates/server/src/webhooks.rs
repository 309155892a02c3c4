//! Telling endpoints what happened: looks for what is due, sends it, records what came of it.
//!
//! What is sent and when is `service::webhook`'s to say; how it gets there is `webhooks/sender.rs`.
//! An endpoint that is slow holds up itself alone: each has its own few messages under way.

pub mod sender;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::WebhookId;
use service::webhook::delivery::JOB;
use service::{Failure, Service};
use tokio::task::{Id, JoinSet};

use crate::AppState;
use crate::jobs::in_time;
use sender::Sender;

/// What was recorded is looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages under way to one endpoint at once.
const AT_ONCE: u32 = 4;
/// An answer that could not be recorded is recorded this much later.
const RECORD_AGAIN: Duration = Duration::from_secs(5);
/// How long answers may take that are awaited when the server stops. Those that come later are not
/// recorded, and the message is sent again.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Carries messages to endpoints.
pub struct Courier {
    service: Arc<Service>,
    sender: Arc<Sender>,
    tasks: JoinSet<()>,
    under_way: HashMap<Id, (WebhookId, u64)>,
}

impl Courier {
    /// A courier with nothing under way.
    pub fn new(service: Arc<Service>, sender: Sender) -> Self {
        let (tasks, under_way) = (JoinSet::new(), HashMap::new());
        Self { service, sender: Arc::new(sender), tasks, under_way }
    }

    /// Sends what is due and not under way yet; does not wait for answers.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn round(&mut self) -> Result<(), Failure> {
        self.service.advance_webhooks().await?;
        for message in self.service.due_webhooks(AT_ONCE).await? {
            let key = (message.webhook, message.index);
            let busy = self.under_way.values().filter(|(webhook, _)| *webhook == key.0).count();
            if busy >= AT_ONCE as usize || self.under_way.values().any(|known| *known == key) {
                continue;
            }
            let (service, sender) = (Arc::clone(&self.service), Arc::clone(&self.sender));
            let task = self.tasks.spawn(async move {
                let heard = sender.send(&message).await;
                // Until it is recorded it counts as under way: it is not sent again.
                while let Err(failure) = service.told_webhook(&message, heard).await {
                    let (webhook, index) = (message.webhook, message.index);
                    tracing::error!(%webhook, index, error = &failure as &dyn std::error::Error, "not recorded as told");
                    tokio::time::sleep(RECORD_AGAIN).await;
                }
            });
            self.under_way.insert(task.id(), key);
        }
        Ok(())
    }

    /// Waits for one answer to be recorded; `None` when nothing is under way.
    async fn one(&mut self) -> Option<()> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.under_way.remove(&id);
        Some(())
    }

    /// Waits for everything that is under way.
    pub async fn settle(&mut self) {
        while self.one().await.is_some() {}
    }
}

/// Runs until the server stops: on one of the servers that share a database.
pub(crate) async fn run(state: &AppState) {
    let sender = match Sender::new(state.service.webhook_guard().clone()) {
        Ok(sender) => sender,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "no endpoint is told anything"
            );
            return;
        }
    };
    let mut courier = Courier::new(Arc::clone(&state.service), sender);
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut leads = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => match in_time(state.service.leads(JOB)).await {
                Ok(leading) => leads = leading,
                Err(error) => {
                    leads = false;
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot tell who tells endpoints");
                }
            },
            // There is room for another.
            Some(()) = courier.one() => {}
            () = state.stopping.cancelled() => break,
        }
        if leads && let Err(error) = in_time(courier.round()).await {
            leads = false;
            tracing::error!(error = &error as &dyn std::error::Error, "endpoints are told later");
        }
    }
    let _late = tokio::time::timeout(LAST_ANSWERS, courier.settle()).await;
}
