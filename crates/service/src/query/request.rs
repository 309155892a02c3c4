//! One request whole: the page on which people decide.

use std::sync::Arc;

use domain::apply::BREAK_GLASS_REAUTH_S;
use domain::authority::BREAK_GLASS;
use domain::commitment::SALT_BYTES;
use domain::entry::{Attempt, Entry, Fact, HouseFact};
use domain::fact::Seat;
use domain::request::SecondReview;
use domain::revision::Revision;
use domain::{
    Actor, Authority, Commitment, Digest, Ineligible, Request, RequestFact, RequestId, State,
    StateName, Verdict, binding_code, quorum,
};
use serde_json::{Value, json};
use store::House;
use store::read::{StandingFreeze, StoredEntry};

use crate::act::ActError;
use crate::caller::PersonCaller;
use crate::current::Decidable;
use crate::evidence;
use crate::query::Names;
use crate::query::evidence::EvidenceDesk;
use crate::secret;
use crate::view::{
    BreakGlassView, DecisionForm, DecisionView, OutcomeView, RequestView, RequirementView,
    RollbackView, SecondReviewView, StopView, TimelineFact, TimelineItem,
};
use crate::{Failure, Service};

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
        let house = self.house().await?;
        let (stored, sealed) = self.visible_revision(caller, id).await?;
        let now = self.now();
        let decidable = self.decidable(&house, stored, now).await?;
        let request = &decidable.stored.request;
        let names = Names::of(&house);
        let kind = self.kind(&house, &request.kind.name, request.kind.version).await?;
        let entries = evidence::read(self.store.entries_of(id).await?)?;
        let timeline = timeline(&names, &sealed.revision, &entries)?;
        let sealed_value = serde_json::to_value(&sealed.revision).map_err(Failure::defect)?;
        let revision = sealed.revision;
        let desk = EvidenceDesk::new(self, caller, &decidable, &kind).await?;
        let evidence = desk.views(&revision.evidence).await?;
        let (mut outcome, mut rollback) = (outcome(&timeline), rollback(&timeline));
        for (_, entry) in &entries {
            match &entry.fact {
                Fact::Request(RequestFact::OutcomeReported { evidence, .. }) => {
                    let views = desk.views(evidence).await?;
                    outcome.iter_mut().for_each(|view| view.evidence.clone_from(&views));
                }
                Fact::Request(RequestFact::RollbackReported { evidence, .. }) => {
                    let views = desk.views(evidence).await?;
                    rollback.iter_mut().for_each(|view| view.evidence.clone_from(&views));
                }
                Fact::Request(_) | Fact::House(_) => {}
            }
        }
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
            kind_title: kind.title.clone(),
            reversible: kind.reversible,
            reversal_note: kind.reversal_note.clone(),
            risk: request.risk.clone(),
            size_unit: kind.size.as_ref().map(|size| size.unit.clone()),
            agent: names.agent(request.agent),
            executor: names.agent(request.executor),
            on_behalf_of: revision.on_behalf_of.map(|person| names.person(person)),
            staged_at: request.staged_at,
            review_deadline: request.review_deadline,
            window: request.window,
            action: action(&revision),
            canonical: String::from_utf8(sealed.bytes).map_err(Failure::defect)?,
            evidence,
            attainable: quorum::explain(request, &decidable.authority).attainable,
            requirements: requirements(&decidable, &names, seats(&entries)),
            excluded: excluded(&decidable, &names),
            timeline,
            decision: self.decision(caller, &decidable),
            your_verdict: request.review_of(caller.id()).map(|review| review.verdict),
            stop: self.stop(caller, &decidable, &house),
            break_glass: self.break_glass(caller, &decidable, &names),
            secrets: secret::find_in(&sealed_value),
            amendment: self.amendment(caller, request, &revision, &sealed_value).await?,
            proposal: self.proposal(caller, request, &revision).await?,
            staged_by: match request.staged_by {
                Actor::Person(person) => Some(names.person(person)),
                Actor::Agent(_) | Actor::System => None,
            },
            outcome,
            rollback,
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

    /// Whether and how this person may decide now.
    fn decision(&self, caller: &PersonCaller, decidable: &Decidable) -> DecisionView {
        let (request, authority) = (&decidable.stored.request, &decidable.authority);
        let state = request.state_at(self.now()).name();
        if !state.is_open() {
            return DecisionView::Over;
        }
        let form = || self.decision_form(caller, decidable, state);
        if let Some(why) = authority.ineligible(request, caller.id()) {
            let breaks = state == StateName::Pending && self.may_break_glass(caller, decidable);
            let form = breaks.then(|| DecisionForm { verdicts: Vec::new(), ..form() });
            return DecisionView::NotYou { why, form };
        }
        match request.review_of(caller.id()) {
            Some(review) => {
                let form = form();
                let other = |verdict: &Verdict| *verdict != review.verdict;
                let verdicts = form.verdicts.into_iter().filter(other).collect();
                let form = DecisionForm { verdicts, ..form };
                DecisionView::Reviewed { verdict: review.verdict, at: review.at, form }
            }
            None => DecisionView::Open(form()),
        }
    }

    fn decision_form(
        &self,
        caller: &PersonCaller,
        decidable: &Decidable,
        state: StateName,
    ) -> DecisionForm {
        let (request, authority) = (&decidable.stored.request, &decidable.authority);
        let age_s = self.now().seconds_since(caller.authenticated_at);
        let too_old = |most: &u32| age_s > i64::from(*most);
        let needs = authority.requirements_of(request);
        let theirs = needs.filter(|need| authority.is_in(&need.group, caller.id()));
        let fresh_s = theirs.filter_map(|need| need.reauth_s).min();
        DecisionForm {
            shown: self.shown_token(request.id, request.digest, caller.id()),
            // What waits for changes can only be denied by people.
            verdicts: match state {
                // A person proposed it, and would propose another: nobody amends it.
                StateName::Pending if request.is_change() => Verdict::ALL
                    .into_iter()
                    .filter(|verdict| *verdict != Verdict::RequestChanges)
                    .collect(),
                StateName::Pending => Verdict::ALL.to_vec(),
                _ => vec![Verdict::Deny],
            },
            approve_needs_password: fresh_s.filter(too_old).is_some(),
            break_glass: state == StateName::Pending && self.may_break_glass(caller, decidable),
            break_glass_needs_password: too_old(&BREAK_GLASS_REAUTH_S),
        }
    }

    fn may_break_glass(&self, caller: &PersonCaller, decidable: &Decidable) -> bool {
        let (request, authority) = (&decidable.stored.request, &decidable.authority);
        !request.is_change()
            && request.break_glass.is_none()
            && authority.exclusion(request, caller.id()).is_none()
            && authority.may_break_glass(caller.id(), self.now())
    }

    /// What this person may stop, and what stops the release already.
    fn stop(&self, caller: &PersonCaller, decidable: &Decidable, house: &Arc<House>) -> StopView {
        let names = Names::of(house);
        let (request, authority) = (&decidable.stored.request, &decidable.authority);
        let state = request.state_at(self.now());
        let may = authority.may_stop(caller.id());
        let halt = match &state {
            State::Executing { halt, .. } => *halt,
            _ => None,
        };
        let covers = |freeze: &&StandingFreeze| freeze.freeze.scope.covers(request);
        StopView {
            may_revoke: may && state.name() == StateName::Approved,
            may_halt: may && state.name() == StateName::Executing && halt.is_none(),
            may_withdraw: state.name().is_open() && request.staged_by == caller.actor(),
            halt: halt.map(|halt| (names.person(halt.by), halt.at)),
            freezes: house.freezes().iter().filter(covers).map(|f| names.freeze(f)).collect(),
        }
    }

    /// A broken glass, and the second review that it owes.
    fn break_glass(
        &self,
        caller: &PersonCaller,
        decidable: &Decidable,
        names: &Names,
    ) -> Option<BreakGlassView> {
        let request = &decidable.stored.request;
        let broken = request.break_glass.as_ref()?;
        Some(BreakGlassView {
            by: names.person(broken.by),
            at: broken.at,
            review_by: broken.review_by,
            second_review: match &broken.second_review {
                SecondReview::Owed => SecondReviewView::Owed,
                SecondReview::Missed { .. } => SecondReviewView::Missed,
                SecondReview::Done { by, at, verdict } => {
                    SecondReviewView::Done { by: names.person(*by), at: *at, verdict: *verdict }
                }
            },
            shown: may_review_break_glass(caller, request, &decidable.authority)
                .then(|| self.shown_token(request.id, request.digest, caller.id())),
        })
    }
}

