//! `countersign show`, `list`, `wait`, `withdraw`: what becomes of requests.

use clap::Args;
use domain::{RequestId, StateName};
use serde_json::Value;

use super::api::{Agent, Call, known};
use super::decision::{Patience, decided};
use super::{Access, Progress, print};
use crate::exit::Exit;
use crate::wire::rows;

/// One request.
#[derive(Args)]
pub struct OneArguments {
    /// The request's id
    id: RequestId,
    #[command(flatten)]
    pub access: Access,
}

/// Which requests.
#[derive(Args)]
pub struct ListArguments {
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<StateName>,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    pub access: Access,
}

/// For what to wait.
#[derive(Args)]
pub struct WaitArguments {
    /// The request's id
    id: RequestId,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    pub access: Access,
}

/// Prints one request.
pub async fn show(arguments: OneArguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let answer = agent.send(Call::get(&Agent::path(arguments.id, ""))).await?;
    put(&answer.document, arguments.access.json);
    Ok(Exit::Done)
}

/// Prints a page of what this agent staged.
pub async fn list(arguments: ListArguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let state = arguments.state.map(|state| ("state", state.as_str().to_owned()));
    let cursor = arguments.cursor.map(|cursor| ("cursor", cursor));
    let mut query = reqwest::Url::parse("http://localhost/api/v1/requests")?;
    for (name, value) in state.iter().chain(&cursor) {
        query.query_pairs_mut().append_pair(name, value);
    }
    let path = match query.query() {
        Some(query) => format!("/api/v1/requests?{query}"),
        None => "/api/v1/requests".to_owned(),
    };
    let page = agent.send(Call::get(&path)).await?.document;
    if arguments.access.json {
        println!("{page}");
        return Ok(Exit::Done);
    }
    for request in rows(&page["requests"]) {
        println!("{}", print::line(request));
    }
    if let Some(cursor) = page["next_cursor"].as_str() {
        println!("There are more: --cursor {cursor}");
    }
    Ok(Exit::Done)
}

/// Waits until people have decided; ends with the code of what they did.
pub async fn wait(arguments: WaitArguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    wait_for(&agent, arguments.id, &arguments.patience, arguments.access.json).await
}

/// Waits, prints what came of it, and says with which code that ends.
pub(super) async fn wait_for(
    agent: &Agent,
    id: RequestId,
    patience: &Patience,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut progress = Progress::start();
    let request = decided(agent, id, patience.end(), &mut progress).await?;
    drop(progress);
    put(&request, json);
    Ok(Exit::of(known(&request)?.state))
}

/// Takes back what was staged and not decided.
pub async fn withdraw(arguments: OneArguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let path = Agent::path(arguments.id, "/withdraw");
    let answer = agent.send(Call::post(&path, Vec::new())).await?;
    if arguments.access.json {
        println!("{}", answer.document);
    } else {
        println!("{} is withdrawn.", arguments.id);
    }
    Ok(Exit::Done)
}

/// Prints a request in the form that was asked for.
pub(super) fn put(request: &Value, json: bool) {
    if json { println!("{request}") } else { println!("{}", print::request(request)) }
}

fn state(text: &str) -> Result<StateName, String> {
    let named = StateName::ALL.into_iter().find(|state| state.as_str() == text);
    named.ok_or_else(|| {
        let names = StateName::ALL.map(StateName::as_str);
        format!("the states are {}", names.join(", "))
    })
}
