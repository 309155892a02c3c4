//! A running server, as a person's commands reach it: sign in, ask, sign out.
//!
//! A command says what the forms of the dashboard say, to the same addresses, and is answered in
//! JSON. Who may do what is the server's to know.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use reqwest::header::{ACCEPT, COOKIE, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use crate::wire::{self, Problem, Unreachable};

/// How often a server may say "later" to one command.
const MOST_WAITS: u32 = 10;

/// Which server, and as whom.
#[derive(Args)]
#[command(next_help_heading = "Who asks where")]
struct AsPerson {
    /// The address of the server
    #[arg(
        long,
        env = "COUNTERSIGN_URL",
        value_name = "URL",
        default_value = "http://localhost:8080",
        global = true
    )]
    url: String,
    /// Your name, as you sign in with it
    #[arg(long = "as", env = "COUNTERSIGN_PERSON", value_name = "NAME", global = true)]
    person: Option<String>,
    /// A file with your password, `-` for standard input; without it you are asked
    #[arg(long, env = "COUNTERSIGN_PASSWORD_FILE", value_name = "FILE", global = true)]
    password_file: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

/// What a person asks for, and as whom.
#[derive(Args)]
pub struct Asked<C: Subcommand> {
    #[command(flatten)]
    who: AsPerson,
    #[command(subcommand)]
    command: C,
}

/// What the server answered to a form.
pub enum Answer {
    /// Data.
    Document(Value),
    /// It is done; where to look.
    SeeOther(String),
}

/// A signed-in person.
pub struct Session {
    client: Client,
    url: Url,
    cookie: HeaderValue,
    /// The person wants JSON.
    pub json: bool,
}

impl<C: Subcommand> Asked<C> {
    /// Signs in, does it, and signs out, whatever became of it.
    pub async fn run(
        self,
        act: impl AsyncFnOnce(&Session, C) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let session = self.who.sign_in().await?;
        let done = act(&session, self.command).await;
        // A session that cannot be ended ends by itself, within the hour.
        if let Err(error) = session.post("/sign-out", &[]).await {
            tracing::warn!("cannot sign out: {error:#}");
        }
        done
    }
}

impl AsPerson {
    async fn sign_in(&self) -> anyhow::Result<Session> {
        let url = wire::address(&self.url)?;
        let name = self.person.as_deref().ok_or_else(|| {
            anyhow!("say who you are: --as NAME, or COUNTERSIGN_PERSON in the environment")
        })?;
        let password = self.password(name)?;
        let client = wire::client(&url)?;
        let form = client.post(url.join("/sign-in")?);
        let form = form.form(&[("name", name), ("password", &password)]);
        let response = patiently(form, &url).await?;
        if response.status() != StatusCode::SEE_OTHER {
            return Err(Problem::of(response).await).context("cannot sign in");
        }
        let cookie =
            cookie(&response).context("the server signed nobody in: is it Countersign?")?;
        Ok(Session { client, url, cookie, json: self.json })
    }

    fn password(&self, name: &str) -> anyhow::Result<String> {
        let text = match &self.password_file {
            Some(file) => wire::read(file)?,
            None if std::io::stdin().is_terminal() => {
                rpassword::prompt_password(format!("Password of {name}: "))
                    .context("cannot read the password")?
            }
            None => bail!(
                "there is no terminal to ask for the password: name a file with it, \
                 --password-file FILE (or `-` for standard input)"
            ),
        };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }
}

impl Session {
    /// The data of a page.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        match self.ask(self.client.get(self.url.join(path)?)).await? {
            Answer::Document(document) => Ok(document),
            Answer::SeeOther(to) => bail!("the server answers with another address: {to}"),
        }
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        self.ask(self.client.post(self.url.join(path)?).form(fields)).await
    }

    /// The whole address of a path of the server.
    pub fn address_of(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.url.join(path)?.into())
    }

    async fn ask(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let response = sent(request.header(COOKIE, &self.cookie), &self.url).await?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Document(response.json().await?)),
            StatusCode::SEE_OTHER => {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                Ok(Answer::SeeOther(to.unwrap_or_default().to_owned()))
            }
            _ => Err(Problem::of(response).await.into()),
        }
    }
}

/// Sends, and where the server says when to come back, does so: a script signs in with each command.
async fn patiently(request: RequestBuilder, url: &Url) -> anyhow::Result<Response> {
    for _ in 0..MOST_WAITS {
        let again = request.try_clone().context("a form is sent again as it was")?;
        let response = sent(again, url).await?;
        let wait =
            response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
        let (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) = (response.status(), wait) else {
            return Ok(response);
        };
        eprintln!("countersign: too many sign-ins at once; again in {seconds} s");
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
    sent(request, url).await
}

async fn sent(request: RequestBuilder, url: &Url) -> anyhow::Result<Response> {
    let request = request.header(ACCEPT, "application/json");
    request.send().await.with_context(|| Unreachable(url.to_string()))
}

/// The session's cookie, as it is sent back (RFC 6265 §4.2.1).
fn cookie(response: &Response) -> Option<HeaderValue> {
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let mut pairs = cookies.filter_map(|value| value.to_str().ok()?.split(';').next());
    let pair = pairs.find(|pair| pair.starts_with(server::sessions::COOKIE))?;
    let mut value = HeaderValue::from_str(pair).ok()?;
    value.set_sensitive(true);
    Some(value)
}
