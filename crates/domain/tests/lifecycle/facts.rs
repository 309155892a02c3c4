//! `evolve`: a fact follows only on the states after which `apply` gives it, and only if it is about
//! this very request. A ledger that says otherwise is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use domain::apply::SECOND_REVIEW_S;
use domain::fact::Missed;
use domain::request::{OutOfOrder, SecondVerdict};
use domain::state::Release;
use domain::{Actor, Digest, Outcome, Request, RequestFact, RollbackOutcome, StateName, Verdict};

use super::scene::{
    BOB, EVE, EXECUTOR, FAY, LEASE, OTHER_AGENT, STAGER, Story, amended, at, because, digest, one,
    staged,
};
use super::states::{Way, second_review, story_in};
use super::table::COMMANDS;

type Pair = (&'static str, StateName, bool);

fn release() -> Release {
    Release {
        lease_id: LEASE,
        redeemed_at: at(20),
        token_expires_at: at(320),
        lease_until: at(320),
        report_by: at(920),
    }
}

fn review(verdict: Verdict, revision: u32, digest: Digest) -> RequestFact {
    let (shown_at, authenticated_at, justification) = (at(30), at(30), because());
    let reviewer = BOB;
    RequestFact::ReviewRecorded {
        reviewer,
        verdict,
        revision,
        digest,
        shown_at,
        authenticated_at,
        justification,
    }
}

/// One of each fact, about revision 1.
pub(super) fn one_of_each() -> Vec<RequestFact> {
    let (summary, reason, justification) = (because(), because(), because());
    let (digest, approved_until) = (digest(1), at(610));
    let mut facts = Verdict::ALL.map(|verdict| review(verdict, 1, digest)).to_vec();
    facts.extend([
        RequestFact::RequestStaged(Box::new(staged(one()))),
        RequestFact::RequestAmended(Box::new(amended(2, one()))),
        RequestFact::ChangesRequested { by: BOB },
        RequestFact::RequestApproved { digest, approved_until, seats: vec![] },
        RequestFact::GlassBroken { by: EVE, digest, approved_until, review_by: at(999_999) },
        RequestFact::SecondReviewRecorded {
            by: FAY,
            verdict: SecondVerdict::Justified,
            justification,
        },
        RequestFact::SecondReviewMissed { review_by: at(999_999) },
        RequestFact::RequestDenied { by: BOB },
        RequestFact::RequestExpired { review_deadline: at(3600) },
        RequestFact::RequestWithdrawn { by: Actor::Agent(STAGER) },
        RequestFact::QuorumLost { void: vec![] },
        RequestFact::ReleaseRevoked { by: BOB, reason },
        RequestFact::ReleaseRedeemed { digest, executor: EXECUTOR, release: release() },
        RequestFact::ReleaseLapsed { approved_until },
        RequestFact::ReleaseVoided,
        RequestFact::LeaseRenewed { lease_until: at(500) },
        RequestFact::HaltRequested { by: BOB, reason },
        RequestFact::OutcomeMissed { missed: Missed::Heartbeat, due: at(320) },
        RequestFact::OutcomeReported { outcome: Outcome::Succeeded, summary, evidence: vec![] },
        RequestFact::RollbackReported {
            outcome: RollbackOutcome::RolledBack,
            summary,
            evidence: vec![],
        },
    ]);
    facts
}

fn label(fact: &RequestFact) -> &'static str {
    match fact {
        RequestFact::ReviewRecorded { verdict: Verdict::Approve, .. } => "ReviewRecorded approve",
        RequestFact::ReviewRecorded { verdict: Verdict::Deny, .. } => "ReviewRecorded deny",
        RequestFact::ReviewRecorded { verdict: Verdict::Pass, .. } => "ReviewRecorded pass",
        RequestFact::ReviewRecorded { verdict: Verdict::RequestChanges, .. } => {
            "ReviewRecorded request_changes"
        }
        other => other.name(),
    }
}

const WAYS: [Way; 2] = [Way::Quorum, Way::BreakGlass];

fn accepted() -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for (name, way) in StateName::ALL.into_iter().flat_map(|name| WAYS.map(|way| (name, way))) {
        let request = story_in(name, way).request.unwrap();
        for fact in one_of_each() {
            if Request::evolve(Some(request.clone()), &fact, at(30)).is_ok() {
                pairs.insert((label(&fact), name, way == Way::BreakGlass));
            }
        }
    }
    pairs
}

/// Every pair of a state and a fact that `apply` gave in it.
fn produced() -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for (name, way) in StateName::ALL.into_iter().flat_map(|name| WAYS.map(|way| (name, way))) {
        for second in [30, 200, 320, 610, 3600, 10 + SECOND_REVIEW_S] {
            let story = story_in(name, way).at(second);
            for story in [story.clone().without(BOB).without(EVE), story] {
                for (_, make) in COMMANDS {
                    collect(&story, make, way, &mut pairs);
                }
            }
        }
    }
    pairs
}

