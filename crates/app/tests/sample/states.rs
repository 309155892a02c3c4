//! One request in each state, and in each situation that looks different.

use app::{Act, Draft, Page, RequestPage};
use domain::kind::EffectPart;
use domain::request::SecondVerdict;
use domain::risk::{RiskCode, RiskFact};
use domain::stage::Window;
use domain::state::{Basis, Halt, Release};
use domain::{
    Actor, Ineligible, LeaseId, Outcome, Risk, RiskLevel, RollbackOutcome, State, Timestamp,
    Verdict,
};
use serde_json::json;
use service::secret::Finding;
use service::view::{
    AmendmentView, BreakGlassView, DecisionForm, DecisionView, EvidenceView, FieldChange,
    FreezeScopeView, OutcomeView, RequestView, RollbackView, SecondReviewView, StopView,
    TimelineFact, TimelineItem,
};

use super::request::{evidence, form, line, pending, said};
use super::{HOSTILE, agent_id, at, freeze, person_id, value, words};

fn release() -> Release {
    Release {
        lease_id: "0192f0a0-0000-7000-8000-000000000300".parse::<LeaseId>().unwrap(),
        redeemed_at: at("22T14:50"),
        token_expires_at: at("22T14:55"),
        lease_until: at("22T15:35"),
        report_by: at("22T15:50"),
    }
}

fn until() -> Timestamp {
    at("22T16:10")
}

fn quiet() -> StopView {
    pending().stop
}

/// Decided, with the timeline that led there.
fn decided(state: State, extra: Vec<TimelineItem>) -> RequestView {
    let base = pending();
    let mut requirements = base.requirements.clone();
    if let Some(open) = requirements.get_mut(1) {
        open.filled_by = vec![("Mia Okafor".into(), at("22T14:45"))];
    }
    let timeline = [base.timeline.clone(), extra].concat();
    RequestView { state, requirements, timeline, decision: DecisionView::Over, ..base }
}

fn approvals() -> Vec<TimelineItem> {
    let met = TimelineFact::QuorumMet { until: until() };
    vec![
        line("22T14:45", 1313, "Mia Okafor", said(Verdict::Approve), Some("Checked the bucket.")),
        line("22T14:45", 1314, "", met, None),
    ]
}

fn approved_state(basis: Basis) -> State {
    State::Approved { approved_at: at("22T14:45"), approved_until: until(), basis }
}

fn beats() -> Vec<TimelineItem> {
    let beat = |time: &str, index| {
        let fact = TimelineFact::Heartbeat { until: at("22T15:35") };
        line(time, index, "export-runner", fact, None)
    };
    let redeemed = line("22T14:50", 1315, "export-runner", TimelineFact::Redeemed, None);
    [
        approvals(),
        vec![redeemed, beat("22T15:00", 1316), beat("22T15:12", 1319), beat("22T15:20", 1322)],
    ]
    .concat()
}

fn ran(state: State, extra: Vec<TimelineItem>) -> RequestView {
    decided(state, [beats(), extra].concat())
}

/// What an executor shows: opened with something masked in it, and not opened.
fn reported() -> Vec<EvidenceView> {
    let log = "connecting to replica\nPGPASSWORD=[masked: password or key, 16 characters, #1f0c88a2]\n1,240,318 rows written\n";
    let output = EvidenceView {
        evidence_type: "output".into(),
        source: None,
        collected_at: None,
        required: false,
        secrets: vec![Finding { sort: "password or key", lines: vec![2] }],
        may_unmask: true,
        ..evidence(7, "output.txt", "text/plain", Some(log))
    };
    vec![output, evidence(8, HOSTILE, "application/pdf", None)]
}

fn outcome(outcome: Outcome, text: Option<&str>) -> Option<OutcomeView> {
    Some(OutcomeView {
        outcome,
        at: at("22T15:10"),
        summary: text.map(Into::into),
        evidence: reported(),
    })
}

fn rolled(outcome: RollbackOutcome) -> Option<RollbackView> {
    let summary = Some(format!("Object and versions deleted, role rotated. {HOSTILE}"));
    Some(RollbackView { outcome, at: at("22T15:20"), summary, evidence: vec![] })
}

