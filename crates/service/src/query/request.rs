//! One request whole: the page on which people decide.

use domain::commitment::SALT_BYTES;
use domain::entry::{Attempt, Entry, Fact, HouseFact};
use domain::revision::Revision;
use domain::{
    Commitment, Ineligible, Kind, Request, RequestFact, RequestId, Review, State, StateName,
    Verdict, binding_code, quorum,
};
use serde_json::{Value, json};
use store::read::{Decidable, StoredEntry};

use crate::act::ActError;
use crate::caller::PersonCaller;
use crate::query::Names;
use crate::view::{
    DecisionView, EvidenceContent, EvidenceView, OutcomeView, RequestView, RequirementView,
    TimelineFact, TimelineItem,
};
use crate::{Failure, Service};

/// The most text of one piece of evidence that a page shows; more is to be downloaded.
const MAX_SHOWN_BYTES: u64 = 256 * 1024;

impl Service {
    /// Everything about one request, as this person may see it.
    ///
    /// # Errors
    /// `NotFound` also when the person may not know of it.
    pub async fn request_view(
        &self,
        caller: &PersonCaller,
        id: RequestId,
    ) -> Result<RequestView, ActError> {
        let (_, sealed) = self.visible_revision(caller, id).await?;
        let now = self.now();
        let decidable = self.store.load_decidable(id, now).await?.ok_or(ActError::NotFound)?;
        let request = &decidable.stored.request;
        let names = self.names().await?;
        let kind = self.store.kind(&request.kind.name, Some(request.kind.version)).await?;
        let (kind, _) = kind.ok_or_else(|| Failure::defect("the kind of a request is gone"))?;
        let timeline = self.timeline(&names, &sealed.revision, id).await?;
        let outcome = outcome(&timeline);
        let revision = sealed.revision;
        let evidence = self.evidence_views(caller, id, &kind, &revision).await?;
        Ok(RequestView {
            now,
            id,
            version: decidable.stored.version,
            revision: request.revision,
            digest: request.digest,
            content_digest: request.content_digest,
            binding_code: binding_code::binding_code(&request.digest),
            state: request.state_at(now),
            effect: kind.effect_of(&revision.parameters, &revision.environment),
            kind: request.kind.clone(),
            kind_title: kind.title,
            reversible: kind.reversible,
            reversal_note: kind.reversal_note,
            risk: request.risk.clone(),
            agent: names.agent(request.agent),
            executor: names.agent(request.executor),
            on_behalf_of: revision.on_behalf_of.map(|person| names.person(person)),
            staged_at: request.staged_at,
            review_deadline: request.review_deadline,
            window: request.window,
            action: action(&revision),
            canonical: String::from_utf8(sealed.bytes).map_err(Failure::defect)?,
            evidence,
            requirements: requirements(&decidable, &names),
            excluded: excluded(&decidable, &names),
            timeline,
            decision: self.decision(caller, &decidable),
            your_verdict: own_review(caller, request).map(|review| review.verdict),
            outcome,
            claimed_risk: revision.risk,
            environment: revision.environment,
            targets: revision.targets,
            ticket: revision.ticket,
            summary: revision.summary,
            justification: revision.justification,
            rollback_plan: revision.rollback_plan,
        })
    }

    /// What tells an open page that it shows something old: the request's version.
    ///
    /// # Errors
    /// `NotFound` as for the page itself.
    pub async fn request_version(
        &self,
        caller: &PersonCaller,
        id: RequestId,
    ) -> Result<u64, ActError> {
        Ok(self.visible_revision(caller, id).await?.0.version)
    }

    fn decision(&self, caller: &PersonCaller, decidable: &Decidable) -> DecisionView {
        let request = &decidable.stored.request;
        if request.state_at(self.now()).name() != StateName::Pending {
            return DecisionView::Over;
        }
        if let Some(why) = decidable.authority.ineligible(request, caller.id()) {
            return DecisionView::NotYou(why);
        }
        match own_review(caller, request) {
            Some(review) => DecisionView::Reviewed { verdict: review.verdict, at: review.at },
            None => DecisionView::Open {
                shown: self.shown_token(request.id, request.digest, caller.id()),
            },
        }
    }

