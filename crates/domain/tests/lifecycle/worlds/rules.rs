//! What must be true of every step, said without the code that is tested: by trying every person in
//! every seat, by comparing what was before with what is after.

use domain::request::Verdict;
use domain::state::Basis;
use domain::{Authority, Command, PersonId, Request, RequestFact, Requirement, State, StateName};

use super::house::{House, at_staging};
use super::which::Which;
use super::{ask, commands, evolve};
use crate::scene::{BOB, CAT, EVE, EXECUTOR, OWNER, at};

/// One command that led to something.
#[derive(Debug)]
pub struct Step<'a> {
    pub request: &'a Request,
    /// The request beside it, where there is one.
    pub other: Option<&'a Request>,
    pub house: House,
    pub second: i64,
    pub command: &'a Command,
    pub facts: &'a [RequestFact],
    pub after: &'a Request,
}

/// Who could be counted: a person, and how long before their approval they had signed in.
type Approval = (PersonId, i64);

/// Whether every seat of `needs` can be filled by another person of `approvals`.
fn fills(needs: &[Requirement], approvals: &[Approval], house: House, request: &Request) -> bool {
    let seats = needs.iter().flat_map(|need| vec![need; need.seats as usize]).collect::<Vec<_>>();
    !seats.is_empty() && fill(&seats, approvals, house, request)
}

fn fill(seats: &[&Requirement], left: &[Approval], house: House, request: &Request) -> bool {
    let Some((seat, rest)) = seats.split_first() else { return true };
    left.iter().enumerate().any(|(index, (person, age_s))| {
        let member = house.members(&seat.group).contains(person);
        let fresh = seat.reauth_s.is_none_or(|most| *age_s <= i64::from(most));
        let mut others = left.to_vec();
        others.remove(index);
        member && fresh && !house.excludes(request, *person) && fill(rest, &others, house, request)
    })
}

/// Whether `approvals` are enough for staging and for the policy of today.
fn enough(approvals: &[Approval], house: House, request: &Request) -> bool {
    let today = house.asks().is_some_and(|needs| fills(&needs, approvals, house, request));
    today && fills(&at_staging(), approvals, house, request)
}

/// The approvals of exactly the present digest and revision.
fn approvals(request: &Request) -> Vec<Approval> {
    let of_this = |review: &&domain::Review| {
        review.verdict == Verdict::Approve
            && (review.revision, review.digest) == (request.revision, request.digest)
    };
    let approval = |review: &domain::Review| {
        (review.reviewer, review.at.seconds_since(review.authenticated_at))
    };
    request.reviews.iter().filter(of_this).map(approval).collect()
}

/// Whether EVE may approve alone: she is not late with any second review.
pub fn alone<'a>(
    house: House,
    requests: impl IntoIterator<Item = &'a Request>,
    second: i64,
) -> bool {
    let late = house.debt(requests).is_some_and(|due| second >= due);
    house.members("break-glass").contains(&EVE) && !late
}

impl Step<'_> {
    fn alone(&self) -> bool {
        alone(self.house, self.other.into_iter().chain([self.request]), self.second)
    }
}

/// Every rule for one step.
pub fn hold(step: &Step<'_>) {
    for fact in step.facts {
        match fact {
            RequestFact::RequestApproved { .. } => approved_by_enough(step),
            RequestFact::GlassBroken { .. } => broken_by_eve(step),
            RequestFact::ReleaseRedeemed { .. } => redeemed_while_it_holds(step),
            RequestFact::QuorumLost { void } => lost_for_a_reason(step, void),
            _ => {}
        }
    }
    arrows_are_those_of_the_design(step);
    time_only_ends(step);
    voiding_only_ends(step);
    terminal_stays(step);
    one_release_for_ever(step);
    nobody_near_is_on_record(step);
    new_revision_starts_anew(step);
}

/// I1, I4, I5, I9.
fn approved_by_enough(step: &Step<'_>) {
    let Command::Approve(input) = step.command else { panic!("approved by {step:?}") };
    assert_eq!(input.digest, step.request.digest, "{step:?}");
    assert!(enough(&approvals(step.after), step.house, step.after), "{step:?}");
    assert!(at(step.second) < step.request.review_deadline, "{step:?}");
    let no =
        |review: &domain::Review| matches!(review.verdict, Verdict::Deny | Verdict::RequestChanges);
    assert!(!step.after.standing().any(no), "{step:?}");
}

