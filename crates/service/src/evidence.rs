//! Evidence: what agents name, and people open.
//!
//! What a request shows for its case stands in its revision; what its executor shows for how it ended
//! stands in the report's entry. To people both are opened alike, and each opening is recorded.

use domain::entry::{Entry, Fact, HouseFact};
use domain::revision::{EvidenceDescriptor, Revision};
use domain::stage::EvidenceItem;
use domain::{AgentId, Digest, RequestId};
use store::read::{Opening, StoredEntry};
use store::{Change, Write};

use crate::act::ActError;
use crate::caller::{AgentCaller, PersonCaller};
use crate::current::Decidable;
use crate::secret::{self, MAX_SEARCHED_BYTES};
use crate::{Failure, Service, recorded};

/// Evidence as a download.
#[derive(Debug)]
pub struct Download {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Service {
    /// What this agent uploaded, as it came. Somebody else's digest is an unknown digest.
    ///
    /// # Errors
    /// When the store is away, or has something else under the digest.
    pub async fn uploaded_evidence(
        &self,
        caller: &AgentCaller,
        digest: Digest,
    ) -> Result<Option<Vec<u8>>, Failure> {
        if self.store.evidence_size(caller.agent, digest).await?.is_none() {
            return Ok(None);
        }
        Ok(self.store.evidence_bytes(digest).await?)
    }

    /// Records that a person opened a piece of evidence; from then on the page shows it to them, with
    /// what looks like a secret masked. Answers with its place among the request's evidence.
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
        let (position, _) = self.piece(id, &sealed.revision, evidence).await?;
        if !self.has_opened(caller, id, evidence, false).await? {
            let fact = HouseFact::EvidenceOpened {
                revision: stored.request.revision,
                evidence,
                unmasked: false,
            };
            self.record_opening(caller, id, fact, None).await?;
        }
        Ok(position)
    }

    /// Records that a person had shown what is masked in a piece that they opened; from then on the
    /// page and the download give it to them as it was uploaded.
    ///
    /// # Errors
    /// `NotFound` also when it was not opened before, and for whoever has no say in the request.
    pub async fn unmask_evidence(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        evidence: Digest,
    ) -> Result<usize, ActError> {
        let house = self.house().await?;
        let (stored, sealed) = self.visible_revision(caller, id).await?;
        let (position, _) = self.piece(id, &sealed.revision, evidence).await?;
        let decidable = self.decidable(&house, stored, self.now()).await?;
        let opened = self.has_opened(caller, id, evidence, false).await?;
        if !opened || !may_unmask(caller, &decidable) {
            return Err(ActError::NotFound);
        }
        if !self.has_opened(caller, id, evidence, true).await? {
            let revision = decidable.stored.request.revision;
            let fact = HouseFact::EvidenceOpened { revision, evidence, unmasked: true };
            // INVARIANT: I9. Whoever lost their say in between is not shown it.
            self.record_opening(caller, id, fact, decidable.epoch).await?;
        }
        Ok(position)
    }

    async fn record_opening(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        fact: HouseFact,
        expected_epoch: Option<u64>,
    ) -> Result<(), ActError> {
        let mut fact = self.fact(caller.actor(), fact);
        fact.request = Some(id);
        let change = Change { facts: vec![fact], expected_epoch, ..Change::default() };
        self.store.commit(change).await?;
        Ok(())
    }

    async fn has_opened(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        evidence: Digest,
        unmasked: bool,
    ) -> Result<bool, Failure> {
        let opened = self.store.opened(id, caller.id()).await?;
        Ok(opening(&opened, evidence, unmasked).is_some())
    }

    /// A piece of evidence that the person has opened before, as it was uploaded.
    ///
    /// # Errors
    /// `NotFound` also when it was not opened, or something in it is masked to this person: a download
    /// is not a way round the record.
    pub async fn download_evidence(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        evidence: Digest,
    ) -> Result<Download, ActError> {
        let (_, sealed) = self.visible_revision(caller, id).await?;
        let (_, item) = self.piece(id, &sealed.revision, evidence).await?;
        if !self.has_opened(caller, id, evidence, false).await? {
            return Err(ActError::NotFound);
        }
        let bytes = self.store.evidence_bytes(evidence).await?.ok_or(ActError::NotFound)?;
        let masks = searched(&item, &bytes).is_some_and(|text| !secret::find(text).is_empty());
        if masks && !self.has_opened(caller, id, evidence, true).await? {
            return Err(ActError::NotFound);
        }
        Ok(Download { name: item.name, bytes })
    }