    async fn evidence_views(
        &self,
        caller: &PersonCaller,
        id: RequestId,
        kind: &Kind,
        revision: &Revision,
    ) -> Result<Vec<EvidenceView>, Failure> {
        let opened = self.store.opened(id, caller.id()).await?;
        let mut views = Vec::new();
        for item in &revision.evidence {
            let opened_at =
                opened.iter().find(|(digest, _)| *digest == item.digest).map(|(_, at)| *at);
            let content = match opened_at {
                Some(_) if item.size_bytes <= MAX_SHOWN_BYTES => {
                    let bytes = self.store.evidence_bytes(item.digest).await?;
                    let bytes = bytes.ok_or_else(|| Failure::defect("evidence is missing"))?;
                    Some(shown(&item.media_type, bytes))
                }
                Some(_) => Some(EvidenceContent::Download),
                None => None,
            };
            views.push(EvidenceView {
                evidence_type: item.evidence_type.clone(),
                name: item.name.clone(),
                media_type: item.media_type.clone(),
                digest: item.digest,
                size_bytes: item.size_bytes,
                source: item.source.clone(),
                collected_at: item.collected_at,
                required: kind.required_evidence.contains(&item.evidence_type),
                opened_at,
                content,
            });
        }
        Ok(views)
    }

    async fn timeline(
        &self,
        names: &Names,
        revision: &Revision,
        id: RequestId,
    ) -> Result<Vec<TimelineItem>, Failure> {
        let mut items = Vec::new();
        for stored in self.store.entries_of(id).await? {
            items.extend(timeline_item(names, revision, &stored)?);
        }
        Ok(items)
    }
}

/// The viewer's own standing review.
fn own_review<'a>(caller: &PersonCaller, request: &'a Request) -> Option<&'a Review> {
    request.reviews.iter().find(|review| review.reviewer == caller.id())
}

fn timeline_item(
    names: &Names,
    revision: &Revision,
    stored: &StoredEntry,
) -> Result<Option<TimelineItem>, Failure> {
    let entry: Entry = serde_json::from_slice(&stored.body).map_err(Failure::defect)?;
    let what = match &entry.fact {
        // The review that denied says it, with its justification.
        Fact::Request(RequestFact::RequestDenied { .. }) => return Ok(None),
        Fact::Request(fact) => request_line(fact),
        Fact::House(HouseFact::EvidenceOpened { evidence, .. }) => {
            let item = revision.evidence.iter().find(|item| item.digest == *evidence);
            let name = item.map_or_else(|| evidence.to_string(), |item| item.name.clone());
            TimelineFact::EvidenceOpened { name }
        }
        Fact::House(HouseFact::AttemptRefused { attempt, code }) => {
            let attempt = match attempt {
                Attempt::Review => "review",
                Attempt::Redeem => "redeem",
            };
            TimelineFact::Refused { attempt, code: code.clone() }
        }
        Fact::House(other) => {
            return Err(Failure::defect(format!("{other:?} belongs to no request")));
        }
    };
    let text = commitment(&entry.fact).and_then(|commitment| opened_text(stored, &commitment));
    let actor = names.actor(entry.actor);
    Ok(Some(TimelineItem { at: entry.at, index: entry.index, actor, what, text }))
}

