//! What may reach from one request to another, and what must not: said without the code that is
//! tested.
//!
//! No verdict, digest, lease or right of one ever counts for the other. A freeze reaches as far as
//! its scope. What a person owes of one glass takes their right to break another.

use domain::apply::{Signal, signal};
use domain::{Authority, Command, Refusal, Request, RequestFact, State};

use super::house::House;
use super::{ask, commands, rules};
use crate::scene::at;

type Answer = Result<Vec<RequestFact>, Refusal>;

/// I1, I3, I4: what was meant for the other request leads nowhere here, in any house.
pub fn leads_nowhere(
    request: &Request,
    houses: &[(House, Authority)],
    command: &Command,
    second: i64,
) {
    for (house, authority) in houses {
        let answer = ask(request, command, authority, second);
        assert!(answer.is_err(), "{house:?} at {second}: {command:?} of {request:?}");
    }
}

/// I4, I8: a fact of one request cannot be folded into the other.
pub fn are_about_one(other: &Request, facts: &[RequestFact], second: i64) {
    let names_a_digest = |fact: &&RequestFact| {
        matches!(
            fact,
            RequestFact::ReviewRecorded { .. }
                | RequestFact::RequestApproved { .. }
                | RequestFact::GlassBroken { .. }
                | RequestFact::ReleaseRedeemed { .. }
        )
    };
    for fact in facts.iter().filter(names_a_digest) {
        let folded = Request::evolve(Some(other.clone()), fact, at(second));
        assert!(folded.is_err(), "{fact:?} of {other:?}");
    }
}

/// I9: a freeze stops the redemption of what it is on, and changes no other answer.
pub fn a_freeze_stops_the_redemption_of_its_own(
    request: &Request,
    house: House,
    command: &Command,
    as_it_was: &Answer,
    answer: &Answer,
) {
    if house.freeze().is_none() {
        return;
    }
    let redeems = matches!(command, Command::Redeem { .. }) && as_it_was.is_ok();
    if redeems && house.stops(request) {
        assert!(matches!(answer, Err(Refusal::Frozen { .. })), "{house:?}: {request:?}");
    } else {
        assert_eq!(answer, as_it_was, "{house:?}: {command:?} of {request:?}");
    }
}

/// I9: an execution is told to halt by somebody's word for it, or by a freeze that is on it.
pub fn only_ones_own_freeze_halts(request: &Request, house: House, authority: &Authority) {
    let State::Executing { halt, .. } = &request.state else { return };
    let halts = halt.is_some() || house.freeze().is_some() && house.stops(request);
    let expected = if halts { Signal::Halt } else { Signal::Continue };
    assert_eq!(signal(request, authority), expected, "{house:?}: {request:?}");
}

/// EVE breaks the glass of a pending request wherever she is late with no second review, of this
/// request or of the other; and nowhere else.
pub fn only_who_is_late_may_not_break_the_glass(
    [request, other]: [&Request; 2],
    house: House,
    authority: &Authority,
    second: i64,
) {
    let pending = request.state == State::Pending && at(second) < request.review_deadline;
    let could =
        pending && request.break_glass.is_none() && rules::alone(house, [request, other], second);
    let answer = ask(request, &commands::break_glass(request, second), authority, second);
    assert_eq!(answer.is_ok(), could, "{house:?} at {second}: {request:?} beside {other:?}");
}
