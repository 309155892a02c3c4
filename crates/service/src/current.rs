//! The house as it stands: read once an authority epoch, kept until the next.
//!
//! INVARIANT: I9. The epoch is asked for every time. What was decided under one that is over by the
//! time of the commit is stale, and decided anew.

use std::sync::{Arc, PoisonError, RwLock};

use domain::{Kind, Request, RequestId, Timestamp};
use store::House;
use store::read::{Recorded, Stored};
use tokio::sync::Mutex;

use crate::act::ActError;
use crate::policy::People;
use crate::{Failure, Service};

/// The house that was read last.
#[derive(Default)]
pub(crate) struct Current {
    known: RwLock<Option<Arc<House>>>,
    /// Held by whoever reads it anew, so that others wait for that instead of reading it as well.
    reading: Mutex<()>,
}

impl Current {
    fn of(&self, epoch: Option<u64>) -> Option<Arc<House>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        #[cfg(planted = "an_old_house_is_believed")]
        let epoch = known.as_ref().map_or(epoch, |house| house.epoch());
        known.as_ref().filter(|house| house.epoch() == epoch).map(Arc::clone)
    }

    fn keep(&self, house: &Arc<House>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(house));
    }
}

/// A request as it is recorded, and the house that was in force before it was read.
///
/// INVARIANT: I9. In this order: what the house says is compared when a change is committed.
pub(crate) struct Seen {
    pub house: Arc<House>,
    pub recorded: Recorded,
}

/// A request with everything that a decision on it rests on.
pub(crate) struct Decidable {
    pub stored: Stored,
    pub authority: domain::Authority,
    pub epoch: Option<u64>,
}

impl Service {
    /// The house as of an epoch that was in force when it was asked for, or later.
    pub(crate) async fn house(&self) -> Result<Arc<House>, Failure> {
        if let Some(house) = self.current.of(self.store.epoch().await?) {
            return Ok(house);
        }
        let _reading = self.current.reading.lock().await;
        if let Some(house) = self.current.of(self.store.epoch().await?) {
            return Ok(house);
        }
        let house = Arc::new(self.store.house().await?);
        self.current.keep(&house);
        Ok(house)
    }

    /// A request with what a decision on it has to be held against.
    pub(crate) async fn see(&self, id: RequestId) -> Result<Seen, ActError> {
        let house = self.house().await?;
        let recorded = self.store.record(id).await?.ok_or(ActError::NotFound)?;
        Ok(Seen { house, recorded })
    }

    /// One version of a kind; those that were replaced are read when they are asked for.
    pub(crate) async fn kind(
        &self,
        house: &House,
        name: &str,
        version: u32,
    ) -> Result<Arc<Kind>, Failure> {
        if let Some((kind, _)) = house.kind(name).filter(|(_, newest)| *newest == version) {
            return Ok(Arc::clone(kind));
        }
        let kind = self.store.kind(name, version).await?;
        let gone = || Failure::defect(format!("version {version} of kind {name} is gone"));
        kind.map(Arc::new).ok_or_else(gone)
    }

    /// What a decision about a stored request rests on now, the policy in force included.
    pub(crate) async fn decidable(
        &self,
        house: &House,
        stored: Stored,
        now: Timestamp,
    ) -> Result<Decidable, Failure> {
        let authority = self.authority(house, &stored.request, now, People::Everybody).await?;
        Ok(Decidable { stored, authority, epoch: house.epoch() })
    }

    /// Who may decide about a request now, and what the policy in force says of it and `people`.
    pub(crate) async fn authority(
        &self,
        house: &House,
        request: &Request,
        now: Timestamp,
        people: People,
    ) -> Result<domain::Authority, Failure> {
        let in_force = self.in_force(house)?;
        let ruled = self.ruled(house, &in_force, request).await?;
        // A newer policy may ask for a group that was not asked for at staging: that of the kind's
        // owners.
        let asked = ruled.iter().flat_map(|ruled| ruled.groups());
        let mut authority = house.authority(request, now, in_force.groups().iter().chain(asked));
        if let Some(ruled) = ruled {
            ruled.complete(&in_force, &mut authority, people, request);
        }
        Ok(authority)
    }
}
