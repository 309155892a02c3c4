//! Every form that is refused when a policy is saved, with what its author is told.

use std::fmt::Write as _;

use policy::Policy;

use crate::scene::{ANYBODY_REVIEWS, parsed, when};

const NAMES: &str = "@id(\"need.it\") @group(\"approvers\") @quorum(\"1\") @why(\"w\")\n";
const HEAD: &str = "forbid (principal, action == Action::\"Release\", resource)\n";
const MET: &str = "unless { context.met.contains(\"need.it\") };\n";

fn told(cases: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (case, rule) in cases {
        let text = format!("{ANYBODY_REVIEWS}// the rule:\n{rule}");
        let errors = Policy::parse(&text).expect_err(case);
        writeln!(out, "## {case}").unwrap();
        for error in errors {
            writeln!(out, "{error}").unwrap();
        }
    }
    out
}

fn annotated(annotations: &str) -> String {
    format!("{annotations}\n{HEAD}{MET}")
}

fn instead(name: &str, value: &str) -> String {
    let start = NAMES.find(&format!("@{name}(")).unwrap();
    let end = start + NAMES[start..].find(')').unwrap() + 1;
    annotated(&format!("{}{value}{}", &NAMES[..start], NAMES[end..].trim_end()))
}

#[test]
fn the_rule_that_the_cases_spoil_is_a_good_one() {
    parsed(&format!("{ANYBODY_REVIEWS}{NAMES}{HEAD}{MET}"));
    parsed(&format!("{ANYBODY_REVIEWS}{NAMES}@reauth(\"300\") {HEAD} when {{ true }} {MET}"));
}

#[test]
fn annotations_that_are_missing_unknown_or_repeated_are_refused() {
    insta::assert_snapshot!(told(&[
        ("no id", instead("id", "")),
        ("no group", instead("group", "")),
        ("no quorum", instead("quorum", "")),
        ("no why", instead("why", "")),
        ("none at all", annotated("")),
        ("unknown", instead("why", "@why(\"w\") @quroum(\"2\")")),
        ("twice", instead("why", "@why(\"w\") @quorum(\"2\")")),
        ("without value", instead("quorum", "@quorum")),
        ("id with capitals", instead("id", "@id(\"Need.It\")")),
        ("id of the product", instead("id", "@id(\"@release\")")),
    ]));
}

#[test]
fn b09_numbers_out_of_range_are_refused() {
    let mut cases = Vec::new();
    let quorums = ["0", "-1", "21", "2147483648", "two", "2.0", "02", "+2", " 2", "", "null", "２"];
    for quorum in quorums {
        cases.push((quorum, instead("quorum", &format!("@quorum(\"{quorum}\")"))));
    }
    for reauth in ["0", "59", "86401", "5m", "-300", ""] {
        cases.push((reauth, instead("why", &format!("@why(\"w\") @reauth(\"{reauth}\")"))));
    }
    insta::assert_snapshot!(told(&cases));
}

#[test]
fn b11_group_names_and_reasons_that_deceive_are_refused() {
    insta::assert_snapshot!(told(&[
        ("empty group", instead("group", "@group(\"\")")),
        ("space at the end", instead("group", "@group(\"approvers \")")),
        ("zero-width space", instead("group", "@group(\"appro\\u{200b}vers\")")),
        ("other reserved word", instead("group", "@group(\"@everyone\")")),
        ("empty reason", instead("why", "@why(\"  \")")),
        ("reason of two lines", instead("why", "@why(\"a\\nb\")")),
        ("reason that turns round", instead("why", "@why(\"a\\u{202e}b\")")),
        ("reason without end", instead("why", &format!("@why(\"{}\")", "a".repeat(301)))),
    ]));
}

