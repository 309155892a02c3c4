//! What a kind asks of evidence.

use domain::stage::FieldError;
use serde_json::{Value, json};

use crate::scene::{harmless, now};

const DAY_S: i64 = 86_400;

fn errors(evidence: Value) -> Vec<FieldError> {
    let rules = json!([{"type": "plan", "max_age_s": DAY_S}, {"type": "note", "presenter": "log"}]);
    let scene = harmless().kind("required_evidence", rules).body("evidence", evidence);
    scene.kind.check_body(&scene.body, now())
}

fn item(of: &str, age_s: Option<i64>) -> Value {
    let at = age_s.map(|age| now().plus_seconds(-age));
    json!({"type": of, "name": "n", "media_type": "text/plain", "content": "c", "collected_at": at})
}

#[test]
fn each_type_has_to_be_there() {
    assert_eq!(errors(json!([item("plan", Some(0)), item("note", None)])), []);
    let missing = errors(json!([item("plan", Some(0))]));
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].pointer, "/evidence");
    assert!(missing[0].detail.contains("`note`"), "{missing:?}");
    assert_eq!(missing[0].limit.as_deref(), Some("plan, note"));
}

#[test]
fn stale_evidence_names_the_field_the_type_and_the_limit() {
    assert_eq!(errors(json!([item("plan", Some(DAY_S)), item("note", None)])), []);
    let earliest = now().plus_seconds(-DAY_S).to_string();
    for (age, word) in [(Some(DAY_S + 1), "is too old"), (None, "is missing")] {
        let stale = errors(json!([item("note", None), item("plan", age)]));
        assert_eq!(stale.len(), 1, "{stale:?}");
        assert_eq!(stale[0].pointer, "/evidence/1/collected_at");
        for part in [word, "`plan`", "86400 seconds", "`max_age_s`"] {
            assert!(stale[0].detail.contains(part), "{part}: {stale:?}");
        }
        assert_eq!(stale[0].limit.as_deref(), Some(earliest.as_str()));
    }
}

#[test]
fn a_stale_piece_is_not_let_in_beside_a_fresh_one() {
    let both = json!([item("plan", Some(0)), item("plan", Some(DAY_S + 1)), item("note", None)]);
    assert_eq!(errors(both).len(), 1);
}
