//! The desk for programs that a person runs: data and problems in place of pages; and an auditor's
//! own keys.

use axum::body::Body;
use axum::http::{Request, header};
use testing::{Reply, Scene, TestApp, TestPerson};

async fn asked(app: &TestApp, person: Option<&TestPerson>, request: (&str, &str, &str)) -> Reply {
    let (method, path, form) = request;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(person) = person {
        request = request.header(header::COOKIE, &person.cookie);
    }
    app.anonymous(request.body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn the_administration_answers_a_program_in_json() {
    let app = TestApp::new().await;
    let ann = app.person("Ann Administrator", &["administrators"]).await;
    let people = asked(&app, Some(&ann), ("GET", "/people", "")).await.json();
    assert_eq!(people["people"][0]["name"], "Ann Administrator");
    for path in ["/agents", "/kinds", "/policy", "/freezes"] {
        let reply = asked(&app, Some(&ann), ("GET", path, "")).await;
        assert_eq!(reply.header("content-type"), "application/json", "{path}");
    }
    let added = asked(&app, Some(&ann), ("POST", "/people", "name=Ned+New")).await.json();
    assert!(added["value"].as_str().unwrap().contains("/sign-in/link/"));
}

#[tokio::test]
async fn i10_what_people_decide_on_has_a_page_only() {
    let scene = Scene::staged().await;
    let bob = &scene.bob;
    let path = format!("/requests/{}", scene.request["id"].as_str().unwrap());
    for path in [&*path, "/inbox", "/history", "/settings"] {
        let reply = asked(&scene.app, Some(bob), ("GET", path, "")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem()["code"].clone()),
            (406, "browser_only".into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_program_is_told_no_as_a_problem() {
    let app = TestApp::new().await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let told = async |person, request| {
        let reply = asked(&app, person, request).await;
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        (reply.status.as_u16(), reply.problem()["code"].clone(), detail)
    };
    let (status, code, _) = told(None, ("GET", "/people", "")).await;
    assert_eq!((status, code), (401, "unauthenticated".into()));
    let (status, code, detail) = told(Some(&bob), ("POST", "/people", "name=Ned")).await;
    assert_eq!((status, code), (403, "forbidden".into()));
    assert_eq!(detail, "Only administrators change this.");
    let (status, code, detail) = told(Some(&bob), ("POST", "/freezes", "scope=all")).await;
    assert_eq!((status, code), (422, "not_changed".into()));
    assert_eq!(detail, "Choose what happens to what runs already.");
    for _ in 0..10 {
        told(None, ("POST", "/sign-in", "name=Bob+Approver&password=wrong")).await;
    }
    let reply = asked(&app, None, ("POST", "/sign-in", "name=Bob+Approver&password=wrong")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem()["code"].clone()),
        (429, "too_many_attempts".into())
    );
    assert_eq!(reply.header("retry-after"), "6");
}

#[tokio::test]
async fn an_auditor_makes_and_revokes_a_key_of_their_own_and_nobody_else_does() {
    let app = TestApp::new().await;
    let ida = app.person("Ida Auditor", &["auditors"]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let issued = asked(&app, Some(&ida), ("POST", "/settings/keys", "")).await.json();
    let key = issued["value"].as_str().unwrap().to_owned();
    let read = async || {
        let request = Request::get("/api/v1/ledger/entries")
            .header(header::AUTHORIZATION, format!("Bearer {key}"));
        app.anonymous(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(read().await, 200);
    let refused = bob.post("/settings/keys", &[]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("not in the group auditors"));

    let page = ida.get("/settings").await.text();
    let path = page.split('"').find(|part| part.ends_with("/revoke")).unwrap().to_owned();
    assert_eq!(bob.post(&path, &[]).await.status, 422, "it is not theirs");
    assert_eq!(read().await, 200);
    assert_eq!(ida.post(&path, &[]).await.status, 303);
    assert_eq!(read().await, 401);
    assert!(!bob.get("/settings").await.text().contains("/settings/keys"));
}