fn broken_by_eve(step: &Step<'_>) {
    let Command::BreakGlass(input) = step.command else { panic!("{step:?}") };
    assert_eq!((input.reviewer.person(), input.digest), (EVE, step.request.digest), "{step:?}");
    assert!(step.alone() && step.request.break_glass.is_none(), "{step:?}");
    assert_eq!(input.authenticated_at, at(step.second), "{step:?}");
}

/// I1, I3, I4, I9: executing only from an approval that is valid now.
fn redeemed_while_it_holds(step: &Step<'_>) {
    let Command::Redeem { executor, digest, .. } = step.command else { panic!("{step:?}") };
    assert_eq!((*executor, *digest), (EXECUTOR, step.request.digest), "{step:?}");
    let State::Approved { approved_until, basis, .. } = &step.request.state else {
        panic!("{step:?}")
    };
    assert!(at(step.second) < *approved_until, "{step:?}");
    assert!(!step.house.stops(step.request), "{step:?}");
    match basis {
        Basis::Quorum => {
            assert!(enough(&approvals(step.request), step.house, step.request), "{step:?}");
            assert_ne!(step.house, House::PolicyForbids, "{step:?}");
        }
        Basis::BreakGlass => assert!(step.alone(), "{step:?}"),
    }
}

/// An approval is lost only where it no longer holds, and of the reviews only what is void.
fn lost_for_a_reason(step: &Step<'_>, void: &[PersonId]) {
    let State::Approved { basis, .. } = &step.request.state else { panic!("{step:?}") };
    match basis {
        Basis::Quorum => {
            assert!(!enough(&approvals(step.request), step.house, step.request), "{step:?}");
        }
        Basis::BreakGlass => assert!(!step.alone(), "{step:?}"),
    }
    for (person, _) in approvals(step.request) {
        let member =
            ["approvers", "security"].iter().any(|g| step.house.members(g).contains(&person));
        let counts = member && !step.house.excludes(step.request, person);
        let own = *basis == Basis::BreakGlass && person == EVE;
        assert_eq!(void.contains(&person), !counts || own, "{step:?}");
    }
    assert_eq!(step.after.review_deadline, step.request.review_deadline, "{step:?}");
}

/// DESIGN §3: the picture of the lifecycle, and nothing beside it.
fn arrows_are_those_of_the_design(step: &Step<'_>) {
    use StateName as S;
    let (from, to) = (step.request.state.name(), step.after.state.name());
    let drawn: &[S] = match from {
        S::Pending => {
            &[S::Pending, S::ChangesRequested, S::Approved, S::Denied, S::Expired, S::Withdrawn]
        }
        S::ChangesRequested => {
            &[S::ChangesRequested, S::Pending, S::Denied, S::Expired, S::Withdrawn]
        }
        S::Approved => &[S::Approved, S::Pending, S::Revoked, S::Lapsed, S::Executing],
        S::Executing | S::OutcomeUnknown => &[
            S::Executing,
            S::OutcomeUnknown,
            S::Succeeded,
            S::Failed,
            S::Halted,
            S::RolledBack,
            S::RollbackFailed,
        ],
        S::Succeeded => &[S::Succeeded, S::RolledBack, S::RollbackFailed],
        S::Failed => &[S::Failed, S::RolledBack, S::RollbackFailed],
        S::Halted => &[S::Halted, S::RolledBack, S::RollbackFailed],
        S::Denied => &[S::Denied],
        S::Expired => &[S::Expired],
        S::Withdrawn => &[S::Withdrawn],
        S::Revoked => &[S::Revoked],
        S::Lapsed => &[S::Lapsed],
        S::RolledBack => &[S::RolledBack],
        S::RollbackFailed => &[S::RollbackFailed],
    };
    assert!(drawn.contains(&to), "{step:?}");
    assert!(from != S::OutcomeUnknown || to != S::Executing, "{step:?}");
}

