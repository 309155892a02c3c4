//! The whole table: every state and every command.

use std::collections::BTreeMap;
use std::fmt::Write;

use domain::request::SecondVerdict;
use domain::{Actor, Command, Outcome, RequestFact, RollbackOutcome, StateName, Verdict};

use super::scene::{
    CAT, FAY, STAGER, Story, amend, amended, house, one, renew, report, stage, staged,
};
use super::states::{Way, break_glass, halt, moments, revoke, rollback, second_review, story_in};

/// What a command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Facts { facts: Vec<&'static str>, state: StateName },
    Refused(&'static str),
}

type Make = fn(&Story) -> Command;

/// Every command, each given by the right one, on the right thing.
pub const COMMANDS: [(&str, Make); 21] = [
    ("stage", |_| stage(staged(one()))),
    ("amend", |story| {
        let next = story.request.as_ref().map_or(2, |request| request.revision + 1);
        amend(amended(next, one()))
    }),
    ("approve", |story| story.says(CAT, Verdict::Approve)),
    ("request changes", |story| story.says(CAT, Verdict::RequestChanges)),
    ("deny", |story| story.says(CAT, Verdict::Deny)),
    ("pass on", |story| story.says(CAT, Verdict::Pass)),
    ("break glass", |story| break_glass(story, FAY)),
    ("second review: justified", |_| second_review(FAY, SecondVerdict::Justified)),
    ("second review: unjustified", |_| second_review(FAY, SecondVerdict::Unjustified)),
    ("withdraw", |_| Command::Withdraw { by: Actor::Agent(STAGER) }),
    ("revoke", |_| revoke(CAT)),
    ("redeem", Story::redeem),
    ("renew", |_| renew()),
    ("halt", |_| halt(CAT)),
    ("report: succeeded", |_| report(Outcome::Succeeded)),
    ("report: failed", |_| report(Outcome::Failed)),
    ("report: halted", |_| report(Outcome::Halted)),
    ("report rollback: rolled_back", |_| rollback(RollbackOutcome::RolledBack)),
    ("report rollback: rollback_failed", |_| rollback(RollbackOutcome::RollbackFailed)),
    ("void", |_| Command::Void),
    ("elapse", |_| Command::Elapse),
];

/// One row a state or moment: what every command leads to.
pub fn rows() -> Vec<(String, Vec<(&'static str, Answer)>)> {
    let none = Story { request: None, house: house(one()), second: 200 };
    let mut stories = vec![("(none)".to_owned(), none)];
    for name in StateName::ALL {
        let story = story_in(name, Way::Quorum);
        assert_eq!(story.request().state.name(), name);
        stories.push((name.as_str().to_owned(), story.at(200)));
    }
    stories.extend(moments().into_iter().map(|(name, story)| (name.to_owned(), story)));
    let row = |(name, story): (String, Story)| {
        (name, COMMANDS.map(|(command, make)| (command, answer(&story, make(&story)))).to_vec())
    };
    stories.into_iter().map(row).collect()
}

fn answer(story: &Story, command: Command) -> Answer {
    match story.answer(command.clone()) {
        Err(refusal) => Answer::Refused(refusal.code()),
        Ok(facts) => {
            let facts = facts.iter().map(RequestFact::name).collect();
            Answer::Facts { facts, state: story.clone().then(command).state() }
        }
    }
}

/// The allowed commands one a line, then the refused ones by refusal.
pub fn describe(row: &[(&'static str, Answer)]) -> String {
    let mut text = String::new();
    let mut refused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (command, answer) in row {
        match answer {
            Answer::Facts { facts, state } if facts.is_empty() => {
                writeln!(text, "  {command}: nothing to record, stays {}", state.as_str()).unwrap();
            }
            Answer::Facts { facts, state } => {
                let facts = facts.join(", ");
                writeln!(text, "  {command}: {facts} -> {}", state.as_str()).unwrap();
            }
            Answer::Refused(code) => refused.entry(code).or_default().push(command),
        }
    }
    for (code, commands) in refused {
        writeln!(text, "  refused, {code}: {}", commands.join("; ")).unwrap();
    }
    text
}

#[test]
fn the_whole_state_by_command_table() {
    let mut alike: Vec<(String, String)> = Vec::new();
    for (state, row) in rows() {
        let text = describe(&row);
        match alike.iter_mut().find(|(_, other)| *other == text) {
            Some((states, _)) => states.push_str(&format!("\n{state}")),
            None => alike.push((state, text)),
        }
    }
    let texts = alike.iter().map(|(states, text)| format!("{states}\n{text}"));
    insta::assert_snapshot!(texts.collect::<Vec<_>>().join("\n"));
}

#[test]
fn i2_nothing_leads_out_of_a_terminal_state() {
    for (state, row) in rows() {
        let Some(name) = StateName::from_word(&state).filter(|name| name.is_terminal()) else {
            continue;
        };
        for (command, answer) in row {
            assert!(matches!(answer, Answer::Refused(_)), "{} {command}", name.as_str());
        }
    }
}

#[test]
fn i12_no_timer_leads_to_a_decision_or_a_release() {
    let dead = ["expired", "lapsed", "outcome_unknown"];
    for (state, row) in rows() {
        let Some((_, Answer::Facts { state: after, .. })) = row.last() else { continue };
        let looked = state.starts_with(after.as_str());
        assert!(dead.contains(&after.as_str()) || looked, "{state} -> {}", after.as_str());
    }
}

#[test]
fn i10_only_a_verdict_of_a_person_leads_to_approved() {
    for (state, row) in rows() {
        for (command, answer) in row {
            let Answer::Facts { state: StateName::Approved, .. } = answer else { continue };
            if state.starts_with("approved") {
                continue;
            }
            assert_eq!(state, "pending", "{command}");
            assert!(["approve", "break glass"].contains(&command), "{command}");
        }
    }
}
