//! docs/gate-lifecycle.md says what the code does: its generated parts, and the tests that it names.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use domain::apply::{
    BREAK_GLASS_REAUTH_S, MAX_REVISIONS, MAX_SHOWN_S, SECOND_REVIEW_S, TOKEN_LIFE_S,
};
use domain::stage::{MAX_REVIEW_DEADLINE_S, MAX_WINDOW_S, MIN_REVIEW_DEADLINE_S};
use domain::{Ineligible, Refusal, StateName, Verdict};

use super::roles::{May, matrix};
use super::scene::{FREEZE, at, digest};
use super::table::{Answer, COMMANDS, rows};

const PAGE: &str = "docs/gate-lifecycle.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Holds a generated part against the page, or writes it with `UPDATE_DOCS=1`.
pub(super) fn check(page_name: &str, part: &str, wanted: &str) {
    let path = root().join(page_name);
    let page = std::fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- generated: {part} -->\n"), "<!-- end -->");
    let start = page.find(&open).expect("the part's mark") + open.len();
    let end = start + page[start..].find(close).expect("the part's end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{}\n{wanted}\n{}", &page[..start], &page[end..]);
        std::fs::write(path, new).unwrap();
    } else {
        let found = page[start..end].trim();
        assert_eq!(
            found,
            wanted.trim(),
            "run this test with UPDATE_DOCS=1 to write {page_name} anew"
        );
    }
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Refused(code) => format!("refused: `{code}`"),
        Answer::Facts { facts, state } if facts.is_empty() => {
            format!("nothing to record, stays {}", state.as_str())
        }
        Answer::Facts { facts, state } => format!("{} → {}", facts.join(", "), state.as_str()),
    }
}

/// One row for each command and answer, with the states in which it is the answer.
fn by_command() -> String {
    let rows = rows();
    let mut text = String::from("| command | in | leads to |\n|---|---|---|\n");
    for (index, (command, _)) in COMMANDS.iter().enumerate() {
        let mut answers: Vec<(String, Vec<&str>)> = Vec::new();
        for (state, row) in rows.iter().filter(|(state, _)| StateName::from_word(state).is_some()) {
            let said = said(&row[index].1);
            match answers.iter_mut().find(|(other, _)| *other == said) {
                Some((_, states)) => states.push(state),
                None => answers.push((said, vec![state])),
            }
        }
        answers.sort_by_key(|(said, states)| (said.starts_with("refused"), states.len()));
        let last = answers.len() - 1;
        for (nth, (said, states)) in answers.iter().enumerate() {
            let states = match states.len() {
                15 => "every state".to_owned(),
                5.. if nth == last => "every other state".to_owned(),
                _ => states.join(", "),
            };
            writeln!(text, "| {command} | {states} | {said} |").unwrap();
        }
    }
    text
}

/// What is otherwise than the table says, in a moment beside the fifteen states.
fn by_moment() -> String {
    let rows = rows();
    let plain = |name: &str| &rows.iter().find(|(state, _)| state == name).unwrap().1;
    let mut text = String::from("| moment | command | leads to |\n|---|---|---|\n");
    for (moment, row) in &rows {
        let base = moment.split([',', ' ']).next().unwrap();
        if base == moment || StateName::from_word(base).is_none() {
            continue;
        }
        let mut others: Vec<(String, Vec<&str>)> = Vec::new();
        for ((command, answer), (_, usual)) in row.iter().zip(plain(base)) {
            if answer == usual {
                continue;
            }
            let said = said(answer);
            match others.iter_mut().find(|(other, _)| *other == said) {
                Some((_, commands)) => commands.push(command),
                None => others.push((said, vec![command])),
            }
        }
        for (said, commands) in others {
            writeln!(text, "| {moment} | {} | {said} |", commands.join("; ")).unwrap();
        }
    }
    text
}

#[test]
fn the_commands_are_on_the_page() {
    check(PAGE, "commands", &by_command());
    check(PAGE, "moments", &by_moment());
}

#[test]
fn the_roles_are_on_the_page() {
    let matrix = matrix();
    let actions: Vec<&str> = matrix.iter().map(|(action, _)| *action).collect();
    let mut text =
        format!("| | {} |\n|---|{}\n", actions.join(" | "), "---|".repeat(actions.len()));
    for index in 0..matrix[0].1.len() {
        let cells = matrix.iter().map(|(_, tried)| match &tried[index].1 {
            May::Yes => "**yes**",
            May::No(_) => "no",
            May::ByType => "–",
        });
        let cells: Vec<&str> = cells.collect();
        writeln!(text, "| {} | {} |", matrix[0].1[index].0, cells.join(" | ")).unwrap();
    }
    check(PAGE, "roles", &text);
}

