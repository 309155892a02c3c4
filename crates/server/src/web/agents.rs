//! `/agents`: agents and their keys.

use app::Page;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use domain::AgentId;
use serde::Deserialize;
use service::Steward;
use service::house::{HouseError, MAX_KEY_LIFE_S};

use super::desk::{Answer, Desk, Trouble, page, see_other};
use super::people::explained;
use super::request::read;

/// Every agent.
pub(super) async fn list(desk: Desk) -> Response {
    let answer = show(&desk).await;
    desk.visitor.answer(answer).await
}

async fn show(desk: &Desk) -> Answer {
    page(Page::Agents(desk.visitor.state.service.agents_view(&desk.caller).await?))
}

/// A new agent.
#[derive(Deserialize)]
pub(super) struct NewAgent {
    name: String,
    owner: String,
}

/// Adds an agent.
pub(super) async fn add(desk: Desk, form: Result<Form<NewAgent>, FormRejection>) -> Response {
    let answer = added(&desk, form).await;
    desk.visitor.answer(answer).await
}

async fn added(desk: &Desk, form: Result<Form<NewAgent>, FormRejection>) -> Answer {
    let steward = steward(desk)?;
    let Form(form) = form.map_err(|_| Trouble::NotFound)?;
    let owner = read(&form.owner)?;
    match desk.visitor.state.service.add_agent(&steward, form.name.trim(), owner).await {
        Ok(_) => see_other("/agents"),
        Err(error) => explained(error, "/agents"),
    }
}

/// Issues a key, shows it once.
pub(super) async fn issue_key(desk: Desk, Path(id): Path<String>) -> Response {
    let answer = issued(&desk, &id).await;
    desk.visitor.answer(answer).await
}

async fn issued(desk: &Desk, id: &str) -> Answer {
    let steward = steward(desk)?;
    let agent: AgentId = read(id)?;
    let service = &desk.visitor.state.service;
    let expires_at = service.now().plus_seconds(MAX_KEY_LIFE_S);
    match service.issue_agent_key(&steward, agent, desk.caller.id(), expires_at).await {
        Ok(key) => page(Page::Secret {
                title: "A new agent key".to_owned(),
                explanation: "Copy it now: it is shown this once and lives 90 days. While it lives, you do not count as a reviewer of this agent's requests, because you have seen it.".to_owned(),
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
    let answer = revoked(&desk, &id, &key).await;
    desk.visitor.answer(answer).await
}

async fn revoked(desk: &Desk, id: &str, key: &str) -> Answer {
    let (steward, agent, key) = (steward(desk)?, read(id)?, read(key)?);
    match desk.visitor.state.service.revoke_key(&steward, agent, key).await {
        Ok(()) => see_other("/agents"),
        Err(error) => explained(error, "/agents"),
    }
}

/// Suspends an agent.
pub(super) async fn suspend(desk: Desk, Path(id): Path<String>) -> Response {
    let answer = suspended(&desk, &id).await;
    desk.visitor.answer(answer).await
}

async fn suspended(desk: &Desk, id: &str) -> Answer {
    let (steward, agent) = (steward(desk)?, read(id)?);
    match desk.visitor.state.service.suspend_agent(&steward, agent).await {
        Ok(()) => see_other("/agents"),
        Err(error) => explained(error, "/agents"),
    }
}

/// The person as a steward of the house.
pub(super) fn steward(desk: &Desk) -> Result<Steward, Trouble> {
    desk.caller.steward().ok_or(Trouble::Forbidden("Only administrators change this."))
}
