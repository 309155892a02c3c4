//! The three questions that a policy answers.

use std::collections::{BTreeSet, HashSet};

use cedar_policy::{Context, Decision as CedarDecision, Entities, Entity, EntityUid, Request};
use cedar_policy::{PolicyId, PolicySet};
use domain::{PersonId, Requirement};
use serde::Serialize;

use crate::form::Rule;
use crate::parse::BASE;
use crate::rule::{GroupName, RequirementRule};
use crate::stack;
use crate::subject::{engine, set};
use crate::vocabulary::vocabulary;
use crate::{Policy, PolicyFailure, Subject};

/// A person who wants to decide, with the groups of this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewer {
    pub person: PersonId,
    pub groups: BTreeSet<String>,
}

/// An answer and the rules that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub allowed: bool,
    /// The rules that permit or forbid. None where nothing permits.
    pub reasons: Vec<Reason>,
}

/// A rule that led to an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    pub rule: String,
    /// In the words of the policy's author.
    pub why: Option<String>,
}

/// What Cedar said, without errors.
struct Answer {
    allowed: bool,
    rules: BTreeSet<String>,
}

impl Policy {
    /// Which requirements this revision has, in the order of their names. Never none.
    ///
    /// The reasons why a release with nothing met is denied are the requirements.
    ///
    /// # Errors
    /// Whenever there is any doubt; the caller refuses to stage or to release.
    pub fn requirements(&self, subject: &Subject) -> Result<Vec<Requirement>, PolicyFailure> {
        let answer = self.release(&self.releases, subject, &BTreeSet::new())?;
        if answer.allowed {
            return Err(PolicyFailure::NoRequirement);
        }
        let rule = |id: &String| self.requirement(id, subject);
        let requirements: Vec<_> = answer.rules.iter().map(rule).collect::<Result<_, _>>()?;
        if requirements.is_empty() { Err(PolicyFailure::NoRequirement) } else { Ok(requirements) }
    }

    /// Whether this revision may be released now that the requirements named by `met` are met.
    ///
    /// `met` is what `domain::quorum` computed. A revision without requirements is never released.
    ///
    /// # Errors
    /// Whenever there is any doubt; the caller refuses the release.
    pub fn may_release(
        &self,
        subject: &Subject,
        met: &BTreeSet<String>,
    ) -> Result<Decision, PolicyFailure> {
        let answer = self.release(&self.releases, subject, met)?;
        if answer.allowed {
            self.is_asked(subject, met)?;
        }
        Ok(self.decision(&answer))
    }

    /// Whether this person may decide on this revision, as far as policy says. I1 comes on top.
    ///
    /// # Errors
    /// Whenever there is any doubt; the caller refuses the review.
    pub fn may_review(
        &self,
        subject: &Subject,
        reviewer: &Reviewer,
    ) -> Result<Decision, PolicyFailure> {
        let words = vocabulary()?;
        let person = words.person(reviewer.person);
        let groups: HashSet<EntityUid> =
            reviewer.groups.iter().map(|name| words.group(name)).collect();
        let entity = Entity::new_no_attrs(person.clone(), groups);
        let entities = subject.entities.clone().add_entities([entity], Some(&words.schema));
        let entities = entities.map_err(engine)?;
        let ask = (person, words.review.clone(), Context::empty());
        Ok(self.decision(&self.ask(&self.reviews, ask, subject, &entities)?))
    }

    /// INVARIANT: I5. That nothing forbids a release is no approval: something that is met must have
    /// been asked of this revision. Only the rules that are met can say so, and only they are asked.
    fn is_asked(&self, subject: &Subject, met: &BTreeSet<String>) -> Result<(), PolicyFailure> {
        let ids = met.iter().map(String::as_str).chain([BASE]);
        let rules = ids.filter_map(|id| self.releases.policy(&PolicyId::new(id)).cloned());
        let rules = PolicySet::from_policies(rules).map_err(engine)?;
        let answer = self.release(&rules, subject, &BTreeSet::new())?;
        if answer.allowed || answer.rules.is_empty() {
            return Err(PolicyFailure::NoRequirement);
        }
        answer.rules.iter().try_for_each(|id| self.requirement(id, subject).map(|_| ()))
    }

    fn release(
        &self,
        rules: &PolicySet,
        subject: &Subject,
        met: &BTreeSet<String>,
    ) -> Result<Answer, PolicyFailure> {
        let met = set(met.iter().map(String::as_str));
        let context = Context::from_pairs([("met".to_owned(), met)]).map_err(engine)?;
        let ask = (subject.executor.clone(), vocabulary()?.release.clone(), context);
        self.ask(rules, ask, subject, &subject.entities)
    }

    /// INVARIANT: I5. An error in any rule is an error of the whole: Cedar itself would skip it.
    fn ask(
        &self,
        rules: &PolicySet,
        (principal, action, context): (EntityUid, EntityUid, Context),
        subject: &Subject,
        entities: &Entities,
    ) -> Result<Answer, PolicyFailure> {
        let schema = Some(&vocabulary()?.schema);
        let request = Request::new(principal, action, subject.resource.clone(), context, schema);
        let request = request.map_err(engine)?;
        let decide = || self.authorizer.is_authorized(&request, rules, entities);
        let response = stack::to_decide(decide);
        #[cfg(not(planted = "a_rule_in_error_is_skipped"))]
        if let Some(error) = response.diagnostics().errors().next() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            let rule: &str = error.policy_id().as_ref();
            let message = error.inner().to_string();
            return Err(PolicyFailure::Evaluation { rule: rule.to_owned(), message });
        }
        let reasons = response.diagnostics().reason();
        Ok(Answer {
            allowed: response.decision() == CedarDecision::Allow,
            rules: reasons.map(ToString::to_string).collect(),
        })
    }

    fn requirement(&self, id: &str, subject: &Subject) -> Result<Requirement, PolicyFailure> {
        let Some(Rule::Requirement(rule)) = self.rules.get(id) else {
            return Err(PolicyFailure::Engine(format!("`{id}` is no requirement")));
        };
        rule.requirement(id, subject.owning_group.as_deref()).ok_or_else(|| {
            PolicyFailure::NoOwningGroup { rule: id.to_owned(), kind: subject.kind.clone() }
        })
    }

    fn decision(&self, answer: &Answer) -> Decision {
        let why = |id: &String| match self.rules.get(id) {
            Some(Rule::Requirement(rule)) => Some(rule.why.clone()),
            Some(Rule::Review { why, .. }) => why.clone(),
            None => None,
        };
        // What permits a release is the product itself, which is no rule of the policy.
        let known = answer.rules.iter().filter(|id| self.rules.contains_key(*id));
        let reasons = known.map(|id| Reason { rule: id.clone(), why: why(id) }).collect();
        Decision { allowed: answer.allowed, reasons }
    }
}

impl RequirementRule {
    /// The requirement for a kind of this owning group; none where it needs one that is not there.
    pub fn requirement(&self, id: &str, owning_group: Option<&str>) -> Option<Requirement> {
        let group = match &self.group {
            GroupName::Fixed(name) => name.as_str(),
            GroupName::Owning => owning_group.filter(|name| !name.is_empty())?,
        };
        Some(Requirement {
            id: id.to_owned(),
            group: group.to_owned(),
            seats: self.seats,
            reauth_s: self.reauth_s,
            why: self.why.clone(),
        })
    }
}
