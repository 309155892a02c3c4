//! The lifecycle as a reviewer can read it: the whole state × command table, and I1 to I12 as far
//! as they are pure.

use std::collections::{BTreeMap, BTreeSet};

use domain::apply::MAX_SHOWN_S;
use domain::fact::RequestStaged;
use domain::request::Release;
use domain::risk::Risk;
use domain::stage::Window;
use domain::{
    Actor, AgentId, Authority, Command, Commitment, Context, Digest, Ineligible, KindRef, LeaseId,
    Outcome, PersonId, Refusal, Request, RequestFact, RequestId, Requirement, ReviewInput,
    Reviewer, RiskLevel, Staging, State, StateName, Timestamp, Verdict, apply, quorum,
};
use uuid::Uuid;

const AGENT: AgentId = AgentId(Uuid::from_u128(10));
const OTHER_AGENT: AgentId = AgentId(Uuid::from_u128(11));
const LEASE: LeaseId = LeaseId(Uuid::from_u128(30));
const OWNER: PersonId = PersonId(Uuid::from_u128(20));
const BOB: PersonId = PersonId(Uuid::from_u128(21));
const CAT: PersonId = PersonId(Uuid::from_u128(22));
const DAN: PersonId = PersonId(Uuid::from_u128(23));

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).unwrap().plus_seconds(second)
}

fn digest() -> Digest {
    Digest::of(b"revision")
}

fn requirement(id: &str, group: &str, seats: u32) -> Requirement {
    Requirement { id: id.into(), group: group.into(), seats, reauth_s: None, why: String::new() }
}

fn staged(requirements: Vec<Requirement>) -> RequestStaged {
    RequestStaged {
        request: RequestId(Uuid::from_u128(1)),
        agent: AGENT,
        executor: AGENT,
        kind: KindRef { name: "k".into(), version: 1 },
        revision: 1,
        digest: digest(),
        content_digest: digest(),
        requirements,
        excluded: vec![(OWNER, Ineligible::OwnsAgent)],
        risk: Risk { level: RiskLevel::Low, facts: vec![] },
        review_deadline: at(3600),
        release_ttl_s: 600,
        report_deadline_s: 600,
        window: None,
    }
}

fn authority(groups: &[(&str, &[PersonId])]) -> Authority {
    let groups: BTreeMap<String, BTreeSet<PersonId>> = groups
        .iter()
        .map(|(name, people)| ((*name).into(), people.iter().copied().collect()))
        .collect();
    Authority { groups, excluded: BTreeMap::new(), agent_active: true, executor_active: true }
}

fn approvers() -> Authority {
    authority(&[("approvers", &[OWNER, BOB, CAT])])
}

fn pending(requirements: Vec<Requirement>) -> Request {
    let facts = run(None, Command::Stage(Box::new(Staging(staged(requirements)))), &approvers(), 0);
    Request::evolve(None, &facts.unwrap()[0], at(0)).unwrap()
}

fn run(
    request: Option<&Request>,
    command: Command,
    authority: &Authority,
    second: i64,
) -> Result<Vec<RequestFact>, Refusal> {
    apply(request, command, &Context { authority }, at(second))
}

fn after(request: &Request, command: Command, authority: &Authority, second: i64) -> Request {
    run(Some(request), command, authority, second)
        .unwrap()
        .iter()
        .fold(request.clone(), |request, fact| {
            Request::evolve(Some(request), fact, at(second)).unwrap()
        })
}

fn input(person: PersonId, shown: i64) -> ReviewInput {
    ReviewInput {
        reviewer: Reviewer::from_session(person),
        digest: digest(),
        shown_at: at(shown),
        justification: Commitment::new(&[0; 16], "because"),
    }
}

fn approve(person: PersonId) -> Command {
    Command::Approve(input(person, 0))
}

fn deny(person: PersonId) -> Command {
    Command::Deny(input(person, 0))
}

fn redeem() -> Command {
    Command::Redeem { executor: AGENT, digest: digest(), lease_id: LEASE }
}

