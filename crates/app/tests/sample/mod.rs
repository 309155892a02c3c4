//! Sample data: one of everything that a page can show, with hostile text in the agent's fields.

pub mod house;
pub mod request;
pub mod states;

use app::{
    Assets, Chrome, FreezeDraft, FreezesPage, KindsPage, Page, PeoplePage, ProblemPage,
    ReferencePage, SignInPage, WebhookDraft, WebhooksPage,
};
use domain::kind::{EffectPart, EvidenceRule};
use domain::{
    AgentId, Digest, Ineligible, Kind, KindRef, PersonId, RequestId, RiskLevel, Scope, StateName,
    Timestamp, Verdict,
};
use serde_json::json;
use service::view::{
    AgentRef, AgentRow, AgentsView, CheckpointView, DeliveryRow, FreezeRow, FreezeScopeView,
    FreezesView, HistoryView, InboxView, KeyRow, KindView, KindsView, LedgerRow, LedgerView,
    PeopleView, PersonRow, RequestRow, TrustRow, Viewer, WebhookRow, WebhooksView,
};
use service::webhook::event::EventType;

/// Text that tries everything: markup, a direction override, a zero width space, a run of spaces.
pub const HOSTILE: &str = "</textarea><script>alert(1)</script>\u{202e}gnp\u{200b}";

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-11-{text}:00Z")).unwrap()
}

pub fn now() -> Timestamp {
    at("22T15:28")
}

pub fn agent_id(number: u8) -> AgentId {
    format!("0192f0a0-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

pub fn request_id(number: u8) -> RequestId {
    format!("0192f0a0-0000-7000-8000-0000000001{number:02x}").parse().unwrap()
}

pub fn person_id(number: u8) -> PersonId {
    format!("0192f0a0-0000-7000-8000-0000000002{number:02x}").parse().unwrap()
}

pub fn chrome() -> Chrome {
    Chrome {
        nonce: "nonce-of-this-answer".into(),
        assets: Assets {
            css: "/assets/app.css".into(),
            boot: "/assets/boot.js".into(),
            js: "/assets/countersign.js".into(),
            wasm: "/assets/countersign.wasm".into(),
            favicon: "/assets/favicon.svg".into(),
        },
        viewer: Some(Viewer {
            person: person_id(1),
            name: "Mia Okafor".into(),
            reviewer: true,
            auditor: true,
            administrator: true,
            waiting: 3,
            more: false,
            freezes: vec![],
            broken_glass: vec![],
        }),
        now: now(),
        demo: true,
    }
}

pub fn words(text: &str) -> EffectPart {
    EffectPart::Words(text.into())
}

pub fn value(text: &str) -> EffectPart {
    EffectPart::Value(text.into())
}

fn reference() -> Page {
    let document = json!({
        "info": {"description": "The API. Go by `code`."},
        "tags": [{"name": "Things", "description": "All of them."}],
        "paths": {"/api/v1/things/{id}": {"post": {
            "tags": ["Things"], "operationId": "put_thing", "summary": "Puts it.",
            "description": "Once.", "security": [{"agent_key": []}],
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {
                "schema": {"required": ["name"], "properties": {"name": {"type": "string"}}},
                "example": {"name": "it"}
            }}},
            "responses": {"201": {"description": "It is put."}, "404": {"description": "- `no`: none."}}
        }}}
    });
    let document = Box::leak(Box::new(document));
    Page::Reference(ReferencePage { document, public_url: "http://localhost:8080".into() })
}

fn row(number: u8, risk: RiskLevel, effect: Vec<EffectPart>, agent: &str) -> RequestRow {
    RequestRow {
        id: request_id(number),
        effect,
        kind: KindRef { name: "db.export".into(), version: 3 },
        agent: agent.into(),
        environment: "production".into(),
        risk,
        state: StateName::Pending,
        staged_at: at("22T14:02"),
        due_at: Some(at("22T18:40")),
        changed_at: at("22T14:40"),
        decided_by: vec![],
        filled_seats: 1,
        seats: 2,
        not_you: None,
        your_verdict: None,
        amended_since_you: number == 2,
        you_owe_second_review: false,
        broken_glass: false,
    }
}

