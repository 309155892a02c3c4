//! Two versions of a text as one, with what went and what came marked sentence by sentence.

use leptos::prelude::*;
use similar::{ChangeTag, TextDiff};

use crate::components::untrusted::Untrusted;
use crate::wording::number;

/// The most of both texts together, in bytes, that is compared.
const MAX_BYTES: usize = 40_000;
/// Of text that is the same, this many characters stand before and after a change.
const AROUND_CHARS: usize = 90;

/// A stretch that stayed, went or came.
#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    tag: ChangeTag,
    text: String,
}

/// The two as one; `None` when they are too long to be compared here.
pub fn compared(before: &str, after: &str) -> Option<AnyView> {
    if before.len() + after.len() > MAX_BYTES {
        return None;
    }
    let shown = stretches(before, after).into_iter().map(stretch).collect_view();
    Some(view! { <p class="prose">{shown}</p> }.into_any())
}

fn stretches(before: &str, after: &str) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    let (before, after) = (sentences(before), sentences(after));
    for change in TextDiff::from_slices(&before, &after).iter_all_changes() {
        match out.last_mut() {
            Some(last) if last.tag == change.tag() => last.text.push_str(change.value()),
            _ => out.push(Stretch { tag: change.tag(), text: change.value().to_owned() }),
        }
    }
    out
}

/// The text in pieces that a person reads as one: sentences, and lines.
fn sentences(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(end) = [". ", "! ", "? "].iter().filter_map(|end| rest.find(end)).min() {
            // The space leads the next piece, so that a last sentence is the same in the middle.
            let (piece, left) = rest.split_at(end + 1);
            pieces.push(piece);
            rest = left;
        }
        pieces.push(rest);
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn stretch(stretch: Stretch) -> AnyView {
    let Stretch { tag, text } = stretch;
    match tag {
        ChangeTag::Equal => same(text),
        ChangeTag::Delete => view! {
            <del><span class="sr">"Gone: "</span><Untrusted text preformatted=true/></del>
        }
        .into_any(),
        ChangeTag::Insert => view! {
            <ins><span class="sr">"New: "</span><Untrusted text preformatted=true/></ins>
        }
        .into_any(),
    }
}

/// What stayed; of much of it only the ends, with how much lies between them.
fn same(text: String) -> AnyView {
    let chars: Vec<char> = text.chars().collect();
    let left_out = chars.len().saturating_sub(2 * AROUND_CHARS);
    if left_out <= AROUND_CHARS {
        return view! { <Untrusted text preformatted=true/> }.into_any();
    }
    let (first, rest) = chars.split_at(AROUND_CHARS);
    let (_, last) = rest.split_at(left_out);
    let (first, last): (String, String) = (first.iter().collect(), last.iter().collect());
    let between = format!(" … {} characters as before … ", number::grouped(left_out as u64));
    view! {
        <Untrusted text=first preformatted=true/>
        <small>{between}</small>
        <Untrusted text=last preformatted=true/>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_stand_in_their_place() {
        let before = "It is late. Take the whole table! Keep it.\nThanks";
        let after = "It is late. Take November. Keep it.\nThanks";
        let found = stretches(before, after);
        let parts: Vec<(ChangeTag, &str)> =
            found.iter().map(|stretch| (stretch.tag, stretch.text.as_str())).collect();
        let wanted = [
            (ChangeTag::Equal, "It is late."),
            (ChangeTag::Delete, " Take the whole table!"),
            (ChangeTag::Insert, " Take November."),
            (ChangeTag::Equal, " Keep it.\nThanks"),
        ];
        assert_eq!(parts, wanted);
    }

    #[test]
    fn what_follows_the_last_sentence_leaves_it_as_it_was() {
        let found = stretches("No scope is added.", "No scope is added. Three days.");
        let tags: Vec<ChangeTag> = found.iter().map(|stretch| stretch.tag).collect();
        assert_eq!(tags, [ChangeTag::Equal, ChangeTag::Insert]);
    }

    #[test]
    fn hidden_characters_and_markup_of_either_side_are_shown() {
        let html = compared("a <b>x</b>", "a \u{202e}y").unwrap().to_html();
        assert!(html.contains("&lt;b&gt;x&lt;/b&gt;") && html.contains("U+202E"), "{html}");
    }

    #[test]
    fn of_a_long_text_what_stayed_is_counted_and_what_changed_is_shown() {
        let long = "A word. ".repeat(300);
        let html = compared(&format!("{long}old"), &format!("{long}new")).unwrap().to_html();
        assert!(html.contains("2,219 characters as before"), "{html}");
        assert!(html.contains("old") && html.contains("new"));
        assert!(compared(&"x ".repeat(MAX_BYTES), "y").is_none());
    }
}
