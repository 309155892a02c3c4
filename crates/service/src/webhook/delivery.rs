//! Deliveries: which entries an endpoint is told of, what is sent, and what follows from the answer.
//!
//! INVARIANT: the ledger is the outbox. The cursor of an endpoint and the rows of what it is to be
//! told move in one transaction, and a row waits until an answer to it is recorded: whatever ends in
//! between is tried again under the same id (threats F10).

use domain::entry::HouseFact;
use domain::{Actor, Digest, Timestamp, WebhookId};
use standardwebhooks::Webhook as Signer;
use store::read::{Delivery, Webhook};
use store::{Change, Next, Side, Step};
use url::Url;

use super::event::EventType;
use super::secret_overlaps;
use crate::{Failure, Service, recorded};

/// The name of the job that one process does for all.
pub const JOB: &str = "webhooks";
/// How long after each failed attempt the next one comes, in seconds: the schedule that Standard
/// Webhooks proposes, some 75 hours in all. Then the message is a dead letter.
pub const DELAYS_S: [u32; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Attempts in all.
pub const MAX_ATTEMPTS: u32 = DELAYS_S.len() as u32 + 1;
/// An endpoint that says when to come back puts an attempt off by this at most.
const MAX_RETRY_AFTER_S: u64 = 24 * 3600;
/// Entries read at once.
pub(super) const STRIDE: u32 = 200;
/// Strides of one round, so that an endpoint far behind holds up nobody.
const STRIDES: usize = 10;

/// A message on its way to an endpoint.
pub struct Outgoing {
    pub webhook: WebhookId,
    pub index: u64,
    /// Attempts that were made before.
    before: u32,
    pub url: Url,
    /// `webhook-id`: the same at each attempt.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970 at this attempt.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    pub body: Vec<u8>,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Answer { status: u16, retry_after: Option<RetryAfter> },
    Nothing(Silence),
}

/// When an endpoint wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    At(Timestamp),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The guard permits no address of the endpoint.
    AddressRefused,
    TimedOut,
    Unreachable,
    /// The entry cannot be read: a defect on our side, in the server's log.
    Unreadable,
}

impl Silence {
    fn word(self) -> &'static str {
        match self {
            Self::AddressRefused => "address refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Heard {
    fn said(self) -> String {
        match self {
            Self::Answer { status, .. } => status.to_string(),
            Self::Nothing(silence) => silence.word().to_owned(),
        }
    }
}

impl Service {
    /// Whatever was recorded since the cursor of each endpoint waits to be told to it from now on.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn advance_webhooks(&self) -> Result<(), Failure> {
        for webhook in self.living_webhooks().await? {
            let mut from = webhook.cursor;
            for _ in 0..STRIDES {
                let entries = self.store.entries(from, STRIDE).await?;
                let Some(last) = entries.last() else { break };
                let to = last.index + 1;
                let wanted = wanted(&webhook, &entries)?;
                let step = Step::Advance { from, to, wanted, at: self.now() };
                self.store.side(Side::Deliver { webhook: webhook.id, step }).await?;
                from = to;
            }
        }
        Ok(())
    }

