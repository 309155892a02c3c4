//! The people and agents of the demo, and what is handed out for them.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use domain::authority::BREAK_GLASS;
use domain::{PersonId, Scope};
use serde::Serialize;
use service::caller::{ADMINISTRATORS, APPROVERS, AUDITORS, KeyCaller};
use service::change::Membership;
use service::house::{BUILT_IN_KINDS, MAX_KEY_LIFE_S};
use service::{AgentCaller, Entropy, OsEntropy, Service, Steward};

use super::clock::DemoClock;
use crate::database::Location;

const OPERATOR: Steward = Steward::Operator;
/// The house was set up this long before the demo starts: two days.
const SET_UP_S: i64 = 48 * 3600;
/// The agent whose key is handed out.
const TRY_ME: &str = "demo-agent";
/// The executor of deployments, whose key is handed out too.
const RUNNER: &str = "release-runner";
/// The kind that the handed-out example stages: small, reversible, redeemed by its own stager.
const EXAMPLE_KIND: &str = "vendor.key_extend";

/// Agents and their owners. Priya Nair also reviews, but never what her own agents ask for.
const AGENTS: [(&str, &str); 7] = [
    ("ledger-close", "Priya Nair"),
    ("netops-agent", "Tom Beck"),
    ("vault-rotator", "Tom Beck"),
    ("mailgrid-sync", "Tom Beck"),
    ("deploy-bot", "Priya Nair"),
    (RUNNER, "Tom Beck"),
    (TRY_ME, "Tom Beck"),
];

/// Who there is.
pub struct Cast {
    people: HashMap<&'static str, PersonId>,
    keys: HashMap<&'static str, String>,
    auditor_key: String,
    password: String,
}

/// What the demo prints.
#[derive(Serialize)]
pub struct Handout {
    pub url: String,
    pub agent_key: String,
    pub executor_key: String,
    pub auditor_key: String,
    pub sign_in: SignIn,
    /// Everybody's password: risky approvals ask for it again.
    pub password: String,
    pub example_curl: String,
    pub database: String,
    pub keys: String,
    pub data_dir: String,
}

/// One-time links.
#[derive(Serialize)]
pub struct SignIn {
    pub approver: String,
    pub second_approver: String,
    pub auditor: String,
    pub administrator: String,
}

/// Sets the house up as it was two days ago.
pub async fn seed(service: &Service, clock: &DemoClock) -> anyhow::Result<Cast> {
    clock.go_back(SET_UP_S);
    service.initialise().await?;
    let mut people = HashMap::new();
    for (name, groups) in [
        ("Mia Okafor", vec![APPROVERS]),
        ("Sam Ito", vec![APPROVERS]),
        ("Priya Nair", vec![APPROVERS]),
        ("Tom Beck", vec![]),
        ("Lena Voss", vec![AUDITORS]),
        ("Ada Lind", vec![ADMINISTRATORS]),
    ] {
        let (person, _) = service.add_person(&OPERATOR, name, &groups).await?;
        people.insert(name, person);
    }
    let expires_at = service.now().plus_seconds(MAX_KEY_LIFE_S);
    let mut keys = HashMap::new();
    for (name, owner) in AGENTS {
        let owner = *people.get(owner).context("an owner is missing")?;
        let agent = service.add_agent(&OPERATOR, name, owner).await?;
        let key =
            service.issue_agent_key(&OPERATOR, agent, owner, expires_at, Scope::default()).await?;
        keys.insert(name, key.reveal().to_owned());
    }
    for text in BUILT_IN_KINDS {
        let mut kind: domain::Kind = serde_json::from_str(text)?;
        if kind.name == "deploy.release" {
            kind.executor = Some(RUNNER.to_owned());
            let why = "deployments are redeemed by the runner";
            service.put_kind(&OPERATOR, &serde_json::to_vec(&kind)?, why).await?;
        }
    }
    // With a second administrator every further change to the house takes both of them.
    for (name, group) in [("Priya Nair", BREAK_GLASS), ("Sam Ito", ADMINISTRATORS)] {
        let person = *people.get(name).context("a member is missing")?;
        let why = "as agreed when the house was set up";
        service.change_group(&OPERATOR, Membership::Add, person, group, why).await?;
    }
    let mut bytes = [0; 8];
    OsEntropy.fill(&mut bytes)?;
    let password = format!("demo-{:016x}", u64::from_be_bytes(bytes));
    for person in people.values() {
        let caller = service.person_caller(*person, service.now()).await?;
        let caller = caller.context("somebody is gone")?;
        service.set_password(&caller, "", &password).await?;
    }
    let auditor = *people.get("Lena Voss").context("the auditor is missing")?;
    let auditor = service.person_caller(auditor, service.now()).await?;
    let auditor = auditor.context("the auditor is gone")?;
    let auditor_key = service.issue_auditor_key(&auditor, expires_at).await?;
    let auditor_key = auditor_key.reveal().to_owned();
    Ok(Cast { people, keys, auditor_key, password })
}

impl Cast {
    /// A person by the first name that scenarios use.
    pub fn person(&self, first_name: &str) -> anyhow::Result<PersonId> {
        let starts = |name: &str| name.to_lowercase().starts_with(first_name);
        let found = self.people.iter().find(|(name, _)| starts(name));
        found.map(|(_, id)| *id).with_context(|| format!("nobody is called {first_name}"))
    }

    /// An agent by name, as its key authenticates it.
    pub async fn agent(&self, service: &Service, name: &str) -> anyhow::Result<AgentCaller> {
        let key = self.keys.get(name).with_context(|| format!("no agent is called {name}"))?;
        match service.caller_of_key(key).await? {
            Some(KeyCaller::Agent(agent)) => Ok(agent),
            Some(KeyCaller::Auditor(_)) | None => anyhow::bail!("the key of {name} opens nothing"),
        }
    }

    /// The links, keys and commands to hand out; writes the example beside the data.
    pub async fn handout(
        &self,
        service: &Service,
        database: &Location,
        keys: &Path,
        data_dir: &Path,
    ) -> anyhow::Result<Handout> {
        let link = async |first_name: &str| -> anyhow::Result<String> {
            Ok(service.sign_in_link(&OPERATOR, self.person(first_name)?).await?)
        };
        let kinds = service.kinds_view().await?.kinds;
        let example = kinds.iter().find(|view| view.kind.name == EXAMPLE_KIND);
        let example = &example.context("the example's kind is missing")?.kind.example;
        let request = data_dir.join("request.json");
        std::fs::write(&request, serde_json::to_vec_pretty(example)?)
            .with_context(|| format!("cannot write `{}`", request.display()))?;
        let key = |name: &str| self.keys.get(name).cloned().unwrap_or_default();
        let url = service.public_url().to_owned();
        let example_curl = format!(
            "curl -sS -X POST {url}/api/v1/requests -H 'Authorization: Bearer {}' \
             -H 'Content-Type: application/json' -d @{}",
            key(TRY_ME),
            request.display()
        );
        Ok(Handout {
            url,
            agent_key: key(TRY_ME),
            executor_key: key(RUNNER),
            auditor_key: self.auditor_key.clone(),
            sign_in: SignIn {
                approver: link("mia").await?,
                second_approver: link("sam").await?,
                auditor: link("lena").await?,
                administrator: link("ada").await?,
            },
            password: self.password.clone(),
            example_curl,
            database: database.url(),
            keys: keys.display().to_string(),
            data_dir: data_dir.display().to_string(),
        })
    }
}
