//! Which server, and with which key.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::header::HeaderValue;

use super::api::Agent;
use crate::wire;

/// SECURITY: the key comes from the environment or a file; every user of the machine sees a command line.
const KEY: &str = "COUNTERSIGN_KEY";

/// Who asks where.
#[derive(Args)]
#[command(next_help_heading = "Who asks where")]
pub struct Access {
    /// The address of the server
    #[arg(
        long,
        env = "COUNTERSIGN_URL",
        value_name = "URL",
        default_value = "http://localhost:8080"
    )]
    pub url: String,
    /// A file with the agent's key or a token that speaks as it, read for each call; `-` for standard
    /// input; without it COUNTERSIGN_KEY in the environment
    #[arg(long, env = "COUNTERSIGN_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// How long a server may be away before the command gives up
    #[arg(long, env = "COUNTERSIGN_RETRY_FOR", value_name = "SECONDS", default_value_t = 300)]
    retry_for: u64,
    /// Print JSON, for programs: the API's own objects
    #[arg(long)]
    pub json: bool,
}

impl Access {
    /// The agent whose key it is.
    pub fn agent(&self) -> anyhow::Result<Agent> {
        let url = wire::address(&self.url)?;
        let key = match &self.key_file {
            // A pipe is read once; a file may be written anew while the command runs.
            Some(file) if file.is_file() => Bearer::In(file.clone()),
            _ => Bearer::Is(self.key()?),
        };
        // What is wrong with it is said before anything is sent.
        key.header()?;
        let client = wire::client(&url)?;
        let (patience, heard) = (Duration::from_secs(self.retry_for), Arc::default());
        Ok(Agent { client, url, key, patience, heard })
    }

    fn key(&self) -> anyhow::Result<HeaderValue> {
        let text = match &self.key_file {
            Some(file) => wire::read(file)?,
            None => match std::env::var(KEY) {
                Ok(key) => key,
                Err(_) => bail!(
                    "no key: put the agent's key, or a token that speaks as it, into {KEY} in the \
                     environment, or name a file with it, --key-file FILE. An administrator makes \
                     keys under Agents"
                ),
            },
        };
        header(&text, self.key_file.as_deref().unwrap_or(Path::new(KEY)))
    }
}

/// By what the agent is known to the server.
#[derive(Clone)]
pub(super) enum Bearer {
    Is(HeaderValue),
    /// Read for each call: a token that is projected into a file is replaced before it expires.
    In(PathBuf),
}

impl Bearer {
    pub fn header(&self) -> anyhow::Result<HeaderValue> {
        match self {
            Self::Is(header) => Ok(header.clone()),
            Self::In(file) => header(&wire::read(file)?, file),
        }
    }
}

fn header(text: &str, from: &Path) -> anyhow::Result<HeaderValue> {
    let key = text.trim();
    let is_token = key.starts_with("ey") && key.split('.').count() == 3;
    if !is_token && !key.starts_with("csn_agt_") {
        bail!(
            "what is in `{}` is no agent's key, which begins with csn_agt_, nor a token (JWT)",
            from.display()
        );
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {key}"))
        .context("the key has characters that no key has")?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a09_a_key_file_is_read_for_each_call_and_may_hold_a_token() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bearer = Bearer::In(file.path().to_owned());
        for text in ["csn_agt_one\n", "csn_agt_two", "eyJhIjoxfQ.eyJiIjoyfQ.c2ln\n"] {
            std::fs::write(file.path(), text).unwrap();
            let header = bearer.header().unwrap();
            assert_eq!(header.to_str().unwrap(), format!("Bearer {}", text.trim()));
            assert!(header.is_sensitive());
        }
        for bad in ["", "csn_aud_one", "nonsense", "eyJhIjoxfQ.eyJiIjoyfQ", "csn_agt_o\nne"] {
            std::fs::write(file.path(), bad).unwrap();
            assert!(bearer.header().is_err(), "{bad:?}");
        }
    }
}
