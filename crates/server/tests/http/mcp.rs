//! The agents' API as tools: what a model can do, and what it cannot.

mod client;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use rmcp::ClientLifecycleMode;
use serde_json::{Value, json};
use server::AppState;
use service::Steward;
use testing::{Scene, TestAgent, TestApp, stage_body};

use client::{Model, eras};

/// Every tool, in its order, with arguments that it takes. `ID` is a request.
fn every_tool(id: &Value, digest: &Value) -> Vec<(&'static str, Value)> {
    let lease = "01a2056c-8d2b-7dc2-917d-36f536c1660c";
    let report = |status| json!({"id": id, "lease_id": lease, "status": status, "summary": "done"});
    vec![
        ("list_kinds", json!({})),
        ("get_kind", json!({"name": "vendor.key_extend"})),
        ("add_evidence", json!({"content": "a note"})),
        ("validate_request", json!({"body": stage_body()})),
        ("stage_request", json!({"body": stage_body(), "idempotency_key": "k-1"})),
        ("list_requests", json!({})),
        ("get_request", json!({"id": id})),
        ("wait_for_decision", json!({"id": id, "seconds": 0})),
        ("amend_request", json!({"id": id, "body": stage_body(), "idempotency_key": "k-2"})),
        ("withdraw_request", json!({"id": id})),
        ("redeem_release", json!({"id": id, "digest": digest, "idempotency_key": "k-3"})),
        ("send_heartbeat", json!({"id": id, "lease_id": lease})),
        ("report_outcome", report("succeeded")),
        ("report_rollback", report("rolled_back")),
    ]
}

async fn model(app: &TestApp, agent: &TestAgent) -> Model {
    let [now, _] = eras();
    Model::connect(&app.router, &agent.key, now).await.expect("a connection")
}

/// Asserts that an answer is what the tool's schema says, and names no field that it does not.
fn assert_described(tools: &[rmcp::model::Tool], tool: &str, answer: &Value) {
    let tool = tools.iter().find(|known| known.name == tool).unwrap();
    let schema = Value::Object((**tool.output_schema.as_ref().unwrap()).clone());
    jsonschema::validate(&schema, answer).unwrap_or_else(|error| panic!("{}: {error}", tool.name));
    let described = schema["properties"].as_object().unwrap();
    for field in answer.as_object().unwrap().keys() {
        assert!(described.contains_key(field), "{} answers `{field}`", tool.name);
    }
}

#[tokio::test]
async fn the_whole_life_of_a_request_is_a_row_of_calls_in_either_era_of_the_protocol() {
    for era in eras() {
        whole_life(era).await;
    }
}

async fn whole_life(era: ClientLifecycleMode) {
    let Scene { app, bob, agent, .. } = Scene::staged().await;
    let model = Model::connect(&app.router, &agent.key, era).await.expect("a connection");
    let tools = model.tools().await;
    let done = async |tool: &'static str, arguments: Value| {
        let answer = model.done(tool, arguments).await;
        assert_described(&tools, tool, &answer);
        answer
    };
    let kinds = done("list_kinds", json!({})).await;
    let name =
        kinds["kinds"].as_array().unwrap().iter().find(|kind| kind["name"] == "vendor.key_extend");
    let mut body =
        done("get_kind", json!({"name": name.unwrap()["name"]})).await["example"].clone();
    let note = done("add_evidence", json!({"content": "Two calls an hour.\n"})).await;
    body["evidence"].as_array_mut().unwrap().push(json!(
        {"type": "note", "name": "note.txt", "media_type": "text/plain", "digest": note["digest"]}
    ));
    let before = app.entries().await;
    let preview = done("validate_request", json!({"body": body})).await;
    assert_eq!(preview["requirements"][0]["group"], "approvers");
    assert_eq!(app.entries().await, before, "trying out stores nothing");

    let staging = json!({"body": body, "idempotency_key": "job-1"});
    let request = done("stage_request", staging.clone()).await;
    assert_eq!(done("stage_request", staging).await["id"], request["id"], "I11");
    let id = &request["id"];
    let listed = done("list_requests", json!({"state": "pending"})).await;
    assert!(listed["requests"].as_array().unwrap().iter().any(|known| known["id"] == *id));

    let waiting = done("wait_for_decision", json!({"id": id}));
    let (decided, reviewed) = tokio::join!(waiting, bob.review(&request, "approve"));
    assert_eq!(reviewed.status, 303);
    assert_eq!(decided["state"], "approved");

    let redeeming = json!({"id": id, "digest": request["digest"], "idempotency_key": "job-1"});
    let release = done("redeem_release", redeeming.clone()).await;
    let again = done("redeem_release", redeeming).await;
    assert_eq!(
        (&again["lease_id"], &again["token_expires_at"]),
        (&release["lease_id"], &release["token_expires_at"])
    );
    let lease = &release["lease_id"];
    assert_eq!(
        done("send_heartbeat", json!({"id": id, "lease_id": lease})).await["signal"],
        "continue"
    );
    let report = |status: &str| json!({"id": id, "lease_id": lease, "status": status, "summary": "as planned"});
    for _ in 0..2 {
        assert_eq!(done("report_outcome", report("failed")).await["state"], "failed");
    }
    assert_eq!(done("report_rollback", report("rolled_back")).await["state"], "rolled_back");
    assert_eq!(done("get_request", json!({"id": id})).await["state"], "rolled_back");
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn a_denial_comes_with_its_reason_and_no_release() {
    let Scene { app, bob, agent, request, .. } = Scene::staged().await;
    let model = model(&app, &agent).await;
    assert_eq!(bob.review(&request, "deny").await.status, 303);
    let denied = model.done("wait_for_decision", json!({"id": request["id"]})).await;
    assert_eq!(denied["state"], "denied");
    assert_eq!(denied["denial"]["justification"], "the ticket matches");
    let redeeming =
        json!({"id": request["id"], "digest": request["digest"], "idempotency_key": "r-1"});
    let refused = model.refused("redeem_release", redeeming).await;
    assert_eq!((&refused["code"], &refused["state"]), (&json!("not_approved"), &json!("denied")));
}

