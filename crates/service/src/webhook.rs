//! Webhooks: endpoints that are told of what happens, and who keeps them.
//!
//! Administrators add, rotate and remove endpoints; each of it is a fact. An endpoint hears, it has
//! no say: nothing that it answers changes a request (I10).

pub mod delivery;
pub mod event;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::entry::HouseFact;
use domain::{Timestamp, WebhookId, name};
use store::read::{DeliveryState, Webhook};
use store::{NewFact, Side, Step, StoreError};

use crate::caller::{PersonCaller, Steward};
use crate::guard::BadUrl;
use crate::house::HouseError;
use crate::view::{DeliveryRow, WebhookRow, WebhooksView};
use crate::{Failure, Service, recorded};
use event::EventType;

/// Endpoints of one house.
const MAX_WEBHOOKS: usize = 20;
/// After a rotation messages are signed with the secret before, too, for a day.
pub const OVERLAP_S: i64 = 24 * 3600;
/// Deliveries of an endpoint that are shown.
const SHOWN: u32 = 20;
/// Entries that one replay looks at.
pub const MAX_REPLAY: u64 = 10_000;

/// Why an endpoint is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error(transparent)]
    House(#[from] HouseError),
    #[error("the address {0}")]
    Url(#[from] BadUrl),
    #[error("there is no type of event `{0}`; docs/webhooks.md lists them")]
    NoSuchEvent(String),
    #[error("a house has at most {MAX_WEBHOOKS} endpoints; remove one first")]
    TooMany,
    #[error("there is no such endpoint any more")]
    NotThere,
    #[error("this endpoint answered that it is gone (410); remove it and add it anew")]
    Disabled,
    #[error("a replay goes from one entry to a later one, over at most {MAX_REPLAY} entries")]
    Range,
}

impl From<Failure> for WebhookError {
    fn from(failure: Failure) -> Self {
        Self::House(failure.into())
    }
}

impl From<StoreError> for WebhookError {
    fn from(error: StoreError) -> Self {
        Self::House(error.into())
    }
}

/// A secret in clear, to show it once. It is kept nowhere: it follows from the key.
pub struct Secret([u8; 32]);

impl Secret {
    /// As receivers configure it.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("whsec_[redacted]")
    }
}

/// What is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// What was given up.
    Dead,
    /// Entries from one to another, both included, whether or not they were told before.
    Range(u64, u64),
}

impl Service {
    /// Adds an endpoint, which is told of what is recorded from now on. `events` names types; none
    /// stands for all.
    ///
    /// # Errors
    /// [`WebhookError`] says what is wrong with it.
    pub async fn add_webhook(
        &self,
        by: &Steward,
        called: &str,
        url: &str,
        events: &[&str],
    ) -> Result<(WebhookId, Secret), WebhookError> {
        let epoch = self.epoch().await?;
        name::check(called).map_err(HouseError::from)?;
        let url = self.webhook_guard.read(url)?;
        if let Some(unknown) = events.iter().find(|word| EventType::from_word(word).is_none()) {
            return Err(WebhookError::NoSuchEvent((*unknown).to_owned()));
        }
        if self.store.webhooks().await?.len() >= MAX_WEBHOOKS {
            return Err(WebhookError::TooMany);
        }
        let webhook = WebhookId(self.entropy.id(self.now())?);
        let (commitment, text) = self.committed_text("url", url.as_str())?;
        let added = HouseFact::WebhookAdded {
            webhook,
            name: called.to_owned(),
            url: commitment,
            events: events.iter().map(|word| (*word).to_owned()).collect(),
            from: self.store.ledger_size().await?,
        };
        let fact = NewFact { texts: vec![text], ..self.fact(by.actor(), added) };
        self.authority_change(by, epoch, vec![fact], Vec::new()).await?;
        Ok((webhook, Secret(self.keys.webhook_secret(webhook, 1))))
    }

    /// Gives an endpoint a new secret. The one before signs too, for a day.
    ///
    /// # Errors
    /// `NotThere` when it was removed.
    pub async fn rotate_webhook(
        &self,
        by: &Steward,
        id: WebhookId,
    ) -> Result<(String, Secret), WebhookError> {
        let epoch = self.epoch().await?;
        let webhook = self.webhook(id).await?;
        let version = webhook.secret_version + 1;
        let rotated = HouseFact::WebhookSecretRotated { webhook: id, version };
        let fact = self.fact(by.actor(), rotated);
        self.authority_change(by, epoch, vec![fact], Vec::new()).await?;
        Ok((webhook.name, Secret(self.keys.webhook_secret(id, version))))
    }

