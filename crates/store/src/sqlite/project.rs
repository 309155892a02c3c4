//! Projections: the tables that pages read, written from facts in the transaction that records them.

use domain::entry::HouseFact;
use domain::kind;
use domain::request::SecondReview;
use domain::{Actor, Digest, Fact, Request, RequestFact, Timestamp, canonical, name};
use sqlx::SqliteConnection;

use super::checkpoints;
use super::history;
use super::rows::signed;
use crate::change::{Idempotency, NewFact, RequestChange, Side, Staged, Write};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// The size of one stored piece of evidence.
const CHUNK_BYTES: usize = 256 * 1024;

pub(super) fn refused(error: impl ToString) -> StoreError {
    StoreError::Refused(error.to_string())
}

/// Who still owes a second review for a broken glass, and until when.
fn owed(request: &Request) -> Option<(String, i64)> {
    let broken = request.break_glass.as_ref()?;
    match broken.second_review {
        SecondReview::Owed | SecondReview::Missed { .. } => {
            Some((broken.by.to_string(), broken.review_by.micros()))
        }
        SecondReview::Done { .. } => None,
    }
}

fn search_text(staged: &Staged) -> String {
    let revision = &staged.sealed.revision;
    format!("{} {}", kind::sentence(&staged.effect), revision.kind.name).to_lowercase()
}