/// I12.
fn time_only_ends(step: &Step<'_>) {
    let (from, to) = (step.request.state.name(), step.after.state.name());
    let approves = matches!(step.command, Command::Approve(_) | Command::BreakGlass(_));
    assert!(to != StateName::Approved || from == to || approves, "{step:?}");
    let redeems = matches!(step.command, Command::Redeem { .. });
    assert!(to != StateName::Executing || from == to || redeems, "{step:?}");
    let dead = [StateName::Expired, StateName::Lapsed, StateName::OutcomeUnknown];
    if *step.command == Command::Elapse {
        assert!(from == to || dead.contains(&to), "{step:?}");
    }
    // Once its time is over, only the end of it follows, whoever asks for what.
    if step.request.state_ends_at().is_some_and(|end| at(step.second) >= end) {
        assert!(
            !to.is_open() && to != StateName::Approved && to != StateName::Executing || from == to
        );
        let looked = matches!(step.command, Command::ReviewBreakGlass { .. });
        assert!(from != to || looked, "{step:?}");
    }
}

/// I3: going on from a backup ends what is approved, and touches nothing else.
fn voiding_only_ends(step: &Step<'_>) {
    let voids = matches!(step.facts, [RequestFact::ReleaseVoided]);
    assert_eq!(voids, *step.command == Command::Void, "{step:?}");
    if voids {
        let (from, to) = (step.request.state.name(), step.after.state.name());
        assert_eq!((from, to), (StateName::Approved, StateName::Lapsed), "{step:?}");
    }
}

/// I2.
fn terminal_stays(step: &Step<'_>) {
    if step.request.state.name().is_terminal() {
        assert_eq!(step.request.state, step.after.state, "{step:?}");
        assert!(step.request.break_glass.is_some(), "only a second review follows: {step:?}");
    }
}

/// I3: from redemption on there is this one release, and its lease is the one it was given.
fn one_release_for_ever(step: &Step<'_>) {
    let (before, after) = (step.request.state.release(), step.after.state.release());
    if let Some(before) = before {
        let after = after.unwrap_or_else(|| panic!("{step:?}"));
        assert_eq!((before.lease_id, before.redeemed_at), (after.lease_id, after.redeemed_at));
        assert_eq!(
            (before.token_expires_at, before.report_by),
            (after.token_expires_at, after.report_by)
        );
        assert!(before.lease_until <= after.lease_until && after.lease_until <= after.report_by);
        let again = |fact: &RequestFact| matches!(fact, RequestFact::ReleaseRedeemed { .. });
        assert!(!step.facts.iter().any(again), "{step:?}");
    } else if let Some(after) = after {
        assert_eq!(after.lease_id, Which::of(step.after).lease());
    }
}

/// I1: the owner never reviews, in no way. A second review is never the first person's.
fn nobody_near_is_on_record(step: &Step<'_>) {
    assert!(step.after.reviews.iter().all(|review| review.reviewer != OWNER), "{step:?}");
    for fact in step.facts {
        if let RequestFact::SecondReviewRecorded { by, .. } = fact {
            assert!(![EVE, OWNER].contains(by), "{step:?}");
        }
    }
    assert!(step.request.break_glass.is_none() || step.after.break_glass.is_some(), "{step:?}");
}

/// I4: an amendment voids every review and starts from pending; nothing else moves the digest.
fn new_revision_starts_anew(step: &Step<'_>) {
    if matches!(step.command, Command::Amend(_)) {
        assert_eq!(step.after.state, State::Pending, "{step:?}");
        assert_eq!(step.after.standing().count(), 0, "{step:?}");
        assert_eq!(step.after.revision, step.request.revision + 1, "{step:?}");
        assert!(step.request.state.name().is_open(), "{step:?}");
    } else {
        assert_eq!(step.after.digest, step.request.digest, "{step:?}");
    }
}

/// Wherever the people who may still review could fill every seat, their approvals do approve, in
/// either order; and where they could not, they do not.
pub fn no_deadlock(request: &Request, house: House, authority: &Authority, second: i64) {
    if request.state != State::Pending || at(second) >= request.review_deadline {
        return;
    }
    let everybody = [BOB, CAT, EVE];
    let could = enough(&everybody.map(|person| (person, 0)), house, request);
    for order in [everybody, [EVE, CAT, BOB]] {
        let mut after = request.clone();
        for person in order {
            let approve = commands::approve(person, request, second);
            if let Ok(facts) = ask(&after, &approve, authority, second) {
                after = evolve(&after, &facts, second);
            }
        }
        let approved = after.state.name() == StateName::Approved;
        assert_eq!(approved, could, "{house:?} at {second}: {request:?}");
    }
}
