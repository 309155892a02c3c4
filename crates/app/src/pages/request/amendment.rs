//! What an amendment changed: field by field, before and after, and what was asked for.

mod list;
mod prose;

use domain::{Timestamp, Verdict};
use leptos::prelude::*;
use serde_json::Value;
use service::view::{AmendmentView, FieldChange, RequestView, TimelineFact, TimelineItem};

use crate::action;
use crate::components::card::Card;
use crate::components::untrusted::Untrusted;
use crate::components::when::When;
use crate::wording::{number, pointer};

use super::Reader;
use super::action::value as leaf_view;

/// A value longer than this, in characters, stands folded.
const LONG_CHARS: usize = 400;
/// A value of more lines than this stands folded; two such texts are compared line by line.
const LONG_LINES: usize = 8;

/// Fields in which somebody says something: compared sentence by sentence, however many lines.
const SAID: [&str; 2] = ["/summary", "/justification"];

/// Instants that are ours: a text of the agent's stays a text, whatever it looks like.
const INSTANTS: [&str; 4] =
    ["/review_deadline", "/window/not_before", "/window/not_after", "/rollback_plan/tested_at"];

/// Texts that are both longer than this, in characters, are compared word by word.
const PROSE_CHARS: usize = 80;

/// The changes since the revision that the viewer knows, if there is one before this.
pub fn section(view: &RequestView, reader: &Reader) -> Option<AnyView> {
    let amendment = view.amendment.as_ref()?;
    let since = amendment.since;
    let title = if amendment.reviewed_by_you {
        format!("Changed since you reviewed revision {since}")
    } else {
        format!("Changed since revision {since}")
    };
    let mut sorted: Vec<&FieldChange> = amendment.changes.iter().collect();
    sorted.sort_by_key(|found| pointer::weight(&found.pointer));
    let changes = sorted.into_iter().map(|found| change(found, view)).collect_view();
    let note = number::count(amendment.changes.len(), "field", "fields");
    let asked = asked(view, amendment, reader);
    let none = amendment.changes.is_empty().then(|| {
        view! { <p class="in">"Nothing: it was staged again as it was. Earlier reviews are void all the same."</p> }
    });
    let masked = masked_otherwise(&amendment.masked_otherwise);
    Some(
        view! {
            <Card id="changes" title=title note=note.into_any()>
                {asked}
                <dl class="changes">{changes}</dl>
                {masked}
                {none}
                <p class="in hint">"Everything else is as it was. Your decision is on the whole: "<a href="#action">"exactly what will run"</a></p>
            </Card>
        }
        .into_any(),
    )
}

/// What is masked is not what was masked before: a mask must not hide that.
fn masked_otherwise(names: &[String]) -> Option<AnyView> {
    if names.is_empty() {
        return None;
    }
    let name = |text: &String| view! { <li><Untrusted text=text.clone()/></li> };
    let names = names.iter().map(name).collect_view();
    Some(
        view! {
            <div class="in secrets" role="note">
                <p><b>"What is masked differs"</b>" from the earlier revision in:"</p>
                <ul>{names}</ul>
            </div>
        }
        .into_any(),
    )
}

/// What people asked for in the revisions that this one follows.
fn asked(view: &RequestView, amendment: &AmendmentView, reader: &Reader) -> Option<AnyView> {
    let wanted = |item: &&TimelineItem| match item.what {
        TimelineFact::Reviewed { verdict: Verdict::RequestChanges, revision } => {
            revision >= amendment.since && revision < view.revision
        }
        _ => false,
    };
    let lines: Vec<AnyView> =
        view.timeline.iter().filter(wanted).map(|item| asked_for(item, reader)).collect();
    (!lines.is_empty()).then(|| view! { <div class="in asked">{lines}</div> }.into_any())
}

/// One request for changes, in the words of whoever made it.
pub fn asked_for(item: &TimelineItem, reader: &Reader) -> AnyView {
    let text = match item.text.clone() {
        Some(text) => view! { <Untrusted text preformatted=true/> }.into_any(),
        None => view! { <em class="missing">"text erased"</em> }.into_any(),
    };
    let own = reader.name.as_ref() == Some(&item.actor);
    let who = if own { "You".to_owned() } else { item.actor.clone() };
    view! { <p>{who}" asked for:"</p><blockquote>{text}</blockquote> }.into_any()
}

