//! Secrets in text that an agent supplied: found by their form, and masked where people read it.
//!
//! A net, not a proof: what has no form of its own is not found, so nothing may rest on a text being
//! clean. The digest is always over the original, and what is shown says what is masked in it.
//!
//! INVARIANT: nothing is dropped. Every stretch that is masked is counted, by sort and line, and two
//! secrets that differ are masked differently, so that a mask never hides a difference.

mod pattern;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::keys::KeyRing;

/// The most text that is looked through at once, and the most that a page shows: 256 KiB.
pub(crate) const MAX_SEARCHED_BYTES: u64 = 256 * 1024;

/// A stretch of text that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stretch {
    sort: &'static str,
    start: usize,
    end: usize,
}

/// What was found of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it looks like, such as `GitHub token`.
    pub sort: &'static str,
    /// The line of each, counted from 1.
    pub lines: Vec<usize>,
}

/// A text as people see it, and what is masked in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Masked {
    pub text: String,
    pub findings: Vec<Finding>,
}

/// What looks like secrets in `text`, by sort.
pub(crate) fn find(text: &str) -> Vec<Finding> {
    findings(text, &stretches(text))
}

/// The strings of a JSON value in which something looks like a secret, by pointer.
///
/// A name counts with its value: what `password` is set to is one, whatever its form.
pub(crate) fn find_in(value: &Value) -> Vec<(String, Vec<Finding>)> {
    let mut found = Vec::new();
    walk(value, None, &mut String::new(), &mut found);
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// `text` with every secret masked. A mask says the sort, the length and a tag: the same secret has
/// the same tag, another secret another one.
pub(crate) fn mask(keys: &KeyRing, text: &str) -> Masked {
    let stretches = stretches(text);
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for stretch in &stretches {
        masked.push_str(text.get(from..stretch.start).unwrap_or_default());
        let secret = text.get(stretch.start..stretch.end).unwrap_or_default();
        masked.push_str(&instead(keys, stretch.sort, secret));
        from = stretch.end;
    }
    masked.push_str(text.get(from..).unwrap_or_default());
    Masked { findings: findings(text, &stretches), text: masked }
}

/// The tags of all secrets in `text`, in order: what tells whether two texts hold the same ones.
pub(crate) fn tags(keys: &KeyRing, text: &str) -> Vec<String> {
    let secret = |stretch: &Stretch| text.get(stretch.start..stretch.end).unwrap_or_default();
    stretches(text).iter().map(|stretch| tag(keys, secret(stretch))).collect()
}

/// What stands in a secret's place: as many lines as it has, so that the others keep their numbers.
fn instead(keys: &KeyRing, sort: &str, secret: &str) -> String {
    let count = secret.chars().count();
    let more = "\n[masked]".repeat(secret.matches('\n').count());
    format!("[masked: {sort}, {count} characters, #{}]{more}", tag(keys, secret))
}

/// SECURITY: under a key, so that nobody can try passwords against it.
fn tag(keys: &KeyRing, secret: &str) -> String {
    let mac = domain::Digest(keys.page(b"masked", secret.as_bytes()));
    mac.hex().chars().take(8).collect()
}

/// Every stretch that looks like a secret, in order, none within another.
fn stretches(text: &str) -> Vec<Stretch> {
    let mut found = pattern::matches(text);
    // Of two that begin together, the sort that is named first.
    found.sort_by_key(|stretch| stretch.start);
    let mut apart: Vec<Stretch> = Vec::new();
    for stretch in found {
        match apart.last_mut() {
            // What overlaps is masked whole.
            Some(last) if stretch.start < last.end => last.end = last.end.max(stretch.end),
            _ => apart.push(stretch),
        }
    }
    apart
}

fn findings(text: &str, stretches: &[Stretch]) -> Vec<Finding> {
    let mut by_sort: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    let (mut line, mut counted) = (1, 0);
    for stretch in stretches {
        line += text.get(counted..stretch.start).unwrap_or_default().matches('\n').count();
        counted = stretch.start;
        by_sort.entry(stretch.sort).or_default().push(line);
    }
    by_sort.into_iter().map(|(sort, lines)| Finding { sort, lines }).collect()
}

fn walk(
    value: &Value,
    name: Option<&str>,
    pointer: &mut String,
    found: &mut Vec<(String, Vec<Finding>)>,
) {
    match value {
        Value::String(text) => {
            let mut findings = find(text);
            if findings.is_empty()
                && let Some(sort) = name.and_then(|name| pattern::assigned(name, text))
            {
                findings.push(Finding { sort, lines: vec![1] });
            }
            if !findings.is_empty() {
                found.push((pointer.clone(), findings));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                within(pointer, &index.to_string(), |pointer| walk(item, name, pointer, found));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let token = domain::canonical::escape_token(key);
                within(pointer, &token, |pointer| walk(item, Some(key), pointer, found));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn within(pointer: &mut String, token: &str, visit: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(token);
    visit(pointer);
    pointer.truncate(length);
}

#[cfg(test)]
mod tests;
