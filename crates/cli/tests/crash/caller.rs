//! The agent and the approver as a server sees them, over the network.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect};
use serde_json::{Value, json};

/// Who decides on what is staged.
pub const APPROVER: &str = "Mia Okafor";

/// What the two know, whichever server they call.
#[derive(Debug)]
pub struct Desk {
    pub agent_key: String,
    pub cookie: String,
    /// Everybody's.
    pub password: String,
    /// What is staged: small, reversible, decided by one approver, redeemed by its own stager.
    pub body: Value,
}

/// Both of them at one server.
#[derive(Clone)]
pub struct Caller {
    pub desk: Arc<Desk>,
    pub url: String,
    client: Client,
}

/// An answer that arrived whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The body where the answer says yes.
    pub fn granted(&self) -> Option<Value> {
        let yes = (200..300).contains(&self.status);
        yes.then(|| serde_json::from_str(&self.body).unwrap())
    }
}

/// A client that follows no redirect: a form's answer is one.
pub fn client() -> Client {
    // The binary installs its own; a test that ran before has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(redirect::Policy::none());
    builder.timeout(Duration::from_secs(60)).build().unwrap()
}

impl Caller {
    pub fn new(desk: &Arc<Desk>, url: &str) -> Self {
        Self { desk: Arc::clone(desk), url: url.to_owned(), client: client() }
    }

    /// Stages under an Idempotency-Key.
    pub async fn stage(&self, key: &str) -> Option<Answer> {
        self.agent("requests", &self.desk.body, key).await
    }

    /// The signed token of a request's page: that it was shown to the approver.
    pub async fn shown(&self, request: &Value) -> Option<String> {
        let url = format!("{}/requests/{}", self.url, text(&request["id"]));
        let page = send(self.client.get(url).header("cookie", &self.desk.cookie)).await?;
        let field = page.body.split("<input").find(|input| input.contains("name=\"shown\""))?;
        Some(field.split("value=\"").nth(1)?.split('"').next()?.to_owned())
    }

    /// Approves what was shown, by the page's form.
    pub async fn approve(&self, request: &Value, shown: &str) -> Option<Answer> {
        let fields = [
            ("verdict", "approve"),
            ("justification", "the ticket matches"),
            ("digest", text(&request["digest"])),
            ("shown", shown),
        ];
        self.post(&format!("/requests/{}/review", text(&request["id"])), &fields).await
    }

    /// Redeems a request's digest under an Idempotency-Key.
    pub async fn redeem(&self, request: &Value, key: &str) -> Option<Answer> {
        let path = format!("requests/{}/redeem", text(&request["id"]));
        self.agent(&path, &json!({"digest": request["digest"]}), key).await
    }

    /// What the agent is told of a request.
    pub async fn read(&self, id: &str) -> Option<Answer> {
        let url = format!("{}/api/v1/requests/{id}", self.url);
        send(self.client.get(url).bearer_auth(&self.desk.agent_key)).await
    }

    /// The same caller, with a session that begins now.
    pub async fn sign_in(&self, name: &str) -> Self {
        let fields = [("name", name), ("password", &self.desk.password)];
        let cookie = cookie_of(&format!("{}/sign-in", self.url), &fields).await;
        let Desk { agent_key, password, body, .. } = &*self.desk;
        let (agent_key, password, body) = (agent_key.clone(), password.clone(), body.clone());
        let desk = Arc::new(Desk { agent_key, cookie, password, body });
        Self { desk, url: self.url.clone(), client: self.client.clone() }
    }

    /// A form post with the approver's cookie, as a browser on our own page sends it.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        let request = self.client.post(format!("{}{path}", self.url)).form(fields);
        let request = request.header("sec-fetch-site", "same-origin");
        send(request.header("cookie", &self.desk.cookie)).await
    }

    async fn agent(&self, path: &str, body: &Value, key: &str) -> Option<Answer> {
        let request = self.client.post(format!("{}/api/v1/{path}", self.url)).json(body);
        let request = request.bearer_auth(&self.desk.agent_key);
        send(request.header("idempotency-key", key)).await
    }
}

/// Sends it; nothing where the answer did not arrive whole.
async fn send(request: RequestBuilder) -> Option<Answer> {
    let answer = request.send().await.ok()?;
    Some(Answer { status: answer.status().as_u16(), body: answer.text().await.ok()? })
}

/// Uses a one-time link; gives the session's cookie.
pub async fn sign_in(url: &str, link: &str) -> String {
    let fields = [("token", link.rsplit('/').next().unwrap())];
    cookie_of(&format!("{url}/sign-in/link"), &fields).await
}

async fn cookie_of(url: &str, fields: &[(&str, &str)]) -> String {
    let request = client().post(url).form(fields).header("sec-fetch-site", "same-origin");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 303, "nobody is signed in at {url}");
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
