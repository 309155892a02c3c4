//! The sweeper: writes down what time has done already, and clears what nobody needs.
//!
//! Nothing rests on it: expiry is a rule of `apply` and of every read. It makes the fact.

use domain::{Actor, Command, RequestId};
use store::Side;

use crate::act::{Act, ActError};
use crate::{Failure, Service};

/// The sweeper's name among the jobs that one process does for all.
pub const JOB: &str = "sweep";
/// Requests that one round takes on.
const ROUND: u32 = 200;
/// Evidence that nothing refers to is kept for a day.
pub(crate) const EVIDENCE_KEPT_S: i64 = 24 * 3600;
/// What was received of an upload that did not end, because a server was killed, is kept for an hour.
const CONTENTS_KEPT_S: i64 = 3600;
/// What was delivered to endpoints is shown for a week, what was given up for a month.
const DELIVERED_KEPT_S: i64 = 7 * 24 * 3600;
const DEAD_KEPT_S: i64 = 30 * 24 * 3600;

impl Service {
    /// Records every timer that has fired; answers with how many.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn sweep(&self) -> Result<usize, Failure> {
        let mut recorded = 0;
        for id in self.store.due(self.now(), ROUND).await? {
            // One request that cannot be read must not stop the others.
            match self.elapse(id).await {
                Ok(elapsed) => recorded += usize::from(elapsed),
                Err(error) => {
                    tracing::error!(request = %id, error = &error as &dyn std::error::Error, "not swept");
                }
            }
        }
        Ok(recorded)
    }

    async fn elapse(&self, id: RequestId) -> Result<bool, Failure> {
        match self.act(Act::new(id, Actor::System, Command::Elapse)).await {
            Ok(_) => Ok(true),
            Err(ActError::Failed(failure)) => Err(failure),
            // Somebody was faster; the fact is there, or no timer is due.
            Err(
                ActError::Refused(_)
                | ActError::NotFound
                | ActError::KeyReused
                | ActError::KeyDead
                | ActError::OutsideScope(_),
            ) => Ok(false),
        }
    }

    /// Removes expired sessions and links, uploads that nothing refers to after a day, and old
    /// deliveries to endpoints.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn clear(&self) -> Result<(), Failure> {
        let now = self.now();
        let sweep = Side::Sweep {
            now,
            evidence_before: now.plus_seconds(-EVIDENCE_KEPT_S),
            contents_before: now.plus_seconds(-CONTENTS_KEPT_S),
            delivered_before: now.plus_seconds(-DELIVERED_KEPT_S),
            dead_before: now.plus_seconds(-DEAD_KEPT_S),
        };
        Ok(self.store.side(sweep).await?)
    }
}
