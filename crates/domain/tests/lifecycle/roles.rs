//! Who may do what: every role and every action, each in the state that the action is for.

use std::collections::BTreeMap;
use std::fmt::Write;

use domain::fact::RequestAmended;
use domain::request::SecondVerdict;
use domain::{
    Actor, AgentId, Command, Outcome, PersonId, Refusal, RollbackOutcome, StateName, Verdict,
};

use super::scene::{
    ACTED_FOR, ADMINISTRATOR, CAT, DAN, EVE, EXECUTOR, FAY, HOLDER, LEASE, OTHER_AGENT, OUTSIDER,
    OWNER, STAGER, Story, amend, amended, at, because, need, one,
};
use super::states::{Way, break_glass, halt, revoke, second_review, story_in};

struct Role {
    name: &'static str,
    actor: Actor,
    /// What is so in the house, or of the request, for this role.
    given: fn(Story) -> Story,
}

fn as_it_is(story: Story) -> Story {
    story
}

fn roles() -> Vec<Role> {
    let agent = |name, id| Role { name, actor: Actor::Agent(id), given: as_it_is };
    let person = |name, id| Role { name, actor: Actor::Person(id), given: as_it_is };
    vec![
        agent("agent that staged it", STAGER),
        agent("executor", EXECUTOR),
        agent("other agent", OTHER_AGENT),
        Role { name: "the gate itself", actor: Actor::System, given: as_it_is },
        person("approver", CAT),
        Role {
            name: "approver of another group that is asked",
            actor: Actor::Person(DAN),
            given: |mut story| {
                let ruling = story.house.ruling.as_mut().unwrap();
                ruling.requirements.push(need("need.security", "security", 1));
                story
            },
        },
        person("owner of the agent", OWNER),
        person("person it acts for", ACTED_FOR),
        person("holder of a key of the agent", HOLDER),
        Role {
            name: "approver whom the policy forbids",
            actor: Actor::Person(CAT),
            given: |mut story| {
                story.house.forbidden.insert(CAT);
                story
            },
        },
        Role {
            name: "approver who staged it (a change)",
            actor: Actor::Person(CAT),
            given: |mut story| {
                let request = story.request.as_mut().unwrap();
                request.staged_by = Actor::Person(CAT);
                request.kind.name = "countersign.policy".into();
                story
            },
        },
        person("break-glass holder", FAY),
        Role {
            name: "break-glass holder, late with a second review",
            actor: Actor::Person(FAY),
            given: |mut story| {
                story.house.owes_review_by.insert(FAY, at(0));
                story
            },
        },
        Role {
            name: "break-glass holder whom the policy forbids",
            actor: Actor::Person(FAY),
            given: |mut story| {
                story.house.forbidden.insert(FAY);
                story
            },
        },
        person("break-glass holder who broke it", EVE),
        Role {
            name: "approver who was disabled, or left",
            actor: Actor::Person(CAT),
            given: |story| story.without(CAT),
        },
        person("administrator", ADMINISTRATOR),
        person("anybody else", OUTSIDER),
    ]
}

struct Action {
    name: &'static str,
    state: StateName,
    way: Way,
    /// The command, if an actor of this sort can form it at all.
    command: fn(&Story, Actor) -> Option<Command>,
}

fn person(actor: Actor) -> Option<PersonId> {
    match actor {
        Actor::Person(person) => Some(person),
        Actor::Agent(_) | Actor::System => None,
    }
}

fn agent(actor: Actor) -> Option<AgentId> {
    match actor {
        Actor::Agent(agent) => Some(agent),
        Actor::Person(_) | Actor::System => None,
    }
}

