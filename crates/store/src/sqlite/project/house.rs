//! People, groups, agents, keys, freezes, and what people opened.

use domain::entry::HouseFact;
use domain::{Actor, name};
use sqlx::SqliteConnection;

use super::super::webhooks;
use super::refused;
use crate::change::NewFact;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// What a fact of the house means for its tables.
pub(super) async fn fact(tx: &mut SqliteConnection, new: &NewFact, fact: &HouseFact) -> Answer<()> {
    let at = new.at.micros();
    match fact {
        HouseFact::PersonAdded { person, .. } => {
            let text = new.texts.first().ok_or_else(|| refused("a person has a name"))?;
            sqlx::query(
                "INSERT INTO people (id, name, lookalike, active, added_at) VALUES (?, ?, ?, 1, ?)",
            )
            .bind(person.to_string())
            .bind(&text.text)
            .bind(name::lookalike(&text.text))
            .bind(at)
            .execute(tx)
            .await?;
        }
        HouseFact::PersonDisabled { person } => {
            sqlx::query("UPDATE people SET active = 0 WHERE id = ?")
                .bind(person.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::GroupMemberAdded { group, person } => {
            sqlx::query(
                "INSERT OR IGNORE INTO group_members (group_name, person_id) VALUES (?, ?)",
            )
            .bind(group)
            .bind(person.to_string())
            .execute(tx)
            .await?;
        }
        HouseFact::GroupMemberRemoved { group, person } => {
            sqlx::query("DELETE FROM group_members WHERE group_name = ? AND person_id = ?")
                .bind(group)
                .bind(person.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::AgentAdded { agent, name: agent_name, owner } => {
            sqlx::query(
                "INSERT INTO agents (id, name, lookalike, owner_id, suspended, added_at) \
                 VALUES (?, ?, ?, ?, 0, ?)",
            )
            .bind(agent.to_string())
            .bind(agent_name)
            .bind(name::lookalike(agent_name))
            .bind(owner.map(|owner| owner.to_string()))
            .bind(at)
            .execute(tx)
            .await?;
        }
        HouseFact::AgentSuspended { agent } => {
            sqlx::query("UPDATE agents SET suspended = 1 WHERE id = ?")
                .bind(agent.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::KeyIssued { key, holder, expires_at, shown_to, scope } => {
            let (agent, person) = match holder {
                Actor::Agent(agent) => (Some(agent.to_string()), None),
                Actor::Person(person) => (None, Some(person.to_string())),
                Actor::System => return Err(refused("a key has a holder")),
            };
            // The hash arrives as a write of the same change; until then the key opens nothing.
            sqlx::query(
                "INSERT INTO api_keys (id, agent_id, person_id, hash, hint, issued_at, expires_at, \
                 shown_to, scope) VALUES (?, ?, ?, ?, '', ?, ?, ?, ?)",
            )
            .bind(key.to_string())
            .bind(agent)
            .bind(person)
            .bind(key.0.as_bytes().as_slice())
            .bind(at)
            .bind(expires_at.micros())
            .bind(shown_to.to_string())
            .bind(serde_json::to_string(scope).map_err(refused)?)
            .execute(tx)
            .await?;
        }
        HouseFact::KeyRetired { key, expires_at } => {
            sqlx::query("UPDATE api_keys SET expires_at = min(expires_at, ?) WHERE id = ?")
                .bind(expires_at.micros())
                .bind(key.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::KeyRevoked { key } => {
            sqlx::query("UPDATE api_keys SET revoked_at = ? WHERE id = ?")
                .bind(at)
                .bind(key.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::TrustAdded { trust, agent, terms } => {
            let by = match new.actor {
                Actor::Person(person) => Some(person.to_string()),
                Actor::System => None,
                Actor::Agent(_) => return Err(refused("I10: an agent trusts nobody")),
            };
            sqlx::query(
                "INSERT INTO trusts (id, agent_id, terms, added_at, added_by) \
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(trust.to_string())
            .bind(agent.to_string())
            .bind(serde_json::to_string(terms).map_err(refused)?)
            .bind(at)
            .bind(by)
            .execute(tx)
            .await?;
        }
        HouseFact::TrustRemoved { trust } => {
            sqlx::query("UPDATE trusts SET removed_at = ? WHERE id = ?")
                .bind(at)
                .bind(trust.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::ChangesGated => {
            sqlx::query("UPDATE instance SET changes_gated = 1").execute(tx).await?;
        }
        HouseFact::Frozen { freeze, .. } => {
            let text = new.texts.first().ok_or_else(|| refused("a freeze has a reason"))?;
            let by = match new.actor {
                Actor::Person(person) => Some(person.to_string()),
                Actor::System => None,
                Actor::Agent(_) => return Err(refused("I10: an agent freezes nothing")),
            };
            sqlx::query(
                "INSERT INTO freezes (id, scope, halts, frozen_at, frozen_by, reason) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(freeze.id.to_string())
            .bind(serde_json::to_string(&freeze.scope).map_err(refused)?)
            .bind(freeze.halts)
            .bind(at)
            .bind(by)
            .bind(&text.text)
            .execute(tx)
            .await?;
        }
        HouseFact::Thawed { freeze, .. } => {
            let thawed =
                sqlx::query("UPDATE freezes SET thawed_at = ? WHERE id = ? AND thawed_at IS NULL")
                    .bind(at)
                    .bind(freeze.to_string())
                    .execute(tx)
                    .await?;
            if thawed.rows_affected() != 1 {
                return Err(StoreError::Stale);
            }
        }
        HouseFact::EvidenceOpened { evidence, unmasked, .. } => {
            let (Some(request), Actor::Person(person)) = (new.request, new.actor) else {
                return Err(refused("a person opens evidence of a request"));
            };
            sqlx::query(
                "INSERT OR IGNORE INTO evidence_opened \
                 (request_id, digest, person_id, unmasked, at) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(request.to_string())
            .bind(evidence.0.as_slice())
            .bind(person.to_string())
            .bind(unmasked)
            .bind(at)
            .execute(tx)
            .await?;
        }
        HouseFact::PasswordSet { person } => {
            sqlx::query("UPDATE people SET passwords = passwords + 1 WHERE id = ?")
                .bind(person.to_string())
                .execute(&mut *tx)
                .await?;
            // SECURITY: whoever handed out a link holds no other way to be them from now on.
            #[cfg(not(planted = "a_link_outlives_the_password"))]
            sqlx::query("DELETE FROM sign_in_links WHERE person_id = ?")
                .bind(person.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::Restored { .. } => {
            // SECURITY: what was signed in, or handed out to sign in, when the backup was made.
            sqlx::query("DELETE FROM sessions").execute(&mut *tx).await?;
            sqlx::query("DELETE FROM sign_in_links").execute(tx).await?;
        }
        HouseFact::WebhookAdded { .. }
        | HouseFact::WebhookSecretRotated { .. }
        | HouseFact::WebhookDisabled { .. }
        | HouseFact::WebhookRemoved { .. } => webhooks::fact(tx, new, fact).await?,
        HouseFact::InstanceCreated { .. }
        | HouseFact::CheckpointKeyNamed { .. }
        | HouseFact::KindPut { .. }
        | HouseFact::PolicyPut { .. }
        | HouseFact::ChangedDirectly { .. }
        | HouseFact::Recovered { .. }
        | HouseFact::SignInLinkIssued { .. }
        | HouseFact::SignedIn { .. }
        | HouseFact::SignInRefused { .. }
        | HouseFact::SignedOut { .. }
        | HouseFact::AttemptRefused { .. } => {}
    }
    Ok(())
}
