//! From text to a policy that can decide, or to everything that is wrong with the text.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::ffi::DetailedError;
use cedar_policy::{Authorizer, Policy as CedarPolicy, PolicyId, PolicySet};
use cedar_policy::{ValidationMode, Validator};
use domain::{Digest, Requirement};

use crate::PolicyError;
use crate::form::{self, Rule};
use crate::rule::{self, GroupName};
use crate::source::Source;
use crate::stack;
use crate::vocabulary::{Vocabulary, vocabulary};

/// Permits every release that no requirement forbids. Its name is no rule's name.
pub(crate) const BASE: &str = "@release";
const BASE_TEXT: &str = "permit (principal, action == Action::\"Release\", resource);";

/// The most errors that are told at once.
const MAX_ERRORS: usize = 50;

/// A policy, read once and kept.
pub struct Policy {
    digest: Digest,
    /// The requirements, and what permits a release that they do not forbid.
    pub(crate) releases: PolicySet,
    /// Who may decide.
    pub(crate) reviews: PolicySet,
    pub(crate) rules: BTreeMap<String, Rule>,
    pub(crate) authorizer: Authorizer,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Policy").field(&self.digest).finish()
    }
}

impl Policy {
    /// Reads a policy: its size, its syntax, the form of each rule, its types.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the text. Nothing is kept of a text with errors.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyError>> {
        let source = Source::read(text).map_err(|error| vec![error])?;
        stack::to_read(|| Self::parse_bounded(text, &source))
    }

    fn parse_bounded(text: &str, source: &Source<'_>) -> Result<Self, Vec<PolicyError>> {
        let start = |message: String| vec![source.error(0, None, message)];
        let vocabulary = vocabulary().map_err(|error| start(error.to_string()))?;
        let parsed: PolicySet = text.parse().map_err(|error| syntax(source, &error))?;
        let (rules, set) = read(source, &parsed, vocabulary).map_err(sorted)?;
        validate(source, &set, vocabulary).map_err(sorted)?;
        whole(&rules).map_err(start)?;
        let (releases, reviews) = split(&set, &rules).map_err(start)?;
        let digest = Digest::of(text.as_bytes());
        Ok(Self { digest, releases, reviews, rules, authorizer: Authorizer::new() })
    }

    /// The digest of the text: which policy this is.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The groups that requirements or conditions name; not those that a kind names as its owner.
    ///
    /// Whoever asks [`Policy::may_review`] has to know of each of these who is in it.
    pub fn groups(&self) -> BTreeSet<String> {
        let required = self.requirement_rules().filter_map(|(_, rule)| match &rule.group {
            GroupName::Fixed(name) => Some(name.clone()),
            GroupName::Owning => None,
        });
        let rules = self.releases.policies().chain(self.reviews.policies());
        let named = rules.flat_map(cedar_policy::Policy::entity_literals);
        let groups = named.filter(|entity| entity.type_name().to_string() == "Group");
        required.chain(groups.map(|group| group.id().unescaped().to_owned())).collect()
    }

    /// Every requirement that it may ask for, by id. Where the owning group of the kind is meant,
    /// which only a kind can name, the group is [`crate::OWNING_GROUP`].
    pub fn asks(&self) -> Vec<Requirement> {
        let ask = |(id, rule): (&str, &rule::RequirementRule)| {
            rule.requirement(id, Some(rule::OWNING_GROUP))
        };
        self.requirement_rules().filter_map(ask).collect()
    }

    pub(crate) fn requirement_rules(&self) -> impl Iterator<Item = (&str, &rule::RequirementRule)> {
        self.rules.iter().filter_map(|(id, rule)| match rule {
            Rule::Requirement(rule) => Some((id.as_str(), rule)),
            Rule::Review { .. } => None,
        })
    }
}

/// The rules by name, and the set in which they have these names.
fn read(
    source: &Source<'_>,
    parsed: &PolicySet,
    vocabulary: &Vocabulary,
) -> Result<(BTreeMap<String, Rule>, PolicySet), Vec<PolicyError>> {
    let starts = source.starts();
    let mut errors = Vec::new();
    for template in parsed.templates() {
        let at = place(&starts, template.id());
        let message = "`?principal` and `?resource` are for templates, which nothing fills in here";
        errors.push(source.error(at, template.annotation("id"), message.to_owned()));
    }
    let (mut rules, mut set) = (BTreeMap::new(), PolicySet::new());
    for policy in in_order(parsed) {
        let at = place(&starts, policy.id());
        match named(policy, vocabulary) {
            Ok((id, rule)) => {
                if rules.insert(id.clone(), rule).is_some() {
                    let message = "an earlier rule has this @id; each rule has one of its own";
                    let at = source.annotation(at, "id");
                    errors.push(source.error(at, Some(&id), message.to_owned()));
                } else if let Err(error) = set.add(policy.new_id(PolicyId::new(&id))) {
                    errors.push(source.error(at, Some(&id), error.to_string()));
                }
            }
            Err(found) => errors.extend(found.into_iter().map(|bad| {
                let at = bad.annotation.map_or(at, |name| source.annotation(at, &name));
                source.error(at, policy.annotation("id"), bad.message)
            })),
        }
    }
    if errors.is_empty() { Ok((rules, set)) } else { Err(errors) }
}