fn open_states() -> Vec<(&'static str, RequestView)> {
    let fact = RiskFact::new;
    let low = RequestView {
        risk: Risk { level: RiskLevel::Low, facts: vec![fact(RiskCode::BaseRisk, RiskLevel::Low)] },
        effect: vec![
            words("Extend vendor key "),
            value("mailgrid"),
            words(" by "),
            EffectPart::Missing("days".into()),
        ],
        evidence: vec![],
        rollback_plan: None,
        canonical: "{}".into(),
        action: json!({"parameters": {"vendor": "mailgrid"}}),
        on_behalf_of: None,
        reversible: true,
        ..pending()
    };
    let not_you = RequestView {
        risk: Risk {
            level: RiskLevel::Medium,
            facts: vec![fact(RiskCode::BaseRisk, RiskLevel::Medium)],
        },
        decision: DecisionView::NotYou { why: Ineligible::OwnsAgent, form: None },
        review_deadline: at("22T15:50"),
        ..pending()
    };
    let password = DecisionForm {
        approve_needs_password: true,
        break_glass: true,
        break_glass_needs_password: true,
        ..form()
    };
    let reviewed = |verdict| DecisionView::Reviewed { verdict, at: at("22T15:27"), form: form() };
    let never = RequestView { attainable: false, ..pending() };
    let frozen = RequestView {
        stop: StopView { freezes: vec![freeze(1, FreezeScopeView::All, false)], ..quiet() },
        ..pending()
    };
    let own = RequestView {
        staged_by: Some("Mia Okafor".into()),
        stop: StopView { may_withdraw: true, ..quiet() },
        decision: DecisionView::NotYou { why: Ineligible::Staged, form: None },
        ..pending()
    };
    vec![
        ("request", pending()),
        ("request-low", low),
        ("request-not-you", not_you),
        ("request-password", RequestView { decision: DecisionView::Open(password), ..pending() }),
        ("request-never", never),
        ("request-frozen", frozen),
        ("request-own", own),
        ("request-reviewed", RequestView { decision: reviewed(Verdict::Approve), ..pending() }),
        ("request-passed", RequestView { decision: reviewed(Verdict::Pass), ..pending() }),
        ("request-amended", amended()),
        ("request-proposed", super::house::proposed()),
    ]
}

fn amended() -> RequestView {
    let change =
        |pointer: &str, before, after| FieldChange { pointer: pointer.into(), before, after };
    let long = "Please approve quickly, the close is blocked. ".repeat(12);
    let changes = vec![
        change("/parameters/row_limit", Some(json!(2_000_000)), Some(json!(1_240_318))),
        change(
            "/parameters/destination",
            Some(json!("s3://fin-close-2026-11/")),
            Some(json!("s3://fin-close-2026-11/\u{202e}sremotsuc")),
        ),
        change("/parameters/columns", Some(json!(["id", "email"])), Some(json!(["id", "balance"]))),
        change("/targets", Some(json!(["a", HOSTILE])), Some(json!(["a"]))),
        change("/ticket", Some(json!("FIN-1")), None),
        change("/parameters/tags", Some(json!({"a": {"b": [1, 2]}})), Some(json!(null))),
        change(
            "/evidence",
            Some(
                json!([{"name": HOSTILE, "type": "plan", "size_bytes": 12, "digest": "sha256:0011223344"}]),
            ),
            Some(json!([])),
        ),
        change(
            "/review_deadline",
            Some(json!("2026-11-22T18:00:00Z")),
            Some(json!("2026-11-22T18:40:00Z")),
        ),
        change(
            "/justification",
            Some(json!(format!("{long}Whole table."))),
            Some(json!(format!("{long}October only. {HOSTILE}"))),
        ),
        change("/rollback_plan", Some(json!({"steps": ["one".repeat(200)]})), None),
    ];
    let asked = TimelineFact::Reviewed { verdict: Verdict::RequestChanges, revision: 1 };
    let base = pending();
    let timeline = [
        vec![
            line("22T13:02", 1280, "ledger-close", TimelineFact::Staged { revision: 1 }, None),
            line("22T13:30", 1284, "Mia Okafor", asked, Some("Limit it to October.")),
            line("22T14:02", 1290, "ledger-close", TimelineFact::Amended { revision: 2 }, None),
        ],
        base.timeline.iter().skip(1).cloned().collect(),
    ];
    RequestView {
        amendment: Some(AmendmentView {
            since: 1,
            reviewed_by_you: true,
            changes,
            masked_otherwise: vec![HOSTILE.into(), "deploy.env".into()],
        }),
        timeline: timeline.concat(),
        ..base
    }
}