    /// Removes an endpoint with everything that waits for it.
    ///
    /// # Errors
    /// `NotThere` when it was removed already.
    pub async fn remove_webhook(&self, by: &Steward, id: WebhookId) -> Result<(), WebhookError> {
        let epoch = self.epoch().await?;
        self.webhook(id).await?;
        let fact = self.fact(by.actor(), HouseFact::WebhookRemoved { webhook: id });
        Ok(self.authority_change(by, epoch, vec![fact], Vec::new()).await?)
    }

    /// Has an endpoint told again, each message under the id that it had.
    ///
    /// # Errors
    /// `Range` where it is none or too long; `Disabled` and `NotThere` where nobody hears it.
    pub async fn replay_webhook(
        &self,
        by: &Steward,
        id: WebhookId,
        replay: Replay,
    ) -> Result<(), WebhookError> {
        self.expect_steward(by).await?;
        let webhook = self.webhook(id).await?;
        if webhook.disabled_at.is_some() {
            return Err(WebhookError::Disabled);
        }
        let at = self.now();
        let (from, to) = match replay {
            Replay::Dead => {
                let step = Step::ReplayDead { at };
                return Ok(self.store.side(Side::Deliver { webhook: id, step }).await?);
            }
            Replay::Range(from, to) => (from, to),
        };
        if to.checked_sub(from).is_none_or(|more| more >= MAX_REPLAY) {
            return Err(WebhookError::Range);
        }
        let mut next = from;
        while next <= to {
            let entries = self.store.entries(next, delivery::STRIDE).await?;
            let Some(last) = entries.last().map(|last| last.index) else { break };
            let mut wanted = delivery::wanted(&webhook, &entries)?;
            wanted.retain(|index| *index <= to);
            let step = Step::Replay { wanted, at };
            self.store.side(Side::Deliver { webhook: id, step }).await?;
            next = last + 1;
        }
        Ok(())
    }

    /// The endpoints, and how far each was told; only for administrators.
    ///
    /// # Errors
    /// `House(NotAdministrator)` for anybody else; when the store is away.
    pub async fn webhooks_view(&self, caller: &PersonCaller) -> Result<WebhooksView, WebhookError> {
        if !caller.is_administrator() {
            return Err(HouseError::NotAdministrator.into());
        }
        let now = self.now();
        let mut rows = Vec::new();
        for webhook in self.store.webhooks().await? {
            let counts = self.store.delivery_counts(webhook.id).await?;
            let count = |wanted: DeliveryState| {
                let found = counts.iter().find(|(state, _)| *state == wanted);
                found.map_or(0, |(_, count)| *count)
            };
            let deliveries = self.store.deliveries(webhook.id, SHOWN).await?;
            rows.push(WebhookRow {
                waiting: count(DeliveryState::Waiting),
                dead: count(DeliveryState::Dead),
                overlap_until: secret_overlaps(&webhook, now)
                    .then(|| webhook.rotated_at.map(|at| at.plus_seconds(OVERLAP_S)))
                    .flatten(),
                id: webhook.id,
                name: webhook.name,
                url: webhook.url,
                events: webhook.events,
                added_at: webhook.added_at,
                disabled_at: webhook.disabled_at,
                deliveries: self.delivery_rows(deliveries).await?,
            });
        }
        let events = EventType::ALL.iter().map(|one| (one.word(), one.when())).collect();
        Ok(WebhooksView { now, webhooks: rows, events })
    }

    async fn delivery_rows(
        &self,
        deliveries: Vec<store::read::Delivery>,
    ) -> Result<Vec<DeliveryRow>, Failure> {
        let mut rows = Vec::new();
        for delivery in deliveries {
            let stored = self.store.entries(delivery.index, 1).await?.pop();
            let entry = stored.as_ref().map(|stored| recorded::entry(&stored.body)).transpose()?;
            let fact = entry.map(|entry| entry.fact);
            rows.push(DeliveryRow {
                index: delivery.index,
                event: fact.as_ref().and_then(EventType::of).map_or("", EventType::word),
                state: delivery.state.as_str(),
                attempts: delivery.attempts,
                answer: delivery.answer,
                last_at: delivery.last_at,
                next_at: delivery.next_at,
            });
        }
        Ok(rows)
    }

    async fn webhook(&self, id: WebhookId) -> Result<Webhook, WebhookError> {
        let found = self.store.webhooks().await?.into_iter().find(|webhook| webhook.id == id);
        found.ok_or(WebhookError::NotThere)
    }
}

/// Whether the secret before the newest one still signs.
fn secret_overlaps(webhook: &Webhook, now: Timestamp) -> bool {
    webhook.rotated_at.is_some_and(|at| now < at.plus_seconds(OVERLAP_S))
}
