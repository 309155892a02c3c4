//! What must never happen, said over the ledger's entries alone.
//!
//! Knows nothing of `apply`, of policies or of quorums by assignment: production takes two
//! approvers, anything else one; the agent's owner never counts. Reads the entries in their order
//! and stops at the first that must not be there.

use std::collections::{BTreeMap, BTreeSet};

use domain::entry::{Actor, HouseFact};
use domain::fact::RequestFact;
use domain::state::{Outcome, RollbackOutcome};
use domain::{
    AgentId, Digest, Entry, Fact, FreezeId, LeaseId, PersonId, RequestId, StateName, Timestamp,
    Verdict,
};

/// Whose vote the policy asks for.
const GROUP: &str = "approvers";

/// What somebody asked for: who, of which request (staging has none), by which fact it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub actor: Actor,
    pub request: Option<RequestId>,
    pub fact: &'static str,
    pub verdict: Option<Verdict>,
    pub digest: Option<Digest>,
}

/// One request.
#[derive(Debug)]
pub struct Life {
    pub state: StateName,
    pub digest: Digest,
    seats: usize,
    deadline: Timestamp,
    /// Of the newest revision.
    pub votes: BTreeMap<PersonId, Verdict>,
    approved_until: Timestamp,
    pub lease: Option<LeaseId>,
    pub halting: bool,
    /// Every state that it was in.
    pub reached: BTreeSet<StateName>,
    /// Every review that was recorded.
    pub reviews: Vec<(PersonId, Digest, Verdict)>,
    pub revisions: Vec<Digest>,
}

/// All requests, and what decides on them.
pub struct Model {
    agent: AgentId,
    owner: PersonId,
    approvers: BTreeSet<PersonId>,
    frozen: BTreeSet<FreezeId>,
    /// When the last entry was made.
    pub newest: Timestamp,
    pub lives: BTreeMap<RequestId, Life>,
    /// How often a release was refused because its approvals no longer held.
    pub quorums_lost: usize,
    /// Asked for and not refused, and not in the ledger yet.
    pub wishes: Vec<Wish>,
}

fn needed(environment: &str) -> usize {
    if environment == "production" { 2 } else { 1 }
}

impl Model {
    pub fn new(agent: AgentId, owner: PersonId) -> Self {
        let newest = Timestamp::from_micros(0).unwrap();
        let (approvers, frozen, lives) = Default::default();
        let (quorums_lost, wishes) = (0, Vec::new());
        Self { agent, owner, approvers, frozen, newest, lives, quorums_lost, wishes }
    }

    /// Every state that a request came to, once for each request.
    pub fn states_reached(&self) -> impl Iterator<Item = StateName> {
        self.lives.values().flat_map(|life| life.reached.iter().copied())
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        assert!(entry.at >= self.newest, "I12: time went back in {entry:?}");
        self.newest = entry.at;
        match &entry.fact {
            Fact::House(fact) => self.house(fact),
            Fact::Request(fact) => {
                let id = entry.request.expect("the request of its fact");
                self.granted(id, entry.actor, fact);
                if let RequestFact::RequestStaged(staged) = fact {
                    assert_eq!(entry.actor, Actor::Agent(self.agent));
                    let life =
                        Life::new(staged.digest, &staged.environment, staged.review_deadline);
                    assert!(self.lives.insert(id, life).is_none(), "staged twice: {entry:?}");
                    return;
                }
                let mut life = self.lives.remove(&id).expect("staged before");
                self.happened(&mut life, entry, fact);
                self.quorums_lost += usize::from(matches!(fact, RequestFact::QuorumLost { .. }));
                life.reached.insert(life.state);
                self.lives.insert(id, life);
            }
        }
    }

    fn house(&mut self, fact: &HouseFact) {
        match fact {
            HouseFact::GroupMemberAdded { group, person } if group == GROUP => {
                self.approvers.insert(*person);
            }
            HouseFact::GroupMemberRemoved { group, person } if group == GROUP => {
                self.approvers.remove(person);
            }
            HouseFact::Frozen { freeze, .. } => drop(self.frozen.insert(freeze.id)),
            HouseFact::Thawed { freeze, .. } => drop(self.frozen.remove(freeze)),
            _ => {}
        }
    }