pub fn rows() -> Vec<RequestRow> {
    let export = vec![
        words("Export "),
        value("1,240,318"),
        words(" rows of "),
        value("customers"),
        words(" from "),
        value("production"),
        words(" to "),
        value("s3://fin-close-2026-11"),
    ];
    let rotate =
        vec![words("Distribute "), value("14"), words(" rotated credentials to 6 services")];
    let open = vec![words("Open "), value("tcp/443"), words(" from build-net to artefact-store")];
    let odd =
        vec![words("Delete "), value(HOSTILE), words(" of "), EffectPart::Missing("table".into())];
    vec![
        row(1, RiskLevel::High, export, "ledger-close"),
        RequestRow {
            due_at: Some(at("22T16:05")),
            filled_seats: 0,
            ..row(2, RiskLevel::High, rotate, "vault-rotator")
        },
        RequestRow {
            due_at: Some(at("24T17:00")),
            filled_seats: 0,
            seats: 1,
            ..row(3, RiskLevel::Medium, open, "netops-agent")
        },
        row(4, RiskLevel::Low, odd, "odd-agent"),
        RequestRow {
            state: StateName::Succeeded,
            decided_by: vec!["Priya Nair".into()],
            you_owe_second_review: true,
            broken_glass: true,
            ..row(
                10,
                RiskLevel::Medium,
                vec![words("Deny tcp 443 on "), value("fw-edge-01")],
                "netops-agent",
            )
        },
    ]
}

pub fn inbox(empty: bool) -> InboxView {
    let release =
        || vec![words("Release "), value("checkout 4.12.0"), words(" to "), value("production")];
    let waiting = vec![
        RequestRow {
            your_verdict: Some(Verdict::Approve),
            ..row(5, RiskLevel::Medium, release(), "deploy-bot")
        },
        RequestRow {
            not_you: Some(Ineligible::OwnsAgent),
            ..row(6, RiskLevel::Low, release(), "deploy-bot")
        },
        RequestRow {
            state: StateName::Approved,
            decided_by: vec!["Mia Okafor".into(), "Sam Ito".into()],
            filled_seats: 2,
            ..row(7, RiskLevel::High, release(), "deploy-bot")
        },
        RequestRow {
            state: StateName::OutcomeUnknown,
            due_at: None,
            decided_by: vec!["Sam Ito".into()],
            ..row(11, RiskLevel::High, release(), "deploy-bot")
        },
        RequestRow {
            state: StateName::ChangesRequested,
            your_verdict: Some(Verdict::RequestChanges),
            ..row(12, RiskLevel::Low, release(), "deploy-bot")
        },
    ];
    let done = vec![
        RequestRow {
            state: StateName::Succeeded,
            due_at: None,
            decided_by: vec!["Mia Okafor".into()],
            filled_seats: 1,
            seats: 1,
            ..row(
                8,
                RiskLevel::Low,
                vec![words("Extend vendor key "), value("mailgrid"), words(" by 14 days")],
                "keys",
            )
        },
        RequestRow {
            state: StateName::Denied,
            due_at: None,
            decided_by: vec!["Ada Lind".into()],
            ..row(9, RiskLevel::High, release(), "deploy-bot")
        },
    ];
    InboxView {
        now: now(),
        your_turn: if empty { vec![] } else { rows() },
        waiting: if empty { vec![] } else { waiting },
        done: if empty { vec![] } else { done },
        all_looked_at: empty,
        more: !empty,
        fingerprint: "4711".into(),
    }
}