    /// What is to be sent now, at most `limit` messages to each endpoint.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn due_webhooks(&self, limit: u32) -> Result<Vec<Outgoing>, Failure> {
        let mut outgoing = Vec::new();
        for webhook in self.living_webhooks().await? {
            for due in self.store.due_deliveries(webhook.id, self.now(), limit).await? {
                match self.outgoing(&webhook, &due).await {
                    Ok(message) => outgoing.push(message),
                    Err(failure) if failure.is_temporary() => return Err(failure),
                    Err(failure) => {
                        let index = due.index;
                        tracing::error!(webhook = %webhook.id, index, error = &failure as &dyn std::error::Error, "nothing to tell");
                        let heard = Heard::Nothing(Silence::Unreadable);
                        self.attempted(webhook.id, due.index, due.attempts, heard).await?;
                    }
                }
            }
        }
        Ok(outgoing)
    }

    /// Records what came of an attempt, and when the next one is.
    ///
    /// # Errors
    /// When the store is away: the message waits and is sent again.
    pub async fn told_webhook(&self, sent: &Outgoing, heard: Heard) -> Result<(), Failure> {
        self.attempted(sent.webhook, sent.index, sent.before, heard).await
    }

    async fn attempted(
        &self,
        webhook: WebhookId,
        index: u64,
        before: u32,
        heard: Heard,
    ) -> Result<(), Failure> {
        let (at, answer) = (self.now(), heard.said());
        let next = self.next(before, heard, at)?;
        if next == Next::Dead {
            tracing::warn!(%webhook, index, answer, "a message is given up");
        }
        let step = Step::Attempted { index, before, at, answer, next };
        self.store.side(Side::Deliver { webhook, step }).await?;
        match heard {
            Heard::Answer { status: 410, .. } => self.disable_webhook(webhook).await,
            _ => Ok(()),
        }
    }

    /// What comes after the attempt that followed `before` others.
    fn next(&self, before: u32, heard: Heard, at: Timestamp) -> Result<Next, Failure> {
        let asked = match heard {
            Heard::Answer { status: 200..=299, .. } => return Ok(Next::Delivered),
            Heard::Answer { status: 410, .. } => return Ok(Next::Dead),
            Heard::Answer { status: 429 | 503, retry_after } => retry_after,
            Heard::Answer { .. } | Heard::Nothing(_) => None,
        };
        let delay = usize::try_from(before).ok().and_then(|before| DELAYS_S.get(before));
        let Some(delay) = delay else { return Ok(Next::Dead) };
        // Up to a tenth more, so that what failed at once does not come back at once.
        let mut random = [0; 2];
        self.entropy.fill(&mut random)?;
        let share = u64::from(u16::from_be_bytes(random));
        let jittered = u64::from(*delay) + u64::from(*delay) * share / 655_360;
        let asked = match asked {
            Some(RetryAfter::Seconds(seconds)) => seconds,
            Some(RetryAfter::At(then)) => u64::try_from(then.seconds_since(at)).unwrap_or(0),
            None => 0,
        };
        let seconds = jittered.max(asked.min(MAX_RETRY_AFTER_S));
        Ok(Next::At(at.plus_seconds(i64::try_from(seconds).unwrap_or(0))))
    }

    /// An endpoint that says that it is gone is told nothing any more.
    async fn disable_webhook(&self, id: WebhookId) -> Result<(), Failure> {
        if self.living_webhooks().await?.iter().any(|webhook| webhook.id == id) {
            let fact = self.fact(Actor::System, HouseFact::WebhookDisabled { webhook: id });
            self.commit(Change { facts: vec![fact], ..Change::default() }).await?;
        }
        Ok(())
    }

    /// The endpoints that are told anything still.
    pub(crate) async fn living_webhooks(&self) -> Result<Vec<Webhook>, Failure> {
        let mut webhooks = self.store.webhooks().await?;
        webhooks.retain(|webhook| webhook.disabled_at.is_none());
        Ok(webhooks)
    }

    /// The message that waits, signed for this attempt.
    async fn outgoing(&self, webhook: &Webhook, due: &Delivery) -> Result<Outgoing, Failure> {
        let gone = || Failure::defect(format!("there is no entry {}", due.index));
        let stored = self.store.entries(due.index, 1).await?.pop().ok_or_else(gone)?;
        let entry = recorded::entry(&stored.body)?;
        let event = EventType::of(&entry.fact).ok_or_else(gone)?;
        let body = self.message(&entry, event).await?;
        let timestamp = self.now().seconds();
        let id = message_id(webhook.id, &stored.leaf);
        Ok(Outgoing {
            webhook: webhook.id,
            index: due.index,
            before: due.attempts,
            // It was read when it was saved; what it names is checked when it is connected to.
            url: Url::parse(&webhook.url).map_err(Failure::defect)?,
            signature: self.signature(webhook, &id, timestamp, &body)?,
            id,
            timestamp,
            body,
        })
    }

    /// By the secret of now; for a day after a rotation by the one before too (F09).
    fn signature(
        &self,
        webhook: &Webhook,
        id: &str,
        timestamp: i64,
        body: &[u8],
    ) -> Result<String, Failure> {
        let newest = webhook.secret_version;
        let before = newest.checked_sub(1).filter(|_| secret_overlaps(webhook, self.now()));
        let sign = |version| {
            let secret = self.keys.webhook_secret(webhook.id, version).to_vec();
            let signer = Signer::from_bytes(secret).map_err(Failure::defect)?;
            signer.sign(id, timestamp, body).map_err(Failure::defect)
        };
        let signatures: Result<Vec<String>, Failure> =
            std::iter::once(newest).chain(before).map(sign).collect();
        Ok(signatures?.join(" "))
    }
}

/// Those of the entries that an endpoint is told of.
pub(super) fn wanted(
    webhook: &Webhook,
    entries: &[store::read::StoredEntry],
) -> Result<Vec<u64>, Failure> {
    let mut wanted = Vec::new();
    for stored in entries {
        let event = EventType::of(&recorded::entry(&stored.body)?.fact);
        let told = |event: EventType| {
            webhook.events.is_empty() || webhook.events.iter().any(|name| name == event.word())
        };
        if event.is_some_and(told) {
            wanted.push(stored.index);
        }
    }
    Ok(wanted)
}

/// `webhook-id`. Of endpoint and leaf, because an index can come again after a restore, as another
/// entry.
fn message_id(webhook: WebhookId, leaf: &Digest) -> String {
    let hex = Digest::of_parts(&[webhook.0.as_bytes(), &leaf.0]).hex();
    format!("msg_{}", hex.get(..32).unwrap_or(&hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f08_the_signature_is_that_of_the_published_vector() {
        let signer = Signer::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = signer.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body).unwrap();
        assert_eq!(signed, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn f10_the_id_of_a_message_follows_from_endpoint_and_entry_and_has_no_dot() {
        let (one, other) =
            (WebhookId(uuid::Uuid::from_u128(1)), WebhookId(uuid::Uuid::from_u128(2)));
        let leaf = Digest::of(b"leaf");
        assert_eq!(message_id(one, &leaf), message_id(one, &leaf));
        assert_ne!(message_id(one, &leaf), message_id(other, &leaf));
        assert_ne!(message_id(one, &leaf), message_id(one, &Digest::of(b"another")));
        assert!(!message_id(one, &leaf).contains('.'));
    }
}
