//! One request with everything that a page can show, pending.

use domain::binding_code::binding_code;
use domain::risk::{RiskCode, RiskFact};
use domain::stage::{ClaimedFactor, ClaimedRisk, CommandLine, RollbackPlan};
use domain::{Digest, Ineligible, KindRef, Risk, RiskLevel, State, Verdict};
use serde_json::{Value, json};
use service::secret::Finding;
use service::view::{
    DecisionForm, DecisionView, EvidenceContent, EvidenceView, RequestView, RequirementView,
    StopView, TimelineFact, TimelineItem,
};

use super::{HOSTILE, agent, at, now, request_id, value, words};

fn action() -> Value {
    json!({
        "command": {"argv": ["/usr/bin/pgexport", "--table", "customers", "--limit", "1240318"], "cwd": "/srv/close", "env": {"PGSSLMODE": "verify-full"}},
        "environment": "production",
        "parameters": {
            "columns": ["id", "email", "iban", "balance"],
            "destination": "s3://fin-close-2026-11/\u{202e}sremotsuc",
            "dry_run": false,
            "note": "",
            "password": "1234",
            "row_limit": 1_240_318,
            "table": "customers",
            "where": "created_at >= '2026-10-01'\nAND region = 'eu'"
        },
        "targets": ["orders-prod.customers", "s3://fin-close-2026-11"],
        "window": null
    })
}

pub fn evidence(number: u8, name: &str, media_type: &str, content: Option<&str>) -> EvidenceView {
    EvidenceView {
        evidence_type: "dry_run".into(),
        name: name.into(),
        media_type: media_type.into(),
        digest: Digest::of(&[number]),
        size_bytes: 3_140 * u64::from(number),
        source: Some("replica eu-west-1".into()),
        collected_at: Some(at("22T14:01")),
        required: number < 3,
        opened_at: content.map(|_| at("22T15:20")),
        content: content.map(|text| EvidenceContent::Text(text.into())),
        presenter: None,
        secrets: vec![],
        unmasked_at: None,
        may_unmask: false,
    }
}

fn all_evidence() -> Vec<EvidenceView> {
    let diff = "--- a/export.sql\n+++ b/export.sql\n@@ -1,4 +1,4 @@\n SELECT id, email, iban, balance\n FROM customers\n-WHERE created_at >= '2026-11-01'\n+WHERE created_at >= '2026-10-01'\n LIMIT 1240318;\n";
    let csv = "table,rows,bytes\ncustomers,1240318,\"84,120,004\"\norders,0,0\n";
    let log: String = (0..60).map(|n| format!("2026-11-22T14:00:{n:02}Z step {n} read 20671 rows from customers partition {n}, nothing written\n")).collect();
    let masked = "export AWS_ACCESS_KEY_ID=[masked: AWS access key id, 20 characters, #a41f09c3]\nexport PGHOST=replica-2\n[masked: private key, 1704 characters, #77d0c1ee]\n[masked]\n[masked]\n";
    let secrets = vec![
        Finding { sort: "AWS access key id", lines: vec![1] },
        Finding { sort: "private key", lines: vec![3] },
    ];
    vec![
        evidence(1, "Query plan and row estimate", "text/x-diff", Some(diff)),
        evidence(2, "Dry run against replica", "text/plain", Some(&log)),
        evidence(3, "Row counts", "text/csv", Some(csv)),
        evidence(
            4,
            "Data-owner ticket FIN-2231",
            "application/json",
            Some("{\n  \"ticket\": \"FIN-2231\",\n  \"said\": \"ok\u{200b}\"\n}\n"),
        ),
        evidence(5, HOSTILE, "text/plain", None),
        EvidenceView {
            secrets: secrets.clone(),
            may_unmask: true,
            ..evidence(9, "export.env", "text/plain", Some(masked))
        },
        EvidenceView {
            secrets,
            unmasked_at: Some(at("22T15:25")),
            ..evidence(10, "as-uploaded.env", "text/plain", Some("AWS_ACCESS_KEY_ID=EXAMPLE\n"))
        },
        EvidenceView {
            content: Some(EvidenceContent::Download),
            opened_at: Some(now()),
            ..evidence(6, "Screenshot of the bucket policy", "image/png", None)
        },
    ]
}

pub fn line(
    time: &str,
    index: u64,
    actor: &str,
    what: TimelineFact,
    text: Option<&str>,
) -> TimelineItem {
    TimelineItem { at: at(time), index, actor: actor.into(), what, text: text.map(Into::into) }
}

/// A verdict on the revision that the samples are at.
pub fn said(verdict: Verdict) -> TimelineFact {
    TimelineFact::Reviewed { verdict, revision: 2 }
}

/// Everything that a form can offer.
pub fn form() -> DecisionForm {
    DecisionForm {
        shown: "signed-token".into(),
        verdicts: Verdict::ALL.to_vec(),
        approve_needs_password: false,
        break_glass: false,
        break_glass_needs_password: false,
    }
}

