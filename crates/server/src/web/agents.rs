//! `/agents`: agents and their keys.

use std::collections::BTreeMap;

use app::Page;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use domain::trust::{BadTerms, Terms};
use domain::{AgentId, Scope};
use serde::Deserialize;
use service::credential::PlainKey;
use service::house::{HouseError, MAX_KEY_LIFE_S, OldKey};

use super::change::explained;
use super::desk::{Answer, Desk, Trouble, page, read, see_other, steward};

/// Every agent.
pub(super) async fn list(desk: Desk) -> Response {
    desk.answer(async {
        page(Page::Agents(desk.visitor.state.service.agents_view(&desk.caller).await?))
    })
    .await
}

/// A new agent.
#[derive(Deserialize)]
pub(super) struct NewAgent {
    name: String,
    owner: String,
}

/// Adds an agent.
pub(super) async fn add(desk: Desk, form: Result<Form<NewAgent>, FormRejection>) -> Response {
    desk.answer(async {
        let steward = steward(&desk)?;
        let Form(form) = form?;
        let owner = read(&form.owner)?;
        match desk.visitor.state.service.add_agent(&steward, form.name.trim(), owner).await {
            Ok(_) => see_other("/agents"),
            Err(error) => explained(error, "/agents"),
        }
    })
    .await
}

/// What a credential is limited to: names with commas between them, none for all.
#[derive(Default, Deserialize)]
pub(super) struct ScopeFields {
    #[serde(default)]
    kinds: String,
    #[serde(default)]
    environments: String,
}

impl ScopeFields {
    fn scope(&self) -> Scope {
        let names = |list: &str| {
            let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        Scope { kinds: names(&self.kinds), environments: names(&self.environments) }
    }
}

/// Issues a key, shows it once.
pub(super) async fn issue_key(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<ScopeFields>, FormRejection>,
) -> Response {
    desk.answer(async {
        let steward = steward(&desk)?;
        let agent: AgentId = read(&id)?;
        let Form(limits) = form?;
        let service = &desk.visitor.state.service;
        let (shown_to, expires_at) = (desk.caller.id(), service.now().plus_seconds(MAX_KEY_LIFE_S));
        let issued =
            service.issue_agent_key(&steward, agent, shown_to, expires_at, limits.scope()).await;
        shown(issued, "")
    })
    .await
}

/// What becomes of the key that is replaced.
#[derive(Deserialize)]
pub(super) struct Rotation {
    /// `now`, or `day`: when the old key ends.
    old: String,
}

/// Issues the key that takes another's place, shows it once.
pub(super) async fn rotate_key(
    desk: Desk,
    Path((id, key)): Path<(String, String)>,
    form: Result<Form<Rotation>, FormRejection>,
) -> Response {
    desk.answer(async {
        let (steward, agent, key) = (steward(&desk)?, read(&id)?, read(&key)?);
        let Form(form) = form?;
        let (old, told) = match form.old.as_str() {
            "now" => (OldKey::EndsNow, " The old key opens nothing any more."),
            "day" => (OldKey::EndsInADay, " The old key lives for another 24 hours at most."),
            _ => return Err(Trouble::NotFound),
        };
        let service = &desk.visitor.state.service;
        let rotated = service.rotate_agent_key(&steward, agent, key, desk.caller.id(), old).await;
        shown(rotated, told)
    })
    .await
}

/// A new key, this once; `and` says what else happened.
fn shown(issued: Result<PlainKey, HouseError>, and: &str) -> Answer {
    match issued {
        Ok(key) => page(Page::Secret {
            title: "A new agent key".to_owned(),
            explanation: format!(
                "Copy it now: it is shown this once and lives 90 days. While it lives, you do not count as a reviewer of this agent's requests, because you have seen it.{and}"
            ),
            value: key.reveal().to_owned(),
            back_to: "/agents".to_owned(),
            back_label: "Back to agents".to_owned(),
        }),
        Err(HouseError::NoSuchAgent) => Err(Trouble::NotFound),
        Err(error) => explained(error, "/agents"),
    }
}

/// Revokes a key.
pub(super) async fn revoke_key(desk: Desk, Path((id, key)): Path<(String, String)>) -> Response {
    desk.answer(async {
        let (steward, agent, key) = (steward(&desk)?, read(&id)?, read(&key)?);
        match desk.visitor.state.service.revoke_key(&steward, agent, key).await {
            Ok(()) => see_other("/agents"),
            Err(error) => explained(error, "/agents"),
        }
    })
    .await
}

/// Whose tokens speak as an agent.
#[derive(Deserialize)]
pub(super) struct NewTrust {
    issuer: String,
    audience: String,
    /// `name=value`, one a line.
    claims: String,
    /// The issuer's keys, where it is not asked for them.
    #[serde(default)]
    jwks: String,
    #[serde(flatten)]
    limits: ScopeFields,
}

impl NewTrust {
    /// The terms, or the line that is no claim.
    fn terms(self) -> Result<Terms, HouseError> {
        let mut claims = BTreeMap::new();
        for line in self.claims.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once('=').ok_or(BadTerms::Claims)?;
            if claims.insert(name.trim().to_owned(), value.trim().to_owned()).is_some() {
                return Err(BadTerms::Value(name.trim().to_owned()).into());
            }
        }
        let jwks = Some(self.jwks.trim().to_owned()).filter(|jwks| !jwks.is_empty());
        let scope = self.limits.scope();
        let [issuer, audience] = [self.issuer, self.audience].map(|text| text.trim().to_owned());
        Ok(Terms { issuer, audience, claims, scope, jwks })
    }
}

/// Trusts tokens to speak as an agent.
pub(super) async fn trust(
    desk: Desk,
    Path(id): Path<String>,
    form: Result<Form<NewTrust>, FormRejection>,
) -> Response {
    desk.answer(async {
        let (steward, agent) = (steward(&desk)?, read(&id)?);
        let Form(form) = form?;
        let trusted = match form.terms() {
            Ok(terms) => desk.visitor.state.service.trust(&steward, agent, terms).await,
            Err(error) => Err(error),
        };
        match trusted {
            Ok(_) => see_other("/agents"),
            Err(HouseError::NoSuchAgent) => Err(Trouble::NotFound),
            Err(error) => explained(error, "/agents"),
        }
    })
    .await
}

/// Removes a trust.
pub(super) async fn distrust(desk: Desk, Path((id, trust)): Path<(String, String)>) -> Response {
    desk.answer(async {
        let (steward, agent, trust) = (steward(&desk)?, read(&id)?, read(&trust)?);
        match desk.visitor.state.service.distrust(&steward, agent, trust).await {
            Ok(()) => see_other("/agents"),
            Err(error) => explained(error, "/agents"),
        }
    })
    .await
}

/// Suspends an agent.
pub(super) async fn suspend(desk: Desk, Path(id): Path<String>) -> Response {
    desk.answer(async {
        let (steward, agent) = (steward(&desk)?, read(&id)?);
        match desk.visitor.state.service.suspend_agent(&steward, agent).await {
            Ok(()) => see_other("/agents"),
            Err(error) => explained(error, "/agents"),
        }
    })
    .await
}
