//! Evidence as one person may see it: closed, opened with its secrets masked, or unmasked.

use domain::Kind;
use domain::revision::{EvidenceDescriptor, Revision};
use store::read::Opening;

use crate::caller::PersonCaller;
use crate::current::Decidable;
use crate::evidence::{may_unmask, opening, searched};
use crate::secret::{self, Finding};
use crate::view::{EvidenceContent, EvidenceView};
use crate::{Failure, Service};

/// Who looks at the evidence of a request, and what they opened.
pub(super) struct EvidenceDesk<'a> {
    service: &'a Service,
    kind: &'a Kind,
    opened: Vec<Opening>,
    may_unmask: bool,
}

impl<'a> EvidenceDesk<'a> {
    pub(super) async fn new(
        service: &'a Service,
        caller: &PersonCaller,
        decidable: &Decidable,
        kind: &'a Kind,
    ) -> Result<Self, Failure> {
        let opened = service.store.opened(decidable.stored.request.id, caller.id()).await?;
        Ok(Self { service, kind, opened, may_unmask: may_unmask(caller, decidable) })
    }

    pub(super) async fn views(
        &self,
        evidence: &[EvidenceDescriptor],
    ) -> Result<Vec<EvidenceView>, Failure> {
        let mut views = Vec::new();
        for item in evidence {
            views.push(self.view(item).await?);
        }
        Ok(views)
    }

    async fn view(&self, item: &EvidenceDescriptor) -> Result<EvidenceView, Failure> {
        let when = |unmasked| opening(&self.opened, item.digest, unmasked).map(|found| found.at);
        let (opened_at, unmasked_at) = (when(false), when(true));
        let (content, secrets) = match opened_at {
            Some(_) => self.content(item, unmasked_at.is_some()).await?,
            None => (None, Vec::new()),
        };
        let rule = self.kind.evidence_rule(&item.evidence_type);
        Ok(EvidenceView {
            evidence_type: item.evidence_type.clone(),
            name: item.name.clone(),
            media_type: item.media_type.clone(),
            digest: item.digest,
            size_bytes: item.size_bytes,
            source: item.source.clone(),
            collected_at: item.collected_at,
            required: rule.is_some(),
            presenter: rule.and_then(|rule| rule.presenter),
            opened_at,
            may_unmask: self.may_unmask && unmasked_at.is_none() && !secrets.is_empty(),
            secrets,
            unmasked_at,
            content,
        })
    }

    /// SECURITY: the one place where content becomes a part of a page.
    async fn content(
        &self,
        item: &EvidenceDescriptor,
        unmasked: bool,
    ) -> Result<(Option<EvidenceContent>, Vec<Finding>), Failure> {
        let Some(text) = self.service.searched_text(item).await? else {
            return Ok((Some(EvidenceContent::Download), Vec::new()));
        };
        let masked = secret::mask(&self.service.keys, &text);
        let shown = if unmasked { text } else { masked.text };
        Ok((Some(EvidenceContent::Text(shown)), masked.findings))
    }
}

impl Service {
    /// A piece's content where it is text that a page shows, checked against its digest (E11).
    async fn searched_text(&self, item: &EvidenceDescriptor) -> Result<Option<String>, Failure> {
        if !crate::evidence::is_searched(&item.media_type, item.size_bytes) {
            return Ok(None);
        }
        let bytes = self.store.evidence_bytes(item.digest).await?;
        let bytes = bytes.ok_or_else(|| Failure::defect("evidence is missing"))?;
        Ok(searched(item, &bytes).map(str::to_owned))
    }

    /// The pieces, by name, of both revisions in which other secrets are masked than before.
    ///
    /// SECURITY: a mask must not hide a difference from whoever compares two revisions.
    pub(super) async fn masked_otherwise(
        &self,
        old: &Revision,
        now: &[EvidenceDescriptor],
    ) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for item in now {
            let found = old.evidence.iter().find(|other| other.name == item.name);
            let Some(other) = found.filter(|other| other.digest != item.digest) else { continue };
            let (then, now) = (self.searched_text(other).await?, self.searched_text(item).await?);
            let tags = |text: Option<String>| {
                text.map(|text| secret::tags(&self.keys, &text)).unwrap_or_default()
            };
            if tags(then) != tags(now) {
                names.push(item.name.clone());
            }
        }
        Ok(names)
    }
}
