//! What becomes durable with facts and stands in no entry: secrets by their hashes, bodies by their
//! digests, records of retries.

use domain::{Timestamp, canonical};
use sqlx::SqliteConnection;

use super::super::rows::signed;
use super::refused;
use crate::change::Write;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// What belongs to a fact but never stands in the ledger; `now` is the time of the entry that names it,
/// if one does.
pub(in crate::sqlite) async fn write(
    tx: &mut SqliteConnection,
    write: &Write,
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
        Write::PasswordHash { person, hash, replaces } => {
            let set = sqlx::query(
                "UPDATE people SET password_hash = ? WHERE id = ? AND password_hash IS ?",
            )
            .bind(hash)
            .bind(person.to_string())
            .bind(replaces)
            .execute(tx)
            .await?;
            #[cfg(not(planted = "two_passwords_are_set_at_once"))]
            if set.rows_affected() != 1 {
                return Err(StoreError::Stale);
            }
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
                .bind(i64::from(*version))
                .bind(canonical::to_bytes(kind).map_err(refused)?)
                .bind(now.micros())
                .execute(tx)
                .await?;
        }
        Write::Policy { version, text } => {
            sqlx::query("INSERT INTO policies (version, text, put_at) VALUES (?, ?, ?)")
                .bind(i64::from(*version))
                .bind(text)
                .bind(now.micros())
                .execute(tx)
                .await?;
        }
        // Rows that are inserted with those of the whole batch.
        Write::Evidence { .. } => {}
    }
    Ok(())
}

pub(in crate::sqlite) async fn epoch(tx: &mut SqliteConnection, epoch: u64) -> Answer<()> {
    sqlx::query("UPDATE instance SET authority_epoch = ?").bind(signed(epoch)).execute(tx).await?;
    Ok(())
}
