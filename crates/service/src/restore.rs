//! Going on from a backup.
//!
//! A backup does not know what came after it: a release that it has as unused may have been
//! redeemed since, and whoever it has as signed in may have signed out. So nothing of either goes
//! on (I3, threats D11, M03), and the ledger says for ever where it went on from.

use domain::entry::HouseFact;
use domain::{Actor, Command, Refusal, RequestId, StateName};
use store::Change;
use store::read::{RequestQuery, StoredCheckpoint};

use crate::act::{Act, ActError};
use crate::keys::KeyError;
use crate::ledger::LedgerError;
use crate::{Failure, Service};

/// Approved requests that are looked at together.
const ROUND: u32 = 200;

/// Why nobody can go on from a backup.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("request {id}: {problem}")]
    Request { id: RequestId, problem: ActError },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What came of it.
#[derive(Debug)]
pub struct Restored {
    /// The requests whose unused releases are void.
    pub voided: Vec<RequestId>,
    /// The checkpoint of the ledger as it goes on, which the keys have to vouch for.
    pub checkpoint: StoredCheckpoint,
}

impl Service {
    /// Ends every session and sign-in link of a restored database, voids every unused release, and
    /// writes down that it did. `checkpointed` is what the keys have vouched for until now.
    ///
    /// # Errors
    /// [`RestoreError`] when not all of it is done; the database must not be served then.
    pub async fn go_on_from_backup(
        &self,
        checkpointed: Option<u64>,
    ) -> Result<Restored, RestoreError> {
        let entries = self.store.ledger_size().await.map_err(Failure::from)?;
        let facts = vec![self.fact(Actor::System, HouseFact::Restored { entries, checkpointed })];
        let change = Change { facts, ..Change::default() };
        self.store.commit(change).await.map_err(Failure::from)?;
        let voided = self.void_releases().await?;
        let checkpoint = self.store_checkpoint().await?;
        let checkpoint = checkpoint.ok_or_else(|| Failure::defect("no checkpoint was issued"))?;
        Ok(Restored { voided, checkpoint })
    }

    /// Has the keys vouch for a restored ledger, in the place of the one they vouched for: from now
    /// on no server starts on that one any more.
    ///
    /// # Errors
    /// When the directory of the keys cannot be written.
    pub fn vouch_for(&self, checkpoint: &StoredCheckpoint) -> Result<(), KeyError> {
        self.keys.replace_newest_checkpoint(&checkpoint.note)
    }

    async fn void_releases(&self) -> Result<Vec<RequestId>, RestoreError> {
        let mut voided = Vec::new();
        loop {
            let approved = RequestQuery {
                states: vec![StateName::Approved],
                limit: ROUND,
                ..RequestQuery::default()
            };
            let approved = self.store.list(approved).await.map_err(Failure::from)?;
            if approved.is_empty() {
                return Ok(voided);
            }
            for stored in approved {
                let id = stored.request.id;
                let end = self.end_release(id).await;
                if end.map_err(|problem| RestoreError::Request { id, problem })? {
                    voided.push(id);
                }
            }
        }
    }

    /// Voids a release; one whose time is over has lapsed already, and only that is recorded.
    async fn end_release(&self, id: RequestId) -> Result<bool, ActError> {
        match self.act(Act::new(id, Actor::System, Command::Void)).await {
            Ok(_) => Ok(true),
            Err(ActError::Refused(Refusal::NotApproved { .. })) => {
                self.act(Act::new(id, Actor::System, Command::Elapse)).await.map(|_| false)
            }
            Err(error) => Err(error),
        }
    }
}
