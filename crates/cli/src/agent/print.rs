//! A request in lines for people. Colour only where the terminal and NO_COLOR allow it.

use console::{Style, style};
use serde_json::Value;

use crate::wire::{printable, rows};

/// The text of a member, safe for a terminal.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Null => String::new(),
        other => printable(&other.to_string()),
    }
}

fn coloured(state: &str) -> String {
    let colour = match state {
        "approved" | "executing" | "succeeded" => Style::new().green(),
        "pending" => Style::new().yellow(),
        _ => Style::new().red(),
    };
    colour.apply_to(state).to_string()
}

/// Where it stands, in one line: what is missing, until when, and where people decide.
pub fn standing(request: &Value) -> String {
    let state = text(&request["state"]);
    if state != "pending" {
        return format!("{} is {state}", text(&request["id"]));
    }
    let missing: Vec<String> = rows(&request["requirements"])
        .filter(|need| need["met"] == false)
        .map(|need| format!("{} of {}", need["missing"], text(&need["group"])))
        .collect();
    let nobody = if request["can_be_met"] == false {
        "; the people there are could never decide it: tell an administrator"
    } else {
        ""
    };
    format!(
        "waiting for {} until {}: {}{nobody}",
        missing.join(" and "),
        text(&request["review_deadline"]),
        text(&request["review_url"]),
    )
}

/// All that the API says of a request.
pub fn request(request: &Value) -> String {
    let mut lines = vec![
        format!("{}  {}", style(text(&request["id"])).bold(), coloured(&text(&request["state"]))),
        kind(request),
        risk(request),
        row("digest", &format!("{}, revision {}", text(&request["digest"]), request["revision"])),
        row("code", &format!("{} (the page shows the same)", text(&request["binding_code"]))),
        row("review", &text(&request["review_url"])),
    ];
    for (name, member) in [
        ("staged", "staged_at"),
        ("decide by", "review_deadline"),
        ("use by", "approved_until"),
        ("redeemed", "redeemed_at"),
        ("report by", "report_by"),
    ] {
        if let Some(at) = request[member].as_str() {
            lines.push(row(name, at));
        }
    }
    lines.extend(needs(request));
    if request["halt_requested"] == true {
        lines.push(row("halt", "somebody asked it to stop"));
    }
    lines.extend(objection(request));
    lines.push(row("next", &text(&request["next"])));
    lines.join("\n")
}

/// What staging would lead to.
pub fn preview(preview: &Value) -> String {
    let mut lines = vec![kind(preview), risk(preview)];
    lines.push(row("decide by", &text(&preview["review_deadline"])));
    lines.extend(needs(preview));
    lines.push(row("next", &text(&preview["next"])));
    lines.join("\n")
}

fn kind(request: &Value) -> String {
    let kind = &request["kind"];
    row("kind", &format!("{}, version {}", text(&kind["name"]), text(&kind["version"])))
}

fn risk(request: &Value) -> String {
    let risk = &request["risk"];
    let facts: Vec<String> = rows(&risk["facts"]).map(|fact| text(&fact["code"])).collect();
    row("risk", &format!("{}: {}", text(&risk["level"]), facts.join(", ")))
}

fn needs(request: &Value) -> Vec<String> {
    let needs = rows(&request["requirements"]).map(|need| {
        let found = if need["met"] == true {
            "met".to_owned()
        } else {
            format!("{} missing, {} could", need["missing"], need["who_could"])
        };
        let (seats, group) = (&need["seats"], text(&need["group"]));
        row("needs", &format!("{seats} of {group} ({found}): {}", text(&need["why"])))
    });
    needs.collect()
}

/// What was objected to, where somebody did.
pub fn objection(request: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, member) in [("denied", "denial"), ("changes", "changes_requested")] {
        let said = &request[member];
        if said.is_object() {
            lines.push(row(name, &text(&said["justification"])));
            lines.push(row("then", &text(&said["retry"])));
        }
    }
    lines
}

/// One request of a list.
pub fn line(request: &Value) -> String {
    let state = text(&request["state"]);
    // Padded before it is coloured: colours have no width.
    let padding = " ".repeat(18_usize.saturating_sub(state.len()));
    format!(
        "{}  {}{padding}  {}  {}",
        text(&request["id"]),
        coloured(&state),
        text(&request["staged_at"]),
        text(&request["kind"]["name"]),
    )
}

fn row(name: &str, value: &str) -> String {
    format!("  {name:<10} {}", value.replace('\n', "\n             "))
}
