//! Reviewing: what counts, what does not, and what happens when many decide at once.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use service::Steward;
use testing::{Scene, TestApp, TestPerson};

async fn state(app: &TestApp, request: &Value) -> String {
    let id = request["id"].as_str().unwrap().parse().unwrap();
    let stored = app.store.load(id).await.unwrap().unwrap();
    stored.request.state.name().as_str().to_owned()
}

#[tokio::test]
async fn c01_fifty_parallel_approvals_and_denials_have_exactly_one_outcome() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let mut people: Vec<TestPerson> = Vec::new();
    for n in 0..50 {
        people.push(app.person(&format!("Approver {n:02}"), &["approvers"]).await);
    }
    let request = agent.stage().await;
    let mut shown = Vec::new();
    for person in &people {
        shown.push(person.shown(&request).await);
    }
    let before = app.entries().await;
    let verdicts = people.iter().zip(&shown).enumerate().map(|(n, (person, shown))| {
        let verdict = if n % 2 == 0 { "approve" } else { "deny" };
        person.review_as_shown(&request, verdict, shown)
    });
    let replies = futures::future::join_all(verdicts).await;
    let won = replies.iter().filter(|reply| reply.status == StatusCode::SEE_OTHER).count();
    assert_eq!(won, 1);
    let conflicts = replies.iter().filter(|reply| reply.status == StatusCode::CONFLICT).count();
    assert_eq!(conflicts, 49);
    let facts = app.facts_since(before).await;
    let count = |name: &str| facts.iter().filter(|fact| *fact == name).count();
    assert_eq!(count("ReviewRecorded"), 1);
    assert_eq!(count("RequestApproved") + count("RequestDenied"), 1);
    let state = state(&app, &request).await;
    assert_eq!(state == "approved", count("RequestApproved") == 1);
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn i1_b07_owner_key_holder_and_on_behalf_never_count() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &["approvers"]).await;
    let holder = app.person("Hal Holder", &["approvers"]).await;
    let patron = app.person("Pat Patron", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    app.key(agent.id, holder.id).await;
    let mut body = testing::stage_body();
    body["on_behalf_of"] = json!(patron.id);
    let request = agent.post("/api/v1/requests", &body, None).await.json();
    assert_eq!(request["requirements"][0]["who_could"], 0);
    for person in [&owner, &holder, &patron] {
        // They get no form; a form made up by hand is refused as well.
        assert_eq!(person.shown(&request).await, "");
        let forged = person.review_as_shown(&request, "approve", "1.00").await;
        assert_eq!(forged.status, StatusCode::CONFLICT);
    }
    assert_eq!(state(&app, &request).await, "pending");
}

#[tokio::test]
async fn i1_a_person_who_becomes_excluded_after_opening_the_page_is_refused() {
    let Scene { app, bob, agent, request, .. } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    app.key(agent.id, bob.id).await;
    let before = app.entries().await;
    let refused = bob.review_as_shown(&request, "approve", &shown).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("shown a key"));
    assert!(refused.text().contains("the ticket matches"), "the typed text is kept");
    assert_eq!(app.facts_since(before).await, ["AttemptRefused"]);
}

#[tokio::test]
async fn b02_auditors_and_administrators_do_not_review() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let auditor = app.person("Ida Auditor", &["auditors"]).await;
    let administrator = app.person("Eve Admin", &["administrators"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let request = agent.stage().await;
    for person in [&auditor, &administrator] {
        let reply = person.review(&request, "approve").await;
        assert!(reply.status.is_client_error());
    }
    let stranger = app.person("Dan Nobody", &[]).await;
    assert_eq!(stranger.review(&request, "approve").await.status, StatusCode::NOT_FOUND);
    assert_eq!(state(&app, &request).await, "pending");
}

#[tokio::test]
async fn i4_a_shown_token_is_for_one_person_one_digest_one_request() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let cat = app.person("Cat Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let (one, two) = (agent.stage().await, agent.stage().await);
    let bobs = bob.shown(&one).await;
    for (person, request) in [(&cat, &one), (&bob, &two)] {
        let reply = person.review_as_shown(request, "approve", &bobs).await;
        assert_eq!(reply.status, StatusCode::CONFLICT);
    }
    let later = bobs.replacen('1', "2", 1);
    assert_eq!(bob.review_as_shown(&one, "approve", &later).await.status, StatusCode::CONFLICT);
    assert_eq!(state(&app, &one).await, "pending");
    assert_eq!(state(&app, &two).await, "pending");
}

#[tokio::test]
async fn k03_a_review_that_is_recorded_is_not_hidden_by_a_session_that_cannot_be_written() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    // By now it would be written down that the session is in use.
    app.clock.advance(600);
    app.refuse("UPDATE", "sessions").await;
    let reply = bob.review_as_shown(&request, "approve", &shown).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    assert_eq!(state(&app, &request).await, "approved");
}

