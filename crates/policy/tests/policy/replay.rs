//! What a draft would change for requests of the past.

use domain::RiskLevel;
use policy::{DEFAULT, replay};

use crate::scene::{Scene, parsed, scene, short, when};

#[test]
fn b17_a_draft_is_shown_with_everything_that_it_would_change() {
    let draft = DEFAULT
        .replace("@quorum(\"2\")", "@quorum(\"3\")")
        .replace("need.owner", "need.steward")
        .replace(
            "when { !resource.production && resource.reversible }\nwhen { resource.risk < 3 }",
            "when { !resource.production && resource.reversible }\nwhen { resource.risk < 2 }",
        );
    let past = [
        scene(),
        scene().environment("production"),
        scene().environment("production").owned_by("data"),
        scene().risk(RiskLevel::Medium),
        scene().kind("countersign.kind"),
    ];
    let past: Vec<_> = past.iter().map(|scene| (Scene::id(), scene.subject())).collect();
    let changes = replay(&parsed(&draft), &parsed(DEFAULT), past.clone());
    let lines = changes.iter().map(|change| {
        let list = |of: &[domain::Requirement]| of.iter().map(short).collect::<Vec<_>>();
        let changed = change.changed.iter().map(|(old, new)| [short(old), short(new)]);
        format!(
            "added {:?}\nremoved {:?}\nchanged {:?}\nwould be refused: {:?}\n",
            list(&change.added),
            list(&change.removed),
            changed.collect::<Vec<_>>(),
            change.would_be_refused
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(replay(&parsed(DEFAULT), &parsed(DEFAULT), past), []);
}

#[test]
fn a_draft_that_mends_a_refusal_is_shown_too() {
    let narrow = parsed(&when("resource.production"));
    let wide = parsed(&when("true"));
    let change = &replay(&wide, &narrow, [(Scene::id(), scene().subject())])[0];
    assert!(change.refused.as_ref().is_some_and(|why| why.contains("no review")));
    assert_eq!((change.added.len(), &change.would_be_refused), (1, &None));
}
