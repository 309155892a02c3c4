//! `countersign kinds`: what can be staged.

use clap::Args;
use serde_json::Value;

use super::Access;
use super::api::Call;
use super::print::text;
use crate::exit::Exit;
use crate::wire::rows;

/// Which kind.
#[derive(Args)]
pub struct Arguments {
    /// The name of one kind, to see what it asks for
    name: Option<String>,
    /// Print a complete stage body of that kind, which works as it is
    #[arg(long, requires = "name")]
    example: bool,
    #[command(flatten)]
    pub access: Access,
}

/// Prints the catalogue, or one kind of it.
pub async fn kinds(arguments: Arguments) -> anyhow::Result<Exit> {
    let agent = arguments.access.agent()?;
    let Some(name) = arguments.name else {
        let catalogue = agent.send(Call::get("/api/v1/kinds")).await?.document;
        if arguments.access.json {
            println!("{catalogue}");
        } else {
            for kind in rows(&catalogue["kinds"]) {
                println!("{:<32} {}", text(&kind["name"]), text(&kind["title"]));
            }
        }
        return Ok(Exit::Done);
    };
    let kind = agent.send(Call::get(&format!("/api/v1/kinds/{name}"))).await?.document;
    match (arguments.example, arguments.access.json) {
        (true, _) => println!("{:#}", kind["example"]),
        (false, true) => println!("{kind}"),
        (false, false) => print(&kind),
    }
    Ok(Exit::Done)
}

fn print(kind: &Value) {
    println!("{}: {}\n{}", text(&kind["name"]), text(&kind["title"]), text(&kind["description"]));
    let schema = &kind["parameters_schema"];
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|other| other == name))
    };
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let needed = if required(name) { "" } else { " (may be left out)" };
        let (sort, about) = (text(&field["type"]), text(&field["description"]));
        println!("  --param {name}=…  {sort}{needed}: {about}");
    }
    for rule in rows(&kind["required_evidence"]) {
        println!("  --evidence {}=FILE", text(&rule["type"]));
    }
    if kind["rollback_plan_required"] == true {
        println!("  --rollback FILE");
    }
    if kind["executor"].is_string() {
        println!("  redeemed by {} alone", text(&kind["executor"]));
    }
}
