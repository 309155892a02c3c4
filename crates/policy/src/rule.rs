//! The annotations of a rule, read into types.

use std::collections::BTreeMap;

use domain::hidden::is_hidden;
use domain::name;

/// The most seats that one requirement may have.
pub const MAX_QUORUM: u32 = 20;
/// The shortest life of an authentication that a requirement may ask for, in seconds.
pub const MIN_REAUTH_S: u32 = 60;
/// The longest life of an authentication that a requirement may ask for, in seconds: a day.
pub const MAX_REAUTH_S: u32 = 24 * 3600;
/// What stands in `@group` for the owning group of the kind.
pub const OWNING_GROUP: &str = "@owning_group";

const MAX_ID_CHARS: usize = 60;
const MAX_WHY_CHARS: usize = 300;

/// One requirement as the policy's author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementRule {
    pub group: GroupName,
    pub seats: u32,
    pub reauth_s: Option<u32>,
    pub why: String,
}

/// Whose approvals a requirement asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupName {
    Fixed(String),
    /// Of the kind that is decided on.
    Owning,
}

/// What is wrong with an annotation, and which one it is.
#[derive(Debug)]
pub struct BadAnnotation {
    pub name: String,
    pub message: String,
}

/// The annotations of one rule, by name.
pub type Annotations<'a> = BTreeMap<&'a str, &'a str>;

/// The rule's name.
pub fn id(annotations: &Annotations<'_>) -> Result<String, BadAnnotation> {
    let id = wanted(annotations, "id", "a name of its own, such as @id(\"need.two\")")?;
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let starts = id.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && id.len() <= MAX_ID_CHARS && id.chars().all(known) {
        return Ok(id.to_owned());
    }
    Err(bad(
        "id",
        format!(
            "@id(\"{}\") is no name for a rule; write 1 to {MAX_ID_CHARS} characters of a-z, 0-9, \
             `.`, `_` and `-`, beginning with a letter",
            shown(id)
        ),
    ))
}

/// Refuses annotations that nothing reads, so that a slip of the pen does not pass unseen.
pub fn only(
    annotations: &Annotations<'_>,
    known: &[&str],
    of: &str,
) -> Result<(), Vec<BadAnnotation>> {
    let unknown = annotations.keys().filter(|name| !known.contains(name));
    let listed = known.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", ");
    let found: Vec<_> = unknown
        .map(|name| {
            bad(name, format!("@{} means nothing on {of}; it may have {listed}", shown(name)))
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Reads the annotations of a requirement: all that is wrong with them.
pub fn requirement(annotations: &Annotations<'_>) -> Result<RequirementRule, Vec<BadAnnotation>> {
    let known = ["id", "group", "quorum", "reauth", "why"];
    let mut errors = only(annotations, &known, "a requirement").err().unwrap_or_default();
    let mut keep = |error| errors.push(error);
    let group = group(annotations).map_err(&mut keep).ok();
    let seats = quorum(annotations).map_err(&mut keep).ok();
    let reauth_s = reauth(annotations).map_err(&mut keep).ok();
    let why = wanted(annotations, "why", "the reason in one sentence, shown to people")
        .and_then(reason)
        .map_err(&mut keep)
        .ok();
    match (group, seats, reauth_s, why) {
        (Some(group), Some(seats), Some(reauth_s), Some(why)) if errors.is_empty() => {
            Ok(RequirementRule { group, seats, reauth_s, why })
        }
        _ => Err(errors),
    }
}

/// Reads the reason of a rule that need not give one.
pub fn why(annotations: &Annotations<'_>) -> Result<Option<String>, BadAnnotation> {
    annotations.get("why").map(|text| reason(text)).transpose()
}

fn group(annotations: &Annotations<'_>) -> Result<GroupName, BadAnnotation> {
    let form = "a group's name, such as @group(\"approvers\"), or @group(\"@owning_group\")";
    let group = wanted(annotations, "group", form)?;
    if group == OWNING_GROUP {
        return Ok(GroupName::Owning);
    }
    if group.starts_with('@') {
        let text = "is no group; the only reserved word is @group(\"@owning_group\")";
        return Err(bad("group", format!("@group(\"{}\") {text}", shown(group))));
    }
    name::check(group).map_err(|why| {
        bad("group", format!("@group(\"{}\") is no group's name: {why}", shown(group)))
    })?;
    Ok(GroupName::Fixed(group.to_owned()))
}

fn quorum(annotations: &Annotations<'_>) -> Result<u32, BadAnnotation> {
    let form = "how many distinct people, such as @quorum(\"2\")";
    let text = wanted(annotations, "quorum", form)?;
    whole(text).filter(|seats| (1..=MAX_QUORUM).contains(seats)).ok_or_else(|| {
        let text = shown(text);
        let form = "as digits, such as @quorum(\"2\")";
        bad("quorum", format!("@quorum(\"{text}\") is not a number from 1 to {MAX_QUORUM}, {form}"))
    })
}

fn reauth(annotations: &Annotations<'_>) -> Result<Option<u32>, BadAnnotation> {
    let Some(text) = annotations.get("reauth") else { return Ok(None) };
    let seconds = whole(text).filter(|s| (MIN_REAUTH_S..=MAX_REAUTH_S).contains(s));
    seconds.map(Some).ok_or_else(|| {
        let range = format!("from {MIN_REAUTH_S} to {MAX_REAUTH_S}, as digits");
        let text = shown(text);
        bad("reauth", format!("@reauth(\"{text}\") is not a number of seconds {range}"))
    })
}

fn reason(text: &str) -> Result<String, BadAnnotation> {
    let written = text.chars().any(char::is_alphanumeric) && !text.chars().any(is_hidden);
    if written && text.chars().count() <= MAX_WHY_CHARS {
        return Ok(text.to_owned());
    }
    let form = "without characters that cannot be seen";
    Err(bad("why", format!("@why is one line of 1 to {MAX_WHY_CHARS} characters, {form}")))
}

/// A number in its one spelling: no sign, no space, no leading zero.
fn whole(text: &str) -> Option<u32> {
    text.parse::<u32>().ok().filter(|number| number.to_string() == text)
}

fn wanted<'a>(
    annotations: &Annotations<'a>,
    name: &str,
    form: &str,
) -> Result<&'a str, BadAnnotation> {
    let missing = || bad(name, format!("@{name} is missing; write {form}"));
    annotations.get(name).copied().ok_or_else(missing)
}

fn bad(name: &str, message: String) -> BadAnnotation {
    BadAnnotation { name: name.to_owned(), message }
}

/// An author's word in a message: visible, and not longer than a line.
pub fn shown(text: &str) -> String {
    let mut line: String = text.chars().take(60).collect::<String>().escape_debug().collect();
    if text.chars().count() > 60 {
        line.push('…');
    }
    line
}
