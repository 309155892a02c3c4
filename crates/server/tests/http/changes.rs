//! Changing the house itself: by two people, in one transaction, or marked for ever.

use domain::kind::CHANGE_KINDS;
use domain::{FreezeScope, RequestId, StateName};
use serde_json::{Value, json};
use service::Steward;
use service::change::{Membership, Proposed};
use service::house::HouseError;
use testing::{Scene, TestApp, TestPerson, stage_body};

const WHY: &str = "agreed in the review of this quarter";
/// One person for everything: laxer than the policy of a new installation.
const LAX: &str = r#"
    @id("need.one") @group("approvers") @quorum("1") @why("one person")
    forbid (principal, action == Action::"Release", resource)
    when { !(resource.kind.name like "countersign.*") }
    unless { context.met.contains("need.one") };
    @id("need.administrator") @group("administrators") @quorum("1") @why("a second administrator")
    forbid (principal, action == Action::"Release", resource)
    when { resource.kind.name like "countersign.*" }
    unless { context.met.contains("need.administrator") };
    @id("review.all") permit (principal, action == Action::"Review", resource);
"#;

struct House {
    app: TestApp,
    ann: TestPerson,
    ben: TestPerson,
}

/// A house with two administrators and an approver.
async fn house() -> House {
    let app = TestApp::new().await;
    app.person("Cat Approver", &["approvers"]).await;
    app.person("Dan Approver", &["approvers"]).await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    let ben = app.person("Ben Administrator", &["administrators"]).await;
    House { app, ann, ben }
}

async fn steward(app: &TestApp, person: &TestPerson) -> Steward {
    app.caller(person.id).await.steward().unwrap()
}

async fn staged(app: &TestApp, by: &TestPerson, policy: &str) -> RequestId {
    let by = steward(app, by).await;
    match app.service.put_policy(&by, policy, 1, WHY).await.unwrap() {
        Proposed::Staged(id) => id,
        Proposed::Applied => panic!("it was applied without a second person"),
    }
}

/// What the page of reviews needs to know of a request.
async fn as_json(app: &TestApp, id: RequestId) -> Value {
    let request = app.store.load(id).await.unwrap().unwrap().request;
    json!({"id": id, "digest": request.digest})
}

async fn state(app: &TestApp, id: RequestId) -> StateName {
    app.store.load(id).await.unwrap().unwrap().request.state.name()
}

async fn version(app: &TestApp) -> u32 {
    app.store.house().await.unwrap().policy().unwrap().version
}

#[tokio::test]
async fn a_change_holds_at_once_and_is_marked_while_nobody_else_can_decide() {
    let app = TestApp::new().await;
    app.person("Cat Approver", &["approvers"]).await;
    app.person("Dan Approver", &["approvers"]).await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    let before = app.entries().await;
    let by = steward(&app, &ann).await;
    let done = app.service.put_policy(&by, LAX, 1, WHY).await.unwrap();
    assert_eq!(done, Proposed::Applied);
    assert_eq!(app.facts_since(before).await, ["ChangedDirectly", "PolicyPut"]);
    assert_eq!(version(&app).await, 2);
}

#[tokio::test]
async fn b15_a_change_needs_a_second_administrator_and_is_carried_out_with_the_approval() {
    let House { app, ann, ben } = house().await;
    let id = staged(&app, &ann, LAX).await;
    assert_eq!(version(&app).await, 1);
    let request = as_json(&app, id).await;
    let own = ann.review(&request, "approve").await;
    assert_ne!(own.status, 303, "whoever staged it never counts");
    assert_eq!(state(&app, id).await, StateName::Pending);
    let before = app.entries().await;
    let second = ben.review(&request, "approve").await;
    assert_eq!(second.status, 303, "{}", second.text());
    assert_eq!(
        app.facts_since(before).await,
        ["ReviewRecorded", "RequestApproved", "ReleaseRedeemed", "PolicyPut", "OutcomeReported"]
    );
    assert_eq!(state(&app, id).await, StateName::Succeeded);
    assert_eq!(version(&app).await, 2);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn b15_neither_operator_nor_agent_goes_round_the_second_person() {
    let House { app, ann, .. } = house().await;
    let operator = app.service.put_policy(&Steward::Operator, LAX, 1, WHY).await;
    assert!(matches!(operator, Err(HouseError::NeedsRequest)), "{operator:?}");
    let (by, add) = (Steward::Operator, Membership::Add);
    let group = app.service.change_group(&by, add, ann.id, "approvers", WHY).await;
    assert!(matches!(group, Err(HouseError::NeedsRequest)), "{group:?}");
    let agent = app.agent("agent-1", ann.id).await;
    let mut body = stage_body();
    body["kind"] = json!(format!("{CHANGE_KINDS}policy"));
    body["parameters"] = json!({"text": LAX, "replaces": 1});
    let answer = agent.post("/api/v1/requests", &body, None).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.problem()["errors"][0]["pointer"], "/kind");
    assert_eq!(version(&app).await, 1);
}

