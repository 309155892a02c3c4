//! Two versions of a list as one: what went, what came, and what stands beside it.

use leptos::prelude::*;
use serde_json::Value;
use similar::{Algorithm, ChangeTag, capture_diff_slices};

use super::leaf_view;
use crate::action;
use crate::components::untrusted::Untrusted;
use crate::wording::number;

/// So many items that stayed stand beside one that did not.
const BESIDE: usize = 1;
/// So many lines of a text that stayed stand beside one that did not.
const BESIDE_LINES: usize = 3;
/// The most lines of both texts together that are compared.
const MAX_LINES: usize = 4_000;

/// An item, or how many that stayed are left out.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Item(ChangeTag, String),
    Same(usize),
}

/// What a line is called where it is left out or stands alone.
#[derive(Clone, Copy)]
struct Called(&'static str, &'static str);

const ITEMS: Called = Called("item", "items");
const LINES: Called = Called("line", "lines");

/// Two texts, line by line; `None` when they are too long to be compared here.
pub fn lines(before: &str, after: &str) -> Option<AnyView> {
    // What ends a line is a part of it: a carriage return, and whether the last one has an end.
    let split = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (split(before), split(after));
    let line = |_, line: String| match line.as_str() {
        "" => view! { <em>"empty line"</em> }.into_any(),
        _ => untrusted(line),
    };
    (before.len() + after.len() <= MAX_LINES)
        .then(|| shown(compared(&before, &after, BESIDE_LINES), LINES, line))
}

/// A list of plain values.
pub fn plain(before: &[Value], after: &[Value]) -> AnyView {
    let item = |_, json: String| match read(&json).as_ref().and_then(action::leaf) {
        Some(leaf) => leaf_view(leaf),
        None => untrusted(json),
    };
    shown(compared(&written(before), &written(after), BESIDE), ITEMS, item)
}

/// The evidence: each piece by its name, with its size; of one that is not as before all that is
/// said of it, with the whole digest.
pub fn evidence(before: &[Value], after: &[Value]) -> AnyView {
    let piece = |tag, json: String| {
        let item = read(&json).unwrap_or_default();
        let field = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        let size = item.get("size_bytes").and_then(Value::as_u64).map(number::size);
        let mut said = vec![field("name"), field("type"), size];
        if tag != ChangeTag::Equal {
            let collected = field("collected_at").map(|at| format!("collected {at}"));
            said.extend([field("media_type"), field("source"), collected, field("digest")]);
        }
        untrusted(said.into_iter().flatten().collect::<Vec<_>>().join(" · "))
    };
    view! {
        {shown(compared(&written(before), &written(after), BESIDE), ITEMS, piece)}
        <dd><small>"Content that was read before is not what stands there now: open the new pieces."</small></dd>
    }
    .into_any()
}

