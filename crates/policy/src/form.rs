//! The form of one rule, checked on what Cedar parsed.
//!
//! A requirement's answer must depend on nothing but the request and whether its own seats are
//! filled: then the reasons of a denial with nothing met are the complete to-do list, known when a
//! request is staged.

use std::sync::Arc;

use cedar_policy::Policy as CedarPolicy;
use cedar_policy::pst::{ActionConstraint, BinaryOp, Clause, Effect, Expr, Literal, Template, Var};

use crate::rule::{self, Annotations, RequirementRule};
use crate::vocabulary::Vocabulary;

/// A rule of the right form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A forbid on Release.
    Requirement(RequirementRule),
    /// A permit or forbid on Review, with its reason.
    Review { permits: bool, why: Option<String> },
}

/// What is wrong with a rule; at an annotation, or at the rule itself.
pub struct Misformed {
    pub annotation: Option<String>,
    pub message: String,
}

enum Action {
    Release,
    Review,
}

/// Reads one rule that is named `id`.
pub fn read(
    policy: &CedarPolicy,
    id: Option<&str>,
    vocabulary: &Vocabulary,
) -> Result<Rule, Vec<Misformed>> {
    let parsed = policy.to_pst().map_err(|error| vec![whole(error.to_string())])?;
    let parsed = parsed.body();
    let annotations: Annotations<'_> = policy.annotations().collect();
    match (action(parsed, vocabulary), parsed.effect) {
        (Some(Action::Release), Effect::Forbid) => requirement(parsed, id, &annotations),
        (Some(Action::Release), Effect::Permit) => Err(vec![whole(
            "a release is permitted by the product itself once every requirement is met; remove \
             this permit, or write the condition as a requirement (forbid) or on Review",
        )]),
        (Some(Action::Review), effect) => review(effect, &annotations),
        (None, _) => Err(vec![whole(
            "a rule is about one action; write `action == Action::\"Release\"` for what a request \
             needs, or `action == Action::\"Review\"` for who may decide",
        )]),
    }
}

fn action(parsed: &Template, vocabulary: &Vocabulary) -> Option<Action> {
    let ActionConstraint::Eq(named) = &parsed.action else { return None };
    let is = |action: &cedar_policy::EntityUid| {
        named.ty.to_string() == action.type_name().to_string()
            && named.eid.as_str() == action.id().unescaped()
    };
    if is(&vocabulary.release) {
        Some(Action::Release)
    } else if is(&vocabulary.review) {
        Some(Action::Review)
    } else {
        None
    }
}

fn review(effect: Effect, annotations: &Annotations<'_>) -> Result<Rule, Vec<Misformed>> {
    rule::only(annotations, &["id", "why"], "a rule on Review").map_err(at_annotations)?;
    let why = rule::why(annotations).map_err(|error| at_annotations(vec![error]))?;
    Ok(Rule::Review { permits: effect == Effect::Permit, why })
}

fn requirement(
    parsed: &Template,
    id: Option<&str>,
    annotations: &Annotations<'_>,
) -> Result<Rule, Vec<Misformed>> {
    let read = rule::requirement(annotations).map_err(at_annotations);
    let misplaced = id.and_then(|id| misplaced(parsed.clauses(), id)).map(whole);
    match (read, misplaced) {
        (Ok(read), None) => Ok(Rule::Requirement(read)),
        (read, misplaced) => Err(read.err().into_iter().flatten().chain(misplaced).collect()),
    }
}

/// What is wrong with the conditions of the requirement `id`.
fn misplaced(clauses: &[Clause], id: &str) -> Option<String> {
    let form = format!("unless {{ context.met.contains(\"{id}\") }}");
    let Some((Clause::Unless(last), others)) = clauses.split_last() else {
        return Some(format!(
            "a requirement ends in `{form}`; without it nobody could ever meet it"
        ));
    };
    if !is_met(last, id) {
        return Some(format!("the `unless` of a requirement is exactly `{form}`"));
    }
    for clause in others {
        match clause {
            Clause::Unless(_) => {
                return Some(format!(
                    "a requirement has one `unless`, its last line `{form}`; write the other one \
                     as `when {{ !(…) }}`"
                ));
            }
            Clause::When(condition) if mentions_context(condition) => {
                return Some(format!(
                    "a requirement's `when` looks at the request alone; `context` stands only in \
                     `{form}`"
                ));
            }
            Clause::When(_) => {}
        }
    }
    None
}

/// Whether this is `context.met.contains("<id>")` and nothing else.
fn is_met(expr: &Expr, id: &str) -> bool {
    let Expr::BinaryOp { op: BinaryOp::Contains, left, right } = expr else { return false };
    let Expr::GetAttr { expr: of, attr } = left.as_ref() else { return false };
    let Expr::Literal(Literal::String(named)) = right.as_ref() else { return false };
    matches!(of.as_ref(), Expr::Var(Var::Context)) && attr == "met" && named == id
}

/// Whether the context is spoken of anywhere. What is not known here counts as a yes.
fn mentions_context(expr: &Expr) -> bool {
    let any = |parts: &[&Arc<Expr>]| parts.iter().any(|part| mentions_context(part));
    match expr {
        Expr::Var(var) => matches!(var, Var::Context),
        Expr::Literal(_) => false,
        Expr::UnaryOp { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. }
        | Expr::Like { expr, .. } => any(&[expr]),
        Expr::BinaryOp { left, right, .. } => any(&[left, right]),
        Expr::Is { expr, in_expr, .. } => any(&[expr]) || in_expr.iter().any(|e| any(&[e])),
        Expr::IfThenElse { cond, then_expr, else_expr } => any(&[cond, then_expr, else_expr]),
        Expr::Set(parts) => parts.iter().any(|part| mentions_context(part)),
        Expr::Record(parts) => parts.values().any(|part| mentions_context(part)),
        _ => true,
    }
}

fn at_annotations(bad: Vec<rule::BadAnnotation>) -> Vec<Misformed> {
    bad.into_iter()
        .map(|bad| Misformed { annotation: Some(bad.name), message: bad.message })
        .collect()
}

fn whole(message: impl Into<String>) -> Misformed {
    Misformed { annotation: None, message: message.into() }
}
