//! A server in this process, and its agents.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use domain::{AgentId, PersonId, Scope};
use serde_json::{Value, json};
use server::AppState;
use service::guard::Guard;
use service::house::MAX_KEY_LIFE_S;
use service::ledger::Trust;
use service::{KeyRing, Limits, PersonCaller, Service, Steward};
use store::{Clock, PostgresStore, SqliteStore, Store};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::tamper::Place;
use crate::{FixedClock, Reply, SeededEntropy, postgres};

/// A whole server on a database of its own.
pub struct TestApp {
    pub service: Arc<Service>,
    pub clock: Arc<FixedClock>,
    pub store: Arc<dyn Store>,
    pub router: Router,
    pub directory: Arc<TempDir>,
    pub(crate) place: Place,
    /// How many servers were started on it: each has entropy of its own.
    starts: AtomicU64,
}

/// An agent with its key.
pub struct TestAgent {
    pub id: AgentId,
    pub key: String,
    router: Router,
    /// The database stays as long as anybody uses it.
    _directory: Arc<TempDir>,
}

/// The kind that tests stage: small, reversible, redeemed by its own stager.
const KIND: &str = "vendor.key_extend";

/// Which back end the tests of a server run on: `postgres`, or else SQLite.
const BACK_END: &str = "COUNTERSIGN_TEST_DATABASE";

async fn new_place(directory: &Path) -> Place {
    match std::env::var(BACK_END).as_deref() {
        Ok("postgres") => Place::Server(postgres::database().await),
        Ok("sqlite") | Err(_) => Place::File(directory.join("test.db")),
        Ok(other) => panic!("{BACK_END} is `{other}`, not `postgres` or `sqlite`"),
    }
}

async fn open(place: &Place, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
    match place {
        Place::File(file) => Arc::new(SqliteStore::open(file, clock).await.expect("a store")),
        Place::Server(url) => Arc::new(PostgresStore::open(url, clock).await.expect("a store")),
    }
}

/// Where webhooks may go in tests, beside public addresses.
const ENDPOINTS: &str = "127.0.0.1/32";

/// A stage body that works.
pub fn stage_body() -> Value {
    let kinds = service::house::BUILT_IN_KINDS;
    let text = kinds.iter().find(|text| text.contains(&format!("\"name\": \"{KIND}\"")));
    let kind: Value = serde_json::from_str(text.expect("the kind ships")).expect("it is JSON");
    kind["example"].clone()
}

type Started = (Arc<Service>, Arc<dyn Store>);

/// Starts a server. The same `seed` gives the same row of entropy.
async fn start(
    place: &Place,
    directory: &Path,
    clock: &Arc<FixedClock>,
    seed: u64,
    limits: Limits,
) -> Started {
    let entropy = Arc::new(SeededEntropy::new(seed));
    let keys = KeyRing::open(&directory.join("keys"), &*entropy).expect("keys");
    let store = open(place, Arc::clone(clock) as _).await;
    let (clock, url) = (Arc::clone(clock) as _, "http://localhost".to_owned());
    let service = Service::new(Arc::clone(&store), clock, entropy, keys, url).expect("a service");
    let guard = Guard::new(vec![ENDPOINTS.parse().expect("a network")]);
    (Arc::new(service.within(limits).with_webhooks_to(guard)), store)
}

fn routes(service: &Arc<Service>) -> Router {
    server::router(AppState::new(Arc::clone(service), false))
}

impl TestApp {
    /// An initialised server without people or agents, where an agent may have as much as it likes.
    pub async fn new() -> Self {
        Self::within(Limits::NONE).await
    }

