//! Keys and sessions.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use domain::Actor;
use service::Steward;
use testing::TestApp;

#[tokio::test]
async fn a09_wrong_revoked_and_expired_keys_are_the_same_401() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let ask = async |value: &str| {
        let request = Request::get("/api/v1/requests").header(header::AUTHORIZATION, value);
        app.anonymous(request.body(Body::empty()).unwrap()).await
    };
    let good = format!("Bearer {}", agent.key);
    assert_eq!(ask(&good).await.status, StatusCode::OK);
    let reference = ask("Bearer nonsense").await;
    assert_eq!(reference.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reference.problem()["code"], "unauthenticated");
    let cut = &good[..good.len() - 1];
    for wrong in ["", "Bearer", "Basic x", cut, &good.replace("agt", "aud"), &good.to_uppercase()] {
        let reply = ask(wrong).await;
        assert_eq!((reply.status, &reply.bytes), (StatusCode::UNAUTHORIZED, &reference.bytes));
    }
    app.clock.advance(91 * 24 * 3600);
    assert_eq!(ask(&good).await.bytes, reference.bytes, "expired");
    let fresh = app.key(agent.id, owner.id).await;
    let key = app.store.keys_of(&Actor::Agent(agent.id)).await.unwrap()[0].id;
    assert_eq!(ask(&format!("Bearer {fresh}")).await.status, StatusCode::OK);
    app.service.revoke_key(&Steward::Operator, agent.id, key).await.unwrap();
    assert_eq!(ask(&format!("Bearer {fresh}")).await.bytes, reference.bytes, "revoked");
}

#[tokio::test]
async fn a08_a_key_is_taken_from_one_authorization_header_and_nowhere_else() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let bearer = format!("Bearer {}", agent.key);
    let twice = Request::get("/api/v1/requests")
        .header(header::AUTHORIZATION, &bearer)
        .header(header::AUTHORIZATION, &bearer);
    let reply = app.anonymous(twice.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let query = Request::get(format!("/api/v1/requests?access_token={}", agent.key));
    assert_eq!(app.anonymous(query.body(Body::empty()).unwrap()).await.status, 401);
    let cookie =
        Request::get("/api/v1/requests").header(header::COOKIE, format!("key={}", agent.key));
    assert_eq!(app.anonymous(cookie.body(Body::empty()).unwrap()).await.status, 401);
}

#[tokio::test]
async fn i10_b03_no_key_opens_a_page_and_no_cookie_opens_the_api() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &["approvers"]).await;
    let agent = app.agent("agent-1", owner.id).await;
    let request = agent.stage().await;
    let path = format!("/requests/{}/review", request["id"].as_str().unwrap());
    let post = Request::post(&path)
        .header(header::AUTHORIZATION, format!("Bearer {}", agent.key))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = Body::from("verdict=approve&justification=because&digest=x&shown=y");
    let reply = app.anonymous(post.body(body).unwrap()).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert!(reply.header("location").starts_with("/sign-in"));
    assert_eq!(owner.get("/api/v1/requests").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn w10_a01_a_session_cookie_is_host_bound_and_new_at_sign_in() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let again = app.session(owner.id).await;
    assert!(owner.cookie.starts_with("__Host-countersign="));
    assert_ne!(owner.cookie, again.cookie);
    let link = app.service.sign_in_link(&Steward::Operator, owner.id).await.unwrap();
    let token = link.rsplit('/').next().unwrap();
    let fixed = Request::post("/sign-in/link")
        .header(header::COOKIE, "__Host-countersign=AAAAAAAAAAAAAAAAAAAAAA")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={token}")))
        .unwrap();
    let reply = app.anonymous(fixed).await;
    let cookie = reply.header("set-cookie");
    assert!(!cookie.contains("AAAAAAAAAAAAAAAAAAAAAA"));
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
}

#[tokio::test]
async fn k03_a_session_that_cannot_be_written_is_said_to_be_so_and_signs_nobody_in() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let link = app.service.sign_in_link(&Steward::Operator, owner.id).await.unwrap();
    app.refuse("INSERT", "sessions").await;
    let post = Request::post("/sign-in/link")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={}", link.rsplit('/').next().unwrap())))
        .unwrap();
    let reply = app.anonymous(post).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("set-cookie"), "");
    assert!(reply.text().contains("database"), "{}", reply.text());
}