    /// A piece of the request's evidence, and its place: those of the revision, then those reported.
    async fn piece(
        &self,
        id: RequestId,
        revision: &Revision,
        digest: Digest,
    ) -> Result<(usize, EvidenceDescriptor), ActError> {
        let mut all = revision.evidence.clone();
        if all.iter().all(|item| item.digest != digest) {
            let entries = read(self.store.entries_of(id).await?)?;
            all.extend(entries.iter().flat_map(|(_, entry)| reported(entry).iter().cloned()));
        }
        let mut pieces = all.into_iter().enumerate();
        pieces.find(|(_, item)| item.digest == digest).ok_or(ActError::NotFound)
    }

    /// The descriptor of a piece of evidence that an agent names; inline content is put aside to be
    /// stored. `None` for a digest of what the agent did not upload.
    pub(crate) async fn resolve_evidence(
        &self,
        caller: &AgentCaller,
        item: &EvidenceItem,
        inline: &mut Vec<Vec<u8>>,
    ) -> Result<Option<EvidenceDescriptor>, Failure> {
        let found = match (&item.content, item.digest) {
            (Some(content), _) => {
                let bytes = content.as_bytes().to_vec();
                let found = (Digest::of(&bytes), bytes.len() as u64);
                inline.push(bytes);
                Some(found)
            }
            (None, Some(digest)) => {
                let size = self.store.evidence_size(caller.agent, digest).await?;
                size.map(|size| (digest, size))
            }
            (None, None) => None,
        };
        Ok(found.map(|(digest, size_bytes)| EvidenceDescriptor {
            evidence_type: item.evidence_type.clone(),
            name: item.name.clone(),
            media_type: item.media_type.clone(),
            digest,
            size_bytes,
            source: item.source.clone(),
            collected_at: item.collected_at,
        }))
    }
}

/// Inline content as it is stored, for the agent that sent it.
pub(crate) fn stored(agent: AgentId, inline: Vec<Vec<u8>>) -> Vec<Write> {
    let write = |bytes: Vec<u8>| Write::Evidence { agent, digest: Digest::of(&bytes), bytes };
    inline.into_iter().map(write).collect()
}

/// Who may have shown what is masked: whoever may decide on the request, and auditors, who look at
/// what was decided. Nobody whom I1 excludes: an agent's owner reads it where the agent does.
pub(crate) fn may_unmask(caller: &PersonCaller, decidable: &Decidable) -> bool {
    let (request, authority) = (&decidable.stored.request, &decidable.authority);
    let audits = caller.is_auditor() && authority.exclusion(request, caller.id()).is_none();
    audits || authority.ineligible(request, caller.id()).is_none()
}

/// When a piece was opened, as it is shown or unmasked.
pub(crate) fn opening(opened: &[Opening], digest: Digest, unmasked: bool) -> Option<Opening> {
    let wanted = |opening: &&Opening| opening.digest == digest && opening.unmasked == unmasked;
    opened.iter().find(wanted).copied()
}

/// The content as text, where it is short enough to be shown and looked through.
pub(crate) fn searched<'a>(item: &EvidenceDescriptor, bytes: &'a [u8]) -> Option<&'a str> {
    let searched = is_searched(&item.media_type, item.size_bytes);
    searched.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// Whether content that says to be of this type is text for a page, and looked through for secrets.
pub(crate) fn is_searched(media_type: &str, size_bytes: u64) -> bool {
    let is_text = media_type.starts_with("text/") || media_type == "application/json";
    is_text && size_bytes <= MAX_SEARCHED_BYTES
}

/// Entries with what they say.
pub(crate) fn read(stored: Vec<StoredEntry>) -> Result<Vec<(StoredEntry, Entry)>, Failure> {
    let one = |stored: StoredEntry| {
        let entry = recorded::entry(&stored.body)?;
        Ok((stored, entry))
    };
    stored.into_iter().map(one).collect()
}

/// The evidence that an entry brings, where it is a report.
pub(crate) fn reported(entry: &Entry) -> &[EvidenceDescriptor] {
    match &entry.fact {
        Fact::Request(fact) => fact.evidence(),
        Fact::House(_) => &[],
    }
}