pub fn history(empty: bool) -> HistoryView {
    let view = inbox(false);
    let counts = StateName::ALL
        .into_iter()
        .zip([4, 2, 1, 12, 3, 2, 1, 0, 1, 1_240, 7, 2, 1, 3, 1])
        .collect();
    HistoryView {
        now: now(),
        state: empty.then_some(StateName::Lapsed),
        query: if empty { "\"><script>".into() } else { String::new() },
        rows: if empty { vec![] } else { [view.done, view.waiting, rows()].concat() },
        next: (!empty).then(|| "abc/=".into()),
        counts,
    }
}

pub fn ledger() -> LedgerView {
    let facts = ["ReviewRecorded", "EvidenceOpened", "SignedIn", "RequestStaged"];
    let rows = facts.iter().enumerate().map(|(position, fact)| LedgerRow {
        index: 1312 - position as u64,
        at: at("22T14:40"),
        fact: (*fact).into(),
        actor: if position == 3 { "ledger-close".into() } else { "Sam Ito".into() },
        request: (position != 2).then(|| request_id(1)),
        leaf: Digest::of(fact.as_bytes()),
        canonical: format!("{{\"actor\":{{\"id\":\"{}\",\"type\":\"person\"}},\"fact\":{{\"type\":\"{fact}\"}},\"format\":\"countersign/entry/v1\"}}", person_id(2)),
        texts: if position == 0 { vec![("justification".into(), Some(HOSTILE.into())), ("name".into(), None)] } else { vec![] },
    });
    LedgerView {
        now: now(),
        size: 1313,
        root: Digest::of(b"root"),
        checkpoint: Some(CheckpointView {
            size: 1311,
            root: Digest::of(b"signed root"),
            issued_at: at("22T15:27"),
            key: "countersign/0192f0a0-0000-7000-8000-000000000001+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".into(),
        }),
        rows: rows.collect(),
        older: Some(1309),
        newer: Some(1340),
    }
}

pub fn agent(number: u8, name: &str, suspended: bool) -> AgentRef {
    AgentRef { id: agent_id(number), name: name.into(), owner: "Priya Nair".into(), suspended }
}

pub fn agents() -> AgentsView {
    let key = |hint: &str, live| KeyRow {
        id: "0192f0a0-0000-7000-8000-000000000390".parse().unwrap(),
        hint: hint.into(),
        issued_at: at("01T09:00"),
        expires_at: at(if live { "30T09:00" } else { "20T09:00" }),
        last_used_at: live.then(|| at("22T15:02")),
        live,
        scope: Scope {
            kinds: ["db.export".to_owned()].into(),
            environments: ["production".to_owned()].into(),
        },
    };
    let trust = TrustRow {
        id: "0192f0a0-0000-7000-8000-0000000003a0".parse().unwrap(),
        issuer: "https://token.actions.githubusercontent.com".into(),
        audience: "https://gate.example.com".into(),
        claims: [("repository_id".to_owned(), "90210".to_owned())].into(),
        scope: Scope::default(),
        has_keys: false,
        added_at: at("01T09:00"),
        last_used_at: Some(at("22T15:02")),
    };
    AgentsView {
        now: now(),
        agents: vec![
            AgentRow {
                agent: agent(1, "ledger-close", false),
                pending: 2,
                keys: Some(vec![key("csn_agt_7Q…", true), key("csn_agt_1F…", false)]),
                trusts: Some(vec![trust]),
            },
            AgentRow {
                agent: agent(2, "old-bot", true),
                pending: 0,
                keys: Some(vec![]),
                trusts: Some(vec![]),
            },
        ],
        people: vec![(person_id(1), "Mia Okafor".into()), (person_id(2), "Sam Ito".into())],
    }
}

