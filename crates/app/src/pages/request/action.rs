//! Exactly what will run: every leaf of the payload, and the payload itself.

use leptos::prelude::*;
use service::view::RequestView;

use super::secrets;
use crate::action::{self, Leaf, Line};
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::wording::number;

/// The deepest indentation; a mark stands for each level below it.
const DEEPEST: usize = 3;

/// The action line by line, complete, with its digest.
pub fn section(view: &RequestView) -> AnyView {
    let lines = action::lines(&view.action);
    let note = format!("complete, {}", number::count(lines.len(), "line", "lines"));
    let shown = lines.into_iter().map(line).collect_view();
    let digest = number::digest_groups(&view.digest);
    let kind = format!("{}, version {}. ", view.kind_title, view.kind.version);
    let secrets = secrets::in_request(view);
    let canonical = view.canonical.clone();
    view! {
        <Card id="action" title="Exactly what will run" note=note.into_any()>
            {secrets}
            <dl class="lines">{shown}</dl>
            <div class="in">
                <p class="hint">
                    "sha256 "<code class="hash">{digest}</code>
                </p>
                <p class="hint">
                    {kind}
                    "The release is valid for exactly this digest."
                </p>
            </div>
            <details class="whole">
                <summary>"Whole canonical payload"</summary>
                <pre class="payload" tabindex="0" role="region" aria-label="Canonical payload"><code>
                    <Untrusted text=canonical/>
                </code></pre>
            </details>
        </Card>
    }
    .into_any()
}

fn line(line: Line) -> AnyView {
    let depth = format!("d{}", line.depth.min(DEEPEST));
    let below = line.depth.saturating_sub(DEEPEST);
    let deeper = (below > 0).then(|| {
        let said = format!("{} deeper: ", number::count(below, "level", "levels"));
        let marks = format!("{}\u{a0}", "›".repeat(below));
        view! { <span class="sr">{said}</span><span class="soft" aria-hidden="true">{marks}</span> }
    });
    match line.leaf {
        None => view! {
            <div class=format!("{depth} branch")><dt>{deeper}<Untrusted text=line.key/></dt><dd></dd></div>
        }
        .into_any(),
        Some(leaf) => view! {
            <div class=depth><dt>{deeper}<Untrusted text=line.key/></dt><dd>{value(leaf)}</dd></div>
        }
        .into_any(),
    }
}

/// From this many line breaks on a text is one of lines: shorter, each break is a surprise.
const MANY_BREAKS: usize = 3;

/// A leaf of the payload, with what would be mistaken for something else in quotes.
pub fn value(leaf: Leaf) -> AnyView {
    match leaf {
        Leaf::Text(text) | Leaf::Quoted(text) if text.matches('\n').count() >= MANY_BREAKS => {
            text_lines(&text)
        }
        Leaf::Text(text) => view! { <Untrusted text breaks=true/> }.into_any(),
        Leaf::Quoted(text) => {
            view! { <span class="quote">"\""</span><Untrusted text breaks=true/><span class="quote">"\""</span> }
                .into_any()
        }
        Leaf::Number { digits, grouped } => {
            let grouped = grouped.map(|grouped| view! { <small>{grouped}</small> });
            view! { <span class="number">{digits}</span>{grouped} }.into_any()
        }
        Leaf::Word(word) => view! { <em>{word}</em> }.into_any(),
    }
}

/// A text of many lines, each with its number: where a line ends is seen without a mark.
fn text_lines(text: &str) -> AnyView {
    let line = |line: &str| {
        let text = line.to_owned();
        view! { <span><Untrusted text preformatted=true/>"\n"</span> }
    };
    let lines = text.split('\n').map(line).collect_view();
    view! { <code class="numbered">{lines}</code> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn i4_g05_a_level_below_the_last_indentation_is_still_seen() {
        let html = |value: &serde_json::Value| {
            action::lines(value).into_iter().map(|one| line(one).to_html()).collect::<String>()
        };
        let deep = |inner: serde_json::Value| json!({"a": {"b": {"c": {"d": inner}}}});
        let child = html(&deep(json!({"e": {"f": 1, "privileged": true}})));
        let sibling = html(&deep(json!({"e": {"f": 1}, "privileged": true})));
        assert_ne!(child, sibling);
        assert_eq!((child.matches("››").count(), sibling.matches("››").count()), (2, 1));
    }

    #[test]
    fn i4_the_lines_of_a_long_text_are_numbered_and_a_single_break_is_marked() {
        let html = |text: &str| value(Leaf::Text(text.to_owned())).to_html();
        let policy = html("a\n\nb\u{202e}\n");
        assert_eq!(policy.matches("<span><bdi").count(), 4, "the empty last line too: {policy}");
        assert!(policy.contains("U+202E") && !policy.contains("U+000A"), "{policy}");
        assert!(html("--flag\nsecond").contains("U+000A"));
    }
}