#[test]
fn requirements_of_another_form_are_refused() {
    let ends = |clauses: &str| format!("{NAMES}{HEAD}{clauses};\n");
    let one = "context.met.contains(\"need.it\")";
    insta::assert_snapshot!(told(&[
        ("no unless", ends("when { resource.production }")),
        ("nothing", ends("")),
        ("another id", ends("unless { context.met.contains(\"need.other\") }")),
        ("more in the unless", ends(&format!("unless {{ {one} || resource.production }}"))),
        ("not in the unless", ends(&format!("unless {{ !{one} }}"))),
        ("a constant", ends("unless { true }")),
        ("containsAny", ends("unless { context.met.containsAny([\"need.it\"]) }")),
        ("an if", ends(&format!("unless {{ if true then {one} else false }}"))),
        ("unless before when", ends(&format!("unless {{ {one} }} when {{ resource.production }}"))),
        ("two unless", ends(&format!("unless {{ resource.production }} unless {{ {one} }}"))),
        ("as when", ends(&format!("when {{ !{one} }}"))),
        (
            "a condition on others",
            ends(&format!("when {{ context.met.contains(\"x\") }} unless {{ {one} }}"))
        ),
        (
            "a hidden condition",
            ends(&format!("when {{ [{{a: context}}].isEmpty() }} unless {{ {one} }}"))
        ),
    ]));
}

#[test]
fn rules_about_anything_else_are_refused() {
    let rule = |effect: &str, action: &str| {
        format!("@id(\"x\") {effect} (principal, {action}, resource);")
    };
    insta::assert_snapshot!(told(&[
        ("permit on Release", rule("permit", "action == Action::\"Release\"")),
        ("every action", rule("permit", "action")),
        ("two actions", rule("forbid", "action in [Action::\"Review\", Action::\"Release\"]")),
        ("a list of one", rule("permit", "action in [Action::\"Review\"]")),
        ("an unknown action", rule("permit", "action == Action::\"Delete\"")),
        (
            "the action in a condition",
            rule("permit", "action").replace(";", " when { action == Action::\"Review\" };")
        ),
        (
            "an annotation of Release",
            rule("permit", "action == Action::\"Review\"")
                .replace(" permit", " @quorum(\"2\") permit")
        ),
        (
            "a template",
            "@id(\"x\") permit (principal in ?principal, action == \
            Action::\"Review\", resource);"
                .to_owned()
        ),
        ("the same id twice", format!("{NAMES}{HEAD}{MET}{NAMES}{HEAD}{MET}")),
    ]));
}

#[test]
fn conditions_that_do_not_fit_the_schema_are_refused() {
    let told_for = |condition: &'static str| (condition, when(condition));
    insta::assert_snapshot!(told(
        &[
            told_for("resource.prodution"),
            told_for("resource.environment == 3"),
            told_for("resource.risk"),
            told_for("resource.kind.owning_group == Group::\"data\""),
            told_for("resource.numbers.getTag(\"rows\") > 3"),
            told_for(
                "resource.numbers.hasTag(\"rows\") && resource.numbers.getTag(\"rows\") == \"3\""
            ),
            told_for("resource.kind == \"db.export\""),
            told_for("resource.agent in Group::\"approvers\""),
            told_for("principal in Group::\"approvers\""),
            told_for("resource.kind == Knid::\"db.export\""),
            told_for("resource.risk > 3 && false"),
            told_for("resource.environment == \"pr\u{43e}duction\""),
        ]
        .map(|(case, text)| (case, text.replace("review.any", "review.other")))
    ));
}

#[test]
fn what_is_no_cedar_is_refused_at_its_place() {
    insta::assert_snapshot!(told(&[
        ("a bracket", format!("{NAMES}{}", HEAD.replace(')', ""))),
        ("a word", format!("{NAMES}forbidden (principal, action, resource);")),
        ("an open string", format!("{NAMES}@x(\"")),
        ("no semicolon", format!("{NAMES}{HEAD}{}", MET.replace(';', ""))),
        ("prose", "Everything needs two people.".to_owned()),
    ]));
}

#[test]
fn i5_a_policy_that_asks_nothing_or_lets_nobody_decide_is_refused() {
    let told = |text: &str| Policy::parse(text).unwrap_err()[0].to_string();
    insta::assert_snapshot!(
        [
            told(""),
            told("// nothing but words"),
            told(ANYBODY_REVIEWS),
            told(&when("true").replace(ANYBODY_REVIEWS, "")),
            told(&when("true").replace("permit", "forbid")),
        ]
        .join("\n")
    );
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_the_text() {
    let text = format!("{}\n{}", instead("quorum", "@quorum(\"0\")"), instead("id", ""));
    let errors = Policy::parse(&text).unwrap_err();
    let at: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(at, [(1, 36), (5, 2)]);
}
