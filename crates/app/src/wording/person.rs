//! Sentences about people: who could review, who cannot and why.

use domain::{Ineligible, Verdict};
use service::view::RequirementView;

/// The names joined for a choice: `Ada Lind or Tom Beck`. The viewer is `you`, and comes first.
pub fn any_of(names: &[String], viewer: Option<&str>) -> String {
    joined(names, viewer, "or")
}

/// The names joined for all of them: `Ada Lind and Tom Beck`.
pub fn all_of(names: &[String], viewer: Option<&str>) -> String {
    joined(names, viewer, "and")
}

/// A small number as a word.
pub fn number_word(number: u32) -> String {
    match number {
        1 => "One".to_owned(),
        2 => "Two".to_owned(),
        3 => "Three".to_owned(),
        4 => "Four".to_owned(),
        more => more.to_string(),
    }
}

/// Seats of a requirement that nobody fills yet.
pub fn missing(requirement: &RequirementView) -> u32 {
    let filled = u32::try_from(requirement.filled_by.len()).unwrap_or(u32::MAX);
    requirement.seats.saturating_sub(filled)
}

/// What is still needed over all requirements, or `None` when every seat is filled.
pub fn still_needed(requirements: &[RequirementView]) -> Option<String> {
    let open: Vec<String> = requirements
        .iter()
        .filter(|requirement| missing(requirement) > 0)
        .map(|requirement| {
            let number = number_word(missing(requirement)).to_lowercase();
            format!("{number} of {}", requirement.group)
        })
        .collect();
    if open.is_empty() { None } else { Some(format!("{} still needed", open.join(", "))) }
}

/// Seats filled, and seats altogether.
pub fn seats(requirements: &[RequirementView]) -> (usize, u32) {
    let filled = requirements.iter().map(|requirement| requirement.filled_by.len()).sum();
    (filled, requirements.iter().map(|requirement| requirement.seats).sum())
}

/// Why the viewer may not review, in full sentences.
pub fn not_you(why: Ineligible) -> &'static str {
    match why {
        Ineligible::Staged => {
            "You proposed this yourself. Two people take part in every change, so somebody else decides."
        }
        Ineligible::PolicyForbids => {
            "The policy in force lets other people review this request, not you."
        }
        Ineligible::OwnsAgent => {
            "You own this agent, or owned it when it staged this. An owner never reviews what their agent stages."
        }
        Ineligible::ActsOnBehalf => {
            "The agent acts on your behalf. Nobody reviews what is done in their own name."
        }
        Ineligible::HoldsKey => {
            "You were shown a key of this agent that still lives, so you could have staged this yourself."
        }
        Ineligible::MadeTrust => {
            "You chose whose tokens speak as this agent, and that still holds, so you could have had this staged yourself."
        }
        Ineligible::NotInGroup => {
            "You are in none of the groups whose review this request needs. An administrator can change that."
        }
    }
}

/// Why somebody else cannot review, to follow a name.
pub fn cannot(why: Ineligible) -> &'static str {
    match why {
        Ineligible::Staged => "proposed it",
        Ineligible::PolicyForbids => "may not, by the policy in force",
        Ineligible::OwnsAgent => "owns the agent",
        Ineligible::ActsOnBehalf => "is the person it acts for",
        Ineligible::HoldsKey => "holds a key of the agent",
        Ineligible::MadeTrust => "chose whose tokens speak as the agent",
        Ineligible::NotInGroup => "is in no group that is asked",
    }
}

/// The same in a few words, for a row of the viewer's own inbox.
pub fn not_you_short(why: Ineligible) -> &'static str {
    match why {
        Ineligible::Staged => "not you: you proposed it",
        Ineligible::PolicyForbids => "waits for others",
        Ineligible::OwnsAgent => "not you: you own the agent",
        Ineligible::ActsOnBehalf => "not you: it acts on your behalf",
        Ineligible::HoldsKey => "not you: you hold a key of the agent",
        Ineligible::MadeTrust => "not you: you chose whose tokens speak as the agent",
        Ineligible::NotInGroup => "waits for another group",
    }
}

/// A verdict in the past tense.
pub fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approved",
        Verdict::RequestChanges => "asked for changes",
        Verdict::Deny => "denied",
        Verdict::Pass => "passed on it",
    }
}

/// A verdict in the past tense, to be followed by what it was about.
pub fn said_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approved",
        Verdict::RequestChanges => "asked for changes to",
        Verdict::Deny => "denied",
        Verdict::Pass => "passed on",
    }
}

/// A verdict as a choice in the form.
pub fn choice(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "Approve",
        Verdict::RequestChanges => "Request changes",
        Verdict::Deny => "Deny",
        Verdict::Pass => "Pass on",
    }
}

/// What follows from a verdict, to stand under the choices; `proposed` by a person, not an agent.
pub fn follows(verdict: Verdict, proposed: bool) -> &'static str {
    match verdict {
        Verdict::Approve if proposed => {
            "counts for exactly this. When enough people did, it holds at once."
        }
        Verdict::Deny if proposed => "ends it, whoever approved it. Whoever proposed it reads why.",
        Verdict::Approve => "counts for exactly this revision.",
        Verdict::RequestChanges => {
            "sends it back: the agent reads why and amends it, and everybody looks at it afresh."
        }
        Verdict::Deny => "ends the request, whoever approved it. The agent reads why.",
        Verdict::Pass => "leaves it to the others. It fills no seat and ends nothing.",
    }
}

fn joined(names: &[String], viewer: Option<&str>, word: &str) -> String {
    let is_viewer = |name: &&String| viewer.is_some_and(|viewer| viewer == name.as_str());
    let mut all: Vec<&str> = Vec::new();
    if names.iter().any(|name| is_viewer(&name)) {
        all.push("you");
    }
    all.extend(names.iter().filter(|name| !is_viewer(name)).map(String::as_str));
    match all.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn requirement(group: &str, seats: u32, filled: usize) -> RequirementView {
        let at = Timestamp::from_micros(0).unwrap();
        RequirementView {
            id: group.to_owned(),
            group: group.to_owned(),
            seats,
            why: String::new(),
            filled_by: vec![("Sam Ito".to_owned(), at); filled],
            could_fill: vec![],
        }
    }

    #[test]
    fn names_are_joined_and_the_viewer_is_you() {
        assert_eq!(any_of(&names(&[]), None), "");
        assert_eq!(any_of(&names(&["Ada Lind"]), None), "Ada Lind");
        assert_eq!(any_of(&names(&["Ada Lind", "Tom Beck"]), None), "Ada Lind or Tom Beck");
        assert_eq!(all_of(&names(&["A", "Mia", "C"]), Some("Mia")), "you, A and C");
    }

    #[test]
    fn what_is_needed_names_only_open_requirements() {
        let open = [requirement("data-owners", 1, 1), requirement("security", 2, 0)];
        assert_eq!(still_needed(&open).as_deref(), Some("two of security still needed"));
        assert_eq!(seats(&open), (1, 3));
        assert_eq!(still_needed(&[requirement("security", 1, 1)]), None);
    }
}