/// The rows of a new request or revision: they have to be there before facts can refer to them.
pub(super) async fn stage(
    tx: &mut SqliteConnection,
    change: &RequestChange,
    now: Timestamp,
) -> Answer<()> {
    let Some(staged) = &change.staged else { return Ok(()) };
    let request = &change.after;
    if change.expected_version.is_none() {
        new_request(tx, request, staged, now).await?;
    }
    sqlx::query("INSERT INTO revisions (request_id, number, digest, body) VALUES (?, ?, ?, ?)")
        .bind(request.id.to_string())
        .bind(i64::from(request.revision))
        .bind(request.digest.0.as_slice())
        .bind(staged.sealed.bytes.as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

async fn new_request(
    tx: &mut SqliteConnection,
    request: &Request,
    staged: &Staged,
    now: Timestamp,
) -> Answer<()> {
    let effect = serde_json::to_string(&staged.effect).map_err(refused)?;
    sqlx::query(
        "INSERT INTO requests (id, version, state, agent_id, executor_id, kind_name, kind_version, \
         environment, risk, revision, digest, content_digest, staged_at, due_at, changed_at, \
         effect, search, document) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(request.id.to_string())
    .bind(request.state.name().as_str())
    .bind(request.agent.to_string())
    .bind(request.executor.to_string())
    .bind(&request.kind.name)
    .bind(i64::from(request.kind.version))
    .bind(&request.environment)
    .bind(request.risk.level.as_str())
    .bind(i64::from(request.revision))
    .bind(request.digest.0.as_slice())
    .bind(request.content_digest.0.as_slice())
    .bind(request.staged_at.micros())
    .bind(request.due_at().map(Timestamp::micros))
    .bind(now.micros())
    .bind(effect)
    .bind(search_text(staged))
    .bind(serde_json::to_string(request).map_err(refused)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// The request's row after all its facts; marks the evidence of a new revision as used, and notes
/// its targets as named at `staged_at`, the time of the fact that brought it.
pub(super) async fn update(
    tx: &mut SqliteConnection,
    change: &RequestChange,
    staged_at: Timestamp,
    now: Timestamp,
) -> Answer<()> {
    let request = &change.after;
    if let Some(staged) = &change.staged {
        history::note(tx, request, staged, staged_at).await?;
        for evidence in &staged.sealed.revision.evidence {
            sqlx::query("INSERT OR IGNORE INTO evidence_used (request_id, digest) VALUES (?, ?)")
                .bind(request.id.to_string())
                .bind(evidence.digest.0.as_slice())
                .execute(&mut *tx)
                .await?;
        }
    }
    let Some(version) = change.expected_version else { return Ok(()) };
    let effect = change.staged.as_ref().map(|staged| serde_json::to_string(&staged.effect));
    let (debtor, debt) = owed(request).unzip();
    let updated = sqlx::query(
        "UPDATE requests SET version = version + 1, state = ?, due_at = ?, owes_review = ?, \
         owes_review_by = ?, changed_at = ?, environment = ?, risk = ?, revision = ?, digest = ?, \
         content_digest = ?, effect = coalesce(?, effect), search = coalesce(?, search), \
         document = ? WHERE id = ? AND version = ?",
    )
    .bind(request.state.name().as_str())
    .bind(request.due_at().map(Timestamp::micros))
    .bind(debtor)
    .bind(debt)
    .bind(now.micros())
    .bind(&request.environment)
    .bind(request.risk.level.as_str())
    .bind(i64::from(request.revision))
    .bind(request.digest.0.as_slice())
    .bind(request.content_digest.0.as_slice())
    .bind(effect.transpose().map_err(refused)?)
    .bind(change.staged.as_ref().map(search_text))
    .bind(serde_json::to_string(request).map_err(refused)?)
    .bind(request.id.to_string())
    .bind(signed(version))
    .execute(tx)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// What a fact means for the tables beside the request's row.
pub(super) async fn fact(tx: &mut SqliteConnection, new: &NewFact) -> Answer<()> {
    match &new.fact {
        Fact::Request(fact) => request_fact(tx, new, fact).await,
        Fact::House(fact) => house_fact(tx, new, fact).await,
    }
}

async fn request_fact(tx: &mut SqliteConnection, new: &NewFact, fact: &RequestFact) -> Answer<()> {
    let id = new.request.ok_or_else(|| refused("a request's fact names its request"))?.to_string();
    match fact {
        RequestFact::ReviewRecorded { reviewer, verdict, revision, .. } => {
            sqlx::query(
                "INSERT INTO reviews (request_id, revision, person_id, verdict, at) \
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT (request_id, revision, person_id) \
                 DO UPDATE SET verdict = excluded.verdict, at = excluded.at",
            )
            .bind(id)
            .bind(i64::from(*revision))
            .bind(reviewer.to_string())
            .bind(verdict.as_str())
            .bind(new.at.micros())
            .execute(tx)
            .await?;
        }
        RequestFact::QuorumLost { void } => {
            for person in void {
                sqlx::query("DELETE FROM reviews WHERE request_id = ? AND person_id = ?")
                    .bind(&id)
                    .bind(person.to_string())
                    .execute(&mut *tx)
                    .await?;
            }
        }
        RequestFact::ReleaseRedeemed { release, .. } => {
            sqlx::query(
                "INSERT INTO releases (request_id, lease_id, redeemed_at) VALUES (?, ?, ?)",
            )
            .bind(id)
            .bind(release.lease_id.to_string())
            .bind(release.redeemed_at.micros())
            .execute(tx)
            .await?;
        }
        RequestFact::RequestStaged(_)
        | RequestFact::RequestAmended(_)
        | RequestFact::ChangesRequested { .. }
        | RequestFact::RequestApproved { .. }
        | RequestFact::GlassBroken { .. }
        | RequestFact::SecondReviewRecorded { .. }
        | RequestFact::SecondReviewMissed { .. }
        | RequestFact::RequestDenied { .. }
        | RequestFact::RequestExpired { .. }
        | RequestFact::RequestWithdrawn { .. }
        | RequestFact::ReleaseRevoked { .. }
        | RequestFact::ReleaseLapsed { .. }
        | RequestFact::ReleaseVoided
        | RequestFact::LeaseRenewed { .. }
        | RequestFact::HaltRequested { .. }
        | RequestFact::OutcomeMissed { .. }
        | RequestFact::OutcomeReported { .. }
        | RequestFact::RollbackReported { .. } => {}
    }
    Ok(())
}

async fn house_fact(tx: &mut SqliteConnection, new: &NewFact, fact: &HouseFact) -> Answer<()> {
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
        HouseFact::KeyIssued { key, holder, expires_at, shown_to } => {
            let (agent, person) = match holder {
                Actor::Agent(agent) => (Some(agent.to_string()), None),
                Actor::Person(person) => (None, Some(person.to_string())),
                Actor::System => return Err(refused("a key has a holder")),
            };
            // The hash arrives as a write of the same change; until then the key opens nothing.
            sqlx::query(
                "INSERT INTO api_keys (id, agent_id, person_id, hash, hint, issued_at, expires_at, \
                 shown_to) VALUES (?, ?, ?, ?, '', ?, ?, ?)",
            )
            .bind(key.to_string())
            .bind(agent)
            .bind(person)
            .bind(key.0.as_bytes().as_slice())
            .bind(at)
            .bind(expires_at.micros())
            .bind(shown_to.to_string())
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
        HouseFact::EvidenceOpened { evidence, .. } => {
            let (Some(request), Actor::Person(person)) = (new.request, new.actor) else {
                return Err(refused("a person opens evidence of a request"));
            };
            sqlx::query(
                "INSERT OR IGNORE INTO evidence_opened (request_id, digest, person_id, at) \
                 VALUES (?, ?, ?, ?)",
            )
            .bind(request.to_string())
            .bind(evidence.0.as_slice())
            .bind(person.to_string())
            .bind(at)
            .execute(tx)
            .await?;
        }
        HouseFact::Restored { .. } => {
            // SECURITY: what was signed in, or handed out to sign in, when the backup was made.
            sqlx::query("DELETE FROM sessions").execute(&mut *tx).await?;
            sqlx::query("DELETE FROM sign_in_links").execute(tx).await?;
        }
        HouseFact::InstanceCreated { .. }
        | HouseFact::CheckpointKeyNamed { .. }
        | HouseFact::PasswordSet { .. }
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

/// What belongs to a fact but never stands in the ledger.
pub(super) async fn write(tx: &mut SqliteConnection, write: Write, now: Timestamp) -> Answer<()> {
    match write {
        Write::Instance { id } => {
            sqlx::query(
                "INSERT INTO instance (only_row, id, created_at, authority_epoch) VALUES (1, ?, ?, 0)",
            )
            .bind(id.to_string())
            .bind(now.micros())
            .execute(tx)
            .await?;
        }
        Write::PasswordHash { person, hash } => {
            sqlx::query("UPDATE people SET password_hash = ? WHERE id = ?")
                .bind(hash)
                .bind(person.to_string())
                .execute(tx)
                .await?;
        }
        Write::KeyHash { key, hash, hint } => {
            sqlx::query("UPDATE api_keys SET hash = ?, hint = ? WHERE id = ?")
                .bind(hash.as_slice())
                .bind(hint)
                .bind(key.to_string())
                .execute(tx)
                .await?;
        }
        Write::SignInLink { hash, person, expires_at } => {
            sqlx::query("INSERT INTO sign_in_links (hash, person_id, expires_at) VALUES (?, ?, ?)")
                .bind(hash.as_slice())
                .bind(person.to_string())
                .bind(expires_at.micros())
                .execute(tx)
                .await?;
        }
        Write::SpendSignInLink { hash } => {
            let spent = sqlx::query(
                "UPDATE sign_in_links SET used_at = ? \
                 WHERE hash = ? AND used_at IS NULL AND expires_at > ?",
            )
            .bind(now.micros())
            .bind(hash.as_slice())
            .bind(now.micros())
            .execute(tx)
            .await?;
            if spent.rows_affected() != 1 {
                return Err(StoreError::LinkSpent);
            }
        }
        Write::Kind { kind, version } => {
            sqlx::query("INSERT INTO kinds (name, version, body, put_at) VALUES (?, ?, ?, ?)")
                .bind(&kind.name)
                .bind(i64::from(version))
                .bind(canonical::to_bytes(&kind).map_err(refused)?)
                .bind(now.micros())
                .execute(tx)
                .await?;
        }
        Write::Policy { version, text } => {
            sqlx::query("INSERT INTO policies (version, text, put_at) VALUES (?, ?, ?)")
                .bind(i64::from(version))
                .bind(text)
                .bind(now.micros())
                .execute(tx)
                .await?;
        }
        Write::Evidence { agent, digest, bytes } => {
            evidence(tx, agent, digest, &bytes, now).await?;
        }
    }
    Ok(())
}

async fn evidence(
    tx: &mut SqliteConnection,
    agent: domain::AgentId,
    digest: Digest,
    bytes: &[u8],
    at: Timestamp,
) -> Answer<()> {
    let new = sqlx::query(
        "INSERT OR IGNORE INTO evidence (digest, size_bytes, stored_at) VALUES (?, ?, ?)",
    )
    .bind(digest.0.as_slice())
    .bind(signed(bytes.len() as u64))
    .bind(at.micros())
    .execute(&mut *tx)
    .await?;
    if new.rows_affected() == 1 {
        for (seq, chunk) in (0_i64..).zip(bytes.chunks(CHUNK_BYTES)) {
            sqlx::query("INSERT INTO evidence_chunks (digest, seq, bytes) VALUES (?, ?, ?)")
                .bind(digest.0.as_slice())
                .bind(seq)
                .bind(chunk)
                .execute(&mut *tx)
                .await?;
        }
    }
    sqlx::query(
        "INSERT INTO evidence_uploads (digest, agent_id, at) VALUES (?, ?, ?) \
         ON CONFLICT (digest, agent_id) DO UPDATE SET at = excluded.at",
    )
    .bind(digest.0.as_slice())
    .bind(agent.to_string())
    .bind(at.micros())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn idempotency(
    tx: &mut SqliteConnection,
    record: &Idempotency,
    now: Timestamp,
) -> Answer<()> {
    sqlx::query(
        "INSERT INTO idempotency (scope, key, fingerprint, request_id, at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&record.scope)
    .bind(&record.key)
    .bind(record.fingerprint.0.as_slice())
    .bind(record.request.to_string())
    .bind(now.micros())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn epoch(tx: &mut SqliteConnection, epoch: u64) -> Answer<()> {
    sqlx::query("UPDATE instance SET authority_epoch = ?").bind(signed(epoch)).execute(tx).await?;
    Ok(())
}

/// Small writes beside the ledger.
pub(super) async fn side(tx: &mut SqliteConnection, side: Side) -> Answer<()> {
    match side {
        Side::SaveSession { id_hash, data, expires_at, create } => {
            // A new session must not meet an old one: an id that exists is an error.
            let sql = if create {
                "INSERT INTO sessions (id_hash, data, expires_at) VALUES (?, ?, ?)"
            } else {
                "INSERT INTO sessions (id_hash, data, expires_at) VALUES (?, ?, ?) \
                 ON CONFLICT (id_hash) DO UPDATE SET data = excluded.data, \
                 expires_at = excluded.expires_at"
            };
            sqlx::query(sql)
                .bind(id_hash.as_slice())
                .bind(data)
                .bind(expires_at.micros())
                .execute(tx)
                .await?;
        }
        Side::DeleteSession { id_hash } => {
            sqlx::query("DELETE FROM sessions WHERE id_hash = ?")
                .bind(id_hash.as_slice())
                .execute(tx)
                .await?;
        }
        Side::TouchKey { key, at } => {
            sqlx::query("UPDATE api_keys SET last_used_at = ? WHERE id = ?")
                .bind(at.micros())
                .bind(key.to_string())
                .execute(tx)
                .await?;
        }
        Side::Evidence { agent, digest, bytes, at } => {
            evidence(tx, agent, digest, &bytes, at).await?;
        }
        Side::Checkpoint(checkpoint) => checkpoints::keep(tx, &checkpoint).await?,
        Side::Sweep { now, evidence_before } => sweep(tx, now, evidence_before).await?,
    }
    Ok(())
}

async fn sweep(tx: &mut SqliteConnection, now: Timestamp, before: Timestamp) -> Answer<()> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
        .bind(now.micros())
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM sign_in_links WHERE expires_at <= ?")
        .bind(now.micros())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "DELETE FROM evidence WHERE stored_at < ?1 \
         AND NOT EXISTS (SELECT 1 FROM evidence_used AS u WHERE u.digest = evidence.digest) \
         AND NOT EXISTS (SELECT 1 FROM evidence_uploads AS u \
                         WHERE u.digest = evidence.digest AND u.at >= ?1)",
    )
    .bind(before.micros())
    .execute(tx)
    .await?;
    Ok(())
}