fn request_line(fact: &RequestFact) -> TimelineFact {
    match fact {
        RequestFact::RequestStaged(staged) => TimelineFact::Staged { revision: staged.revision },
        RequestFact::ReviewRecorded { verdict: Verdict::Approve, .. } => TimelineFact::Approved,
        RequestFact::ReviewRecorded { verdict: Verdict::Deny, .. }
        | RequestFact::RequestDenied { .. } => TimelineFact::Denied,
        RequestFact::RequestApproved { approved_until, seats, .. } => {
            TimelineFact::QuorumMet { until: *approved_until, seats: seats.clone() }
        }
        RequestFact::RequestExpired { .. } => TimelineFact::Expired,
        RequestFact::RequestWithdrawn { .. } => TimelineFact::Withdrawn,
        RequestFact::QuorumLost { .. } => TimelineFact::QuorumLost,
        RequestFact::ReleaseRedeemed { .. } => TimelineFact::Redeemed,
        RequestFact::ReleaseLapsed { .. } => TimelineFact::Lapsed,
        RequestFact::OutcomeReported { outcome, .. } => {
            TimelineFact::Reported { outcome: *outcome }
        }
    }
}

fn commitment(fact: &Fact) -> Option<Commitment> {
    match fact {
        Fact::Request(RequestFact::ReviewRecorded { justification, .. }) => Some(*justification),
        Fact::Request(RequestFact::OutcomeReported { summary, .. }) => Some(*summary),
        Fact::Request(_) | Fact::House(_) => None,
    }
}

/// The text behind a commitment; only if it is what was committed to.
fn opened_text(stored: &StoredEntry, commitment: &Commitment) -> Option<String> {
    stored.texts.iter().find_map(|(_, salt, text)| {
        let salt: [u8; SALT_BYTES] = salt.as_slice().try_into().ok()?;
        commitment.opens_to(&salt, text).then(|| text.clone())
    })
}

fn outcome(timeline: &[TimelineItem]) -> Option<OutcomeView> {
    timeline.iter().rev().find_map(|item| match item.what {
        TimelineFact::Reported { outcome } => {
            Some(OutcomeView { outcome, at: item.at, summary: item.text.clone() })
        }
        _ => None,
    })
}

/// What will run, without the words around it.
fn action(revision: &Revision) -> Value {
    let parts = [
        ("parameters", json!(revision.parameters)),
        ("targets", json!(revision.targets)),
        ("environment", json!(revision.environment)),
        ("command", json!(revision.command)),
        ("window", json!(revision.window)),
    ];
    let given = parts.into_iter().filter(|(_, part)| !part.is_null());
    Value::Object(given.map(|(name, part)| (name.to_owned(), part)).collect())
}

fn shown(media_type: &str, bytes: Vec<u8>) -> EvidenceContent {
    let is_text = media_type.starts_with("text/") || media_type == "application/json";
    match String::from_utf8(bytes) {
        Ok(text) if is_text => EvidenceContent::Text(text),
        _ => EvidenceContent::Download,
    }
}

fn requirements(decidable: &Decidable, names: &Names) -> Vec<RequirementView> {
    let request = &decidable.stored.request;
    // What is decided stays as it was decided; before that, what holds now counts.
    let past = !matches!(request.state, State::Pending | State::Approved { .. });
    let approved_at = |person| {
        let review = request.reviews.iter().find(|review| review.reviewer == person);
        (names.person(person), review.map_or(request.staged_at, |review| review.at))
    };
    let explanation = quorum::explain(request, &decidable.authority);
    let view = |need: quorum::RequirementStatus| {
        let filled = if past { request.approvers() } else { need.filled_by };
        RequirementView {
            id: need.requirement.id,
            group: need.requirement.group,
            seats: need.requirement.seats,
            why: need.requirement.why,
            filled_by: filled.into_iter().map(approved_at).collect(),
            could_fill: need.could_fill.into_iter().map(|person| names.person(person)).collect(),
        }
    };
    explanation.requirements.into_iter().map(view).collect()
}

fn excluded(decidable: &Decidable, names: &Names) -> Vec<(String, Ineligible)> {
    let mut excluded: Vec<(domain::PersonId, Ineligible)> =
        decidable.stored.request.excluded.clone();
    for (person, why) in &decidable.authority.excluded {
        if excluded.iter().all(|(known, _)| known != person) {
            excluded.push((*person, *why));
        }
    }
    excluded.into_iter().map(|(person, why)| (names.person(person), why)).collect()
}