/// One field, by its place, with what went and what came.
pub fn change(change: &FieldChange, view: &RequestView) -> AnyView {
    let parts = pointer::parts(&change.pointer);
    let last = parts.len().saturating_sub(1);
    let place = parts
        .into_iter()
        .enumerate()
        .map(|(position, text)| {
            let arrow = (position < last).then_some(" › ");
            view! { <Untrusted text/>{arrow} }
        })
        .collect_view();
    let is_evidence = change.pointer == "/evidence";
    let is_said = SAID.contains(&change.pointer.as_str());
    let sides = match (&change.before, &change.after) {
        (Some(Value::String(before)), Some(Value::String(after)))
            if !is_said && has_lines(before) && has_lines(after) =>
        {
            list::lines(before, after)
        }
        (Some(Value::String(before)), Some(Value::String(after))) if is_prose(before, after) => {
            prose::compared(before, after).map(|text| view! { <dd>{text}</dd> }.into_any())
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if is_evidence => {
            Some(list::evidence(before, after))
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if are_plain(before, after) => {
            Some(list::plain(before, after))
        }
        _ => None,
    };
    let sides = sides.unwrap_or_else(|| both(change, view.now));
    view! { <div><dt>{place}</dt>{sides}</div> }.into_any()
}

/// Whether a text is one that people read by its lines: code, a policy, a list.
fn has_lines(text: &str) -> bool {
    text.lines().count() > LONG_LINES
}

/// Whether two texts are long enough to be read as one with the changes in it.
fn is_prose(before: &str, after: &str) -> bool {
    let shorter = before.chars().count().min(after.chars().count());
    shorter > PROSE_CHARS
}

fn are_plain(before: &[Value], after: &[Value]) -> bool {
    before.iter().chain(after).all(|item| !item.is_array() && !item.is_object())
}

fn both(change: &FieldChange, now: Timestamp) -> AnyView {
    let side = |value: Option<&Value>, missing: &'static str| match value {
        None => view! { <em>{missing}</em> }.into_any(),
        Some(Value::String(text)) if INSTANTS.contains(&change.pointer.as_str()) => {
            instant(text, now)
        }
        Some(value) => side(value),
    };
    view! {
        <dd class="del"><span class="sr">"Before: "</span>{side(change.before.as_ref(), "it was not there")}</dd>
        <dd class="add"><span class="sr">"After: "</span>{side(change.after.as_ref(), "it is gone")}</dd>
    }
    .into_any()
}

/// An instant to read, and as it was written: to the minute two that differ can look the same.
fn instant(text: &str, now: Timestamp) -> AnyView {
    let at = Timestamp::parse(text).ok().map(|at| view! { <When at now zone=true/>" " });
    view! { {at}<small><Untrusted text=text.to_owned()/></small> }.into_any()
}

fn side(value: &Value) -> AnyView {
    let (characters, lines) = extent(value);
    let shown = whole(value);
    if characters <= LONG_CHARS && lines <= LONG_LINES {
        return shown;
    }
    let size = format!("{} characters", number::grouped(characters as u64));
    view! { <details class="long"><summary>{size}</summary>{shown}</details> }.into_any()
}

/// A text as it stands; anything else as its lines, each with its key.
fn whole(value: &Value) -> AnyView {
    if let Value::String(text) = value
        && text.contains('\n')
    {
        return view! { <Untrusted text=text.clone() preformatted=true/> }.into_any();
    }
    let wrapped = Value::Array(vec![value.clone()]);
    let lines = action::lines(&wrapped);
    let line = |line: action::Line| {
        let key = (line.depth > 0).then(|| view! { <Untrusted text=line.key/>": " });
        let leaf = line.leaf.map(leaf_view);
        view! { <span class="part">{key}{leaf}</span> }
    };
    // The list that the value was put into has no line of its own.
    let said = |line: &action::Line| line.depth > 0 || line.leaf.is_some();
    lines.into_iter().filter(said).map(line).collect_view().into_any()
}

fn extent(value: &Value) -> (usize, usize) {
    match value {
        Value::String(text) => (text.chars().count(), text.lines().count()),
        Value::Null | Value::Bool(_) | Value::Number(_) => (1, 1),
        Value::Array(_) | Value::Object(_) => {
            (value.to_string().chars().count(), action::lines(value).len())
        }
    }
}
