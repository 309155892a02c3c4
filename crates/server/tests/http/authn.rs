//! Keys and sessions.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use domain::Actor;
use service::Steward;
use service::sign_in::SignInError;
use testing::TestApp;

const PASSWORD: &str = "correct horse battery";

/// What the sign-in form sends.
fn credentials(name: &str, password: &str) -> Request<Body> {
    let body = format!("name={}&password={}", name.replace(' ', "+"), password.replace(' ', "+"));
    let post = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body));
    post.unwrap()
}

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
    // Nor one that is there: somebody else may know it.
    let known = app.session(owner.id).await;
    let link = app.service.sign_in_link(&Steward::Operator, owner.id).await.unwrap();
    let over = known.post("/sign-in/link", &[("token", link.rsplit('/').next().unwrap())]).await;
    assert_eq!(over.status, StatusCode::SEE_OTHER);
    assert!(!over.header("set-cookie").contains(&known.cookie), "{}", over.header("set-cookie"));
    assert_eq!(known.get("/inbox").await.status, StatusCode::SEE_OTHER);
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
async fn i12_a_link_of_a_server_whose_clock_is_behind_the_ledger_can_be_used() {
    let app = TestApp::new().await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let beside = app.beside().await;
    app.clock.advance(7200);
    let other = app.person("Cat Approver", &["approvers"]).await;
    app.clock.advance(-7200);
    let link = beside.sign_in_link(&Steward::Operator, bob.id).await.unwrap();
    let spent = beside.spend_link(link.rsplit('/').next().unwrap()).await.unwrap();
    assert_eq!((spent.id(), other.get("/inbox").await.status), (bob.id, StatusCode::OK));
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
    let mut owner = app.person("Olga Owner", &[]).await;
    assert_eq!(owner.set_password("", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let sign_in =
        async |name: &str, password: &str| app.anonymous(credentials(name, password)).await;
    assert_eq!(sign_in("olga owner", PASSWORD).await.status, StatusCode::SEE_OTHER);
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
    let locked = sign_in("olga owner", PASSWORD).await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    let short = owner.set_password(PASSWORD, "short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unproven = owner.set_password("x", "a long enough one").await;
    assert_eq!(unproven.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a06_a_session_guesses_its_own_password_no_faster_than_a_stranger() {
    let app = TestApp::new().await;
    let mut owner = app.person("Olga Owner", &[]).await;
    owner.set_password("", PASSWORD).await;
    let before = app.entries().await;
    for _ in 0..10 {
        let wrong = owner.set_password("wrong", "a long enough one").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(app.facts_since(before).await, ["SignInRefused"; 10]);
    let right = owner.set_password(PASSWORD, "a long enough one").await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "{}", right.text());
    assert!(right.text().contains("Too many attempts"), "{}", right.text());
}

#[tokio::test]
async fn a13_with_a_password_links_and_sessions_of_before_are_over() {
    let app = TestApp::new().await;
    let bob = app.person("Bob Approver", &["approvers"]).await;
    let mut own = app.session(bob.id).await;
    let link = app.service.sign_in_link(&Steward::Operator, bob.id).await.unwrap();
    let token = link.rsplit('/').next().unwrap();
    assert_eq!(own.set_password("", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bob.get("/inbox").await.status, StatusCode::SEE_OTHER, "begun by another link");
    assert_eq!(own.get("/inbox").await.status, StatusCode::OK);
    let held_back = app.service.spend_link(token).await;
    assert!(matches!(held_back, Err(SignInError::LinkSpent)), "{held_back:?}");
    let elsewhere = app.anonymous(credentials("Bob Approver", PASSWORD)).await;
    assert_eq!(elsewhere.status, StatusCode::SEE_OTHER);
    let before = own.cookie.clone();
    assert_eq!(own.set_password(PASSWORD, "another long one").await.status, StatusCode::SEE_OTHER);
    assert_ne!(own.cookie, before);
    for cookie in [before.as_str(), elsewhere.header("set-cookie").split(';').next().unwrap()] {
        let open = Request::get("/inbox").header(header::COOKIE, cookie).body(Body::empty());
        assert_eq!(app.anonymous(open.unwrap()).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(own.get("/inbox").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a13_of_two_first_passwords_at_once_one_is_set() {
    let app = TestApp::new().await;
    let mut one = app.person("Bob Approver", &["approvers"]).await;
    let mut other = app.session(one.id).await;
    let before = app.entries().await;
    let (first, second) = tokio::join!(
        one.set_password("", "the first of both"),
        other.set_password("", "the second of both")
    );
    let set = [&first, &second].iter().filter(|reply| reply.status == 303).count();
    assert_eq!(set, 1, "{} {}", first.status, second.status);
    let facts = app.facts_since(before).await;
    assert_eq!(facts.iter().filter(|fact| *fact == "PasswordSet").count(), 1, "{facts:?}");
}

#[tokio::test]
async fn j04_strangers_who_wait_are_so_many_and_keep_nobody_inside_waiting() {
    let app = TestApp::new().await;
    let mut owner = app.person("Olga Owner", &[]).await;
    owner.set_password("", PASSWORD).await;
    let strangers = (0..200).map(|n| {
        let request = credentials(&format!("Nobody {n}"), "wrong");
        app.anonymous(request)
    });
    let (replies, own) = tokio::join!(
        futures::future::join_all(strangers),
        owner.set_password(PASSWORD, "a long enough one")
    );
    assert_eq!(own.status, StatusCode::SEE_OTHER);
    let looked_at = replies.iter().filter(|reply| reply.status == 401).count();
    let turned_away = replies.iter().filter(|reply| reply.status == 429).count();
    assert_eq!((looked_at + turned_away, turned_away > 0), (200, true), "{looked_at}");
}

#[tokio::test]
async fn a02_a_request_under_way_does_not_bring_back_a_session_that_was_ended() {
    let app = TestApp::new().await;
    let person = app.person("Olga Owner", &[]).await;
    app.clock.advance(600);
    let (sender, body) = futures::channel::mpsc::unbounded::<Result<String, std::io::Error>>();
    let held = Request::post("/settings/password")
        .header(header::COOKIE, &person.cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from_stream(body));
    let held = app.anonymous(held.unwrap());
    let out = async {
        // Long enough for the other one to have been taken for a use of the session.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(person.post("/sign-out", &[]).await.status, StatusCode::SEE_OTHER);
        sender.unbounded_send(Ok("current=&new=short".to_owned())).unwrap();
        drop(sender);
    };
    let (held, ()) = tokio::join!(held, out);
    assert!(held.status.is_client_error(), "{}", held.status);
    assert_eq!(person.get("/inbox").await.status, StatusCode::SEE_OTHER);
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
