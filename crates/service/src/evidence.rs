//! Evidence: uploaded by agents, opened by people.

use domain::entry::HouseFact;
use domain::{Digest, RequestId};
use store::{Change, Side};

use crate::act::ActError;
use crate::admission::UploadError;
use crate::caller::{AgentCaller, PersonCaller};
use crate::{Failure, Service};

/// The largest piece of evidence: 10 MiB.
pub const MAX_EVIDENCE_BYTES: usize = 10 * 1024 * 1024;

/// Evidence as a download.
#[derive(Debug)]
pub struct Download {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Service {
    /// Keeps an upload under its digest. An agent can refer only to what it uploaded itself.
    ///
    /// # Errors
    /// When the agent has left too much unused, or the store is away.
    pub async fn upload_evidence(
        &self,
        caller: &AgentCaller,
        bytes: Vec<u8>,
    ) -> Result<Digest, UploadError> {
        let digest = Digest::of(&bytes);
        self.admit_upload(caller, digest, bytes.len() as u64).await?;
        let at = self.now();
        let side = Side::Evidence { agent: caller.agent, digest, bytes, at };
        self.store.side(side).await.map_err(Failure::from)?;
        Ok(digest)
    }

    /// Records that a person opened a piece of evidence; from then on the page shows it to them.
    ///
    /// # Errors
    /// `NotFound` when the request has no such evidence, or the person may not see the request.
    pub async fn open_evidence(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        evidence: Digest,
    ) -> Result<usize, ActError> {
        let (stored, sealed) = self.visible_revision(caller, id).await?;
        let position = sealed.revision.evidence.iter().position(|item| item.digest == evidence);
        let position = position.ok_or(ActError::NotFound)?;
        let opened = self.store.opened(id, caller.id()).await?;
        if opened.iter().all(|(digest, _)| *digest != evidence) {
            let revision = stored.request.revision;
            let mut fact =
                self.fact(caller.actor(), HouseFact::EvidenceOpened { revision, evidence });
            fact.request = Some(id);
            self.store.commit(Change { facts: vec![fact], ..Change::default() }).await?;
        }
        Ok(position)
    }

    /// A piece of evidence that the person has opened before.
    ///
    /// # Errors
    /// `NotFound` also when it was not opened: a download is not a way round the record.
    pub async fn download_evidence(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        evidence: Digest,
    ) -> Result<Download, ActError> {
        let (_, sealed) = self.visible_revision(caller, id).await?;
        let item = sealed.revision.evidence.into_iter().find(|item| item.digest == evidence);
        let item = item.ok_or(ActError::NotFound)?;
        let opened = self.store.opened(id, caller.id()).await?;
        if opened.iter().all(|(digest, _)| *digest != evidence) {
            return Err(ActError::NotFound);
        }
        let bytes = self.store.evidence_bytes(evidence).await?.ok_or(ActError::NotFound)?;
        Ok(Download { name: item.name, bytes })
    }
}
