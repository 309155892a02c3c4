//! What a decision costs. `cargo xtask bench` runs it and sets the times against the base.
//!
//! The base is SHA-256 of 1 KiB: work that every machine does alike and that no change of ours
//! moves. So the figures can be compared over machines, however busy they are.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use domain::Digest;
use policy::{DEFAULT, Policy, Reviewer};

#[path = "../tests/policy/scene.rs"]
#[expect(dead_code, reason = "the tests need more of the scene than this does")]
mod scene;

use scene::{parsed, person, scene as request, when};

/// A policy of 50 rules: one who may decide, 5 requirements of this request, 44 of other kinds.
fn fifty() -> Policy {
    let mut text = when("resource.risk >= 1");
    for number in 0..48 {
        let kind =
            if number % 12 == 0 { "db.export".to_owned() } else { format!("other.{number}") };
        let (id, text) = (format!("need.n{number}"), &mut text);
        writeln!(
            text,
            "@id(\"{id}\") @group(\"approvers\") @quorum(\"1\") @why(\"w\") \
             forbid (principal, action == Action::\"Release\", resource) \
             when {{ resource.kind == Kind::\"{kind}\" && resource.risk > 0 }} \
             when {{ resource.targets.contains(\"orders\") || resource.production }} \
             unless {{ context.met.contains(\"{id}\") }};"
        )
        .unwrap();
    }
    parsed(&text)
}

fn decisions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy");
    let subject = request().environment("production").owned_by("data").subject();
    let reviewer = Reviewer { person: person(2), groups: ["approvers".to_owned()].into() };
    let nothing = BTreeSet::new();
    let one = parsed(&when("true"));
    group.bench_function("base", |run| run.iter(|| Digest::of(black_box(&[7; 1024]))));
    group.bench_function("one_requirements", |run| {
        run.iter(|| one.requirements(black_box(&subject)));
    });
    for (name, policy) in [("default", parsed(DEFAULT)), ("fifty", fifty())] {
        group.bench_function(format!("{name}_requirements"), |run| {
            run.iter(|| policy.requirements(black_box(&subject)));
        });
        group.bench_function(format!("{name}_may_review"), |run| {
            run.iter(|| policy.may_review(black_box(&subject), &reviewer));
        });
        let asked = policy.requirements(&subject).expect("requirements");
        let all = asked.into_iter().map(|asked| asked.id).collect();
        for (answer, met) in [("denied", &nothing), ("allowed", &all)] {
            group.bench_function(format!("{name}_release_{answer}"), |run| {
                run.iter(|| policy.may_release(black_box(&subject), met));
            });
        }
    }
    let scene = request();
    group.bench_function("subject", |run| run.iter(|| black_box(&scene).subject()));
    group.bench_function("parse_default", |run| run.iter(|| Policy::parse(black_box(DEFAULT))));
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