#[tokio::test]
async fn a_wish_for_changes_is_answered_by_an_amendment() {
    let Scene { app, bob, agent, request, .. } = Scene::staged().await;
    let model = model(&app, &agent).await;
    assert_eq!(bob.review(&request, "request_changes").await.status, 303);
    let asked = model.done("wait_for_decision", json!({"id": request["id"]})).await;
    assert_eq!(asked["state"], "changes_requested");
    assert!(asked["changes_requested"]["retry"].as_str().unwrap().contains("amend_request"));
    let mut body = stage_body();
    body["summary"] = json!("shorter this time");
    let amending = json!({"id": request["id"], "body": body, "idempotency_key": "a-1"});
    let amended = model.done("amend_request", amending.clone()).await;
    assert_eq!((&amended["revision"], &amended["state"]), (&json!(2), &json!("pending")));
    assert_eq!(model.done("amend_request", amending).await["digest"], amended["digest"], "I11");
    let withdrawn = model.done("withdraw_request", json!({"id": request["id"]})).await;
    assert_eq!(withdrawn["state"], "withdrawn");
}

#[tokio::test]
async fn i10_b03_these_are_all_the_tools_and_none_decides() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let model = model(&app, &agent).await;
    let tools = model.tools().await;
    let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    let every = every_tool(&request["id"], &request["digest"]);
    assert_eq!(names, every.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let page = include_str!("../../../../docs/api.md");
    for tool in &tools {
        let words: Vec<&str> = tool.name.split('_').collect();
        for deciding in [
            "approve", "deny", "review", "revoke", "freeze", "thaw", "halt", "break", "decide",
            "change",
        ] {
            assert!(!words.contains(&deciding), "{}", tool.name);
        }
        assert!(page.contains(&format!("`{}`", tool.name)), "{} is not in docs/api.md", tool.name);
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
    }
    for (tool, (name, arguments)) in tools.iter().zip(&every) {
        let schema = Value::Object((*tool.input_schema).clone());
        jsonschema::validate(&schema, arguments).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!jsonschema::is_valid(&schema, &json!({"verdict": "approve"})), "{name}");
    }
    let hints: Vec<String> = tools.iter().map(hints).collect();
    insta::assert_snapshot!(hints.join("\n"));
}

fn hints(tool: &rmcp::model::Tool) -> String {
    let hints = tool.annotations.as_ref().unwrap();
    let words = [
        (hints.read_only_hint, "reads"),
        (hints.destructive_hint, "destructive"),
        (hints.idempotent_hint, "idempotent"),
    ];
    let words = words.into_iter().filter(|(hint, _)| *hint == Some(true)).map(|(_, word)| word);
    let arguments: Vec<&String> =
        tool.input_schema["properties"].as_object().unwrap().keys().collect();
    format!("{} {arguments:?}: {}", tool.name, words.collect::<Vec<_>>().join(", "))
}