fn changes_requested() -> RequestView {
    let base = pending();
    let asked = line("22T15:10", 1313, "Ada Lind", said(Verdict::RequestChanges), Some(HOSTILE));
    RequestView {
        state: State::ChangesRequested { at: at("22T15:10"), by: person_id(3) },
        timeline: [base.timeline.clone(), vec![asked]].concat(),
        decision: DecisionView::Open(DecisionForm { verdicts: vec![Verdict::Deny], ..form() }),
        ..base
    }
}

fn approved_states() -> Vec<(&'static str, RequestView)> {
    let approved = decided(approved_state(Basis::Quorum), approvals());
    let mut lost = approved.requirements.clone();
    lost.iter_mut().for_each(|need| need.filled_by.clear());
    let blocked = RequestView {
        requirements: lost,
        window: Some(Window { not_before: at("22T20:00"), not_after: at("23T04:00") }),
        stop: StopView {
            may_revoke: true,
            freezes: vec![freeze(2, FreezeScopeView::Agent(HOSTILE.into()), true)],
            ..quiet()
        },
        ..approved.clone()
    };
    let revoked = line("22T15:00", 1320, "Sam Ito", TimelineFact::Revoked, Some(HOSTILE));
    let revoked = decided(
        State::Revoked { at: at("22T15:00"), by: person_id(2) },
        [approvals(), vec![revoked]].concat(),
    );
    let denied = line("22T14:45", 1313, "Ada Lind", said(Verdict::Deny), None);
    let withdrawn = State::Withdrawn { at: at("22T14:45"), by: Actor::Agent(agent_id(1)) };
    vec![
        ("request-changes-requested", changes_requested()),
        ("request-approved", approved),
        ("request-approved-blocked", blocked),
        ("request-revoked", revoked),
        (
            "request-denied",
            decided(State::Denied { at: at("22T14:45"), by: person_id(3) }, vec![denied]),
        ),
        ("request-expired", decided(State::Expired { at: at("22T14:45") }, vec![])),
        ("request-withdrawn", decided(withdrawn, vec![])),
        ("request-lapsed", decided(State::Lapsed { at: until() }, approvals())),
    ]
}

fn released_states() -> Vec<(&'static str, RequestView)> {
    let running = State::Executing { release: release(), halt: None };
    let executing =
        RequestView { stop: StopView { may_halt: true, ..quiet() }, ..ran(running, vec![]) };
    let halt = Some(Halt { at: at("22T15:20"), by: person_id(2) });
    let halting = RequestView {
        stop: StopView { halt: Some(("Sam Ito".into(), at("22T15:20"))), ..quiet() },
        ..ran(
            State::Executing { release: release(), halt },
            vec![line("22T15:20", 1330, "Sam Ito", TimelineFact::HaltRequested, Some("Stop it."))],
        )
    };
    let freeze_halts = RequestView {
        stop: StopView { freezes: vec![freeze(1, FreezeScopeView::All, true)], ..quiet() },
        ..ran(State::Executing { release: release(), halt: None }, vec![])
    };
    let end = at("22T15:10");
    let succeeded = RequestView {
        outcome: outcome(Outcome::Succeeded, Some("1,240,318 rows written, checksum matches.")),
        ..ran(State::Succeeded { release: release(), at: end }, vec![])
    };
    let failed = RequestView {
        outcome: outcome(Outcome::Failed, Some(HOSTILE)),
        ..ran(State::Failed { release: release(), at: end }, vec![])
    };
    let halted = RequestView {
        outcome: outcome(Outcome::Halted, None),
        ..ran(State::Halted { release: release(), at: end }, vec![])
    };
    let missed = TimelineFact::OutcomeMissed { missed: domain::fact::Missed::Heartbeat };
    let unknown = ran(
        State::OutcomeUnknown { release: release(), at: at("22T15:35") },
        vec![line("22T15:35", 1331, "", missed, None)],
    );
    let rolled_back = RequestView {
        rollback: rolled(RollbackOutcome::RolledBack),
        state: State::RolledBack { release: release(), at: at("22T15:20") },
        ..failed.clone()
    };
    let rollback_failed = RequestView {
        rollback: rolled(RollbackOutcome::RollbackFailed),
        state: State::RollbackFailed { release: release(), at: at("22T15:20") },
        ..halted.clone()
    };
    vec![
        ("request-executing", executing),
        ("request-halting", halting),
        ("request-freeze-halts", freeze_halts),
        ("request-succeeded", succeeded),
        ("request-failed", failed),
        ("request-halted", halted),
        ("request-outcome-unknown", unknown),
        ("request-rolled-back", rolled_back),
        ("request-rollback-failed", rollback_failed),
    ]
}

