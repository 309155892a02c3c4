//! Two versions of a list as one: what went, what came, and what stands beside it.

use leptos::prelude::*;
use serde_json::Value;
use similar::{Algorithm, ChangeTag, capture_diff_slices};

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
    let split = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (split(before), split(after));
    (before.len() + after.len() <= MAX_LINES)
        .then(|| shown(compared(&before, &after, BESIDE_LINES), LINES))
}

/// A list of plain values.
pub fn plain(before: &[Value], after: &[Value]) -> AnyView {
    let text = |item: &Value| match item {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let lines = compared(
        &before.iter().map(text).collect::<Vec<_>>(),
        &after.iter().map(text).collect::<Vec<_>>(),
        BESIDE,
    );
    shown(lines, ITEMS)
}

/// The evidence: each piece by its name, with its size; the digest says whether it is another.
pub fn evidence(before: &[Value], after: &[Value]) -> AnyView {
    let text = |item: &Value| {
        let field = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let size = item.get("size_bytes").and_then(Value::as_u64).unwrap_or_default();
        let short: String = field("digest").chars().take(15).collect();
        format!("{} · {} · {} · {short}…", field("name"), field("type"), number::size(size))
    };
    let lines = compared(
        &before.iter().map(text).collect::<Vec<_>>(),
        &after.iter().map(text).collect::<Vec<_>>(),
        BESIDE,
    );
    view! {
        {shown(lines, ITEMS)}
        <dd><small>"Content that was read before is not what stands there now: open the new pieces."</small></dd>
    }
    .into_any()
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

fn shown(lines: Vec<Line>, called: Called) -> AnyView {
    let Called(one, many) = called;
    let line = |line: Line| match line {
        Line::Item(ChangeTag::Delete, text) => view! {
            <dd class="del"><span class="sr">"Gone: "</span><Untrusted text breaks=true/></dd>
        }
        .into_any(),
        Line::Item(ChangeTag::Insert, text) => view! {
            <dd class="add"><span class="sr">"New: "</span><Untrusted text breaks=true/></dd>
        }
        .into_any(),
        Line::Item(ChangeTag::Equal, text) => {
            view! { <dd class="same"><Untrusted text breaks=true/></dd> }.into_any()
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
            "16 lines as before",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("line 6<") && !html.contains("line 14<"), "{html}");
        assert!(lines(&"x\n".repeat(MAX_LINES), "y\n").is_none());
    }

    #[test]
    fn hidden_characters_in_an_item_are_shown() {
        let html = plain(&[], &[Value::from("a\u{202e}b"), Value::from(7)]).to_html();
        assert!(html.contains("U+202E") && html.contains('7'), "{html}");
    }
}