pub fn people() -> PeopleView {
    let person = |number, name: &str, groups: &[&str], active| PersonRow {
        id: person_id(number),
        name: name.into(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        active,
        has_password: number % 2 == 1,
        added_at: at("01T08:00"),
    };
    PeopleView {
        people: vec![
            person(1, "Mia Okafor", &["administrators", "security"], true),
            person(2, "Sam Ito", &["data-owners"], true),
            person(3, "Jon Reyes", &[], false),
        ],
        groups: ["administrators", "auditors", "data-owners", "security"].map(Into::into).to_vec(),
    }
}

fn webhooks(some: bool, draft: Option<WebhookDraft>) -> Page {
    let delivery = |index, state, attempts, answer: Option<&str>| DeliveryRow {
        index,
        event: "request.changes_requested",
        state,
        attempts,
        answer: answer.map(Into::into),
        last_at: answer.map(|_| at("22T15:20")),
        next_at: (state == "waiting").then(|| at("22T15:50")),
    };
    let row = |number: u8, name: &str, disabled| WebhookRow {
        id: format!("0192f0a0-0000-7000-8000-0000000005{number:02x}").parse().unwrap(),
        name: name.into(),
        url: format!("https://{}.example/hooks/countersign/{}", "bridge", "0a1b2c3d".repeat(9)),
        events: if number == 1 { vec![] } else { vec!["request.staged".into()] },
        added_at: at("20T08:00"),
        disabled_at: disabled,
        overlap_until: (number == 1).then(|| at("23T09:00")),
        waiting: 2,
        dead: 1,
        deliveries: vec![
            delivery(412, "waiting", 0, None),
            delivery(411, "waiting", 3, Some("timed out")),
            delivery(409, "dead", 10, Some("503")),
            delivery(402, "delivered", 1, Some("204")),
        ],
    };
    let rows = vec![row(1, "chat bridge", None), row(2, "old orchestrator", Some(at("21T10:00")))];
    let events = EventType::ALL.iter().map(|one| (one.word(), one.when())).collect();
    let webhooks = if some { rows } else { vec![] };
    let view = WebhooksView { now: now(), webhooks, events };
    Page::Webhooks(Box::new(WebhooksPage { view, draft }))
}

pub fn freeze(number: u8, scope: FreezeScopeView, halts: bool) -> FreezeRow {
    FreezeRow {
        id: format!("0192f0a0-0000-7000-8000-0000000004{number:02x}").parse().unwrap(),
        scope,
        halts,
        at: at("22T15:05"),
        by: "Sam Ito".into(),
        reason: format!("SEC-1431: keys of deploy-bot may have leaked {HOSTILE}"),
    }
}

pub fn freezes() -> Vec<FreezeRow> {
    vec![
        freeze(1, FreezeScopeView::All, true),
        freeze(2, FreezeScopeView::Agent(HOSTILE.into()), false),
        freeze(3, FreezeScopeView::Kind("db.export".into()), false),
        freeze(4, FreezeScopeView::Environment("production".into()), false),
    ]
}

pub fn freezes_page(may_freeze: bool, may_thaw: bool, draft: Option<FreezeDraft>) -> Page {
    let view = FreezesView {
        now: now(),
        freezes: freezes(),
        may_freeze,
        may_thaw,
        agents: vec![(agent_id(1), "ledger-close".into()), (agent_id(2), HOSTILE.into())],
        kinds: vec!["db.export".into(), "deploy.release".into()],
        environments: vec!["production".into(), "staging".into()],
    };
    Page::Freezes(Box::new(FreezesPage { view, draft }))
}

fn evidence_rule(name: &str) -> EvidenceRule {
    EvidenceRule { evidence_type: name.into(), max_age_s: None, presenter: None }
}

pub fn kind() -> Kind {
    Kind {
        name: "db.export".into(),
        title: "Export rows of a table".into(),
        description: "Copies rows of one table to a bucket outside the database’s own boundary."
            .into(),
        effect: "Export {row_limit} rows of {table} from {environment} to {destination}".into(),
        parameters_schema: json!({
            "type": "object",
            "required": ["table", "row_limit", "destination"],
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 50},
                "destination": {"type": "string", "pattern": "^s3://[a-z0-9.-]+(/.*)?$", "description": "Bucket and prefix"},
                "row_limit": {"type": "integer", "minimum": 1, "maximum": 5_000_000},
                "table": {"type": "string", "maxLength": 63, "description": "Table name without schema"},
            }
        }),
        required_evidence: ["plan", "dry_run"].map(evidence_rule).to_vec(),
        command_required: true,
        rollback_plan_required: true,
        reversible: false,
        reversal_note: "data leaves the boundary".into(),
        base_risk: RiskLevel::Medium,
        review_deadline_s: 4 * 3600,
        release_ttl_s: 3600,
        lease_ttl_s: 900,
        size: None,
        working_hours_utc: None,
        report_deadline_s: 1800,
        executor: None,
        owning_group: None,
        example: json!({"kind": "db.export", "parameters": {"table": "orders", "row_limit": 1000}}),
    }
}