fn actions() -> Vec<Action> {
    let action = |name, state, command| Action { name, state, way: Way::Quorum, command };
    vec![
        action("approve", StateName::Pending, |s, a| Some(s.approve(person(a)?))),
        action("request changes", StateName::Pending, |s, a| {
            Some(s.says(person(a)?, Verdict::RequestChanges))
        }),
        action("deny", StateName::Pending, |s, a| Some(s.says(person(a)?, Verdict::Deny))),
        action("pass on", StateName::Pending, |s, a| Some(s.says(person(a)?, Verdict::Pass))),
        action("break glass", StateName::Pending, |s, a| Some(break_glass(s, person(a)?))),
        Action {
            name: "second review",
            state: StateName::Executing,
            way: Way::BreakGlass,
            command: |_, a| Some(second_review(person(a)?, SecondVerdict::Justified)),
        },
        action("amend", StateName::ChangesRequested, |_, by| {
            Some(amend(RequestAmended { amended_by: by, ..amended(2, one()) }))
        }),
        action("withdraw", StateName::Pending, |_, by| Some(Command::Withdraw { by })),
        action("revoke", StateName::Approved, |_, a| Some(revoke(person(a)?))),
        action("halt", StateName::Executing, |_, a| Some(halt(person(a)?))),
        action("redeem", StateName::Approved, |story, a| {
            let digest = story.request().digest;
            Some(Command::Redeem { executor: agent(a)?, digest, lease_id: LEASE })
        }),
        action("renew", StateName::Executing, |_, a| {
            Some(Command::Renew { executor: agent(a)?, lease_id: LEASE })
        }),
        action("report", StateName::Executing, |_, a| {
            let (executor, outcome) = (agent(a)?, Outcome::Failed);
            let (summary, evidence) = (because(), vec![]);
            Some(Command::Report { executor, lease_id: LEASE, outcome, summary, evidence })
        }),
        action("report rollback", StateName::Failed, |_, a| {
            let (executor, outcome) = (agent(a)?, RollbackOutcome::RolledBack);
            let (summary, evidence) = (because(), vec![]);
            Some(Command::ReportRollback { executor, lease_id: LEASE, outcome, summary, evidence })
        }),
    ]
}

/// Whether a role may do something, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    Yes,
    /// The command cannot be formed: its type asks for another sort of actor.
    ByType,
    No(String),
}

/// For each action, what becomes of each role that tries it.
pub fn matrix() -> Vec<(&'static str, Vec<(&'static str, May)>)> {
    let roles = roles();
    let row = |action: Action| {
        let try_it = |role: &Role| {
            let story = (role.given)(story_in(action.state, action.way).at(30));
            let may = match (action.command)(&story, role.actor) {
                None => May::ByType,
                Some(command) => match story.answer(command) {
                    Ok(_) => May::Yes,
                    Err(refusal) => May::No(reason(&refusal)),
                },
            };
            (role.name, may)
        };
        (action.name, roles.iter().map(try_it).collect())
    };
    actions().into_iter().map(row).collect()
}

fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotEligible { why } => {
            let why = serde_json::to_value(why).unwrap();
            format!("{}: {}", refusal.code(), why.as_str().unwrap())
        }
        other => other.code().to_owned(),
    }
}

#[test]
fn the_whole_role_by_action_table() {
    let mut text = String::new();
    for (action, tried) in matrix() {
        writeln!(text, "{action}").unwrap();
        let mut by_answer: BTreeMap<May, Vec<&str>> = BTreeMap::new();
        for (role, may) in tried {
            by_answer.entry(may).or_default().push(role);
        }
        for (may, roles) in by_answer {
            let answer = match may {
                May::Yes => "allowed".to_owned(),
                May::ByType => "cannot even be asked".to_owned(),
                May::No(why) => format!("refused, {why}"),
            };
            writeln!(text, "  {answer}: {}", roles.join("; ")).unwrap();
        }
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

#[test]
fn i10_b03_no_agent_forms_a_verdict() {
    for (action, tried) in matrix() {
        if !["approve", "request changes", "deny", "pass on", "break glass"].contains(&action) {
            continue;
        }
        for (role, may) in &tried[..4] {
            assert_eq!(*may, May::ByType, "{role}: {action}");
        }
    }
}

#[test]
fn i1_b07_nobody_who_is_too_near_approves_in_any_way() {
    let near = ["owner", "acts for", "key", "staged it", "approver whom the policy forbids"];
    for (action, tried) in matrix() {
        if !["approve", "break glass", "second review"].contains(&action) {
            continue;
        }
        for (role, may) in tried {
            if near.iter().any(|word| role.contains(word)) {
                assert_ne!(may, May::Yes, "{role}: {action}");
            }
        }
    }
}