    /// What somebody has to ask for does not happen by itself, or after a refusal.
    fn granted(&mut self, id: RequestId, actor: Actor, fact: &RequestFact) {
        let (mut request, mut asked) = (Some(id), (None, None));
        match fact {
            RequestFact::RequestStaged(_) => request = None,
            RequestFact::ReviewRecorded { verdict, digest, .. } => {
                asked = (Some(*verdict), Some(*digest));
            }
            RequestFact::ReleaseRedeemed { digest, .. } => asked.1 = Some(*digest),
            RequestFact::RequestAmended(_)
            | RequestFact::RequestWithdrawn { .. }
            | RequestFact::ReleaseRevoked { .. }
            | RequestFact::HaltRequested { .. }
            | RequestFact::OutcomeReported { .. }
            | RequestFact::RollbackReported { .. } => {}
            _ => return,
        }
        let wish = Wish { actor, request, fact: fact.name(), verdict: asked.0, digest: asked.1 };
        let found = self.wishes.iter().position(|made| *made == wish);
        let found = found.unwrap_or_else(|| panic!("nobody asked for {wish:?}, or was refused"));
        self.wishes.remove(found);
    }

    /// Those whose approval of the newest revision counts now.
    fn approvals(&self, life: &Life) -> BTreeSet<PersonId> {
        let approve = life.votes.iter().filter(|(_, verdict)| **verdict == Verdict::Approve);
        let people = approve.map(|(person, _)| *person);
        people.filter(|person| self.approvers.contains(person) && *person != self.owner).collect()
    }

