//! Evidence with secrets in it, and the evidence of a report.

use serde_json::{Value, json};
use testing::{TestAgent, TestApp, TestPerson, stage_body};

/// Put together here, so that no scanner of this repository takes it for real.
fn token(letter: &str) -> String {
    format!("ghp_{}", letter.repeat(36))
}

fn with_evidence(content: &str) -> Value {
    let mut body = stage_body();
    body["evidence"][0]["content"] = json!(content);
    body["evidence"][0]["media_type"] = json!("text/plain");
    body
}

fn base(request: &Value) -> String {
    format!("/requests/{}", request["id"].as_str().unwrap())
}

async fn digest_of(bob: &TestPerson, request: &Value) -> String {
    let page = bob.get(&base(request)).await.text();
    let from = page.split("/evidence/").nth(1).unwrap();
    from.split('/').next().unwrap().to_owned()
}

async fn executing(agent: &TestAgent, bob: &TestPerson) -> (Value, String) {
    let request = agent.stage().await;
    assert_eq!(bob.review(&request, "approve").await.status, 303);
    let lease = agent.redeem(&request, "r").await.json()["lease_id"].clone();
    (request, lease.as_str().unwrap().to_owned())
}

fn api(request: &Value, what: &str) -> String {
    format!("/api/v1/requests/{}/{what}", request["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_secret_in_evidence_is_masked_until_somebody_with_a_say_has_it_unmasked_on_record() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let sam = app.person("Sam Security", &["security"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let secret = token("a");
    let body = with_evidence(&format!("first\nGH_TOKEN={secret}\nlast\n"));
    let request = agent.post("/api/v1/requests", &body, None).await.json();
    let base = base(&request);
    let digest = digest_of(&bob, &request).await;
    let piece = format!("{base}/evidence/{digest}");
    let before = app.entries().await;

    assert_eq!(bob.post(&format!("{piece}/unmask"), &[]).await.status, 404, "not opened yet");
    for person in [&bob, &sam, &owner] {
        assert_eq!(person.post(&format!("{piece}/open"), &[]).await.status, 303);
        let page = person.get(&base).await.text();
        assert!(
            !page.contains(&secret) && page.contains("[masked: GitHub token, 40 characters, #")
        );
        assert!(page.contains("1 × GitHub token (line 2)") && page.contains("last"), "{page}");
        assert_eq!(person.get(&format!("{piece}/download")).await.status, 404, "nor as a file");
    }
    for person in [&sam, &owner] {
        assert!(!person.get(&base).await.text().contains("Show what is masked"));
        assert_eq!(person.post(&format!("{piece}/unmask"), &[]).await.status, 404);
    }
    assert!(bob.get(&base).await.text().contains("Show what is masked"));
    for _ in 0..2 {
        let unmasked = bob.post(&format!("{piece}/unmask"), &[]).await;
        assert_eq!(unmasked.header("location"), format!("{base}#evidence-1"));
    }
    assert_eq!(app.facts_since(before).await, ["EvidenceOpened"; 4]);
    let page = bob.get(&base).await.text();
    assert!(page.contains(&secret) && page.contains("Shown as it is"), "{page}");
    assert!(page.contains("unmasked evidence"), "the timeline says so");
    assert!(!sam.get(&base).await.text().contains(&secret), "to nobody else");
    let file = bob.get(&format!("{piece}/download")).await;
    assert!(file.text().contains(&secret));
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert!(file.header("content-security-policy").starts_with("sandbox"));
    let disposition = file.header("content-disposition").to_owned();
    assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
    assert!(disposition.contains("; filename*=UTF-8''"), "{disposition}");
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn the_author_is_warned_of_secrets_before_people_see_them_and_on_every_retry() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let clean = agent.post("/api/v1/requests", &stage_body(), None).await.json();
    assert_eq!(clean["warnings"], Value::Null);

    let secret = token("b");
    let upload = format!("x\ny\n{secret}\n").into_bytes();
    let uploaded = agent.post_bytes("/api/v1/evidence", upload, None).await.json();
    let mut body = with_evidence(&format!("password: \"{}\"", "hunter2 hunter2"));
    body["justification"] = json!(format!("use {secret}"));
    let items = body["evidence"].as_array_mut().unwrap();
    let place = format!("/evidence/{}/digest", items.len());
    items.push(json!({
        "type": "log", "name": "run.log", "media_type": "text/plain", "digest": uploaded["digest"]
    }));
    let preview = agent.post("/api/v1/requests?validate=true", &body, None).await.json();
    let warnings = preview["warnings"].clone();
    let said: Vec<(&str, &str)> = warnings
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap(), one["pointer"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("secret_in_evidence", "/evidence/0/content"),
            ("secret_in_request", "/justification"),
            ("secret_in_evidence", &*place),
        ]
    );
    assert!(!warnings.to_string().contains(&secret) && !warnings.to_string().contains("hunter2"));
    assert!(warnings[2]["detail"].as_str().unwrap().contains("GitHub token (line 3)"));
    for _ in 0..2 {
        let staged = agent.post("/api/v1/requests", &body, Some("k")).await;
        assert_eq!(staged.status.as_u16() / 100, 2, "a warning stops nothing");
        assert_eq!(staged.json()["warnings"], warnings);
    }
}

#[tokio::test]
async fn what_is_approved_is_never_masked_and_a_mask_hides_no_difference() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let mut body = with_evidence(&format!("token {}\n", token("a")));
    body["justification"] = json!(format!("It runs with {}.", token("c")));
    let request = agent.post("/api/v1/requests", &body, None).await.json();
    let page = bob.get(&base(&request)).await.text();
    assert!(page.contains(&token("c")) && page.contains("Something here looks like a secret"));
    assert!(!page.contains("What is masked differs"));

    body["evidence"][0]["content"] = json!(format!("token {}\n", token("d")));
    let amended = agent.post(&api(&request, "revisions"), &body, None).await;
    assert_eq!(amended.status.as_u16() / 100, 2, "{}", amended.text());
    let page = bob.get(&base(&request)).await.text();
    assert!(page.contains("What is masked differs"), "{page}");
    assert!(!page.contains(&token("a")) && !page.contains(&token("d")));
}

