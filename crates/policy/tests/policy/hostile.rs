//! J10: texts that are meant to hurt whoever reads them. Threads of tests have 2 MiB of stack.

use policy::{MAX_NESTING, MAX_POLICIES, MAX_TEXT_BYTES, MAX_WORDS_PER_POLICY, Policy};

use crate::scene::{ANYBODY_REVIEWS, parsed, scene, when};

fn refusal(text: &str) -> String {
    Policy::parse(text).unwrap_err()[0].to_string()
}

#[test]
fn j10_more_than_the_limits_is_refused_by_name() {
    let long = format!("{}// {}", when("true"), "x".repeat(MAX_TEXT_BYTES));
    let deep = when(&format!("{}true{}", "(".repeat(9000), ")".repeat(9000)));
    let wide = when(&vec!["true"; 20_000 / 4].join("&&"));
    let many = ANYBODY_REVIEWS.repeat(MAX_POLICIES + 1);
    let found = [long, deep, wide, many].map(|text| refusal(&text));
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn j10_the_longest_chains_that_the_limits_allow_are_read_and_decided() {
    // The rule around a condition takes about 60 words.
    let words = MAX_WORDS_PER_POLICY - 60;
    let plus = format!("{} > 0", vec!["1"; words / 2].join("+"));
    let not_or = vec!["!true"; words / 4].join("||") + " || true";
    let and = vec!["true"; words / 3].join("&&");
    let chosen = format!("{} true", "if true then true else ".repeat(words / 5));
    let asked =
        format!("{} true {}", "if ".repeat(words / 5), " then true else true".repeat(words / 5));
    let compared = vec!["resource.risk == 1"; words / 7].join(" || ");
    for (case, condition) in [
        ("+", plus),
        ("||", not_or),
        ("&&", and),
        ("==", compared),
        ("if", chosen),
        ("if if", asked),
    ] {
        let policy = Policy::parse(&when(&condition));
        let policy = policy.unwrap_or_else(|errors| panic!("{case}: {}", errors[0]));
        assert!(policy.requirements(&scene().subject()).is_ok(), "{case}");
    }
}

#[test]
fn j10_the_deepest_brackets_that_the_limits_allow_are_read_and_decided() {
    let deep = MAX_NESTING - 2;
    let round = format!("{}true{}", "(".repeat(deep), ")".repeat(deep));
    let calls = format!("{}[1].isEmpty(){}", "[".repeat(deep - 1), "].isEmpty()".repeat(deep - 1));
    for condition in [round, format!("!{calls} || true")] {
        let read = Policy::parse(&when(&condition));
        if let Ok(policy) = read {
            assert!(policy.requirements(&scene().subject()).is_ok());
        }
    }
    parsed(&when(&format!("{}true{}", "(".repeat(deep), ")".repeat(deep))));
}

#[test]
fn j10_garbage_is_refused_and_never_stops_the_reader() {
    let chains = [
        "!".repeat(30_000),
        "-".repeat(400),
        "a.".repeat(200),
        "a::".repeat(140),
        "if ".repeat(400),
        "[".repeat(60_000),
        "@id(\"x\")".repeat(100),
        "/".repeat(60_000),
        "\"\\".repeat(30_000),
        "\u{0}".repeat(100),
        "\u{202e}permit".to_owned(),
        "permit(principal,action,resource)when{".repeat(12),
        ";".repeat(199),
        "\u{feff}permit (principal, action, resource);".to_owned(),
    ];
    for text in chains {
        let start: String = text.chars().take(12).collect();
        assert!(Policy::parse(&text).is_err(), "{start:?}");
        assert!(Policy::parse(&when(&text)).is_err(), "{start:?} as a condition");
    }
}

#[test]
fn j10_two_hundred_rules_of_full_size_are_a_policy() {
    let rule = "@id(\"review.N\") permit (principal, action == Action::\"Review\", resource);\n";
    let rules: String = (1..MAX_POLICIES - 1).map(|n| rule.replace('N', &n.to_string())).collect();
    parsed(&format!("{}{rules}", when("true")));
}
