//! People with a browser session.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use domain::PersonId;
use serde_json::Value;
use service::Steward;
use service::change::Membership;
use tempfile::TempDir;

use crate::app::{send, text};
use crate::{Reply, TestApp};

/// A person who is signed in.
pub struct TestPerson {
    pub id: PersonId,
    pub cookie: String,
    router: Router,
    /// The database stays as long as anybody uses it.
    _directory: Arc<TempDir>,
}

impl TestApp {
    /// Adds a person to groups and signs them in by a one-time link.
    pub async fn person(&self, name: &str, groups: &[&str]) -> TestPerson {
        let added = self.service.add_person(&Steward::Operator, name, groups).await;
        self.session(added.expect("a person").0).await
    }

    /// A new session of the person of this name.
    pub async fn person_named(&self, name: &str) -> TestPerson {
        let house = self.store.house().await.expect("a house");
        let person = house.people().iter().find(|person| person.name == name).expect("somebody");
        self.session(person.id).await
    }

    /// Takes a person out of a group.
    pub async fn leaves(&self, person: PersonId, group: &str) {
        let (by, change) = (Steward::Operator, Membership::Remove);
        let left = self.service.change_group(&by, change, person, group, "they left").await;
        left.expect("a change");
    }

    /// A new session of a person, by a one-time link.
    pub async fn session(&self, id: PersonId) -> TestPerson {
        let link = self.service.sign_in_link(&Steward::Operator, id).await.expect("a link");
        let token = link.rsplit('/').next().expect("a token");
        let reply = self.anonymous(form("/sign-in/link", &[("token", token)], None)).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let cookie = cookie_of(&reply);
        let _directory = Arc::clone(&self.directory);
        TestPerson { id, cookie, router: self.router.clone(), _directory }
    }
}

impl TestPerson {
    /// The same session at another server.
    pub fn at(&self, node: &Router) -> Self {
        let (cookie, _directory) = (self.cookie.clone(), Arc::clone(&self._directory));
        Self { id: self.id, cookie, router: node.clone(), _directory }
    }

    /// A GET with the cookie.
    pub async fn get(&self, path: &str) -> Reply {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        send(&self.router, request.body(Body::empty()).expect("a request")).await
    }

    /// A form post with the cookie, as a browser on our own page sends it.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        send(&self.router, form(path, fields, Some(&self.cookie))).await
    }

    /// Sets a password, and goes on in the new session.
    pub async fn set_password(&mut self, current: &str, new: &str) -> Reply {
        let reply = self.post("/settings/password", &[("current", current), ("new", new)]).await;
        if reply.status == 303 {
            self.cookie = cookie_of(&reply);
        }
        reply
    }

    /// Opens a request's page and takes the form's hidden `shown` token.
    pub async fn shown(&self, request: &Value) -> String {
        let page = self.get(&format!("/requests/{}", text(&request["id"]))).await.text();
        let field = page.split("<input").find(|input| input.contains("name=\"shown\""));
        let value = field.and_then(|input| input.split("value=\"").nth(1));
        value.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }

    /// Opens the page and sends a verdict on it.
    pub async fn review(&self, request: &Value, verdict: &str) -> Reply {
        let shown = self.shown(request).await;
        self.review_as_shown(request, verdict, &shown).await
    }

    /// Sends a verdict with a `shown` token taken before.
    pub async fn review_as_shown(&self, request: &Value, verdict: &str, shown: &str) -> Reply {
        let path = format!("/requests/{}/review", text(&request["id"]));
        let fields = [
            ("verdict", verdict),
            ("justification", "the ticket matches"),
            ("digest", text(&request["digest"])),
            ("shown", shown),
        ];
        self.post(&path, &fields).await
    }
}

/// The cookie that the answer sets.
fn cookie_of(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

fn form(path: &str, fields: &[(&str, &str)], cookie: Option<&str>) -> Request<Body> {
    let encoded = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        text.bytes()
            .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let mut request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::from(body.join("&"))).expect("a request")
}