#[tokio::test]
async fn b15_a_house_that_came_so_far_never_goes_back() {
    let House { app, ann, ben } = house().await;
    let by = steward(&app, &ann).await;
    app.service.disable_person(&by, ben.id).await.unwrap();
    let policy = app.service.put_policy(&by, LAX, 1, WHY).await;
    assert!(matches!(policy, Err(HouseError::Impossible(_))), "{policy:?}");
    let add = Membership::Add;
    let group = app.service.change_group(&by, add, ann.id, "approvers", WHY).await.unwrap();
    let Proposed::Staged(id) = group else { panic!("{group:?}") };
    assert_ne!(ann.review(&as_json(&app, id).await, "approve").await.status, 303);
    assert_eq!(state(&app, id).await, StateName::Pending);
}

#[tokio::test]
async fn a_change_that_was_overtaken_is_recorded_as_failed_and_changes_nothing() {
    let House { app, ann, ben } = house().await;
    let first = staged(&app, &ann, LAX).await;
    let second = staged(&app, &ann, &format!("{LAX}\n// and a remark")).await;
    ben.review(&as_json(&app, first).await, "approve").await;
    let before = app.entries().await;
    ben.review(&as_json(&app, second).await, "approve").await;
    assert_eq!(state(&app, second).await, StateName::Failed);
    assert_eq!(version(&app).await, 2);
    let facts = app.facts_since(before).await;
    assert!(!facts.iter().any(|fact| fact == "PolicyPut"), "{facts:?}");
}

#[tokio::test]
async fn i5_a_policy_that_is_wrong_or_impossible_is_refused_and_the_old_one_stays() {
    let House { app, ann, .. } = house().await;
    let by = steward(&app, &ann).await;
    let wrong = app.service.put_policy(&by, "forbid (", 1, WHY).await;
    let Err(HouseError::Policy(errors)) = wrong else { panic!("{wrong:?}") };
    assert_eq!(errors[0].line, 1);
    let nobody = LAX.replace("administrators", "nobody-is-in-this");
    let impossible = app.service.put_policy(&by, &nobody, 1, WHY).await;
    assert!(matches!(impossible, Err(HouseError::Impossible(_))), "{impossible:?}");
    let stale = app.service.put_policy(&by, LAX, 7, WHY).await;
    assert!(matches!(stale, Err(HouseError::Overtaken { current: 1 })), "{stale:?}");
    assert_eq!(version(&app).await, 1);
}

#[tokio::test]
async fn a_freeze_of_everything_does_not_stop_a_change_that_may_end_it() {
    let House { app, ann, ben } = house().await;
    let by = app.caller(ann.id).await;
    app.service.freeze(&by, FreezeScope::All, true, "something is wrong").await.unwrap();
    let id = staged(&app, &ann, LAX).await;
    assert_eq!(ben.review(&as_json(&app, id).await, "approve").await.status, 303);
    assert_eq!(version(&app).await, 2);
}