#[tokio::test]
async fn a_report_shows_evidence_which_people_open_as_any_other() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let (request, lease) = executing(&agent, &bob).await;
    let foreign = other.post_bytes("/api/v1/evidence", b"theirs".to_vec(), None).await.json();
    let own = agent.post_bytes("/api/v1/evidence", b"rows: 3\n".to_vec(), None).await.json();
    let item = |name: &str| json!({"type": "log", "name": name, "media_type": "text/plain"});
    let with = |mut item: Value, field: &str, value: &Value| {
        item[field] = value.clone();
        item
    };
    let report = |evidence: Value| json!({"lease_id": lease, "status": "failed", "summary": "It broke.", "evidence": evidence});
    let outcome = api(&request, "outcome");
    let before = app.entries().await;
    for (evidence, pointer) in [
        (json!([with(item("x"), "digest", &foreign["digest"])]), "/evidence/0/digest"),
        (json!([item("x")]), "/evidence/0/content"),
        (json!([with(item("x"), "content", &json!(""))]), "/evidence/0/content"),
        (json!([{"type": "log", "name": "x"}]), "/evidence/0/media_type"),
        (json!(vec![with(item("x"), "content", &json!("y")); 21]), "/evidence"),
        (json!("all of it"), "/evidence"),
    ] {
        let refused = agent.post(&outcome, &report(evidence), None).await;
        assert_eq!(refused.status, 422, "{pointer}: {}", refused.text());
        assert_eq!(refused.problem()["errors"][0]["pointer"], pointer);
    }
    assert_eq!(app.entries().await, before, "nothing is recorded");

    let secret = token("e");
    let evidence = json!([
        with(item("rows.txt"), "digest", &own["digest"]),
        with(item("output.txt"), "content", &json!(format!("used {secret}\n"))),
    ]);
    for _ in 0..2 {
        let reply = agent.post(&outcome, &report(evidence.clone()), None).await;
        assert_eq!(reply.json()["state"], "failed", "{}", reply.text());
    }
    let undone = json!({
        "lease_id": lease, "status": "rolled_back", "summary": "Undone.",
        "evidence": [with(item("undo.txt"), "content", &json!("all gone\n"))]
    });
    let rolled = agent.post(&api(&request, "rollback"), &undone, None).await;
    assert_eq!(rolled.json()["state"], "rolled_back", "{}", rolled.text());
    assert_eq!(app.facts_since(before).await, ["OutcomeReported", "RollbackReported"]);

    let base = base(&request);
    let count = stage_body()["evidence"].as_array().unwrap().len();
    for (position, content, shown) in [
        (1, "rows: 3\n".to_owned(), "rows: 3"),
        (2, format!("used {secret}\n"), "[masked: GitHub token"),
        (3, "all gone\n".to_owned(), "all gone"),
    ] {
        let digest = domain::Digest::of(content.as_bytes());
        assert!(!bob.get(&base).await.text().contains(shown), "not opened yet");
        let opened = bob.post(&format!("{base}/evidence/{digest}/open"), &[]).await;
        let place = format!("evidence-{}", count + position);
        assert_eq!(opened.header("location"), format!("{base}#{place}"));
        let page = bob.get(&base).await.text();
        assert!(page.contains(&format!("id=\"{place}\"")) && page.contains(shown), "{page}");
    }
    assert!(!bob.get(&base).await.text().contains(&secret));
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn an_upload_is_read_back_by_whoever_sent_it_and_is_unknown_to_all_others() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    let uploaded = agent.post_bytes("/api/v1/evidence", bytes.clone(), None).await.json();
    let path = format!("/api/v1/evidence/{}", uploaded["digest"].as_str().unwrap());
    let read = agent.get(&path).await;
    assert_eq!(read.bytes, bytes);
    assert!(read.header("content-disposition").starts_with("attachment"));
    assert_eq!(read.header("content-type"), "application/octet-stream");
    let unknown = format!("/api/v1/evidence/{}", domain::Digest::of(b"never sent"));
    let (foreign, unknown) = (other.get(&path).await, agent.get(&unknown).await);
    assert_eq!((foreign.status.as_u16(), unknown.status.as_u16()), (404, 404));
    assert_eq!(foreign.problem(), unknown.problem(), "in the same words");
    assert_eq!(agent.get("/api/v1/evidence/sha256:xyz").await.status, 404);
}

#[tokio::test]
async fn any_command_can_be_staged_and_nothing_without_one() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let mut body = json!({
        "kind": "command.run", "parameters": {}, "targets": ["host:a"], "environment": "staging",
        "summary": "Run ./x", "justification": "It has to run.", "risk": {"factors": []},
        "command": {"argv": ["/opt/x"]}
    });
    let staged = agent.post("/api/v1/requests", &body, None).await;
    assert_eq!(staged.status, 201, "{}", staged.text());
    body.as_object_mut().unwrap().remove("command");
    let refused = agent.post("/api/v1/requests", &body, None).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.problem()["errors"][0]["pointer"], "/command");
}