fn named(
    policy: &CedarPolicy,
    vocabulary: &Vocabulary,
) -> Result<(String, Rule), Vec<form::Misformed>> {
    let id = rule::id(&policy.annotations().collect());
    let rule = form::read(policy, id.as_deref().ok(), vocabulary);
    match (id, rule) {
        (Ok(id), Ok(rule)) => Ok((id, rule)),
        (Ok(_), Err(errors)) => Err(errors),
        (Err(bad), rule) => {
            let bad = form::Misformed { annotation: Some(bad.name), message: bad.message };
            // A requirement without a name is told once that it has none.
            let others = rule.err().into_iter().flatten();
            let others = others.filter(|other| other.annotation.as_deref() != Some("id"));
            Err(std::iter::once(bad).chain(others).collect())
        }
    }
}

/// What only the rules together can lack.
fn whole(rules: &BTreeMap<String, Rule>) -> Result<(), String> {
    if !rules.values().any(|rule| matches!(rule, Rule::Requirement(_))) {
        return Err("the policy has no requirement, so nothing could ever be approved; write a \
                    `forbid` on Release with @id, @group, @quorum and @why"
            .to_owned());
    }
    if !rules.values().any(|rule| matches!(rule, Rule::Review { permits: true, .. })) {
        return Err("the policy lets nobody decide; write a `permit` on Review, such as `@id\
                    (\"review.approvers\") permit (principal in Group::\"approvers\", action == \
                    Action::\"Review\", resource);`"
            .to_owned());
    }
    Ok(())
}

/// The rules of each action for themselves, so that a question is put to no rule of the other.
fn split(
    set: &PolicySet,
    rules: &BTreeMap<String, Rule>,
) -> Result<(PolicySet, PolicySet), String> {
    let of_release = |policy: &&CedarPolicy| {
        let id: &str = policy.id().as_ref();
        matches!(rules.get(id), Some(Rule::Requirement(_)))
    };
    let (releases, reviews): (Vec<&CedarPolicy>, Vec<_>) = set.policies().partition(of_release);
    let base = CedarPolicy::parse(Some(PolicyId::new(BASE)), BASE_TEXT);
    let base = base.map_err(|error| error.to_string())?;
    let releases = PolicySet::from_policies(releases.into_iter().cloned().chain([base]));
    let reviews = PolicySet::from_policies(reviews.into_iter().cloned());
    let told = |error: cedar_policy::PolicySetError| error.to_string();
    Ok((releases.map_err(told)?, reviews.map_err(told)?))
}

/// Strict validation. A warning is an error too: a rule that can never hold protects nothing.
fn validate(
    source: &Source<'_>,
    set: &PolicySet,
    vocabulary: &Vocabulary,
) -> Result<(), Vec<PolicyError>> {
    let validator = Validator::new(vocabulary.schema.clone());
    let result = validator.validate(set, ValidationMode::Strict);
    let told = |id: &PolicyId, detail: DetailedError| {
        let id: &str = id.as_ref();
        let prefix = format!("for policy `{id}`, ");
        let mut error = diagnosed(source, Some(id), detail);
        error.message = error.message.replace(&prefix, "");
        error
    };
    let errors = result.validation_errors().map(|error| told(error.policy_id(), error.into()));
    let warnings = result.validation_warnings().map(|error| told(error.policy_id(), error.into()));
    let found: Vec<_> = errors.chain(warnings).collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

fn syntax(source: &Source<'_>, errors: &cedar_policy::ParseErrors) -> Vec<PolicyError> {
    sorted(errors.iter().map(|error| diagnosed(source, None, error.into())).collect())
}

/// Cedar's own words, with its hint, at the place it names.
fn diagnosed(source: &Source<'_>, id: Option<&str>, detail: DetailedError) -> PolicyError {
    let at = detail.source_locations.first().map_or(0, |label| label.loc.start);
    let hint = detail.help.map(|help| format!("; {help}")).unwrap_or_default();
    source.error(at, id, format!("{}{hint}", detail.message))
}

fn sorted(mut errors: Vec<PolicyError>) -> Vec<PolicyError> {
    errors.sort();
    errors.dedup();
    errors.truncate(MAX_ERRORS);
    errors
}

/// The rules in the order of the text. Cedar names them `policy0`, `policy1` and so on.
fn in_order(parsed: &PolicySet) -> Vec<&CedarPolicy> {
    let mut policies: Vec<_> = parsed.policies().collect();
    policies.sort_by_key(|policy| position(policy.id()));
    policies
}

fn place(starts: &[usize], id: &PolicyId) -> usize {
    starts.get(position(id)).copied().unwrap_or(0)
}

fn position(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.strip_prefix("policy").and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
}