/// Each value as JSON: two are the same where that is.
fn written(values: &[Value]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn read(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

fn untrusted(text: String) -> AnyView {
    view! { <Untrusted text breaks=true/> }.into_any()
}

fn compared(before: &[String], after: &[String], beside: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, before, after) {
        let changes = operation.iter_changes(before, after);
        lines.extend(changes.map(|change| Line::Item(change.tag(), change.value())));
    }
    let stayed = |line: &Line| matches!(line, Line::Item(ChangeTag::Equal, _));
    let near = |at: usize| {
        let from = at.saturating_sub(beside);
        lines.iter().skip(from).take(at - from + beside + 1).any(|line| !stayed(line))
    };
    let kept: Vec<bool> = (0..lines.len()).map(near).collect();
    let mut out: Vec<Line> = Vec::new();
    for (line, kept) in lines.into_iter().zip(kept) {
        match (kept, out.last_mut()) {
            (true, _) => out.push(line),
            (false, Some(Line::Same(count))) => *count += 1,
            (false, _) => out.push(Line::Same(1)),
        }
    }
    out
}

fn shown(lines: Vec<Line>, called: Called, item: impl Fn(ChangeTag, String) -> AnyView) -> AnyView {
    let Called(one, many) = called;
    let line = |line: Line| match line {
        Line::Item(tag, text) => {
            let shown = item(tag, text);
            match tag {
                ChangeTag::Delete => {
                    view! { <dd class="del"><span class="sr">"Gone: "</span>{shown}</dd> }
                        .into_any()
                }
                ChangeTag::Insert => {
                    view! { <dd class="add"><span class="sr">"New: "</span>{shown}</dd> }.into_any()
                }
                ChangeTag::Equal => view! { <dd class="same">{shown}</dd> }.into_any(),
            }
        }
        Line::Same(count) => {
            let text = format!("… {} as before", number::count(count, one, many));
            view! { <dd class="same"><small>{text}</small></dd> }.into_any()
        }
    };
    lines.into_iter().map(line).collect_view().into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn what_went_and_came_stands_beside_its_neighbours_and_the_rest_is_counted() {
        let before = texts(&["a", "b", "c", "d", "--limit", "60000", "--to"]);
        let after = texts(&["a", "b", "c", "d", "--limit", "20000", "--to"]);
        let item = |tag, text: &str| Line::Item(tag, text.to_owned());
        let wanted = [
            Line::Same(4),
            item(ChangeTag::Equal, "--limit"),
            item(ChangeTag::Delete, "60000"),
            item(ChangeTag::Insert, "20000"),
            item(ChangeTag::Equal, "--to"),
        ];
        assert_eq!(compared(&before, &after, BESIDE), wanted);
    }

    #[test]
    fn a_text_of_many_lines_shows_three_beside_each_that_changed() {
        let text: String = (0..30).map(|n| format!("line {n}\n")).collect();
        let other = text.replace("line 10\n", "line ten\n");
        let html = lines(&text, &other).unwrap().to_html();
        for shown in [
            "line 7<",
            "line 10<",
            "line ten<",
            "line 13<",
            "7 lines as before",
            "17 lines as before",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("line 6<") && !html.contains("line 14<"), "{html}");
        assert!(lines(&"x\n".repeat(MAX_LINES), "y\n").is_none());
    }

    #[test]
    fn i4_a_line_that_ends_otherwise_has_changed() {
        let script = "cd /srv/scratch\nrm -rf ./*\n".repeat(5);
        for other in [script.replacen('\n', "\r\n", 1), script.trim_end().to_owned()] {
            let html = lines(&script, &other).unwrap().to_html();
            assert!(html.contains("class=\"del\""), "{html}");
        }
        let returned = lines("a\nb", "a\r\nb").unwrap().to_html();
        assert!(returned.contains("U+000D"), "{returned}");
    }

    #[test]
    fn i4_a_value_of_another_type_has_changed_and_looks_so() {
        for (one, other) in [(json!(1), json!("1")), (json!(true), json!("true"))] {
            let html = plain(&[one], &[other]).to_html();
            assert!(html.contains("class=\"del\"") && html.contains("class=\"quote\""), "{html}");
        }
    }

    #[test]
    fn i4_evidence_that_differs_in_any_field_is_shown_as_changed() {
        let piece = json!({
            "type": "dry_run", "name": "Row counts", "media_type": "text/csv",
            "digest": format!("sha256:{}", "a".repeat(64)), "size_bytes": 2048,
            "source": "replica-3", "collected_at": "2026-09-22T14:00:00Z",
        });
        let half = format!("sha256:{}{}", "a".repeat(32), "b".repeat(32));
        for (field, value) in [
            ("type", json!("log")),
            ("name", json!("Row count")),
            ("media_type", json!("text/html")),
            ("digest", json!(half)),
            ("source", Value::Null),
            ("collected_at", json!("2026-09-22T14:00:01Z")),
        ] {
            let mut other = piece.clone();
            other[field] = value;
            let html = evidence(std::slice::from_ref(&piece), &[other]).to_html();
            let side = |class: &str| {
                let (_, rest) = html.split_once(&format!("class=\"{class}\"")).unwrap();
                rest.split_once("</bdi>").unwrap().0.rsplit_once("<bdi").unwrap().1.to_owned()
            };
            assert_ne!(side("del"), side("add"), "{field}: {html}");
        }
    }

    #[test]
    fn hidden_characters_in_an_item_are_shown() {
        let html = plain(&[], &[Value::from("a\u{202e}b"), Value::from(7)]).to_html();
        assert!(html.contains("U+202E") && html.contains('7'), "{html}");
    }
}