#[tokio::test]
async fn w01_a13_reading_a_link_changes_nothing_and_using_it_works_once() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let link = app.service.sign_in_link(&Steward::Operator, owner.id).await.unwrap();
    let path = link.strip_prefix("http://localhost").unwrap();
    let before = app.entries().await;
    for _ in 0..3 {
        let get = Request::get(path).body(Body::empty()).unwrap();
        let page = app.anonymous(get).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("set-cookie"), "");
    }
    assert_eq!(app.entries().await, before);
    let spend = || {
        Request::post("/sign-in/link")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("token={}", path.rsplit('/').next().unwrap())))
            .unwrap()
    };
    let (one, two) = tokio::join!(app.anonymous(spend()), app.anonymous(spend()));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    let stale = app.service.sign_in_link(&Steward::Operator, owner.id).await.unwrap();
    app.clock.advance(3600);
    let get = Request::get(stale.strip_prefix("http://localhost").unwrap());
    assert_eq!(app.anonymous(get.body(Body::empty()).unwrap()).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a02_a03_a04_sessions_end_by_sign_out_disabling_idling_and_age() {
    let app = TestApp::new().await;
    let one = app.person("Olga Owner", &[]).await;
    let two = app.session(one.id).await;
    let open = async |person: &testing::TestPerson| person.get("/inbox").await.status.as_u16();
    let out = one.post("/sign-out", &[]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.header("set-cookie"));
    assert!(out.header("set-cookie").contains("Secure"), "a browser ignores it otherwise");
    assert_eq!((open(&one).await, open(&two).await), (303, 200));
    app.clock.advance(3599);
    assert_eq!(open(&two).await, 200);
    app.clock.advance(3600);
    assert_eq!(open(&two).await, 303, "idle");
    let busy = app.session(one.id).await;
    for _ in 0..13 {
        app.clock.advance(3500);
        open(&busy).await;
    }
    assert_eq!(open(&busy).await, 303, "older than twelve hours");
    let disabled = app.session(one.id).await;
    app.service.disable_person(&Steward::Operator, one.id).await.unwrap();
    assert_eq!(open(&disabled).await, 303);
}

#[tokio::test]
async fn a06_p01_a_password_signs_in_and_wrong_names_and_passwords_are_alike() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let set =
        owner.post("/settings/password", &[("current", ""), ("new", "correct horse battery")]);
    assert_eq!(set.await.status, StatusCode::SEE_OTHER);
    let sign_in = async |name: &str, password: &str| {
        let body =
            format!("name={}&password={}", name.replace(' ', "+"), password.replace(' ', "+"));
        let post = Request::post("/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        app.anonymous(post.unwrap()).await
    };
    assert_eq!(sign_in("olga owner", "correct horse battery").await.status, StatusCode::SEE_OTHER);
    let wrong = sign_in("Olga Owner", "wrong").await;
    let unknown = sign_in("Nobody", "wrong").await;
    assert_eq!(
        (wrong.status, unknown.status),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    assert!(wrong.text().contains("The name or the password is wrong"));
    // Spelling the name differently does not give more attempts.
    for name in ["Olga Owner", "OLGA OWNER", "olga  owner", "Olga Owner "].iter().cycle().take(10) {
        sign_in(name, "wrong").await;
    }
    let locked = sign_in("olga owner", "correct horse battery").await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    let short =
        owner.post("/settings/password", &[("current", "correct horse battery"), ("new", "short")]);
    assert_eq!(short.await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unproven =
        owner.post("/settings/password", &[("current", "x"), ("new", "a long enough one")]);
    assert_eq!(unproven.await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nhi1_an_administrator_stops_a_key_an_agent_and_a_person_on_their_pages() {
    let app = TestApp::new().await;
    let administrator = app.person("Eve Admin", &["administrators"]).await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let agent = app.agent("agent-1", administrator.id).await;
    let key = app.store.keys_of(&Actor::Agent(agent.id)).await.unwrap()[0].id;
    let revoke = format!("/agents/{}/keys/{key}/revoke", agent.id);
    let before = app.entries().await;
    assert_eq!(bob.post(&revoke, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(administrator.post(&revoke, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(agent.get("/api/v1/requests").await.status, StatusCode::UNAUTHORIZED);
    let again = administrator.post(&revoke, &[]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let suspend = format!("/agents/{}/suspend", agent.id);
    assert_eq!(administrator.post(&suspend, &[]).await.status, StatusCode::SEE_OTHER);
    let disable = format!("/people/{}/disable", bob.id);
    assert_eq!(administrator.post(&disable, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bob.get("/inbox").await.status, StatusCode::SEE_OTHER);
    let oneself = format!("/people/{}/disable", administrator.id);
    assert_eq!(administrator.post(&oneself, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let facts = app.facts_since(before).await;
    assert_eq!(facts, ["KeyRevoked", "AgentSuspended", "PersonDisabled"]);
}