fn report(outcome: Outcome) -> Command {
    let summary = Commitment::new(&[0; 16], "done");
    Command::Report { executor: AGENT, lease_id: LEASE, outcome, summary }
}

fn one() -> Vec<Requirement> {
    vec![requirement("need.one", "approvers", 1)]
}

fn in_state(name: StateName) -> Request {
    let request = pending(one());
    let release = Release {
        lease_id: LEASE,
        redeemed_at: at(20),
        token_expires_at: at(320),
        report_by: at(620),
    };
    let approved = || after(&request, approve(BOB), &approvers(), 10);
    let state = match name {
        StateName::Pending => return request,
        StateName::Approved => return approved(),
        StateName::Executing => return after(&approved(), redeem(), &approvers(), 20),
        StateName::Denied => State::Denied { at: at(10), by: BOB },
        StateName::Expired => State::Expired { at: at(10) },
        StateName::Withdrawn => State::Withdrawn { at: at(10), by: Actor::Agent(AGENT) },
        StateName::Lapsed => State::Lapsed { at: at(10) },
        StateName::Succeeded => State::Succeeded { release, at: at(30) },
        StateName::Failed => State::Failed { release, at: at(30) },
    };
    Request { state, ..request }
}

#[test]
fn the_whole_state_by_command_table() {
    let commands: Vec<(&str, Command)> = vec![
        ("stage", Command::Stage(Box::new(Staging(staged(one()))))),
        ("approve", approve(CAT)),
        ("deny", deny(CAT)),
        ("withdraw", Command::Withdraw { by: AGENT }),
        ("redeem", redeem()),
        ("report succeeded", report(Outcome::Succeeded)),
        ("report failed", report(Outcome::Failed)),
        ("elapse", Command::Elapse),
    ];
    let mut table = String::from("| state | command | facts, or the refusal |\n|---|---|---|\n");
    let mut row = |state: &str, request: Option<&Request>, second| {
        for (name, command) in &commands {
            let answer = match run(request, command.clone(), &approvers(), second) {
                Ok(facts) => facts.iter().map(RequestFact::name).collect::<Vec<_>>().join(", "),
                Err(refusal) => format!("refused: {}", refusal.code()),
            };
            table.push_str(&format!("| {state} | {name} | {answer} |\n"));
        }
    };
    row("(none)", None, 40);
    for name in StateName::ALL {
        row(name.as_str(), Some(&in_state(name)), 40);
    }
    row("pending, deadline passed", Some(&in_state(StateName::Pending)), 3600);
    row("approved, time to live passed", Some(&in_state(StateName::Approved)), 610);
    insta::assert_snapshot!(table);
}

#[test]
fn i1_excluded_people_are_never_counted() {
    let request = pending(one());
    let refused = run(Some(&request), approve(OWNER), &approvers(), 1).unwrap_err();
    assert_eq!(refused, Refusal::NotEligible { why: Ineligible::OwnsAgent });
    let mut now = approvers();
    now.excluded.insert(BOB, Ineligible::HoldsKey);
    let refused = run(Some(&request), approve(BOB), &now, 1).unwrap_err();
    assert_eq!(refused, Refusal::NotEligible { why: Ineligible::HoldsKey });
    let refused = run(Some(&request), approve(DAN), &approvers(), 1).unwrap_err();
    assert_eq!(refused, Refusal::NotEligible { why: Ineligible::NotInGroup });
}

#[test]
fn i1_b14_one_person_fills_one_seat() {
    let two = vec![requirement("a", "approvers", 1), requirement("b", "approvers", 1)];
    let once = after(&pending(two), approve(BOB), &approvers(), 1);
    assert_eq!(once.state, State::Pending);
    assert!(matches!(
        run(Some(&once), approve(BOB), &approvers(), 2),
        Err(Refusal::AlreadyReviewed { verdict: Verdict::Approve, .. })
    ));
    let twice = after(&once, approve(CAT), &approvers(), 3);
    assert_eq!(twice.state.name(), StateName::Approved);
}

