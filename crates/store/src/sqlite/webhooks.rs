//! Endpoints, and how far each was told of what.

use domain::entry::HouseFact;
use domain::{Timestamp, WebhookId, name};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::project::refused;
use super::rows::{Column, signed};
use crate::change::{NewFact, Step};
use crate::error::StoreError;
use crate::read::{Delivery, DeliveryState, Webhook};

type Answer<T> = Result<T, StoreError>;

/// What a fact about an endpoint means for its row.
pub(super) async fn fact(tx: &mut SqliteConnection, new: &NewFact, fact: &HouseFact) -> Answer<()> {
    let at = new.at.micros();
    match fact {
        HouseFact::WebhookAdded { webhook, name: called, events, from, .. } => {
            let url = new.texts.first().ok_or_else(|| refused("an endpoint has an address"))?;
            sqlx::query(
                "INSERT INTO webhooks (id, name, lookalike, url, events, added_at, cursor, \
                 secret_version) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
            )
            .bind(webhook.to_string())
            .bind(called)
            .bind(name::lookalike(called))
            .bind(&url.text)
            .bind(serde_json::to_string(events).map_err(refused)?)
            .bind(at)
            .bind(signed(*from))
            .execute(tx)
            .await?;
        }
        HouseFact::WebhookSecretRotated { webhook, version } => {
            let rotated = sqlx::query(
                "UPDATE webhooks SET secret_version = ?, rotated_at = ? \
                 WHERE id = ? AND secret_version = ? - 1",
            )
            .bind(i64::from(*version))
            .bind(at)
            .bind(webhook.to_string())
            .bind(i64::from(*version))
            .execute(tx)
            .await?;
            if rotated.rows_affected() != 1 {
                return Err(StoreError::Stale);
            }
        }
        HouseFact::WebhookDisabled { webhook } => {
            sqlx::query("UPDATE webhooks SET disabled_at = ? WHERE id = ?")
                .bind(at)
                .bind(webhook.to_string())
                .execute(tx)
                .await?;
        }
        HouseFact::WebhookRemoved { webhook } => {
            let removed = sqlx::query("DELETE FROM webhooks WHERE id = ?")
                .bind(webhook.to_string())
                .execute(tx)
                .await?;
            if removed.rows_affected() != 1 {
                return Err(StoreError::Stale);
            }
        }
        _ => return Err(refused("no fact about an endpoint")),
    }
    Ok(())
}

/// What becomes of deliveries.
pub(super) async fn step(tx: &mut SqliteConnection, id: WebhookId, step: &Step) -> Answer<()> {
    let id = id.to_string();
    match step {
        Step::Advance { from, to, wanted, at } => {
            let moved = sqlx::query("UPDATE webhooks SET cursor = ? WHERE id = ? AND cursor = ?")
                .bind(signed(*to))
                .bind(&id)
                .bind(signed(*from))
                .execute(&mut *tx)
                .await?;
            if moved.rows_affected() == 1 {
                wait(tx, &id, wanted, *at).await?;
            }
        }
        Step::Attempted { index, before, at, answer, next } => {
            sqlx::query(
                "UPDATE webhook_deliveries SET state = ?, attempts = attempts + 1, next_at = ?, \
                 last_at = ?, answer = ? \
                 WHERE webhook_id = ? AND idx = ? AND attempts = ? AND state = 'waiting'",
            )
            .bind(next.state().as_str())
            .bind(next.at().map(Timestamp::micros))
            .bind(at.micros())
            .bind(answer)
            .bind(id)
            .bind(signed(*index))
            .bind(i64::from(*before))
            .execute(tx)
            .await?;
        }
        Step::Replay { wanted, at } => wait(tx, &id, wanted, *at).await?,
        Step::ReplayDead { at } => {
            sqlx::query(
                "UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = ? \
                 WHERE webhook_id = ? AND state = 'dead'",
            )
            .bind(at.micros())
            .bind(id)
            .execute(tx)
            .await?;
        }
    }
    Ok(())
}