/// Every page by name.
pub fn pages() -> Vec<(&'static str, Page)> {
    let kinds = KindsView {
        kinds: vec![KindView { kind: kind(), version: 3 }],
        public_url: "http://127.0.0.1:8080".into(),
    };
    let mut pages = vec![
        (
            "sign-in",
            Page::SignIn(SignInPage {
                next: Some("/requests/1".into()),
                name: "mia".into(),
                error: Some("The name or the password is wrong.".into()),
            }),
        ),
        ("sign-in-link", Page::SignInLink { token: "t".into(), person: "Mia Okafor".into() }),
        ("inbox", Page::Inbox(inbox(false))),
        ("inbox-empty", Page::Inbox(inbox(true))),
        ("history", Page::History(history(false))),
        ("history-empty", Page::History(history(true))),
        ("ledger", Page::Ledger(ledger())),
        ("agents", Page::Agents(agents())),
        ("people", Page::People(Box::new(PeoplePage { view: people(), draft: None }))),
        ("kinds", Page::Kinds(Box::new(KindsPage { view: kinds, draft: None }))),
        ("reference", reference()),
        ("policy", Page::Policy(Box::new(house::policy()))),
        ("webhooks", webhooks(true, None)),
        ("webhooks-empty", webhooks(false, None)),
        (
            "webhooks-draft",
            webhooks(
                true,
                Some(WebhookDraft {
                    name: "\"><script>alert(1)</script>".into(),
                    url: "\"><script>alert(1)</script>".into(),
                    events: vec![],
                    problem: "The address is no URL.".into(),
                }),
            ),
        ),
        ("freezes", freezes_page(true, true, None)),
        ("freezes-reader", freezes_page(false, false, None)),
        (
            "freezes-draft",
            freezes_page(
                true,
                true,
                Some(FreezeDraft {
                    scope: "kind:db.export".into(),
                    halts: Some(true),
                    reason: HOSTILE.into(),
                    problem: "Say why, in 3 to 4,000 characters.".into(),
                    thaw: None,
                }),
            ),
        ),
        (
            "freezes-thaw-draft",
            freezes_page(
                true,
                true,
                Some(FreezeDraft {
                    thaw: Some(freeze(2, FreezeScopeView::All, false).id),
                    reason: HOSTILE.into(),
                    problem: "Say why, in 3 to 4,000 characters.".into(),
                    ..FreezeDraft::default()
                }),
            ),
        ),
        (
            "secret",
            Page::Secret {
                title: "A key for ledger-close".into(),
                explanation: "Give it to the agent as COUNTERSIGN_KEY.".into(),
                value: "csn_agt_7QfVJx2m9yLk3R8pW5tZb1Nc4Hd6Ga0Es".into(),
                back_to: "/agents".into(),
                back_label: "Back to agents".into(),
            },
        ),
        (
            "problem",
            Page::Problem(ProblemPage {
                status: 409,
                title: "This request has changed".into(),
                detail:
                    "Somebody decided it while you were reading. What you wrote was not recorded."
                        .into(),
                way_out: ("/inbox".into(), "Back to the inbox".into()),
                reference: Some("0192f0a0-1111".into()),
            }),
        ),
    ];
    pages.extend(states::pages());
    pages
}
