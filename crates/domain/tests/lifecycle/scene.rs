//! The scene of these tests: who there is, one request, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use domain::fact::{RequestAmended, RequestStaged};
use domain::{
    Actor, AgentId, Amendment, Authority, Command, Commitment, Context, Digest, Freeze, FreezeId,
    FreezeScope, Ineligible, KindRef, LeaseId, Outcome, PersonId, Refusal, Request, RequestFact,
    RequestId, Requirement, ReviewInput, Reviewer, Risk, RiskLevel, Ruling, Staging, StateName,
    Timestamp, Verdict, apply,
};
use uuid::Uuid;

pub const STAGER: AgentId = AgentId(Uuid::from_u128(10));
pub const EXECUTOR: AgentId = AgentId(Uuid::from_u128(11));
pub const OTHER_AGENT: AgentId = AgentId(Uuid::from_u128(12));
/// Owns the stager; in `approvers`, which must not help.
pub const OWNER: PersonId = PersonId(Uuid::from_u128(20));
/// An approver.
pub const BOB: PersonId = PersonId(Uuid::from_u128(21));
/// Another approver.
pub const CAT: PersonId = PersonId(Uuid::from_u128(22));
/// Of `security`.
pub const DAN: PersonId = PersonId(Uuid::from_u128(23));
/// May break the glass, and nothing else.
pub const EVE: PersonId = PersonId(Uuid::from_u128(24));
/// May break the glass too.
pub const FAY: PersonId = PersonId(Uuid::from_u128(25));
/// In `approvers`; the agent acts on this person's behalf.
pub const ACTED_FOR: PersonId = PersonId(Uuid::from_u128(26));
/// In `approvers`; was shown a key of the agent.
pub const HOLDER: PersonId = PersonId(Uuid::from_u128(27));
/// In no group at all.
pub const OUTSIDER: PersonId = PersonId(Uuid::from_u128(28));
/// An administrator, who is asked for changes to the house only.
pub const ADMINISTRATOR: PersonId = PersonId(Uuid::from_u128(29));
pub const LEASE: LeaseId = LeaseId(Uuid::from_u128(30));
pub const OTHER_LEASE: LeaseId = LeaseId(Uuid::from_u128(31));
pub const FREEZE: FreezeId = FreezeId(Uuid::from_u128(40));

/// When the review ends, in seconds after staging.
pub const REVIEW_DEADLINE_S: i64 = 3600;
/// How long an unused release lives.
pub const RELEASE_TTL_S: u32 = 600;
/// How long a lease lives without a heartbeat.
pub const LEASE_TTL_S: u32 = 300;
/// How long after redemption a report is expected.
pub const REPORT_DEADLINE_S: u32 = 900;

/// The instant `second` seconds after staging.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).unwrap().plus_seconds(second)
}

/// The digest of revision `number`.
pub fn digest(number: u32) -> Digest {
    Digest::of(&number.to_be_bytes())
}

/// A reason; made once, because the searches give it a million times.
pub fn because() -> Commitment {
    static BECAUSE: LazyLock<Commitment> = LazyLock::new(|| Commitment::new(&[0; 16], "because"));
    *BECAUSE
}

pub fn need(id: &str, group: &str, seats: u32) -> Requirement {
    Requirement { id: id.into(), group: group.into(), seats, reauth_s: None, why: String::new() }
}

/// A requirement that asks for a sign-in of the last five minutes.
pub fn fresh(id: &str, group: &str, seats: u32) -> Requirement {
    Requirement { reauth_s: Some(300), ..need(id, group, seats) }
}

/// One person of `approvers`.
pub fn one() -> Vec<Requirement> {
    vec![need("need.one", "approvers", 1)]
}

/// Two people of `approvers`.
pub fn two() -> Vec<Requirement> {
    vec![need("need.two", "approvers", 2)]
}

pub fn groups(groups: &[(&str, &[PersonId])]) -> BTreeMap<String, BTreeSet<PersonId>> {
    groups.iter().map(|(name, of)| ((*name).into(), of.iter().copied().collect())).collect()
}

/// Everybody in their place, and a policy that asks for `needs`.
pub fn house(needs: Vec<Requirement>) -> Authority {
    Authority {
        groups: groups(&[
            ("approvers", &[OWNER, BOB, CAT, ACTED_FOR, HOLDER]),
            ("security", &[DAN]),
            ("break-glass", &[EVE, FAY]),
            ("administrators", &[ADMINISTRATOR]),
        ]),
        excluded: BTreeMap::from([(OWNER, Ineligible::OwnsAgent), (HOLDER, Ineligible::HoldsKey)]),
        forbidden: BTreeSet::new(),
        agent_active: true,
        executor_active: true,
        frozen: vec![],
        owes_review_by: BTreeMap::new(),
        ruling: Some(Ruling { requirements: needs, permits_release: true }),
    }
}

pub fn staged(needs: Vec<Requirement>) -> RequestStaged {
    RequestStaged {
        request: RequestId(Uuid::from_u128(1)),
        staged_by: Actor::Agent(STAGER),
        agent: STAGER,
        executor: EXECUTOR,
        kind: KindRef { name: "db.export".into(), version: 1 },
        environment: "production".into(),
        revision: 1,
        digest: digest(1),
        content_digest: digest(1),
        requirements: needs,
        excluded: vec![(ACTED_FOR, Ineligible::ActsOnBehalf)],
        risk: Risk { level: RiskLevel::Low, facts: vec![] },
        review_deadline: at(REVIEW_DEADLINE_S),
        release_ttl_s: RELEASE_TTL_S,
        lease_ttl_s: LEASE_TTL_S,
        report_deadline_s: REPORT_DEADLINE_S,
        window: None,
    }
}

