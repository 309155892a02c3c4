//! One request in a list.

use domain::StateName;
use domain::kind::is_change;
use leptos::prelude::*;
use service::view::RequestRow;

use super::effect::Effect;
use super::risk_badge::RiskBadge;
use super::untrusted::Untrusted;
use super::when::{Relative, When};
use crate::wording::{clock, person, state};

/// Which list the row is in: what the reader already knows decides what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    YourTurn,
    /// Any state: the row says which.
    Any,
}

/// A request as a row: risk, effect, who and where, reviews, and when it is due.
#[component]
pub fn Row(
    row: RequestRow,
    list: List,
    now: domain::Timestamp,
    #[prop(optional, into)] viewer: Option<String>,
) -> impl IntoView {
    let note = note(&row, list, viewer.as_deref());
    let class = if state::is_alarm(row.state) { "note bad" } else { "note" };
    let broken = row.broken_glass;
    let href = format!("/requests/{}", row.id);
    let reviews = format!("{} of {}", row.filled_seats, row.seats);
    let time = time(&row, now);
    let place = if is_change(&row.kind.name) {
        "a change to the house".into_any()
    } else {
        view! { <Untrusted text=row.environment/>" · "{row.kind.name} }.into_any()
    };
    view! {
        <li>
            <RiskBadge level=row.risk/>
            <div class="what">
                <a href=href><Effect parts=row.effect/></a>
                <small>
                    <Untrusted text=row.agent/>" · "{place}
                    {broken.then(|| view! { " · "<span class="glass-mark">"Broken glass"</span> })}
                    {note.map(|note| view! { " · "<span class=class>{note}</span> })}
                </small>
            </div>
            <span class="q">{reviews}<span class="unit">" reviews"</span></span>
            {time}
        </li>
    }
}

/// The list itself, inside a card.
#[component]
pub fn Rows(
    rows: Vec<RequestRow>,
    list: List,
    now: domain::Timestamp,
    viewer: Option<String>,
) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row row list now viewer=viewer.clone().unwrap_or_default()/> })
        .collect_view();
    view! { <ul class="card rows" role="list">{rows}</ul> }
}

fn time(row: &RequestRow, now: domain::Timestamp) -> AnyView {
    let (at, due) = match row.due_at {
        Some(due) => (due, true),
        None => (row.changed_at, false),
    };
    // A lease is always short: its end is no reason to hurry.
    let soon = due && row.state != StateName::Executing && clock::is_urgent(at, now);
    let class = if soon { "t soon" } else { "t" };
    let label = match (due, row.state) {
        (false, _) => "changed ",
        (true, _) if row.you_owe_second_review => "look at it before ",
        (true, StateName::Approved) => "redeem before ",
        (true, StateName::Executing) => "sign of life before ",
        (true, StateName::ChangesRequested) => "amend before ",
        (true, _) => "decide before ",
    };
    view! {
        <span class=class>
            <span class="sr">{label}</span>
            <When at now/>
            <small><Relative at now/></small>
        </span>
    }
    .into_any()
}

/// What the row adds to its facts; `None` where the list says it already.
fn note(row: &RequestRow, list: List, viewer: Option<&str>) -> Option<String> {
    if row.you_owe_second_review {
        return Some(format!("{}, waits for your second look", ended(row, viewer)));
    }
    let own = row.your_verdict.map(|verdict| format!("you {}", person::said(verdict)));
    let amended = (row.amended_since_you && row.your_verdict.is_none())
        .then(|| "changed since you reviewed it".to_owned());
    match (list, row.state) {
        (List::YourTurn, StateName::Pending) => amended,
        (List::Any, StateName::Pending) => own
            .or_else(|| row.not_you.map(|why| person::not_you_short(why).to_owned()))
            .or_else(|| Some(state::word(row.state).to_lowercase())),
        (List::YourTurn | List::Any, _) => Some(ended(row, viewer)),
    }
}

/// Who decided, and where it stands now.
fn ended(row: &RequestRow, viewer: Option<&str>) -> String {
    let by = person::all_of(&row.decided_by, viewer);
    let word = state::word(row.state).to_lowercase();
    let after = match row.state {
        StateName::Denied if by.is_empty() => None,
        StateName::Denied => return format!("denied by {by}"),
        StateName::Approved => Some("not redeemed yet".to_owned()),
        StateName::Revoked
        | StateName::Lapsed
        | StateName::Executing
        | StateName::Succeeded
        | StateName::Failed
        | StateName::Halted
        | StateName::OutcomeUnknown
        | StateName::RolledBack
        | StateName::RollbackFailed => Some(word.clone()),
        // Approvals of something that people did not decide do not count as a decision.
        StateName::Pending
        | StateName::ChangesRequested
        | StateName::Expired
        | StateName::Withdrawn => None,
    };
    match after {
        Some(after) if !by.is_empty() => format!("approved by {by}, {after}"),
        Some(_) | None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Ineligible, KindRef, RequestId, RiskLevel, Timestamp, Verdict};

    fn row(state: StateName) -> RequestRow {
        let at = Timestamp::from_micros(0).unwrap();
        RequestRow {
            id: "0192f0a0-0000-7000-8000-00000000abcd".parse::<RequestId>().unwrap(),
            effect: vec![],
            kind: KindRef { name: "db.export".into(), version: 1 },
            agent: "ledger-close".into(),
            environment: "production".into(),
            risk: RiskLevel::High,
            state,
            staged_at: at,
            due_at: None,
            changed_at: at,
            decided_by: vec![],
            filled_seats: 0,
            seats: 2,
            not_you: None,
            your_verdict: None,
            amended_since_you: false,
            you_owe_second_review: false,
            broken_glass: false,
        }
    }

    #[test]
    fn a_row_says_why_it_is_not_the_viewers_turn() {
        let mut pending = row(StateName::Pending);
        pending.not_you = Some(Ineligible::OwnsAgent);
        assert_eq!(note(&pending, List::Any, None).as_deref(), Some("not you: you own the agent"));
        pending.your_verdict = Some(Verdict::Approve);
        assert_eq!(note(&pending, List::Any, None).as_deref(), Some("you approved"));
        assert_eq!(note(&pending, List::YourTurn, None), None);
        let amended = RequestRow { your_verdict: None, amended_since_you: true, ..pending };
        let said = note(&amended, List::YourTurn, None);
        assert_eq!(said.as_deref(), Some("changed since you reviewed it"));
    }

    #[test]
    fn a_row_that_ended_says_who_decided_and_how_it_ended() {
        let mut done = row(StateName::Succeeded);
        done.decided_by = vec!["Sam Ito".into(), "Mia".into()];
        let said = note(&done, List::Any, Some("Mia"));
        assert_eq!(said.as_deref(), Some("approved by you and Sam Ito, succeeded"));
        assert_eq!(note(&row(StateName::Expired), List::Any, None).as_deref(), Some("expired"));
    }
}