#[tokio::test]
async fn b15_nobody_reviews_before_a_second_person_put_them_into_the_group() {
    let House { app, ann, ben } = house().await;
    let by = steward(&app, &ann).await;
    let (eve, proposed) =
        app.service.add_person(&by, "Eve Newcomer", &["approvers"]).await.unwrap();
    let [Proposed::Staged(id)] = proposed[..] else { panic!("{proposed:?}") };
    let eve = app.session(eve).await;
    let agent = app.agent("agent-1", ann.id).await;
    let request = agent.stage().await;
    assert_eq!(eve.review(&request, "approve").await.status, 404, "she may not even see it");
    assert_eq!(ben.review(&as_json(&app, id).await, "approve").await.status, 303);
    assert_eq!(eve.review(&request, "approve").await.status, 303);
}

#[tokio::test]
async fn i9_b13_a_policy_that_asks_for_more_after_the_approval_stops_the_release() {
    let Scene { app, agent, request, .. } = Scene::approved().await;
    let strict = LAX.replacen("@quorum(\"1\")", "@quorum(\"2\")", 1);
    app.person("Dan Second", &["approvers"]).await;
    app.service.put_policy(&Steward::Operator, &strict, 1, WHY).await.unwrap();
    let refused = agent.redeem(&request, "r-1").await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.problem()["state"], "pending");
    let read = agent
        .get(request["status_url"].as_str().unwrap().trim_start_matches("http://localhost"))
        .await;
    let missing: u64 = read.json()["requirements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|need| need["missing"].as_u64().unwrap())
        .sum();
    assert_eq!(missing, 1);
}

#[tokio::test]
async fn the_page_tries_a_policy_on_past_requests_and_proposes_it() {
    let House { app, ann, .. } = house().await;
    let agent = app.agent("agent-1", ann.id).await;
    agent.stage().await;
    let strict = LAX.replacen("@quorum(\"1\")", "@quorum(\"2\")", 1);
    let before = app.entries().await;
    let fields = |action: &'static str, text: &'static str| {
        [("do", action), ("text", text), ("replaces", "1"), ("reason", WHY)]
    };
    let strict: &'static str = strict.leak();
    let tried = ann.post("/policy", &fields("try", strict)).await;
    assert_eq!(tried.status, 200, "{}", tried.text());
    assert!(tried.text().contains("1 would have fared differently"), "{}", tried.text());
    let wrong = ann.post("/policy", &fields("propose", "forbid (")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("line 1, column"), "{}", wrong.text());
    assert!(wrong.text().contains("forbid ("), "what was typed is kept");
    assert_eq!(app.entries().await, before, "nothing was recorded");
    let staged = ann.post("/policy", &fields("propose", strict)).await;
    assert_eq!(staged.status, 303);
    assert!(staged.header("location").starts_with("/requests/"));
    let cat = app.person_named("Cat Approver").await;
    let not_hers = cat.post("/policy", &fields("propose", strict)).await;
    assert_eq!(not_hers.status, 403);
}

#[tokio::test]
async fn the_pages_propose_kinds_and_groups_and_keep_what_was_typed() {
    let House { app, ann, ben } = house().await;
    let house = app.store.house().await.unwrap();
    let mut kind = domain::Kind::clone(&house.kind("vendor.key_extend").unwrap().0);
    kind.release_ttl_s = 5;
    let bad = serde_json::to_string(&kind).unwrap();
    let refused = ann.post("/kinds", &[("text", &bad), ("reason", WHY)]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("/release_ttl_s"), "{}", refused.text());
    kind.release_ttl_s = 600;
    let good = serde_json::to_string(&kind).unwrap();
    let staged = ann.post("/kinds", &[("text", &good), ("reason", WHY)]).await;
    assert_eq!(staged.status, 303, "{}", staged.text());
    let id = staged.header("location").rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(ben.review(&as_json(&app, id).await, "approve").await.status, 303);
    let house = app.store.house().await.unwrap();
    let (put, version) = house.kind("vendor.key_extend").unwrap().clone();
    assert_eq!((put.release_ttl_s, version), (600, 2));
    let who = ben.id.to_string();
    let fields =
        [("person", who.as_str()), ("group", "Not a group"), ("change", "add"), ("reason", WHY)];
    let refused = ann.post("/people/groups", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Not a group"), "{}", refused.text());
    let fields =
        [("person", who.as_str()), ("group", "security"), ("change", "add"), ("reason", WHY)];
    assert_eq!(ann.post("/people/groups", &fields).await.status, 303);
}