/// A change to the house: wished for by `BOB`, to be carried out by the gate.
pub fn change() -> RequestStaged {
    let kind = KindRef { name: "countersign.policy".into(), version: 1 };
    let (agent, executor) = (AgentId::HOUSE, AgentId::HOUSE);
    RequestStaged { kind, staged_by: Actor::Person(BOB), agent, executor, ..staged(one()) }
}

pub fn stage(staged: RequestStaged) -> Command {
    Command::Stage(Box::new(Staging(staged)))
}

pub fn amended(number: u32, needs: Vec<Requirement>) -> RequestAmended {
    RequestAmended {
        amended_by: Actor::Agent(STAGER),
        environment: "production".into(),
        revision: number,
        digest: digest(number),
        content_digest: digest(number),
        requirements: needs,
        excluded: vec![],
        risk: Risk { level: RiskLevel::Low, facts: vec![] },
        review_deadline: at(REVIEW_DEADLINE_S),
        window: None,
    }
}

pub fn amend(amended: RequestAmended) -> Command {
    Command::Amend(Box::new(Amendment(amended)))
}

pub fn freeze(scope: FreezeScope, halts: bool) -> Freeze {
    Freeze { id: FREEZE, scope, halts }
}

pub fn report(outcome: Outcome) -> Command {
    Command::Report {
        executor: EXECUTOR,
        lease_id: LEASE,
        outcome,
        summary: because(),
        evidence: vec![],
    }
}

pub fn renew() -> Command {
    Command::Renew { executor: EXECUTOR, lease_id: LEASE }
}

/// One request, the house it lives in, and the time.
#[derive(Clone, Debug)]
pub struct Story {
    pub request: Option<Request>,
    pub house: Authority,
    pub second: i64,
}

impl Story {
    /// Staged at second 0 under `needs`, which the policy asks for too.
    pub fn staged(needs: Vec<Requirement>) -> Self {
        Self::of(staged(needs))
    }

    pub fn of(staged: RequestStaged) -> Self {
        let house = house(staged.requirements.clone());
        let mut story = Self { request: None, house, second: 0 };
        story.does(stage(staged));
        story
    }

    pub fn at(mut self, second: i64) -> Self {
        self.second = second;
        self
    }

    pub fn request(&self) -> &Request {
        self.request.as_ref().unwrap()
    }

    /// The state that holds now.
    pub fn state(&self) -> StateName {
        self.request().state_at(at(self.second)).name()
    }

    /// What would follow from `command` now.
    pub fn answer(&self, command: Command) -> Result<Vec<RequestFact>, Refusal> {
        let context = Context { authority: &self.house };
        apply(self.request.as_ref(), command, &context, at(self.second))
    }

    pub fn refusal(&self, command: Command) -> Refusal {
        self.answer(command).unwrap_err()
    }

    /// Takes in what follows from `command`, which has to be allowed.
    pub fn does(&mut self, command: Command) -> &mut Self {
        let facts = self.answer(command.clone());
        let facts = facts.unwrap_or_else(|refusal| panic!("{refusal}: {command:?}"));
        for fact in &facts {
            let after = Request::evolve(self.request.take(), fact, at(self.second));
            self.request = Some(after.unwrap());
        }
        self
    }

    pub fn then(mut self, command: Command) -> Self {
        self.does(command);
        self
    }

    /// `person` looks at the request as it is now, having just signed in.
    pub fn input(&self, person: PersonId) -> ReviewInput {
        ReviewInput {
            reviewer: Reviewer::from_session(person),
            digest: self.request.as_ref().map_or(digest(1), |request| request.digest),
            shown_at: at(self.second),
            authenticated_at: at(self.second),
            justification: because(),
        }
    }

    pub fn says(&self, person: PersonId, verdict: Verdict) -> Command {
        let input = self.input(person);
        match verdict {
            Verdict::Approve => Command::Approve(input),
            Verdict::RequestChanges => Command::RequestChanges(input),
            Verdict::Deny => Command::Deny(input),
            Verdict::Pass => Command::PassOn(input),
        }
    }

    pub fn approve(&self, person: PersonId) -> Command {
        self.says(person, Verdict::Approve)
    }

    pub fn approved_by(self, people: &[PersonId]) -> Self {
        people.iter().fold(self, |story, person| {
            let command = story.approve(*person);
            story.then(command)
        })
    }

    pub fn redeem(&self) -> Command {
        let digest = self.request.as_ref().map_or(digest(1), |request| request.digest);
        Command::Redeem { executor: EXECUTOR, digest, lease_id: LEASE }
    }

    pub fn redeemed(self) -> Self {
        let command = self.redeem();
        self.then(command)
    }

    /// Takes `person` out of every group.
    pub fn without(mut self, person: PersonId) -> Self {
        for members in self.house.groups.values_mut() {
            members.remove(&person);
        }
        self
    }

    /// The policy in force asks for `needs` now.
    pub fn under(mut self, needs: Vec<Requirement>) -> Self {
        self.house.ruling = Some(Ruling { requirements: needs, permits_release: true });
        self
    }
}