    /// The same, with limits on what an agent may have.
    pub async fn within(limits: Limits) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        let clock = Arc::new(FixedClock::default());
        let place = new_place(directory.path()).await;
        let (service, store) = start(&place, directory.path(), &clock, 0, limits).await;
        service.initialise().await.expect("an installation");
        let (router, starts) = (routes(&service), AtomicU64::new(1));
        Self { service, clock, store, router, directory, place, starts }
    }

    /// Stops the server once everything that waits is written, and starts it again. Nobody may hold
    /// a route of it still: a SQLite file has one server.
    pub async fn restarted(self) -> Self {
        let Self { service, clock, store, router, directory, place, starts } = self;
        service.close().await;
        let limits = service.limits();
        drop((service, store, router));
        let seed = starts.fetch_add(1, Ordering::SeqCst);
        let (service, store) = start(&place, directory.path(), &clock, seed, limits).await;
        let router = routes(&service);
        Self { service, clock, store, router, directory, place, starts }
    }

    /// Stops the server, and removes its database.
    pub async fn end(self) {
        self.service.close().await;
        if let Place::Server(url) = &self.place {
            postgres::remove(url).await;
        }
    }

    /// A server beside this one, on the same database. A SQLite file has one server: that is this one.
    pub async fn beside(&self) -> Arc<Service> {
        match self.place {
            Place::File(_) => Arc::clone(&self.service),
            Place::Server(_) => {
                let seed = self.starts.fetch_add(1, Ordering::SeqCst);
                let limits = self.service.limits();
                start(&self.place, self.directory.path(), &self.clock, seed, limits).await.0
            }
        }
    }

    /// The routes of this server, and of one beside it, as in [`TestApp::beside`].
    pub async fn nodes(&self) -> [Router; 2] {
        [self.router.clone(), routes(&self.beside().await)]
    }

    /// Adds an agent of `owner` with a key that was shown to the owner.
    pub async fn agent(&self, name: &str, owner: PersonId) -> TestAgent {
        let id = self.service.add_agent(&Steward::Operator, name, owner).await.expect("an agent");
        let key = self.key(id, owner).await;
        let _directory = Arc::clone(&self.directory);
        TestAgent { id, key, router: self.router.clone(), _directory }
    }

    /// Issues one more key of an agent.
    pub async fn key(&self, agent: AgentId, shown_to: PersonId) -> String {
        self.scoped_key(agent, shown_to, Scope::default()).await
    }

    /// Issues one more key of an agent, which is limited.
    pub async fn scoped_key(&self, agent: AgentId, shown_to: PersonId, scope: Scope) -> String {
        let expires_at = self.service.now().plus_seconds(MAX_KEY_LIFE_S);
        let issued = self
            .service
            .issue_agent_key(&Steward::Operator, agent, shown_to, expires_at, scope)
            .await;
        issued.expect("a key").reveal().to_owned()
    }

    /// A person as the service knows them after they signed in.
    pub async fn caller(&self, person: PersonId) -> PersonCaller {
        let caller = self.service.person_caller(person, self.service.now()).await;
        caller.expect("the store answers").expect("an active person")
    }

    /// Issues an auditor's key.
    pub async fn auditor_key(&self, auditor: PersonId) -> String {
        let expires_at = self.service.now().plus_seconds(MAX_KEY_LIFE_S);
        let issued = self.service.issue_auditor_key(&self.caller(auditor).await, expires_at).await;
        issued.expect("a key").reveal().to_owned()
    }

    /// Sends a request without any credential.
    pub async fn anonymous(&self, request: Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    /// How many entries the ledger has.
    pub async fn entries(&self) -> u64 {
        self.store.ledger_size().await.expect("a size")
    }

    /// The names of the ledger's facts from `index` on.
    pub async fn facts_since(&self, index: u64) -> Vec<String> {
        let entries = self.store.entries(index, 1000).await.expect("entries");
        let name = |body: &[u8]| {
            let entry: domain::Entry = serde_json::from_slice(body).expect("an entry");
            entry.fact.name().to_owned()
        };
        entries.iter().map(|entry| name(&entry.body)).collect()
    }

    /// Checks the ledger from its first entry.
    pub async fn assert_ledger_holds(&self) {
        let verified =
            service::ledger::verify_ledger(&*self.store, Trust::default()).await.expect("a ledger");
        verified.expect("the ledger holds");
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.expect("the router answers");
    Reply::read(response).await
}

impl TestAgent {
    /// The same agent, as it calls another server.
    pub fn at(&self, node: &Router) -> Self {
        let (key, _directory) = (self.key.clone(), Arc::clone(&self._directory));
        Self { id: self.id, key, router: node.clone(), _directory }
    }

    /// The same agent by another credential.
    pub fn with(&self, key: String) -> Self {
        let (router, _directory) = (self.router.clone(), Arc::clone(&self._directory));
        Self { id: self.id, key, router, _directory }
    }

    /// A GET with the key, and headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(path).header(header::AUTHORIZATION, self.bearer());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&self.router, request.body(Body::empty()).expect("a request")).await
    }

    /// A GET with the key.
    pub async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[]).await
    }

    /// A POST of JSON with the key, and an Idempotency-Key where one is given.
    pub async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Reply {
        let bytes = serde_json::to_vec(body).expect("JSON");
        self.post_bytes(path, bytes, key).await
    }

    /// A POST of anything under the media type of JSON.
    pub async fn post_bytes(&self, path: &str, body: Vec<u8>, key: Option<&str>) -> Reply {
        let mut request = Request::post(path)
            .header(header::AUTHORIZATION, self.bearer())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        send(&self.router, request.body(Body::from(body)).expect("a request")).await
    }

    /// Stages the body that works; answers with the request.
    pub async fn stage(&self) -> Value {
        let reply = self.post("/api/v1/requests", &stage_body(), None).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// Redeems a request's digest under an Idempotency-Key.
    pub async fn redeem(&self, request: &Value, key: &str) -> Reply {
        let path = format!("/api/v1/requests/{}/redeem", text(&request["id"]));
        self.post(&path, &json!({"digest": request["digest"]}), Some(key)).await
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }
}

/// A JSON string as it is.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
