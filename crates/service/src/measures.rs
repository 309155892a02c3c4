//! Measures: what an operator watches of the whole house, as numbers and no names.

use std::collections::BTreeMap;

use domain::StateName;
use store::read::DeliveryState;

use crate::{Failure, Service};

/// How much there is of what, now.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Requests by state, those of no request with 0.
    pub requests: Vec<(StateName, u64)>,
    pub ledger_entries: u64,
    /// How many of them the newest checkpoint covers.
    pub checkpoint_entries: u64,
    /// What endpoints are still to be told, or were not told in the end.
    pub deliveries: BTreeMap<&'static str, u64>,
}

impl Service {
    /// Counts.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn measures(&self) -> Result<Measures, Failure> {
        let counted = self.store.counts().await?;
        let of = |state| counted.iter().find(|(is, _)| *is == state).map_or(0, |(_, count)| *count);
        let requests = StateName::ALL.iter().map(|state| (*state, of(*state))).collect();
        let ledger_entries = self.store.ledger_size().await?;
        let newest = self.store.newest_checkpoint().await?;
        let watched = [DeliveryState::Waiting, DeliveryState::Dead];
        let mut deliveries: BTreeMap<_, _> =
            watched.iter().map(|state| (state.as_str(), 0)).collect();
        for webhook in self.living_webhooks().await? {
            for (state, count) in self.store.delivery_counts(webhook.id).await? {
                if let Some(sum) = deliveries.get_mut(state.as_str()) {
                    *sum += count;
                }
            }
        }
        let checkpoint_entries = newest.map_or(0, |newest| newest.size);
        Ok(Measures { requests, ledger_entries, checkpoint_entries, deliveries })
    }
}
