//! People of the demo, as their browsers reach it.

use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

use crate::{builder, text};

/// Somebody who is signed in.
pub struct Person {
    url: String,
    cookie: String,
}

fn browser() -> Client {
    builder().redirect(redirect::Policy::none()).build().unwrap()
}

async fn send(url: String, cookie: &str, fields: &[(&str, &str)]) -> reqwest::Result<Response> {
    let encoded =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    browser()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", cookie)
        .body(body.join("&"))
        .send()
        .await
}

async fn post(url: String, cookie: &str, fields: &[(&str, &str)]) -> Response {
    let answer = send(url, cookie, fields).await.unwrap();
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    answer
}

impl Person {
    /// Uses the one-time link that the demo printed for them.
    pub async fn sign_in(url: &str, handout: &Value, who: &str) -> Self {
        let link = text(&handout["sign_in"][who]);
        let token = link.rsplit('/').next().unwrap();
        let answer = post(format!("{url}/sign-in/link"), "", &[("token", token)]).await;
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { url: url.to_owned(), cookie }
    }

    /// The secret part of the session's cookie.
    pub fn session(&self) -> &str {
        &self.cookie[20..]
    }

    /// The status of a page.
    pub async fn status(&self, url: &str, path: &str) -> u16 {
        let page = browser().get(format!("{url}{path}")).header("cookie", &self.cookie);
        page.send().await.unwrap().status().as_u16()
    }

    /// The text of a page.
    pub async fn page(&self, path: &str) -> String {
        let page = browser().get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        page.send().await.unwrap().text().await.unwrap()
    }

    /// Reviews what is on a request's page.
    pub async fn review(&self, id: &str, verdict: &str, justification: &str) {
        let [digest, shown] = self.shown(id).await;
        let fields = [
            ("verdict", verdict),
            ("justification", justification),
            ("digest", &digest),
            ("shown", &shown),
        ];
        self.post(&format!("/requests/{id}/review"), &fields).await;
    }

    /// The digest on a request's page, and what proves that it was shown.
    pub async fn shown(&self, id: &str) -> [String; 2] {
        let page = self.page(&format!("/requests/{id}")).await;
        let field = |name: &str| {
            let mut inputs = page.split("<input");
            let input = inputs.find(|input| input.contains(&format!("name=\"{name}\"")));
            let input = input.unwrap_or_else(|| panic!("there is no field {name}"));
            input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        ["digest", "shown"].map(field)
    }

    /// Denies what was shown; whether the server said that it is recorded.
    pub async fn denies(&self, id: &str, [digest, shown]: &[String; 2]) -> bool {
        let fields = [
            ("verdict", "deny"),
            ("justification", "not while it stops"),
            ("digest", digest),
            ("shown", shown),
        ];
        let answer = send(format!("{}/requests/{id}/review", self.url), &self.cookie, &fields);
        answer.await.is_ok_and(|answer| answer.status() == StatusCode::SEE_OTHER)
    }

    /// Approves a request, on its page.
    pub async fn approve(&self, id: &str) {
        self.review(id, "approve", "checked").await;
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) {
        post(format!("{}{path}", self.url), &self.cookie, fields).await;
    }
}