    fn happened(&self, life: &mut Life, entry: &Entry, fact: &RequestFact) {
        let (at, actor, was) = (entry.at, entry.actor, life.state);
        let from = |states: &[StateName]| {
            assert!(states.contains(&was), "I2: {} in a request that is {was:?}", fact.name());
        };
        match fact {
            RequestFact::RequestStaged(_) => unreachable!("taken already"),
            RequestFact::RequestAmended(amended) => {
                from(&[StateName::Pending, StateName::ChangesRequested]);
                assert!(at < life.deadline, "I12: amended after the deadline");
                life.amended(amended.digest, &amended.environment, amended.review_deadline);
            }
            RequestFact::ReviewRecorded { reviewer, verdict, digest, .. } => {
                from(&[StateName::Pending, StateName::ChangesRequested]);
                assert_eq!(actor, Actor::Person(*reviewer), "I10");
                assert_eq!(*digest, life.digest, "I4: a review of another revision");
                assert!(self.approvers.contains(reviewer), "I9: no approver reviewed");
                assert!(*verdict != Verdict::Approve || *reviewer != self.owner, "I1: the owner");
                assert!(at < life.deadline, "I12: reviewed after the deadline");
                life.votes.insert(*reviewer, *verdict);
                life.reviews.push((*reviewer, *digest, *verdict));
            }
            RequestFact::RequestApproved { digest, approved_until, seats } => {
                from(&[StateName::Pending]);
                assert_eq!(*digest, life.digest, "I4");
                let Actor::Person(person) = actor else { panic!("I10, I12: {actor:?} approved") };
                assert_eq!(life.votes.get(&person), Some(&Verdict::Approve), "I1");
                assert!(!life.votes.values().any(|verdict| *verdict == Verdict::Deny), "I1");
                let (counted, filled) =
                    (self.approvals(life), seats.iter().map(|seat| seat.person));
                let people: BTreeSet<PersonId> = filled.collect();
                assert!(people.len() == seats.len() && people.is_subset(&counted), "I1: {seats:?}");
                assert!(people.len() >= life.seats, "I1: {} seats", people.len());
                assert!(at < life.deadline, "I12: approved after the deadline");
                (life.state, life.approved_until) = (StateName::Approved, *approved_until);
            }
            RequestFact::ChangesRequested { by } => {
                from(&[StateName::Pending]);
                assert_eq!(life.votes.get(by), Some(&Verdict::RequestChanges));
                life.state = StateName::ChangesRequested;
            }
            RequestFact::RequestDenied { by } => {
                assert_eq!(life.votes.get(by), Some(&Verdict::Deny));
                from(&[StateName::Pending, StateName::ChangesRequested]);
                life.state = StateName::Denied;
            }
            RequestFact::RequestExpired { .. } => {
                from(&[StateName::Pending, StateName::ChangesRequested]);
                assert!(at >= life.deadline, "expired before the deadline");
                life.state = StateName::Expired;
            }
            RequestFact::RequestWithdrawn { .. } => {
                from(&[StateName::Pending, StateName::ChangesRequested]);
                life.state = StateName::Withdrawn;
            }
            RequestFact::QuorumLost { void } => {
                from(&[StateName::Approved]);
                assert!(self.approvals(life).len() < life.seats, "the quorum was not lost");
                life.votes.retain(|person, _| !void.contains(person));
                life.state = StateName::Pending;
            }
            RequestFact::ReleaseRevoked { .. } => {
                from(&[StateName::Approved]);
                life.state = StateName::Revoked;
            }
            RequestFact::ReleaseLapsed { .. } => {
                from(&[StateName::Approved]);
                assert!(at >= life.approved_until, "lapsed too early");
                life.state = StateName::Lapsed;
            }
            RequestFact::ReleaseRedeemed { digest, executor, release } => {
                from(&[StateName::Approved]);
                assert_eq!(life.lease, None, "I3: redeemed twice");
                assert_eq!((*digest, *executor), (life.digest, self.agent), "I1, I4");
                assert_eq!(actor, Actor::Agent(self.agent));
                assert!(self.frozen.is_empty(), "I9: redeemed under a freeze");
                assert!(self.approvals(life).len() >= life.seats, "I1, I9: the quorum is lost");
                assert!(at < life.approved_until, "I12: a dead release was redeemed");
                (life.state, life.lease) = (StateName::Executing, Some(release.lease_id));
            }
            RequestFact::LeaseRenewed { .. } => from(&[StateName::Executing]),
            RequestFact::HaltRequested { .. } => {
                from(&[StateName::Executing]);
                life.halting = true;
            }
            RequestFact::OutcomeMissed { .. } => {
                from(&[StateName::Executing]);
                life.state = StateName::OutcomeUnknown;
            }
            RequestFact::OutcomeReported { outcome, .. } => {
                from(&[StateName::Executing, StateName::OutcomeUnknown]);
                life.state = match outcome {
                    Outcome::Succeeded => StateName::Succeeded,
                    Outcome::Failed => StateName::Failed,
                    Outcome::Halted => StateName::Halted,
                };
            }
            RequestFact::RollbackReported { outcome, .. } => {
                use StateName::{Failed, Halted, OutcomeUnknown, Succeeded};
                from(&[Succeeded, Failed, Halted, OutcomeUnknown]);
                life.state = match outcome {
                    RollbackOutcome::RolledBack => StateName::RolledBack,
                    RollbackOutcome::RollbackFailed => StateName::RollbackFailed,
                };
            }
            RequestFact::GlassBroken { .. }
            | RequestFact::SecondReviewRecorded { .. }
            | RequestFact::SecondReviewMissed { .. }
            | RequestFact::ReleaseVoided => panic!("nobody asked for {}", fact.name()),
        }
    }
}

impl Life {
    fn new(digest: Digest, environment: &str, deadline: Timestamp) -> Self {
        Self {
            state: StateName::Pending,
            digest,
            seats: needed(environment),
            deadline,
            votes: BTreeMap::new(),
            approved_until: Timestamp::from_micros(0).unwrap(),
            lease: None,
            halting: false,
            reached: BTreeSet::from([StateName::Pending]),
            reviews: Vec::new(),
            revisions: vec![digest],
        }
    }

    fn amended(&mut self, digest: Digest, environment: &str, deadline: Timestamp) {
        (self.state, self.digest, self.deadline) = (StateName::Pending, digest, deadline);
        self.seats = needed(environment);
        self.votes.clear();
        self.revisions.push(digest);
    }
}
