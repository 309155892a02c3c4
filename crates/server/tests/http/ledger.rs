//! What auditors' programs read of the ledger, checked with nothing but the public key.

use axum::body::Body;
use axum::http::{Request, header};
use domain::Digest;
use domain::checkpoint::Checkpoint;
use domain::merkle::verify_consistency;
use domain::note::VerifierKey;
use domain::tlog_proof::TlogProof;
use serde_json::Value;
use service::ledger::{Consistency, key_history};
use testing::{Reply, Scene, TestApp};
use tokio::task::JoinSet;

/// A server with a staged request, and an auditor's key.
struct Audited {
    scene: Scene,
    key: String,
}

impl Audited {
    async fn new() -> Self {
        let scene = Scene::staged().await;
        let auditor = scene.app.person("Ida Auditor", &["auditors"]).await;
        let key = scene.app.auditor_key(auditor.id).await;
        Self { scene, key }
    }

    async fn get(&self, path: &str) -> Reply {
        let bearer = format!("Bearer {}", self.key);
        let request = Request::get(format!("/api/v1/ledger/{path}"))
            .header(header::AUTHORIZATION, bearer)
            .body(Body::empty());
        self.app().anonymous(request.unwrap()).await
    }

    fn app(&self) -> &TestApp {
        &self.scene.app
    }

    async fn public_key(&self) -> VerifierKey {
        let instance = self.app().store.instance().await.unwrap().unwrap().id;
        let history = key_history(&*self.app().store, instance).await.unwrap();
        history.newest().unwrap().clone()
    }
}

#[tokio::test]
async fn i8_a_checkpoint_is_issued_when_the_ledger_has_grown_and_never_taken_back() {
    let audited = Audited::new().await;
    let service = &audited.app().service;
    assert_eq!(audited.get("checkpoint").await.problem()["code"], "no_checkpoint");
    let first = service.issue_checkpoint().await.unwrap().unwrap();
    assert_eq!(service.issue_checkpoint().await.unwrap().unwrap(), first, "nothing has grown");
    audited.app().person("Nora New", &[]).await;
    let reply = audited.get("checkpoint").await;
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(reply.text(), first.note, "reading issues none");
    let second = service.issue_checkpoint().await.unwrap().unwrap();
    let key = audited.public_key().await;
    let opened = Checkpoint::open(&audited.get("checkpoint").await.text(), &key).unwrap();
    assert_eq!((opened.size, second.size), (audited.app().entries().await, opened.size));
    audited.app().assert_ledger_holds().await;
}

#[tokio::test]
async fn i8_every_entry_can_be_proved_to_whoever_has_the_public_key() {
    let audited = Audited::new().await;
    let issued = audited.app().service.issue_checkpoint().await.unwrap().unwrap();
    audited.app().person("Nora New", &[]).await;
    let key = audited.public_key().await;
    for stored in audited.app().store.entries(0, 1000).await.unwrap() {
        let index = stored.index;
        let reply = audited.get(&format!("proof/{index}?format=tlog-proof")).await;
        if index >= issued.size {
            assert_eq!(reply.problem()["code"], "no_checkpoint", "not signed for yet");
            continue;
        }
        let proof = TlogProof::parse(&reply.text()).unwrap();
        assert_eq!(proof.verify(&stored.body, &key).unwrap().size, issued.size);
        let json = audited.get(&format!("proof/{index}")).await.json();
        let path: Vec<Digest> = serde_json::from_value(json["proof"].clone()).unwrap();
        assert_eq!(path.into_iter().map(|digest| digest.0).collect::<Vec<_>>(), proof.path);
        assert_eq!(json["checkpoint"], proof.checkpoint);
        assert_eq!(json["size"], issued.size);
    }
    for path in ["proof/x", "proof/-1", "proof/99999999999999999999"] {
        assert_eq!(audited.get(path).await.status, 404, "{path}");
    }
    assert_eq!(audited.get("proof/1?format=pdf").await.problem()["code"], "invalid_query");
}