fn broken_glass() -> Vec<(&'static str, RequestView)> {
    let broken = |second_review, may_review: bool| {
        Some(BreakGlassView {
            by: "Priya Nair".into(),
            at: at("22T14:45"),
            review_by: at("25T14:45"),
            second_review,
            shown: may_review.then(|| "shown".to_owned()),
        })
    };
    let glass = TimelineFact::GlassBroken { until: until(), review_by: at("25T14:45") };
    let lines = vec![
        line("22T14:45", 1313, "Priya Nair", said(Verdict::Approve), Some("It cannot wait.")),
        line("22T14:45", 1314, "Priya Nair", glass, None),
    ];
    let approved = decided(approved_state(Basis::BreakGlass), lines);
    let done = SecondReviewView::Done {
        by: "Mia Okafor".into(),
        at: at("22T15:00"),
        verdict: SecondVerdict::Unjustified,
    };
    vec![
        (
            "glass-owed",
            RequestView { break_glass: broken(SecondReviewView::Owed, true), ..approved.clone() },
        ),
        (
            "glass-missed",
            RequestView {
                break_glass: broken(SecondReviewView::Missed, false),
                ..approved.clone()
            },
        ),
        ("glass-done", RequestView { break_glass: broken(done, false), ..approved }),
    ]
}

/// Every request by name.
pub fn views() -> Vec<(&'static str, RequestView)> {
    [open_states(), approved_states(), released_states(), broken_glass()].concat()
}

/// What was typed into a form and not recorded, on a page that has the form or has lost it.
fn drafts() -> Vec<(&'static str, RequestView, Act)> {
    let view = |name: &str| views().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let may = |stop: StopView, base: RequestView| RequestView { stop, ..base };
    vec![
        ("draft-deny", pending(), Act::Review(Some(Verdict::Deny))),
        ("draft-lost", view("request-denied"), Act::Review(Some(Verdict::Approve))),
        ("draft-glass", view("request-password"), Act::BreakGlass),
        ("draft-second", view("glass-owed"), Act::SecondReview(Some(SecondVerdict::Justified))),
        (
            "draft-revoke",
            may(StopView { may_revoke: true, ..quiet() }, view("request-approved")),
            Act::Revoke,
        ),
        ("draft-halt", view("request-executing"), Act::Halt),
        ("draft-halt-lost", view("request-succeeded"), Act::Halt),
    ]
}

/// Every page of a request by name.
pub fn pages() -> Vec<(&'static str, Page)> {
    let page =
        |view, draft, recorded| Page::Request(Box::new(RequestPage { view, draft, recorded }));
    let plain = views().into_iter().map(|(name, view)| (name, page(view, None, false)));
    let typed = drafts().into_iter().map(|(name, view, act)| {
        let problem = "Say why, in 3 to 4,000 characters. Nothing was recorded.".into();
        (name, page(view, Some(Draft { act, text: HOSTILE.into(), problem }), false))
    });
    let mut pages: Vec<(&'static str, Page)> = plain.chain(typed).collect();
    let own = line("22T15:27", 1313, "Mia Okafor", said(Verdict::Approve), Some("Fine."));
    let reviewed = views().into_iter().find(|(name, _)| *name == "request-reviewed").unwrap().1;
    let timeline = [reviewed.timeline.clone(), vec![own]].concat();
    pages.push(("request-recorded", page(RequestView { timeline, ..reviewed }, None, true)));
    pages.push(("request-made-up", page(pending(), None, true)));
    pages
}
