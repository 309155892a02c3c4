//! A running server over HTTP, for whoever asks it: which addresses are spoken to, and what an
//! answer that is no says.

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::hidden::is_hidden;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::Value;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for the server at `url`, which follows no redirect.
pub fn client(url: &Url) -> anyhow::Result<Client> {
    // Whoever came first has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(redirect::Policy::none()).connect_timeout(CONNECT);
    // SECURITY: what is not encrypted stays on this machine, whatever proxy the environment names.
    let builder = if url.scheme() == "http" { builder.no_proxy() } else { builder };
    Ok(builder.build()?)
}

/// SECURITY: a password or a key goes over the wire only encrypted, or to this machine.
pub fn address(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| format!("`{text}` is no address of a server"))?;
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        "http" => {
            bail!("`{text}` would send your password or key in the clear: use https://")
        }
        _ => bail!("`{text}` is no address of a server: use https://"),
    }
}

/// A server that nobody answers for.
#[derive(Debug)]
pub struct Unreachable(pub String);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(f, "cannot reach `{url}`; is the server running there? --url names another address")
    }
}

impl std::error::Error for Unreachable {}

/// What the type of every problem of Countersign begins with.
const TYPE: &str = "urn:countersign:problem:";

/// An answer that is no (RFC 9457): what to do, and every field that breaks a rule.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    /// What came, if it was JSON.
    pub document: Value,
}

impl Problem {
    /// Reads what the server says.
    pub async fn of(response: Response) -> Self {
        let status = response.status();
        Self { status, document: response.json().await.unwrap_or_default() }
    }

    /// The number of the answer.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// What it is, by a word of the closed set; empty where it is not Countersign that answers: others
    /// have members of the name `code`, too.
    pub fn code(&self) -> &str {
        let problem_type = self.document["type"].as_str().unwrap_or_default();
        problem_type.strip_prefix(TYPE).unwrap_or_default()
    }

    /// Whether Countersign has refused the call, whatever is done about keys, pace or the server: it
    /// did nothing, and neither does the same call again.
    pub fn is_final(&self) -> bool {
        !self.code().is_empty() && self.status() < 500 && !matches!(self.status(), 401 | 429)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.document["detail"].as_str() {
            Some(detail) if !detail.is_empty() => write!(f, "{}", printable(detail))?,
            _ => {
                let status = &self.status;
                write!(f, "the server answers {status} and no reason: is it Countersign?")?;
            }
        }
        if let ("duplicate", Some(id)) = (self.code(), self.document["request"].as_str()) {
            let id = printable(id);
            write!(f, "\n  go on with it: countersign wait {id}")?;
            write!(f, "\n  change it: countersign stage --amend {id} -f FILE")?;
            write!(f, "\n  give it up, if nobody has approved it: countersign withdraw {id}")?;
        }
        for error in rows(&self.document["errors"]) {
            let text = |member: &str| printable(error[member].as_str().unwrap_or_default());
            write!(f, "\n  {}: {}", text("pointer"), text("detail"))?;
            match &error["limit"] {
                Value::Null => {}
                Value::String(limit) => write!(f, " (limit: {})", printable(limit))?,
                limit => write!(f, " (limit: {limit})")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The members of a list; none where it is no list.
pub fn rows(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_array().into_iter().flatten()
}

/// Text that others wrote, for a terminal: what could steer it or hide is written out (threats G09).
pub fn printable(text: &str) -> String {
    let hidden = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { written.extend(c.escape_unicode()) } else { written.push(c) }
    }
    written
}

/// A text from a file, or from standard input for `-`.
pub fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::{Problem, address, printable};

    #[test]
    fn r01_whoever_stages_twice_is_told_how_to_go_on_with_what_is_open() {
        let duplicate = "urn:countersign:problem:duplicate";
        let document = json!({"type": duplicate, "detail": "Staged.", "request": "7\u{1b}"});
        let said = Problem { status: StatusCode::CONFLICT, document }.to_string();
        assert!(said.contains("countersign wait 7\\u{1b}\n"), "{said}");
        assert!(said.contains("countersign stage --amend 7\\u{1b} -f"), "{said}");
        assert!(said.ends_with("countersign withdraw 7\\u{1b}"), "{said}");
        let not_pending = "urn:countersign:problem:not_pending";
        let document = json!({"type": not_pending, "detail": "No.", "request": "7"});
        assert_eq!(Problem { status: StatusCode::CONFLICT, document }.to_string(), "No.");
    }

    #[test]
    fn only_countersign_refuses_for_good() {
        let problem = |status: u16, problem_type: &str| Problem {
            status: StatusCode::from_u16(status).unwrap(),
            document: json!({"type": problem_type, "code": "not_found"}),
        };
        assert!(problem(404, "urn:countersign:problem:not_found").is_final());
        for (status, problem_type) in [
            (404, "about:blank"),
            (401, "urn:countersign:problem:unauthenticated"),
            (429, "urn:countersign:problem:rate_limited"),
            (503, "urn:countersign:problem:unavailable"),
        ] {
            assert!(!problem(status, problem_type).is_final(), "{status} {problem_type}");
        }
    }

    #[test]
    fn a_password_or_key_leaves_this_machine_only_encrypted() {
        for fine in
            ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:1", "https://a.example"]
        {
            assert!(address(fine).is_ok(), "{fine}");
        }
        for refused in
            ["http://a.example", "http://10.0.0.1:8080", "ftp://localhost", "localhost", ""]
        {
            assert!(address(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn g09_what_steers_a_terminal_is_written_out() {
        assert_eq!(printable("a\u{1b}[2Jb\rc\u{202e}d"), "a\\u{1b}[2Jb\\u{d}c\\u{202e}d");
        assert_eq!(printable("größer\n\t日本"), "größer\n\t日本");
        assert_eq!(printable("\u{61c}\u{2060}\u{e0041}"), "\\u{61c}\\u{2060}\\u{e0041}");
    }
}