#[test]
fn i1_overlapping_groups_neither_deadlock_nor_relax() {
    // BOB could fill either seat, CAT only the lax one: whoever comes first, both together do.
    let groups = authority(&[("security", &[BOB]), ("approvers", &[BOB, CAT])]);
    let needs = || vec![requirement("lax", "approvers", 1), requirement("strict", "security", 1)];
    for order in [[BOB, CAT], [CAT, BOB]] {
        let request =
            order.iter().fold(pending(needs()), |r, p| after(&r, approve(*p), &groups, 1));
        assert_eq!(request.state.name(), StateName::Approved, "{order:?}");
    }
    let lax = authority(&[("security", &[DAN]), ("approvers", &[BOB, CAT])]);
    let request = [BOB, CAT].iter().fold(pending(needs()), |r, p| after(&r, approve(*p), &lax, 1));
    assert_eq!(request.state, State::Pending);
    let explanation = quorum::explain(&request, &lax);
    assert!(!explanation.met);
    assert_eq!(explanation.requirements[1].could_fill, vec![DAN]);
    assert_eq!(explanation.requirements[1].missing(), 1);
}

#[test]
fn i2_terminal_states_take_no_command() {
    for name in StateName::ALL.into_iter().filter(|name| name.is_terminal()) {
        let request = in_state(name);
        for command in [approve(BOB), deny(BOB), redeem(), report(Outcome::Failed), Command::Elapse]
        {
            assert!(run(Some(&request), command, &approvers(), 9999).is_err(), "{name:?}");
        }
    }
}

#[test]
fn i4_e01_a_verdict_on_another_digest_is_refused() {
    let mut other = input(BOB, 0);
    other.digest = Digest::of(b"what I saw");
    let refused = run(Some(&pending(one())), Command::Approve(other), &approvers(), 1);
    assert!(matches!(refused, Err(Refusal::Changed { revision: 1, .. })));
}

#[test]
fn i5_b08_no_requirement_or_an_empty_group_is_never_approved() {
    for requirements in [vec![], vec![requirement("none", "approvers", 0)]] {
        let staging = Command::Stage(Box::new(Staging(staged(requirements))));
        assert_eq!(run(None, staging, &approvers(), 0), Err(Refusal::NoRequirement));
    }
    let empty = pending(vec![requirement("need", "nobody", 1)]);
    assert!(matches!(
        run(Some(&empty), approve(BOB), &approvers(), 1),
        Err(Refusal::NotEligible { why: Ineligible::NotInGroup })
    ));
    let mut none = pending(one());
    none.requirements.clear();
    assert!(quorum::complete(&none, &approvers()).is_none());
}

#[test]
fn i9_b13_an_approver_who_left_no_longer_counts_at_redemption() {
    let approved = in_state(StateName::Approved);
    let without_bob = authority(&[("approvers", &[CAT])]);
    let facts = run(Some(&approved), redeem(), &without_bob, 20).unwrap();
    assert_eq!(facts, vec![RequestFact::QuorumLost { void: vec![BOB] }]);
    let back = after(&approved, redeem(), &without_bob, 20);
    assert_eq!(back.state, State::Pending);
    assert!(back.approvers().is_empty());
}

#[test]
fn i9_d07_a_suspended_agent_redeems_nothing() {
    let approved = in_state(StateName::Approved);
    for (agent_active, executor_active) in [(false, true), (true, false)] {
        let now = Authority { agent_active, executor_active, ..approvers() };
        assert_eq!(run(Some(&approved), redeem(), &now, 20), Err(Refusal::Suspended));
    }
}

#[test]
fn i12_c02_the_deadline_itself_is_too_late() {
    let request = pending(one());
    assert!(run(Some(&request), approve(BOB), &approvers(), 3599).is_ok());
    for second in [3600, 3601, i64::from(u32::MAX)] {
        let mut late = input(BOB, 0);
        late.shown_at = at(second - 1);
        assert_eq!(
            run(Some(&request), Command::Approve(late), &approvers(), second),
            Err(Refusal::NotPending { state: StateName::Expired })
        );
    }
}

