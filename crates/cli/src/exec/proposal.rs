//! The stage body of a command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::program::{Program, find};
use super::wants::Wants;
use crate::agent::evidence::{media_type, name_of, type_of};
use crate::exit::Exit;
use crate::wire::{self, rows};

/// The longest summary, in characters.
const MAX_SUMMARY_CHARS: usize = 200;
/// The longest detail of a risk factor, in characters.
const MAX_DETAIL_CHARS: usize = 500;

/// The risk factor that names the variables which reviewers do not see.
const PASSED_UNSEEN: &str = "variables passed on unseen";

/// A command as a body has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    /// The first is the absolute path of what is executed.
    pub argv: Vec<String>,
    pub executable_digest: String,
    pub cwd: String,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// What is put before people, and the files that go with it.
pub struct Proposal {
    pub body: Value,
    pub evidence: Vec<PathBuf>,
}

impl Proposal {
    /// Reads files and hashes executables; sends nothing.
    pub fn of(arguments: &Arguments, directory: &Path, kind: &Value) -> anyhow::Result<Self> {
        let wants = Wants(kind);
        let env: BTreeMap<String, String> = arguments.shown_variables()?.into_iter().collect();
        let command = Command::of(&arguments.command, directory, &env)?;
        let mut evidence = Vec::new();
        let mut items = Vec::new();
        for text in &arguments.evidence {
            let (item, file) = evidence_item(text, &wants)?;
            items.push(item);
            evidence.push(file);
        }
        let mut body = json!({
            "kind": arguments.kind,
            "parameters": wants.parameters(&arguments.params)?,
            "targets": targets(arguments),
            "environment": arguments.environment,
            "summary": summary(arguments),
            "justification": justification(arguments),
            "risk": {"factors": factors(arguments)?},
            "evidence": items,
            "command": command,
        });
        if let Some(plan) = rollback_plan(arguments, directory, &env)? {
            body["rollback_plan"] = plan;
        }
        if let Some(ticket) = &arguments.ticket {
            body["ticket"] = ticket.as_str().into();
        }
        wants.check(&body)?;
        Ok(Self { body, evidence })
    }
}

impl Command {
    fn of(
        argv: &[String],
        directory: &Path,
        env: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let (name, arguments) = argv.split_first().context("there is no command")?;
        let path = find(name, directory)?;
        let digest = Program::open(&path)?.digest;
        let path = path.to_str().with_context(|| {
            format!("`{}` is not UTF-8, so people could not read it", path.display())
        })?;
        let cwd = directory.to_str().context("the working directory's name is not UTF-8")?;
        let argv = std::iter::once(path.to_owned()).chain(arguments.iter().cloned()).collect();
        let executable_digest = digest.to_string();
        Ok(Self { argv, executable_digest, cwd: cwd.to_owned(), env: env.clone() })
    }

    /// Opens what is there now, and refuses it where it is not what was approved.
    pub fn open_as_approved(&self) -> anyhow::Result<Program> {
        let path = self.argv.first().context("an approved command has an executable")?;
        let program = Program::open(Path::new(path))?;
        if program.digest.to_string() != self.executable_digest {
            bail!(Exit::NotAsApproved.because(format!(
                "`{path}` is not what was approved: that is {}, this is {}. It was not run",
                self.executable_digest, program.digest
            )));
        }
        Ok(program)
    }
}

/// Whether two bodies say the same to people, whenever their evidence was collected.
pub fn same(one: &Value, other: &Value) -> bool {
    let timeless = |body: &Value| {
        let mut body = body.clone();
        for item in body["evidence"].as_array_mut().into_iter().flatten() {
            item.as_object_mut().map(|item| item.remove("collected_at"));
        }
        body
    };
    timeless(one) == timeless(other)
}