/// One of each refusal. A new one has no word in [`stops`] until somebody comes here.
fn refusals() -> Vec<Refusal> {
    let (at, state, digest) = (at(0), StateName::Denied, digest(1));
    vec![
        Refusal::NotStaged,
        Refusal::AlreadyStaged,
        Refusal::NoRequirement,
        Refusal::DeadlinePassed,
        Refusal::NotAChange,
        Refusal::NotPending { state },
        Refusal::Changed { revision: 2, digest },
        Refusal::NotEligible { why: Ineligible::OwnsAgent },
        Refusal::AlreadyReviewed { verdict: Verdict::Approve, at },
        Refusal::ShownTooLongAgo,
        Refusal::ReauthenticationNeeded { within_s: 300 },
        Refusal::PolicyFailed,
        Refusal::PolicyForbids,
        Refusal::NotByBreakGlass,
        Refusal::NoBreakGlassRight,
        Refusal::NothingOwed,
        Refusal::OwnBreakGlass,
        Refusal::TooManyRevisions { most: MAX_REVISIONS },
        Refusal::NotStager,
        Refusal::NotApproved { state },
        Refusal::NotExecutor,
        Refusal::Suspended,
        Refusal::DigestMismatch { digest },
        Refusal::Frozen { freeze: FREEZE },
        Refusal::OutsideWindow { not_before: at, not_after: at },
        Refusal::AlreadyRedeemed { at },
        Refusal::NotExecuting { state },
        Refusal::WrongLease,
        Refusal::MayNotStop,
        Refusal::AlreadyHalting { at },
        Refusal::NothingToRollBack { state },
        Refusal::NotDue,
    ]
}

/// What a refusal stops, and what it carries beside its code.
fn stops(refusal: &Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::NotStaged => ("everything but staging", ""),
        Refusal::AlreadyStaged => ("stage", ""),
        Refusal::NoRequirement | Refusal::DeadlinePassed => ("stage, amend", ""),
        Refusal::NotAChange => ("stage", ""),
        Refusal::NotPending { .. } => ("verdicts, break glass, amend, withdraw", "`state`"),
        Refusal::Changed { .. } => ("verdicts, break glass, amend", "`revision`, `digest`"),
        Refusal::NotEligible { .. } => ("verdicts, break glass, second review", "`why`"),
        Refusal::AlreadyReviewed { .. } => ("verdicts", "`verdict`, `at`"),
        Refusal::ShownTooLongAgo => ("verdicts, break glass", ""),
        Refusal::ReauthenticationNeeded { .. } => ("approve, break glass", "`within_s`"),
        Refusal::PolicyFailed => ("approve, redeem", ""),
        Refusal::PolicyForbids => ("redeem", ""),
        Refusal::NotByBreakGlass | Refusal::NoBreakGlassRight => ("break glass", ""),
        Refusal::NothingOwed | Refusal::OwnBreakGlass => ("second review", ""),
        Refusal::TooManyRevisions { .. } => ("amend", "`most`"),
        Refusal::NotStager => ("amend, withdraw", ""),
        Refusal::NotApproved { .. } => ("redeem, revoke, void", "`state`"),
        Refusal::NotExecutor => ("redeem, renew, reports", ""),
        Refusal::Suspended => ("stage, amend, redeem", ""),
        Refusal::DigestMismatch { .. } => ("redeem", "`digest`"),
        Refusal::Frozen { .. } => ("redeem", "`freeze`"),
        Refusal::OutsideWindow { .. } => ("redeem", "`not_before`, `not_after`"),
        Refusal::AlreadyRedeemed { .. } => ("redeem", "`at`"),
        Refusal::NotExecuting { .. } => ("renew, halt, report", "`state`"),
        Refusal::WrongLease => ("renew, reports", ""),
        Refusal::MayNotStop => ("revoke, halt", ""),
        Refusal::AlreadyHalting { .. } => ("halt", "`at`"),
        Refusal::NothingToRollBack { .. } => ("report rollback", "`state`"),
        Refusal::NotDue => ("elapse", ""),
    }
}

#[test]
fn the_refusals_are_on_the_page() {
    let mut text = String::from("| code | stops | says | with |\n|---|---|---|---|\n");
    let mut codes = BTreeSet::new();
    for refusal in refusals() {
        let ((stops, with), code) = (stops(&refusal), refusal.code());
        assert!(codes.insert(code), "{code} stands for two refusals");
        let said = refusal.to_string().replace("denied", "…").replace(&at(0).to_string(), "…");
        writeln!(text, "| `{code}` | {stops} | {said} | {with} |").unwrap();
    }
    check(PAGE, "refusals", &text);
}

#[test]
fn the_limits_are_on_the_page() {
    let (hours, days) = (3600, 24 * 3600);
    let text = format!(
        "| limit | value |\n|---|---|\n\
         | earliest review deadline, from staging or amending | {MIN_REVIEW_DEADLINE_S} s |\n\
         | latest review deadline, from staging or amending | {} days |\n\
         | latest end of a window, from staging or amending | {} days |\n\
         | revisions of one request | {MAX_REVISIONS} |\n\
         | a page may be decided on, from rendering | {} hours |\n\
         | life of a release token, at most | {TOKEN_LIFE_S} s |\n\
         | sign-in of whoever breaks the glass, at most | {BREAK_GLASS_REAUTH_S} s old |\n\
         | second review of a broken glass | within {} hours |\n",
        MAX_REVIEW_DEADLINE_S / days,
        MAX_WINDOW_S / days,
        MAX_SHOWN_S / hours,
        SECOND_REVIEW_S / hours,
    );
    check(PAGE, "limits", &text);
}

/// Every `i1_…`, `b07_…` in the page is the name of a test somewhere in the house.
#[test]
fn the_tests_that_the_page_names_exist() {
    let page = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let is_test = |name: &&str| {
        let number = name.split('_').next().unwrap_or_default().get(1..).unwrap_or_default();
        name.contains('_') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    let named: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 30, "{named:?}");
    let mut tests = String::new();
    read_sources(&root().join("crates"), &mut tests);
    for name in named {
        assert!(tests.contains(&format!("fn {name}(")), "{name} is no test");
    }
}

fn read_sources(directory: &Path, text: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}