#[test]
fn i12_d04_an_approval_lapses_and_stays_dead_when_the_clock_goes_back() {
    let approved = in_state(StateName::Approved);
    assert_eq!(
        run(Some(&approved), redeem(), &approvers(), 610),
        Err(Refusal::NotApproved { state: StateName::Lapsed })
    );
    let lapsed = after(&approved, Command::Elapse, &approvers(), 610);
    for second in [0, 20, 609] {
        assert!(run(Some(&lapsed), redeem(), &approvers(), second).is_err());
    }
}

#[test]
fn i12_no_timer_leads_to_approved() {
    for name in StateName::ALL {
        for second in [0, 40, 610, 3600, 1_000_000] {
            let facts = run(Some(&in_state(name)), Command::Elapse, &approvers(), second);
            for fact in facts.unwrap_or_default() {
                assert!(matches!(
                    fact,
                    RequestFact::RequestExpired { .. } | RequestFact::ReleaseLapsed { .. }
                ));
            }
        }
    }
}

#[test]
fn d03_only_the_named_executor_redeems_and_only_this_digest() {
    let approved = in_state(StateName::Approved);
    let stranger = Command::Redeem { executor: OTHER_AGENT, digest: digest(), lease_id: LEASE };
    assert_eq!(run(Some(&approved), stranger, &approvers(), 20), Err(Refusal::NotExecutor));
    let other = Command::Redeem { executor: AGENT, digest: Digest::of(b"x"), lease_id: LEASE };
    assert!(matches!(
        run(Some(&approved), other, &approvers(), 20),
        Err(Refusal::DigestMismatch { .. })
    ));
}

#[test]
fn b16_only_the_stager_withdraws() {
    let request = pending(one());
    let stranger = Command::Withdraw { by: OTHER_AGENT };
    assert_eq!(run(Some(&request), stranger, &approvers(), 1), Err(Refusal::NotStager));
}

#[test]
fn a_window_bounds_the_release_and_its_token() {
    let window = Window { not_before: at(1000), not_after: at(1100) };
    let mut staging = staged(one());
    staging.window = Some(window);
    let facts = run(None, Command::Stage(Box::new(Staging(staging))), &approvers(), 0).unwrap();
    let request = Request::evolve(None, &facts[0], at(0)).unwrap();
    let approved = after(&request, approve(BOB), &approvers(), 10);
    assert!(matches!(
        run(Some(&approved), redeem(), &approvers(), 999),
        Err(Refusal::OutsideWindow { .. })
    ));
    let facts = run(Some(&approved), redeem(), &approvers(), 1050).unwrap();
    let RequestFact::ReleaseRedeemed { release, .. } = &facts[0] else { panic!("{facts:?}") };
    assert_eq!(release.token_expires_at, at(1100));
    assert_eq!(
        run(Some(&approved), redeem(), &approvers(), 1100),
        Err(Refusal::NotApproved { state: StateName::Lapsed })
    );
}

#[test]
fn a_page_shown_too_long_ago_or_in_the_future_decides_nothing() {
    let mut request = pending(one());
    request.review_deadline = at(MAX_SHOWN_S * 3);
    for shown in [2, 1 - MAX_SHOWN_S - 1] {
        let command = Command::Approve(input(BOB, shown));
        assert_eq!(run(Some(&request), command, &approvers(), 1), Err(Refusal::ShownTooLongAgo));
    }
}

#[test]
fn evolve_refuses_facts_out_of_order() {
    let denied = in_state(StateName::Denied);
    let approved =
        RequestFact::RequestApproved { digest: digest(), approved_until: at(1), seats: vec![] };
    assert!(Request::evolve(Some(denied), &approved, at(2)).is_err());
    assert!(Request::evolve(None, &approved, at(2)).is_err());
}
