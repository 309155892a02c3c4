//! `countersign evidence`: files that people read before they decide.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::Value;
use service::upload::MAX_EVIDENCE_BYTES;

use super::Access;
use super::api::{Agent, Call};
use super::print::text;
use crate::exit::Exit;

/// What can be done with evidence.
#[derive(Subcommand)]
pub enum Command {
    /// Upload files; prints the digest by which a stage body names each
    Add(AddArguments),
}

/// Which files.
#[derive(Args)]
pub struct AddArguments {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub access: Access,
}

/// Does it.
pub async fn run(command: Command) -> anyhow::Result<Exit> {
    let Command::Add(arguments) = command;
    let agent = arguments.access.agent()?;
    for file in &arguments.files {
        let uploaded = upload(&agent, file).await?;
        if arguments.access.json {
            println!("{uploaded}");
        } else {
            let digest = text(&uploaded["digest"]);
            println!("{digest}  {}  {}", uploaded["size_bytes"], file.display());
        }
    }
    Ok(Exit::Done)
}

/// Uploads a file; gives the API's answer, `digest` and `size_bytes`.
pub async fn upload(agent: &Agent, file: &Path) -> anyhow::Result<Value> {
    let name = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read `{name}`"))?.len();
    if size == 0 || size > MAX_EVIDENCE_BYTES {
        return Err(Exit::Usage.because(format!(
            "`{name}` has {size} bytes; evidence has 1 byte to 10 MiB ({MAX_EVIDENCE_BYTES} bytes)"
        )));
    }
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{name}`"))?;
    let call = Call::post("/api/v1/evidence", bytes).of_type("application/octet-stream");
    let answer = agent.send(call).await.with_context(|| format!("cannot upload `{name}`"))?;
    Ok(answer.document)
}

/// What a file is called in a stage body.
pub fn name_of(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The type of evidence that a file's name says: the name without its end.
pub fn type_of(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    stem.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// The media type that a file's name says; text where it says none and the content is text.
pub fn media_type(file: &Path) -> String {
    if let Some(guess) = mime_guess::from_path(file).first() {
        return guess.essence_str().to_owned();
    }
    let text = std::fs::read(file).is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok());
    if text { "text/plain" } else { "application/octet-stream" }.to_owned()
}