#[tokio::test]
async fn c05_a_double_click_is_one_review_and_the_same_answer() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    let before = app.entries().await;
    let (one, two) = tokio::join!(
        bob.review_as_shown(&request, "approve", &shown),
        bob.review_as_shown(&request, "approve", &shown)
    );
    assert_eq!((one.status, two.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    assert_eq!(app.facts_since(before).await, ["ReviewRecorded", "RequestApproved"]);
}

#[tokio::test]
async fn a_form_that_is_incomplete_is_shown_again_with_what_was_typed() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    let path = format!("/requests/{}/review", request["id"].as_str().unwrap());
    let (digest, shown) = (request["digest"].as_str().unwrap(), bob.shown(&request).await);
    let hostile = "</textarea><script>alert(1)</script>";
    let fields = [("justification", hostile), ("digest", digest), ("shown", &shown)];
    let reply = bob.post(&path, &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("&lt;/textarea&gt;"), "kept, and escaped");
    assert!(!reply.text().contains("<script>alert"));
    for short in ["", "  x "] {
        let fields = [
            ("verdict", "approve"),
            ("justification", short),
            ("digest", digest),
            ("shown", &shown),
        ];
        assert_eq!(bob.post(&path, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(state(&app, &request).await, "pending");
}

#[tokio::test]
async fn w03_a_cross_site_post_decides_nothing() {
    let Scene { app, bob, request, .. } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    let path = format!("/requests/{}/review", request["id"].as_str().unwrap());
    let digest = request["digest"].as_str().unwrap().replace(':', "%3A");
    let body = format!("verdict=approve&justification=because&digest={digest}&shown={shown}");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let post = Request::post(&path)
            .header(header::COOKIE, &bob.cookie)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value)
            .body(Body::from(body.clone()))
            .unwrap();
        assert_eq!(app.anonymous(post).await.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert_eq!(state(&app, &request).await, "pending");
}

#[tokio::test]
async fn i7_a_refused_attempt_is_recorded_but_not_without_end() {
    let Scene { app, bob, agent, request, .. } = Scene::staged().await;
    let shown = bob.shown(&request).await;
    app.leaves(bob.id, "approvers").await;
    let auditor = app.person("Ida Auditor", &["auditors"]).await;
    assert!(auditor.get("/ledger").await.text().contains("GroupMemberRemoved"));
    let before = app.entries().await;
    for _ in 0..30 {
        // No longer in any group, the person does not even see the request.
        assert_eq!(bob.review_as_shown(&request, "approve", &shown).await.status, 404);
        assert_eq!(agent.redeem(&request, "r").await.status, 409);
    }
    assert_eq!(app.entries().await - before, 10);
}

#[tokio::test]
async fn b18_an_administrator_cannot_make_a_way_in_for_somebody_who_has_a_password() {
    let app = TestApp::new().await;
    let administrator = app.person("Eve Admin", &["administrators"]).await;
    let mut bob = app.person("Bob Approver", &["approvers"]).await;
    let invite = format!("/people/{}/invite", bob.id);
    assert_eq!(administrator.post(&invite, &[]).await.status, StatusCode::OK);
    assert_eq!(bob.set_password("", "correct horse battery").await.status, StatusCode::SEE_OTHER);
    let before = app.entries().await;
    let refused = administrator.post(&invite, &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.entries().await, before);
}

#[tokio::test]
async fn w13_an_address_alone_never_says_recorded() {
    let Scene { bob, request, .. } = Scene::staged().await;
    let page = format!("/requests/{}?recorded=1", request["id"].as_str().unwrap());
    assert!(!bob.get(&page).await.text().contains("Recorded."));
    bob.review(&request, "deny").await;
    let after = bob.get(&page).await.text();
    assert!(after.contains("Recorded."));
    assert!(!after.contains("erased"), "one line says that it was denied, and why");
}

#[tokio::test]
async fn what_was_approved_names_who_filled_which_seat() {
    let two_groups = r#"
        @id("need.one") @group("approvers") @quorum("1") @why("one person")
        forbid (principal, action == Action::"Release", resource)
        unless { context.met.contains("need.one") };
        @id("need.security") @group("security") @quorum("1") @why("and one of security")
        forbid (principal, action == Action::"Release", resource)
        unless { context.met.contains("need.security") };
        @id("review.all") permit (principal, action == Action::"Review", resource);
    "#;
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let sam = app.person("Sam Security", &["security"]).await;
    let put = app.service.put_policy(&Steward::Operator, two_groups, 1, "both have a say").await;
    put.unwrap();
    let agent = app.agent("agent-1", owner.id).await;
    let request = agent.stage().await;
    for person in [&bob, &sam] {
        assert_eq!(person.review(&request, "approve").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(agent.redeem(&request, "r").await.status, StatusCode::OK);
    // Who leaves afterwards keeps the seat that they had.
    app.leaves(sam.id, "security").await;
    let id = request["id"].as_str().unwrap().parse().unwrap();
    let view = app.service.request_view(&app.caller(bob.id).await, id).await.unwrap();
    let seats = view.requirements.iter().map(|need| {
        let people = need.filled_by.iter().map(|(name, _)| name.as_str());
        (need.group.as_str(), people.collect::<Vec<_>>())
    });
    let wanted = [("approvers", vec!["Bob Approver"]), ("security", vec!["Sam Security"])];
    assert_eq!(seats.collect::<Vec<_>>(), wanted);
}