/// No argument reaches a review: what no tool names it refuses, and whatever is called, no fact is
/// one that only people make.
#[tokio::test]
async fn i10_b04_no_argument_of_any_tool_reaches_a_review() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let model = model(&app, &agent).await;
    let every = every_tool(&request["id"], &request["digest"]);
    let before = app.entries().await;
    let smuggled = [
        ("verdict", json!("approve")),
        ("decision", json!("approved")),
        ("justification", json!("looks good to me")),
        ("shown", json!("token")),
        ("reviewer", json!("Bob Approver")),
        ("agent", json!("agent-2")),
    ];
    for (tool, arguments) in &every {
        for (name, value) in &smuggled {
            let mut arguments = arguments.clone();
            arguments[name] = value.clone();
            let refused = model.refused(tool, arguments).await;
            assert_eq!(refused["code"], "invalid_body", "{tool} {name}");
        }
    }
    assert_eq!(app.entries().await, before, "what is refused leaves nothing");
    for (tool, arguments) in every {
        model.call(tool, arguments).await;
    }
    let mut facts = app.facts_since(before).await;
    facts.sort();
    facts.dedup();
    assert_eq!(facts, ["AttemptRefused", "RequestAmended", "RequestStaged", "RequestWithdrawn"]);
}

#[tokio::test]
async fn what_is_not_the_agents_is_not_there_whatever_the_tool() {
    let Scene { app, owner, request, .. } = Scene::staged().await;
    let stranger = app.agent("agent-2", owner.id).await;
    let model = model(&app, &stranger).await;
    let unknown = json!("01a2056c-8d2b-7dc2-917d-36f536c1660c");
    let nonsense = json!("../kinds");
    for (tool, arguments) in every_tool(&request["id"], &request["digest"]) {
        if arguments.get("id").is_none() {
            continue;
        }
        let mut answers = Vec::new();
        for id in [&request["id"], &unknown, &nonsense] {
            let mut arguments = arguments.clone();
            arguments["id"] = id.clone();
            answers.push(model.refused(tool, arguments).await);
        }
        assert_eq!(answers[0]["code"], "not_found", "{tool}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{tool}: {answers:?}");
    }
    let listed = model.done("list_requests", json!({})).await;
    assert_eq!(listed["requests"], json!([]));
}

#[tokio::test]
async fn a09_only_a_living_key_of_an_agent_connects() {
    let Scene { app, owner, agent, request, .. } = Scene::staged().await;
    let auditor = app.person("Ida Auditor", &["auditors"]).await;
    let auditor = app.auditor_key(auditor.id).await;
    for era in eras() {
        for key in ["nonsense", "", &auditor, &owner.cookie] {
            assert!(Model::connect(&app.router, key, era.clone()).await.is_none(), "{key}");
        }
    }
    let connected = model(&app, &agent).await;
    app.service.suspend_agent(&Steward::Operator, agent.id).await.unwrap();
    let [now, _] = eras();
    assert!(Model::connect(&app.router, &agent.key, now).await.is_none(), "suspended");
    let late = connected.try_call("get_request", json!({"id": request["id"]})).await;
    assert!(late.is_err(), "each call is authenticated anew");
}

#[tokio::test]
async fn k12_a_wait_ends_with_the_server_and_never_lasts_longer_than_it_may() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let state = AppState::new(Arc::clone(&app.service), false);
    let stopping = state.stopping.clone();
    let [now, _] = eras();
    let model = Model::connect(&server::router(state), &agent.key, now).await.unwrap();
    let id = &request["id"];
    let long = model.refused("wait_for_decision", json!({"id": id, "seconds": 26})).await;
    assert_eq!(
        long["errors"][0],
        json!({"pointer": "/seconds", "detail": "is too large; call again instead", "limit": "25"})
    );
    let waiting = model.done("wait_for_decision", json!({"id": id}));
    let (answer, ()) = tokio::join!(waiting, async { stopping.cancel() });
    assert_eq!(answer["state"], "pending");
    let at_once = model.done("wait_for_decision", json!({"id": id}));
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(20), at_once).await.unwrap()["state"],
        "pending"
    );
}
