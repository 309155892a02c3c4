//! What becomes durable with facts and stands in no entry: secrets by their hashes, bodies by their
//! digests, records of retries.

use domain::{Digest, Timestamp, canonical};
use sqlx::SqliteConnection;

use super::super::rows::signed;
use super::refused;
use crate::change::{Idempotency, Write};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// The size of one stored piece of evidence.
const CHUNK_BYTES: usize = 256 * 1024;

/// What belongs to a fact but never stands in the ledger; `now` is the time of the entry that names it,
/// if one does.
pub(in crate::sqlite) async fn write(
    tx: &mut SqliteConnection,
    write: Write,
    now: Timestamp,
) -> Answer<()> {
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

/// Keeps evidence in pieces, and that this agent may refer to it.
pub(super) async fn evidence(
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

pub(in crate::sqlite) async fn idempotency(
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

pub(in crate::sqlite) async fn epoch(tx: &mut SqliteConnection, epoch: u64) -> Answer<()> {
    sqlx::query("UPDATE instance SET authority_epoch = ?").bind(signed(epoch)).execute(tx).await?;
    Ok(())
}