/// Whether this person may be the second one who looks at a broken glass.
pub(super) fn may_review_break_glass(
    caller: &PersonCaller,
    request: &Request,
    authority: &Authority,
) -> bool {
    let Some(broken) = request.owes_second_review() else { return false };
    let has_a_say = authority.is_in(BREAK_GLASS, caller.id())
        || authority.ineligible(request, caller.id()).is_none();
    let excluded = authority.exclusion(request, caller.id()).is_some();
    has_a_say && !excluded && broken.by != caller.id()
}

fn timeline(
    names: &Names,
    revision: &Revision,
    entries: &[(StoredEntry, Entry)],
) -> Result<Vec<TimelineItem>, Failure> {
    let reported = || entries.iter().flat_map(|(_, entry)| evidence::reported(entry));
    let name = |digest: Digest| {
        let mut pieces = revision.evidence.iter().chain(reported());
        pieces.find(|item| item.digest == digest).map(|item| item.name.clone())
    };
    let mut items = Vec::new();
    for (stored, entry) in entries {
        items.extend(timeline_item(names, name, stored, entry)?);
    }
    Ok(items)
}

fn timeline_item(
    names: &Names,
    piece: impl Fn(Digest) -> Option<String>,
    stored: &StoredEntry,
    entry: &Entry,
) -> Result<Option<TimelineItem>, Failure> {
    let what = match &entry.fact {
        Fact::Request(fact) => match request_line(fact) {
            Some(line) => line,
            None => return Ok(None),
        },
        Fact::House(HouseFact::EvidenceOpened { evidence, unmasked, .. }) => {
            TimelineFact::EvidenceOpened {
                name: piece(*evidence),
                evidence: *evidence,
                unmasked: *unmasked,
            }
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

/// The line of a fact; none for those that only repeat what the review before them says.
fn request_line(fact: &RequestFact) -> Option<TimelineFact> {
    Some(match fact {
        RequestFact::RequestStaged(staged) => TimelineFact::Staged { revision: staged.revision },
        RequestFact::RequestAmended(amended) => {
            TimelineFact::Amended { revision: amended.revision }
        }
        RequestFact::ReviewRecorded { verdict, revision, .. } => {
            TimelineFact::Reviewed { verdict: *verdict, revision: *revision }
        }
        RequestFact::RequestDenied { .. } | RequestFact::ChangesRequested { .. } => return None,
        RequestFact::RequestApproved { approved_until, .. } => {
            TimelineFact::QuorumMet { until: *approved_until }
        }
        RequestFact::GlassBroken { approved_until, review_by, .. } => {
            TimelineFact::GlassBroken { until: *approved_until, review_by: *review_by }
        }
        RequestFact::SecondReviewRecorded { verdict, .. } => {
            TimelineFact::SecondReview { verdict: *verdict }
        }
        RequestFact::SecondReviewMissed { review_by } => {
            TimelineFact::SecondReviewMissed { due: *review_by }
        }
        RequestFact::RequestExpired { .. } => TimelineFact::Expired,
        RequestFact::RequestWithdrawn { .. } => TimelineFact::Withdrawn,
        RequestFact::QuorumLost { .. } => TimelineFact::QuorumLost,
        RequestFact::ReleaseRevoked { .. } => TimelineFact::Revoked,
        RequestFact::ReleaseRedeemed { .. } => TimelineFact::Redeemed,
        RequestFact::ReleaseLapsed { .. } => TimelineFact::Lapsed,
        RequestFact::ReleaseVoided => TimelineFact::Voided,
        RequestFact::LeaseRenewed { lease_until } => {
            TimelineFact::Heartbeat { until: *lease_until }
        }
        RequestFact::HaltRequested { .. } => TimelineFact::HaltRequested,
        RequestFact::OutcomeMissed { missed, .. } => {
            TimelineFact::OutcomeMissed { missed: *missed }
        }
        RequestFact::OutcomeReported { outcome, .. } => {
            TimelineFact::Reported { outcome: *outcome }
        }
        RequestFact::RollbackReported { outcome, .. } => {
            TimelineFact::RollbackReported { outcome: *outcome }
        }
    })
}

fn commitment(fact: &Fact) -> Option<Commitment> {
    match fact {
        Fact::Request(fact) => fact.commitment().map(|(_, commitment)| commitment),
        Fact::House(_) => None,
    }
}

/// The text behind a commitment; only if it is what was committed to.
fn opened_text(stored: &StoredEntry, commitment: &Commitment) -> Option<String> {
    stored.texts.iter().find_map(|(_, salt, text)| {
        let salt: [u8; SALT_BYTES] = salt.as_slice().try_into().ok()?;
        commitment.opens_to(&salt, text).then(|| text.clone())
    })
}

fn rollback(timeline: &[TimelineItem]) -> Option<RollbackView> {
    timeline.iter().rev().find_map(|item| match item.what {
        TimelineFact::RollbackReported { outcome } => Some(RollbackView {
            outcome,
            at: item.at,
            summary: item.text.clone(),
            evidence: Vec::new(),
        }),
        _ => None,
    })
}

fn outcome(timeline: &[TimelineItem]) -> Option<OutcomeView> {
    timeline.iter().rev().find_map(|item| match item.what {
        TimelineFact::Reported { outcome } => Some(OutcomeView {
            outcome,
            at: item.at,
            summary: item.text.clone(),
            evidence: Vec::new(),
        }),
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

/// Who filled which seat when it was approved; none where no quorum approved it.
fn seats(entries: &[(StoredEntry, Entry)]) -> Option<&[Seat]> {
    entries.iter().rev().find_map(|(_, entry)| match &entry.fact {
        Fact::Request(RequestFact::RequestApproved { seats, .. }) => Some(seats.as_slice()),
        _ => None,
    })
}

fn requirements(
    decidable: &Decidable,
    names: &Names,
    decided: Option<&[Seat]>,
) -> Vec<RequirementView> {
    let request = &decidable.stored.request;
    // While it can still be redeemed, what holds now counts; later it stays as it was decided.
    let decided = decided.filter(|_| request.state.name() != StateName::Approved);
    let approved_at = |person| {
        let review = request.reviews.iter().find(|review| review.reviewer == person);
        (names.person(person), review.map_or(request.staged_at, |review| review.at))
    };
    let explanation = quorum::explain(request, &decidable.authority);
    let view = |need: quorum::RequirementStatus| {
        let filled = match decided {
            Some(seats) => {
                let filled = seats.iter().filter(|seat| seat.requirement == need.requirement.id);
                filled.map(|seat| seat.person).collect()
            }
            None => need.filled_by,
        };
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