#[tokio::test]
async fn i8_consistency_is_proved_between_any_two_sizes_and_bad_ranges_are_refused() {
    let audited = Audited::new().await;
    let size = audited.app().service.issue_checkpoint().await.unwrap().unwrap().size;
    for from in 1..=size {
        let reply = audited.get(&format!("consistency?from={from}")).await;
        let proof: Consistency = serde_json::from_slice(&reply.bytes).unwrap();
        let path: Vec<_> = proof.proof.iter().map(|digest| digest.0).collect();
        let (old, new) = ((proof.from, &proof.from_root.0), (proof.to, &proof.to_root.0));
        assert_eq!((proof.from, proof.to), (from, size));
        assert!(verify_consistency(old, new, &path), "{from} to {size}");
    }
    let beyond = size + 1;
    for query in [
        "".to_owned(),
        "?from=0".to_owned(),
        "?from=3&to=2".to_owned(),
        format!("?from=1&to={beyond}"),
        "?from=1&from=2".to_owned(),
        "?from=1&of=2".to_owned(),
    ] {
        let reply = audited.get(&format!("consistency{query}")).await;
        assert_eq!(reply.problem()["code"], "invalid_query", "{query}");
    }
}

#[tokio::test]
async fn h11_entries_are_given_from_an_index_and_up_to_a_limit() {
    let audited = Audited::new().await;
    let entries = |json: &Value| -> Vec<u64> {
        let entries = json["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["index"].as_u64().unwrap()).collect()
    };
    let page = audited.get("entries?from=2&limit=3").await.json();
    assert_eq!(entries(&page), [2, 3, 4]);
    for query in ["limit=0", "limit=501", "limit=x", "from=-1", "to=3"] {
        let reply = audited.get(&format!("entries?{query}")).await;
        assert_eq!(reply.problem()["code"], "invalid_query", "{query}");
    }
}

#[tokio::test]
async fn an_auditor_downloads_the_proof_of_an_entry_on_the_page() {
    let audited = Audited::new().await;
    audited.app().service.issue_checkpoint().await.unwrap();
    let key = audited.public_key().await;
    let auditor = audited.app().person("Ivo Auditor", &["auditors"]).await;
    let page = auditor.get("/ledger").await.text();
    assert!(page.contains(&key.to_string()) && page.contains("/ledger/proof/1\""), "{page}");
    let reply = auditor.get("/ledger/proof/1").await;
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"entry-1.tlog-proof\"");
    let entry = &audited.app().store.entries(1, 1).await.unwrap()[0].body;
    TlogProof::parse(&reply.text()).unwrap().verify(entry, &key).unwrap();
    assert_eq!(auditor.get("/ledger/proof/99").await.status, 404);
    assert_eq!(audited.scene.bob.get("/ledger/proof/1").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn l19_a_check_while_agents_stage_finds_nothing_wrong() {
    let scene = Scene::staged().await;
    let mut stagings = JoinSet::new();
    for _ in 0..8 {
        let agent = scene.agent.at(&scene.app.router);
        stagings.spawn(async move {
            for _ in 0..50 {
                agent.stage().await;
            }
        });
    }
    let mut checks = 0;
    while !stagings.is_empty() {
        scene.app.assert_ledger_holds().await;
        checks += 1;
        while stagings.try_join_next().transpose().unwrap().is_some() {}
    }
    assert!(checks > 1, "only one check while they staged");
}

#[tokio::test]
async fn l09_l10_a_server_whose_database_no_longer_goes_with_its_keys_ends() {
    let app = TestApp::new().await;
    app.service.name_next_key().await.unwrap();
    app.person("Nora New", &[]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let state = server::AppState::new(std::sync::Arc::clone(&app.service), false);
    let ended = server::serve(listener, state, std::future::pending()).await;
    assert!(matches!(ended, Err(server::ServeError::AtOdds(_))), "{ended:?}");
}