fn fact(code: RiskCode, level: RiskLevel) -> RiskFact {
    RiskFact::new(code, level)
}

pub fn pending() -> RequestView {
    let digest = Digest::of(b"revision");
    let effect = vec![
        words("Export "),
        value("1,240,318"),
        words(" rows of "),
        value("customers"),
        words(" from "),
        value("production"),
        words(" to "),
        value("s3://fin-close-2026-11/\u{202e}sremotsuc"),
    ];
    let facts = vec![
        fact(RiskCode::BaseRisk, RiskLevel::Medium),
        fact(RiskCode::Production, RiskLevel::Medium),
        fact(RiskCode::Irreversible, RiskLevel::High),
        fact(RiskCode::RollbackUntested, RiskLevel::Medium),
        fact(RiskCode::ClaimedHigher, RiskLevel::High),
    ];
    RequestView {
        now: now(),
        id: request_id(1),
        version: 7,
        revision: 2,
        digest,
        content_digest: Digest::of(b"content"),
        binding_code: binding_code(&digest),
        state: State::Pending,
        effect,
        kind: KindRef { name: "db.export".into(), version: 3 },
        kind_title: "Export rows of a table".into(),
        reversible: false,
        reversal_note: "data leaves the boundary".into(),
        size_unit: None,
        risk: Risk { level: RiskLevel::High, facts },
        claimed_risk: ClaimedRisk {
            level: Some(RiskLevel::Low),
            factors: vec![ClaimedFactor { name: "personal data".into(), detail: "E-mail and IBAN of customers leave the database.".into() }],
        },
        agent: agent(1, "ledger-close", false),
        executor: agent(2, "export-runner", false),
        on_behalf_of: Some("Jon Reyes".into()),
        environment: "production".into(),
        targets: vec!["orders-prod.customers".into()],
        ticket: Some("FIN-2231".into()),
        staged_at: at("22T14:02"),
        review_deadline: at("22T18:40"),
        window: None,
        summary: "Routine month-end export as in October.".into(),
        justification: "Please approve quickly, the close is blocked.\n\n</div><script>alert(1)</script>\nIt is always the same.".into(),
        action: action(),
        canonical: action().to_string(),
        evidence: all_evidence(),
        rollback_plan: Some(RollbackPlan {
            steps: vec![
                "Revoke the bucket policy fin-close-2026-11/read".into(),
                "Delete the object and its versions, confirm with a listing".into(),
                "Rotate the export role’s session".into(),
            ],
            command: Some(CommandLine {
                argv: vec!["/usr/bin/aws".into(), "s3".into(), "rm".into(), "s3://fin-close-2026-11/".into()],
                executable_digest: None,
                cwd: None,
                env: [].into(),
            }),
            tested_at: None,
            duration_s: Some(240),
            point_of_no_return: Some("Once the finance job has read the object".into()),
            contact: Some("data-platform on call".into()),
        }),
        requirements: vec![
            RequirementView { id: "a".into(), group: "data-owners".into(), seats: 1, why: "personal data is read".into(), filled_by: vec![("Sam Ito".into(), at("22T14:40"))], could_fill: vec!["Lena Voss".into()] },
            RequirementView { id: "b".into(), group: "security".into(), seats: 1, why: "high risk in production".into(), filled_by: vec![], could_fill: vec!["Lena Voss".into(), "Mia Okafor".into()] },
        ],
        excluded: vec![("Priya Nair".into(), Ineligible::OwnsAgent), ("Jon Reyes".into(), Ineligible::ActsOnBehalf)],
        timeline: vec![
            line("22T14:02", 1290, "ledger-close", TimelineFact::Staged { revision: 2 }, None),
            line("22T14:31", 1301, "Sam Ito", TimelineFact::EvidenceOpened { name: Some("Dry run against replica".into()), evidence: Digest::of(b"dry run"), unmasked: false }, None),
            line("22T14:40", 1304, "Sam Ito", said(Verdict::Approve), Some("Destination bucket checked, ticket matches.")),
            line("22T15:02", 1309, "export-runner", TimelineFact::Refused { attempt: "redeem", code: "not_approved".into() }, None),
            line("22T15:20", 1312, "Mia Okafor", TimelineFact::EvidenceOpened { name: Some("Row counts".into()), evidence: Digest::of(b"row counts"), unmasked: true }, None),
        ],
        decision: DecisionView::Open(form()),
        your_verdict: None,
        outcome: None,
        rollback: None,
        attainable: true,
        stop: StopView {
            may_revoke: false,
            may_halt: false,
            may_withdraw: false,
            halt: None,
            freezes: vec![],
        },
        break_glass: None,
        secrets: vec![(
            "/parameters/password".into(),
            vec![Finding { sort: "password or key", lines: vec![1] }],
        )],
        amendment: None,
        proposal: None,
        staged_by: None,
    }
}
