//! Computed risk and required evidence, from staging to the answer and the ledger.

use domain::risk::{BURST, REPEAT_S, RiskCode, RiskFact};
use domain::{Actor, Entry, Fact, RequestFact, Risk, RiskLevel};
use serde_json::{Value, json};
use testing::{Scene, TestAgent, TestApp, stage_body};

/// The codes of a request's facts, as its agent reads them.
fn codes(request: &Value) -> Vec<String> {
    let facts = request["risk"]["facts"].as_array().expect("facts").iter();
    facts.map(|fact| fact["code"].as_str().expect("a code").to_owned()).collect()
}

fn has(request: &Value, code: &str) -> bool {
    codes(request).iter().any(|found| found == code)
}

async fn staged(agent: &TestAgent, body: &Value) -> Value {
    let reply = agent.post("/api/v1/requests", body, None).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

/// The risk of the last request or revision, as it stands in the ledger.
async fn recorded(app: &TestApp) -> Risk {
    let entries = app.store.entries(0, 1000).await.unwrap();
    let risk = |body: &[u8]| match serde_json::from_slice::<Entry>(body).unwrap().fact {
        Fact::Request(RequestFact::RequestStaged(staged)) => Some(staged.risk),
        Fact::Request(RequestFact::RequestAmended(amended)) => Some(amended.risk),
        _ => None,
    };
    entries.iter().rev().find_map(|entry| risk(&entry.body)).expect("something was staged")
}

async fn fact(app: &TestApp, code: RiskCode) -> RiskFact {
    let risk = recorded(app).await;
    risk.facts.into_iter().find(|fact| fact.code == code).expect("the fact holds")
}

#[tokio::test]
async fn first_times_are_facts_once_for_each_agent_kind_and_target() {
    let Scene { app, owner, agent, request, .. } = Scene::staged().await;
    for first in ["first_of_kind", "first_on_target", "new_target"] {
        assert!(has(&request, first), "{first}");
    }
    assert_eq!(request["risk"]["level"], "medium");
    let again = staged(&agent, &stage_body()).await;
    for first in ["first_of_kind", "first_on_target", "new_target"] {
        assert!(!has(&again, first), "{first}");
    }
    assert_eq!(again["risk"]["level"], "low");
    let mut wider = stage_body();
    wider["targets"].as_array_mut().unwrap().push(json!("mailgrid/keys/MG-9999"));
    let wider = staged(&agent, &wider).await;
    assert!(has(&wider, "first_on_target") && !has(&wider, "first_of_kind"));
    assert_eq!(fact(&app, RiskCode::NewTarget).await.targets, [1]);
    let other = app.agent("agent-2", owner.id).await;
    let others = staged(&other, &stage_body()).await;
    assert!(has(&others, "first_of_kind") && has(&others, "first_on_target"));
    assert!(!has(&others, "new_target"), "the kind is known there");
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn a_burst_on_one_target_is_counted_over_agents_and_ends_after_an_hour() {
    let Scene { app, owner, agent, .. } = Scene::staged().await;
    let other = app.agent("agent-2", owner.id).await;
    for _ in 2..BURST {
        assert!(!has(&staged(&agent, &stage_body()).await, "burst"));
    }
    assert!(has(&staged(&other, &stage_body()).await, "burst"));
    let fact = fact(&app, RiskCode::Burst).await;
    assert_eq!((fact.value, fact.level), (Some(BURST.into()), RiskLevel::Medium));
    app.clock.advance(3600);
    assert!(!has(&staged(&agent, &stage_body()).await, "burst"));
}

#[tokio::test]
async fn what_was_denied_is_known_when_anybody_stages_it_again_in_other_words() {
    let Scene { app, owner, bob, agent, request } = Scene::staged().await;
    assert_eq!(bob.review(&request, "deny").await.status, 303);
    let denied_at = app.service.now();
    let other = app.agent("agent-2", owner.id).await;
    let mut reworded = stage_body();
    reworded["summary"] = json!("something quite harmless");
    for stager in [&agent, &other] {
        assert!(has(&staged(stager, &reworded).await, "repeat_of_denied"));
        assert_eq!(fact(&app, RiskCode::RepeatOfDenied).await.at, Some(denied_at));
    }
    let mut different = stage_body();
    different["parameters"]["extend_days"] = json!(1);
    assert!(!has(&staged(&agent, &different).await, "repeat_of_denied"));
    app.clock.advance(REPEAT_S);
    assert!(!has(&staged(&agent, &reworded).await, "repeat_of_denied"));
}

#[tokio::test]
async fn an_amendment_is_assessed_anew_and_is_no_history_of_itself() {
    let Scene { app, agent, request, .. } = Scene::staged().await;
    let mut longer = stage_body();
    longer["parameters"]["extend_days"] = json!(90);
    let path = format!("/api/v1/requests/{}/revisions", request["id"].as_str().unwrap());
    let amended = agent.post(&path, &longer, None).await;
    assert_eq!(amended.status, 201, "{}", amended.text());
    let amended = amended.json();
    assert!(has(&amended, "size") && has(&amended, "first_of_kind"), "{amended}");
    assert_eq!(amended["risk"]["level"], "high");
    let size = fact(&app, RiskCode::Size).await;
    assert_eq!((size.value, size.limit), (Some(90), Some(60)));
}

#[tokio::test]
async fn p04_an_agent_reads_names_of_facts_and_nothing_that_they_rest_on() {
    let Scene { request, .. } = Scene::staged().await;
    for fact in request["risk"]["facts"].as_array().unwrap() {
        let fields: Vec<&String> = fact.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["code", "level"]);
    }
}

#[tokio::test]
async fn d09_no_text_of_a_target_stands_in_the_ledger() {
    let Scene { app, .. } = Scene::staged().await;
    let target = stage_body()["targets"][0].as_str().unwrap().to_owned();
    for entry in app.store.entries(0, 1000).await.unwrap() {
        assert!(!String::from_utf8(entry.body).unwrap().contains(&target));
    }
}

#[tokio::test]
async fn changes_to_the_house_are_not_held_against_what_was_staged_before() {
    let app = TestApp::new().await;
    app.person("Cat Approver", &["approvers"]).await;
    app.person("Dan Approver", &["approvers"]).await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    app.person("Ben Administrator", &["administrators"]).await;
    let caller = app.caller(ann.id).await;
    let by = caller.steward().unwrap();
    for version in 1..=2 {
        let policy = format!("// version {version}\n{}", policy_text(&app).await);
        app.service.put_policy(&by, &policy, 1, "agreed by all of us").await.unwrap();
        let risk = recorded(&app).await;
        assert!(risk.facts.iter().all(|fact| fact.code != RiskCode::FirstOfKind), "{risk:?}");
    }
    let last = app.store.entries(0, 1000).await.unwrap().pop().unwrap();
    let entry: Entry = serde_json::from_slice(&last.body).unwrap();
    assert_eq!(entry.actor, Actor::Person(ann.id));
}

async fn policy_text(app: &TestApp) -> String {
    app.store.house().await.unwrap().policy().unwrap().text.clone()
}

#[tokio::test]
async fn stale_evidence_is_refused_by_its_field_and_its_limit() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let kinds = agent.get("/api/v1/kinds/db.export").await.json();
    let rule = &kinds["required_evidence"][0];
    assert_eq!(rule["type"], "query_plan");
    let max_age_s = rule["max_age_s"].as_i64().expect("it must be fresh");
    let example = kinds["example"].clone();
    let fresh = staged(&agent, &example).await;
    assert_eq!(fresh["state"], "pending", "an example works as it is read");
    let before = app.entries().await;
    app.clock.advance(max_age_s + 1);
    let mut undated = example.clone();
    undated["evidence"][0].as_object_mut().unwrap().remove("collected_at");
    let earliest = app.service.now().plus_seconds(-max_age_s).to_string();
    for (body, word) in [(example, "too old"), (undated, "missing")] {
        let refused = agent.post("/api/v1/requests", &body, None).await;
        assert_eq!(refused.status, 422);
        let error = &refused.problem()["errors"][0];
        assert_eq!(error["pointer"], "/evidence/0/collected_at");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(word) && detail.contains("`query_plan`"), "{detail}");
        assert_eq!(error["limit"], json!(earliest));
    }
    assert_eq!(app.entries().await, before);
}