fn collect(
    story: &Story,
    make: fn(&Story) -> domain::Command,
    way: Way,
    pairs: &mut BTreeSet<Pair>,
) {
    let mut request = story.request().clone();
    for fact in story.answer(make(story)).unwrap_or_default() {
        pairs.insert((label(&fact), request.state.name(), way == Way::BreakGlass));
        request = Request::evolve(Some(request), &fact, at(story.second)).unwrap();
    }
}

#[test]
fn i8_a_fact_follows_exactly_where_apply_gives_it() {
    let (accepted, produced) = (accepted(), produced());
    let never_given: Vec<_> = accepted.difference(&produced).collect();
    assert!(never_given.is_empty(), "evolve takes what apply never gives: {never_given:?}");
    let not_taken: Vec<_> = produced.difference(&accepted).collect();
    assert!(not_taken.is_empty(), "{not_taken:?}");
}

#[test]
fn the_states_that_each_fact_may_follow_on() {
    let mut by_fact: BTreeMap<&str, [Vec<&str>; 2]> = BTreeMap::new();
    for fact in one_of_each() {
        by_fact.entry(label(&fact)).or_default();
    }
    for (fact, state, broken) in accepted() {
        by_fact.entry(fact).or_default()[usize::from(broken)].push(state.as_str());
    }
    let mut text = String::new();
    for (fact, [plain, broken]) in by_fact {
        let list = |states: &[&str]| match states.len() {
            0 => "no state".to_owned(),
            15 => "every state".to_owned(),
            _ => states.join(", "),
        };
        writeln!(text, "{fact}: {}", list(&plain)).unwrap();
        if plain != broken {
            writeln!(text, "  after a broken glass: {}", list(&broken)).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn i8_only_staging_comes_first_and_only_first() {
    for fact in one_of_each() {
        let first = Request::evolve(None, &fact, at(0));
        assert_eq!(first.is_ok(), matches!(fact, RequestFact::RequestStaged(_)), "{}", fact.name());
    }
    let refused = Request::evolve(Story::staged(one()).request, &one_of_each()[4], at(0));
    assert_eq!(refused.unwrap_err(), OutOfOrder { fact: "RequestStaged" });
}

fn refused(name: StateName, fact: &RequestFact) {
    let request = story_in(name, Way::Quorum).request;
    assert!(Request::evolve(request, fact, at(30)).is_err(), "{fact:?}");
}

#[test]
fn i4_e11_a_fact_about_another_revision_never_follows() {
    let (other, approved_until) = (Digest::of(b"other"), at(610));
    refused(StateName::Pending, &review(Verdict::Approve, 1, other));
    refused(StateName::Pending, &review(Verdict::Approve, 2, digest(1)));
    let seats = vec![];
    refused(
        StateName::Pending,
        &RequestFact::RequestApproved { digest: other, approved_until, seats },
    );
    let (by, review_by) = (EVE, at(999));
    refused(
        StateName::Pending,
        &RequestFact::GlassBroken { by, digest: other, approved_until, review_by },
    );
    for number in [0, 1, 3] {
        let amended = RequestFact::RequestAmended(Box::new(amended(number, one())));
        refused(StateName::Pending, &amended);
    }
}

#[test]
fn i3_a_redemption_of_another_digest_or_by_another_agent_never_follows() {
    let release = release();
    for (digest, executor) in [(Digest::of(b"other"), EXECUTOR), (digest(1), OTHER_AGENT)] {
        let release = release.clone();
        refused(StateName::Approved, &RequestFact::ReleaseRedeemed { digest, executor, release });
    }
}

#[test]
fn i12_a_lease_only_grows_and_never_past_its_end() {
    for second in [0, 319, 320, 921] {
        refused(StateName::Executing, &RequestFact::LeaseRenewed { lease_until: at(second) });
    }
}

#[test]
fn i2_a_second_review_is_given_once_and_missed_before_it_is_given() {
    let story = story_in(StateName::Succeeded, Way::BreakGlass).at(40);
    let done = story.then(second_review(FAY, SecondVerdict::Justified)).request;
    let missed = RequestFact::SecondReviewMissed { review_by: at(999) };
    assert!(Request::evolve(done.clone(), &missed, at(50)).is_err());
    let (verdict, justification) = (SecondVerdict::Unjustified, because());
    let again = RequestFact::SecondReviewRecorded { by: FAY, verdict, justification };
    assert!(Request::evolve(done, &again, at(50)).is_err());
    let late = story_in(StateName::Succeeded, Way::BreakGlass).request;
    let late = Request::evolve(late, &missed, at(50)).unwrap();
    assert!(Request::evolve(Some(late.clone()), &missed, at(51)).is_err());
    assert!(Request::evolve(Some(late), &again, at(51)).is_ok());
}
