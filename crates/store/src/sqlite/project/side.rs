//! Small writes beside the ledger, and what is cleared when nothing needs it any more.

use domain::Timestamp;
use sqlx::SqliteConnection;

use super::super::{checkpoints, evidence, insert, webhooks};
use crate::change::Side;
use crate::error::StoreError;
use crate::insert::Inserts;

type Answer<T> = Result<T, StoreError>;

/// Small writes beside the ledger.
pub(in crate::sqlite) async fn side(tx: &mut SqliteConnection, side: &Side) -> Answer<()> {
    match side {
        Side::SaveSession { id_hash, data, expires_at, create } => {
            // A new session must not meet an old one: an id that exists is an error. One that has
            // ended meanwhile stays ended.
            let sql = if *create {
                "INSERT INTO sessions (id_hash, data, expires_at) VALUES (?, ?, ?)"
            } else {
                "UPDATE sessions SET data = ?2, expires_at = ?3 WHERE id_hash = ?1"
            };
            #[cfg(planted = "an_ended_session_comes_back")]
            let sql =
                "INSERT OR REPLACE INTO sessions (id_hash, data, expires_at) VALUES (?, ?, ?)";
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
        Side::TouchTrust { trust, at } => {
            sqlx::query("UPDATE trusts SET last_used_at = ? WHERE id = ?")
                .bind(at.micros())
                .bind(trust.to_string())
                .execute(tx)
                .await?;
        }
        Side::Evidence { upload, at } => {
            let mut rows = Inserts::default();
            rows.evidence(upload, *at);
            insert::flush(tx, &mut rows).await?;
        }
        Side::Checkpoint(checkpoint) => checkpoints::keep(tx, checkpoint).await?,
        Side::Deliver { webhook, step } => webhooks::step(tx, *webhook, step).await?,
        Side::Sweep { now, evidence_before, contents_before, delivered_before, dead_before } => {
            passing(tx, *now).await?;
            evidence::clear(tx, *evidence_before, *contents_before).await?;
            webhooks::clear(tx, *delivered_before, *dead_before).await?;
        }
    }
    Ok(())
}

/// Removes sessions and links that are over.
async fn passing(tx: &mut SqliteConnection, now: Timestamp) -> Answer<()> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
        .bind(now.micros())
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM sign_in_links WHERE expires_at <= ?")
        .bind(now.micros())
        .execute(tx)
        .await?;
    Ok(())
}
