//! Who keeps endpoints: their secrets, what is told again, and who may.

use axum::http::{StatusCode, header};
use testing::{Scene, TestApp};

use super::PATH;
use super::receiver::{Receiver, deliver, endpoint, row, secret, verified};

#[tokio::test]
async fn f09_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one_alone() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let (eve, old) = endpoint(&app, &url, &["request.staged"]).await;
    let id = row(&app, &eve).await["id"].as_str().unwrap().to_owned();
    let reply = eve.post(&format!("{PATH}/{id}/rotate"), &[]).await;
    let new = secret(&reply.text());
    assert_ne!(old, new);
    agent.stage().await;
    deliver(&app).await;
    let got = receiver.take().remove(0);
    assert!(verified(&old, &got) && verified(&new, &got));
    app.clock.advance(24 * 3600);
    agent.stage().await;
    deliver(&app).await;
    let got = receiver.take().remove(0);
    assert!(!verified(&old, &got) && verified(&new, &got), "{}", got.header("webhook-signature"));
}

#[tokio::test]
async fn f11_the_secret_is_shown_once_and_neither_it_nor_the_address_is_in_the_ledger() {
    let app = TestApp::new().await;
    let before = app.entries().await;
    let (eve, secret) = endpoint(&app, "https://bridge.example/T0KEN", &[]).await;
    assert!(!eve.get(PATH).await.text().contains("whsec_"));
    let entries = app.store.entries(before, 100).await.unwrap();
    let bodies: Vec<String> =
        entries.iter().map(|entry| String::from_utf8(entry.body.clone()).unwrap()).collect();
    assert!(bodies.iter().any(|body| body.contains("WebhookAdded")));
    for body in &bodies {
        assert!(!body.contains("T0KEN") && !body.contains(&secret), "{body}");
    }
    let file = app.directory.path().join("copy.db");
    app.store.backup(&file).await.unwrap();
    let raw = std::fs::read(file).unwrap();
    let text = secret.trim_start_matches("whsec_");
    assert!(!raw.windows(text.len()).any(|window| window == text.as_bytes()), "in no database");
    app.assert_ledger_holds().await;
}

#[tokio::test]
async fn a_part_of_the_ledger_is_told_again_only_as_far_as_was_asked() {
    let Scene { app, agent, .. } = Scene::staged().await;
    let (receiver, url) = Receiver::start().await;
    let from = app.entries().await;
    agent.stage().await;
    agent.stage().await;
    let to = app.entries().await - 1;
    agent.stage().await;
    let (eve, _) = endpoint(&app, &url, &["request.staged"]).await;
    let path = format!("{PATH}/{}/replay", row(&app, &eve).await["id"].as_str().unwrap());
    let ask = |from: String, to: String| {
        let (eve, path) = (&eve, &path);
        async move { eve.post(path, &[("from", &*from), ("to", &*to)]).await.status }
    };
    for (bad_from, bad_to) in [("5", "4"), ("0", "10000"), ("x", "9"), ("3", ""), ("-1", "4")] {
        let status = ask(bad_from.into(), bad_to.into()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad_from} to {bad_to}");
    }
    assert_eq!(ask(from.to_string(), to.to_string()).await, StatusCode::SEE_OTHER);
    deliver(&app).await;
    assert_eq!(receiver.take().len(), 2);
}

#[tokio::test]
async fn only_administrators_keep_endpoints_and_each_change_is_one_fact() {
    let app = TestApp::new().await;
    let (eve, _) = endpoint(&app, "https://bridge.example/", &[]).await;
    let bob = app.person("Bob Approver", &["approvers", "auditors"]).await;
    let id = row(&app, &eve).await["id"].as_str().unwrap().to_owned();
    let before = app.entries().await;
    assert_eq!(bob.get(PATH).await.status, StatusCode::FORBIDDEN);
    let fields = [("name", "mine"), ("url", "https://mine.example/")];
    assert_eq!(bob.post(PATH, &fields).await.status, StatusCode::FORBIDDEN);
    for deed in ["rotate", "remove", "replay"] {
        let reply = bob.post(&format!("{PATH}/{id}/{deed}"), &[]).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{deed}");
    }
    assert!(!bob.get("/settings").await.text().contains(PATH));
    assert!(eve.get("/settings").await.text().contains(PATH));
    assert_eq!(app.entries().await, before);

    assert_eq!(eve.post(&format!("{PATH}/{id}/rotate"), &[]).await.status, 200);
    assert_eq!(eve.post(&format!("{PATH}/{id}/replay"), &[]).await.status, 303);
    assert_eq!(eve.post(&format!("{PATH}/{id}/remove"), &[]).await.status, 303);
    assert_eq!(app.facts_since(before).await, ["WebhookSecretRotated", "WebhookRemoved"]);
    for deed in ["rotate", "remove", "replay"] {
        let reply = eve.post(&format!("{PATH}/{id}/{deed}"), &[]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{deed}");
    }
    assert_eq!(app.store.rebuild().await.unwrap().differences, []);
}

#[tokio::test]
async fn two_endpoints_have_two_names_and_a_house_has_twenty() {
    let app = TestApp::new().await;
    let (eve, _) = endpoint(&app, "https://bridge.example/", &[]).await;
    let add = |name: String| {
        let eve = &eve;
        async move { eve.post(PATH, &[("name", &*name), ("url", "https://b.example/")]).await }
    };
    assert!(add("bridge".into()).await.text().contains("a name that looks the same"));
    for number in 2..=20 {
        assert_eq!(add(format!("bridge {number}")).await.status, 200);
    }
    let full = add("one more".into()).await;
    assert_eq!(full.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(full.text().contains("at most 20 endpoints"), "{}", full.text());
    assert_eq!(full.header(header::CACHE_CONTROL.as_str()), "no-store");
}