fn evidence_item(text: &str, wants: &Wants<'_>) -> anyhow::Result<(Value, PathBuf)> {
    let is_type = |text: &str| {
        !text.is_empty() && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'))
    };
    let (given, file) = match text.split_once('=') {
        Some((given, file)) if is_type(given) && !Path::new(text).exists() => (Some(given), file),
        _ => (None, text),
    };
    let file = PathBuf::from(file);
    let bytes = std::fs::read(&file)
        .map_err(|error| Exit::Usage.because(format!("--evidence {text}: {error}")))?;
    let evidence_type = given.map_or_else(|| type_of(&file), str::to_owned);
    let mut item = json!({
        "type": evidence_type, "name": name_of(&file), "media_type": media_type(&file),
        "digest": Digest::of(&bytes),
    });
    if wants.asks_for_age(&evidence_type) {
        let written = file.metadata().and_then(|meta| meta.modified());
        item["collected_at"] = rfc3339(written.context("when was the evidence collected?")?).into();
    }
    Ok((item, file))
}

fn rfc3339(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn targets(arguments: &Arguments) -> Vec<String> {
    if !arguments.targets.is_empty() {
        return arguments.targets.clone();
    }
    let machine = rustix::system::uname();
    vec![format!("host:{}", machine.nodename().to_string_lossy())]
}

fn summary(arguments: &Arguments) -> String {
    match &arguments.summary {
        Some(summary) => summary.clone(),
        None => cut(&format!("Run {}", line_of(&arguments.command)), MAX_SUMMARY_CHARS),
    }
}

fn justification(arguments: &Arguments) -> String {
    let none = "Whoever ran `countersign exec` gave no justification.";
    arguments.justification.clone().unwrap_or_else(|| none.to_owned())
}

fn factors(arguments: &Arguments) -> anyhow::Result<Vec<Value>> {
    if arguments.pass_env.is_empty() {
        return Ok(Vec::new());
    }
    let names = arguments.pass_env.join(", ");
    // Reviewers see every name, or it is not staged.
    if names.chars().count() > MAX_DETAIL_CHARS {
        bail!(Exit::Usage.because(format!(
            "the names of all --pass-env variables have more than {MAX_DETAIL_CHARS} characters"
        )));
    }
    Ok(vec![json!({"name": PASSED_UNSEEN, "detail": names})])
}

/// The variables that a body says are passed on unseen: what reviewers saw, not what is asked now.
pub fn passed_unseen(body: &Value) -> Vec<String> {
    let mut factors = rows(&body["risk"]["factors"]);
    let factor = factors.find(|factor| factor["name"] == PASSED_UNSEEN);
    let names = factor.and_then(|factor| factor["detail"].as_str()).unwrap_or_default();
    names.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn rollback_plan(
    arguments: &Arguments,
    directory: &Path,
    env: &BTreeMap<String, String>,
) -> anyhow::Result<Option<Value>> {
    let command = match &arguments.rollback_exec {
        Some(text) => {
            let argv = shlex::split(text).filter(|argv| !argv.is_empty()).ok_or_else(|| {
                Exit::Usage.because(format!(
                    "--rollback-exec {text}: a quote is open, or nothing is there"
                ))
            })?;
            Some((Command::of(&argv, directory, env)?, argv))
        }
        None => None,
    };
    let steps = match (&arguments.rollback, &command) {
        (Some(file), _) => steps(&wire::read(file)?),
        (None, Some((_, argv))) => vec![format!("Run {}", line_of(argv))],
        (None, None) => return Ok(None),
    };
    let mut plan = json!({"steps": steps});
    if let Some((command, _)) = command {
        plan["command"] = serde_json::to_value(command)?;
    }
    Ok(Some(plan))
}

/// The lines of a plan, without the marks of a Markdown list.
fn steps(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let steps = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let marked = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark));
        let counted = [". ", ") "].iter().find_map(|mark| numbered.strip_prefix(mark));
        marked.or(counted.filter(|_| numbered != line)).unwrap_or(line).trim().to_owned()
    });
    steps.collect()
}

fn line_of(argv: &[String]) -> String {
    let words = argv.iter().map(String::as_str);
    shlex::try_join(words).unwrap_or_else(|_| argv.join(" "))
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{cut, steps};

    #[test]
    fn a_plan_has_a_step_a_line() {
        let text = "# Rollback\n\n1. stop it\n- start the old one\n  42 is a number\n2) look\n";
        assert_eq!(steps(text), ["stop it", "start the old one", "42 is a number", "look"]);
    }

    #[test]
    fn what_is_too_long_ends_visibly() {
        assert_eq!(cut("größer", 6), "größer");
        assert_eq!(cut("größere", 6), "größe…");
    }
}
