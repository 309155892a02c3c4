//! The house as it stands: read once an authority epoch, kept until the next.
//!
//! INVARIANT: I9. The epoch is asked for every time. What was decided under one that is over by the
//! time of the commit is stale, and decided anew.

use std::sync::Arc;

use domain::{Kind, Request, Timestamp};
use store::House;
use store::read::Stored;
use tokio::sync::Mutex;

use crate::policy::People;
use crate::{Failure, Service};

/// The house that was read last.
#[derive(Default)]
pub(crate) struct Current(Mutex<Option<Arc<House>>>);

/// A request with everything that a decision on it rests on.
pub(crate) struct Decidable {
    pub stored: Stored,
    pub authority: domain::Authority,
    pub epoch: Option<u64>,
}

impl Service {
    /// The house as of an epoch that was in force when it was asked for, or later.
    pub(crate) async fn house(&self) -> Result<Arc<House>, Failure> {
        // Whoever comes while it is being read waits for that instead of reading it as well.
        let mut known = self.current.0.lock().await;
        let epoch = self.store.epoch().await?;
        if let Some(house) = known.as_ref().filter(|house| house.epoch() == epoch) {
            return Ok(Arc::clone(house));
        }
        let house = Arc::new(self.store.house().await?);
        *known = Some(Arc::clone(&house));
        Ok(house)
    }

    /// One version of a kind; those that were replaced are read when they are asked for.
    pub(crate) async fn kind(
        &self,
        house: &House,
        name: &str,
        version: u32,
    ) -> Result<Kind, Failure> {
        if let Some((kind, _)) = house.kind(name).filter(|(_, newest)| *newest == version) {
            return Ok(kind.clone());
        }
        let kind = self.store.kind(name, version).await?;
        kind.ok_or_else(|| Failure::defect(format!("version {version} of kind {name} is gone")))
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
