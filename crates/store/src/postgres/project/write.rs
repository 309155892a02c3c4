//! What becomes durable with facts and stands in no entry: secrets by their hashes, bodies by their
//! digests, records of retries.

use domain::{Timestamp, canonical};
use sqlx::PgConnection;

use super::super::rows::signed;
use super::refused;
use crate::change::Write;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// What belongs to a fact but never stands in the ledger; `now` is the time of the entry that names it,
/// if one does.
pub(in crate::postgres) async fn write(
    tx: &mut PgConnection,
    write: &Write,
    now: Timestamp,
) -> Answer<()> {
    match write {
        Write::Instance { id } => {
            sqlx::query(
                "INSERT INTO instance (only_row, id, created_at, authority_epoch) VALUES (1, $1, $2, 0)",
            )
            .bind(id.0)
            .bind(now.micros())
            .execute(tx)
            .await?;
        }
        Write::PasswordHash { person, hash, replaces } => {
            let set = sqlx::query(
                "UPDATE people SET password_hash = $1 WHERE id = $2 AND password_hash IS NOT DISTINCT FROM $3",
            )
            .bind(hash)
            .bind(person.0)
            .bind(replaces)
            .execute(tx)
            .await?;
            if set.rows_affected() != 1 {
                return Err(StoreError::Stale);
            }
        }
        Write::KeyHash { key, hash, hint } => {
            sqlx::query("UPDATE api_keys SET hash = $1, hint = $2 WHERE id = $3")
                .bind(hash.as_slice())
                .bind(hint)
                .bind(key.0)
                .execute(tx)
                .await?;
        }
        Write::SignInLink { hash, person, expires_at } => {
            sqlx::query(
                "INSERT INTO sign_in_links (hash, person_id, expires_at) VALUES ($1, $2, $3)",
            )
            .bind(hash.as_slice())
            .bind(person.0)
            .bind(expires_at.micros())
            .execute(tx)
            .await?;
        }
        Write::SpendSignInLink { hash } => {
            let spent = sqlx::query(
                "UPDATE sign_in_links SET used_at = $1 \
                 WHERE hash = $2 AND used_at IS NULL AND expires_at > $3",
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
            sqlx::query("INSERT INTO kinds (name, version, body, put_at) VALUES ($1, $2, $3, $4)")
                .bind(&kind.name)
                .bind(i64::from(*version))
                .bind(canonical::to_bytes(kind).map_err(refused)?)
                .bind(now.micros())
                .execute(tx)
                .await?;
        }
        Write::Policy { version, text } => {
            sqlx::query("INSERT INTO policies (version, text, put_at) VALUES ($1, $2, $3)")
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

pub(in crate::postgres) async fn epoch(tx: &mut PgConnection, epoch: u64) -> Answer<()> {
    sqlx::query("UPDATE instance SET authority_epoch = $1").bind(signed(epoch)).execute(tx).await?;
    Ok(())
}