/// Entries that wait to be told to an endpoint, if it is there, from `at` on.
async fn wait(tx: &mut SqliteConnection, id: &str, wanted: &[u64], at: Timestamp) -> Answer<()> {
    let wanted = serde_json::to_string(wanted).map_err(refused)?;
    sqlx::query(
        "INSERT INTO webhook_deliveries (webhook_id, idx, state, attempts, next_at) \
         SELECT w.id, j.value, 'waiting', 0, ? FROM webhooks AS w, json_each(?) AS j \
         WHERE w.id = ? \
         ON CONFLICT (webhook_id, idx) DO UPDATE SET state = 'waiting', attempts = 0, \
         next_at = excluded.next_at",
    )
    .bind(at.micros())
    .bind(wanted)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes what is over since before these instants.
pub(super) async fn clear(
    tx: &mut SqliteConnection,
    delivered: Timestamp,
    dead: Timestamp,
) -> Answer<()> {
    sqlx::query(
        "DELETE FROM webhook_deliveries WHERE state = 'delivered' AND last_at < ? \
         OR state = 'dead' AND last_at < ?",
    )
    .bind(delivered.micros())
    .bind(dead.micros())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn list(pool: &SqlitePool) -> Answer<Vec<Webhook>> {
    let rows = sqlx::query("SELECT * FROM webhooks ORDER BY name").fetch_all(pool).await?;
    let webhook = |row: &SqliteRow| {
        Ok(Webhook {
            id: Column("webhooks", "id").parsed(row)?,
            name: row.try_get("name")?,
            url: row.try_get("url")?,
            events: Column("webhooks", "events").json(row)?,
            added_at: Column("webhooks", "added_at").time(row)?,
            cursor: Column("webhooks", "cursor").number(row)?,
            secret_version: Column("webhooks", "secret_version").number(row)?,
            rotated_at: Column("webhooks", "rotated_at").time_if_any(row)?,
            disabled_at: Column("webhooks", "disabled_at").time_if_any(row)?,
        })
    };
    rows.iter().map(webhook).collect()
}

pub(super) async fn deliveries(
    pool: &SqlitePool,
    webhook: WebhookId,
    limit: u32,
) -> Answer<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT * FROM webhook_deliveries WHERE webhook_id = ? ORDER BY idx DESC LIMIT +?",
    )
    .bind(webhook.to_string())
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(delivery).collect()
}

pub(super) async fn counts(
    pool: &SqlitePool,
    webhook: WebhookId,
) -> Answer<Vec<(DeliveryState, u64)>> {
    let rows = sqlx::query(
        "SELECT state, count(*) AS found FROM webhook_deliveries WHERE webhook_id = ? \
         GROUP BY state ORDER BY state",
    )
    .bind(webhook.to_string())
    .fetch_all(pool)
    .await?;
    let count = |row| Ok((state(row)?, Column("webhook_deliveries", "found").number(row)?));
    rows.iter().map(count).collect()
}

pub(super) async fn due(
    pool: &SqlitePool,
    webhook: WebhookId,
    now: Timestamp,
    limit: u32,
) -> Answer<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT * FROM webhook_deliveries WHERE webhook_id = ? AND state = 'waiting' \
         AND next_at <= ? ORDER BY next_at, idx LIMIT +?",
    )
    .bind(webhook.to_string())
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(delivery).collect()
}

fn state(row: &SqliteRow) -> Answer<DeliveryState> {
    let text: String = row.try_get("state")?;
    let corrupt = || Column("webhook_deliveries", "state").corrupt(&text);
    DeliveryState::parse(&text).ok_or_else(corrupt)
}

fn delivery(row: &SqliteRow) -> Answer<Delivery> {
    const TABLE: &str = "webhook_deliveries";
    Ok(Delivery {
        index: Column(TABLE, "idx").number(row)?,
        state: state(row)?,
        attempts: Column(TABLE, "attempts").number(row)?,
        next_at: Column(TABLE, "next_at").time_if_any(row)?,
        last_at: Column(TABLE, "last_at").time_if_any(row)?,
        answer: row.try_get("answer")?,
    })
}
