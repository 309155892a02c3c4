//! An endpoint on 127.0.0.1 that keeps what it gets, and what is done around it in every test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, extract::State, routing::post};
use serde_json::Value;
use server::webhooks::Courier;
use server::webhooks::sender::Sender;
use testing::{TestApp, TestPerson};
use tokio::net::TcpListener;

use super::PATH;

/// What an endpoint got.
#[derive(Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A status, and a header beside it.
type Answer = (u16, Option<(&'static str, String)>);

/// A receiver that keeps what it gets, and answers in turn, then with 204.
#[derive(Clone, Default)]
pub struct Receiver {
    pub got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Receiver {
    pub async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (receiver, url)
    }

    pub fn answers(&self, status: u16) {
        self.answers.lock().unwrap().push_back((status, None));
    }

    pub fn answers_with(&self, status: u16, name: &'static str, value: &str) {
        self.answers.lock().unwrap().push_back((status, Some((name, value.to_owned()))));
    }

    pub fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.got.lock().unwrap())
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    receiver.got.lock().unwrap().push(Got { headers, body: body.to_vec() });
    let answer = receiver.answers.lock().unwrap().pop_front();
    let (status, extra) = answer.unwrap_or((204, None));
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    if let Some((name, value)) = extra {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

pub fn courier(app: &TestApp) -> Courier {
    let sender = Sender::new(app.service.webhook_guard().clone()).unwrap();
    Courier::new(Arc::clone(&app.service), sender)
}

/// Sends what is due and waits for what becomes of it.
pub async fn deliver(app: &TestApp) {
    let mut courier = courier(app);
    courier.round().await.unwrap();
    courier.settle().await;
}

/// The text of the secret on a page that shows it once.
pub fn secret(page: &str) -> String {
    let start = page.find("whsec_").expect("a secret is shown");
    page[start..].split('<').next().unwrap().to_owned()
}

/// An administrator, an endpoint, and the secret that was shown.
pub async fn endpoint(app: &TestApp, url: &str, events: &[&str]) -> (TestPerson, String) {
    let eve = app.person("Eve Admin", &["administrators"]).await;
    let mut fields = vec![("name", "bridge"), ("url", url)];
    fields.extend(events.iter().map(|event| ("events", *event)));
    let reply = eve.post(PATH, &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let secret = secret(&reply.text());
    (eve, secret)
}

/// The endpoint as the program of an administrator reads it.
pub async fn row(app: &TestApp, eve: &TestPerson) -> Value {
    let view = app.service.webhooks_view(&app.caller(eve.id).await).await.unwrap();
    serde_json::to_value(view).unwrap()["webhooks"][0].clone()
}

pub fn verified(secret: &str, got: &Got) -> bool {
    // The library refuses times that are not about now: the time is the test's, the rest is as it came.
    let signer = standardwebhooks::Webhook::new(secret).unwrap();
    let timestamp = got.header("webhook-timestamp").parse().unwrap();
    let wanted = signer.sign(got.header("webhook-id"), timestamp, &got.body).unwrap();
    got.header("webhook-signature").split(' ').any(|one| one == wanted)
}
