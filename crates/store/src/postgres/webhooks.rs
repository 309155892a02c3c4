//! Endpoints, and how far each was told of what.

use domain::entry::HouseFact;
use domain::{Timestamp, WebhookId, name};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::project::refused;
use super::rows::{Column, signed};
use crate::change::{NewFact, Step};
use crate::error::StoreError;
use crate::read::{Delivery, DeliveryState, Webhook};

type Answer<T> = Result<T, StoreError>;

/// What a fact about an endpoint means for its row.
pub(super) async fn fact(tx: &mut PgConnection, new: &NewFact, fact: &HouseFact) -> Answer<()> {
    let at = new.at.micros();
    match fact {
        HouseFact::WebhookAdded { webhook, name: called, events, from, .. } => {
            let url = new.texts.first().ok_or_else(|| refused("an endpoint has an address"))?;
            sqlx::query(
                "INSERT INTO webhooks (id, name, lookalike, url, events, added_at, cursor, \
                 secret_version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
            )
            .bind(webhook.0)
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
                "UPDATE webhooks SET secret_version = $1, rotated_at = $2 \
                 WHERE id = $3 AND secret_version = $4 - 1",
            )
            .bind(i64::from(*version))
            .bind(at)
            .bind(webhook.0)
            .bind(i64::from(*version))
            .execute(tx)
            .await?;
            if rotated.rows_affected() != 1 {
                return Err(StoreError::Stale);
            }
        }
        HouseFact::WebhookDisabled { webhook } => {
            sqlx::query("UPDATE webhooks SET disabled_at = $1 WHERE id = $2")
                .bind(at)
                .bind(webhook.0)
                .execute(tx)
                .await?;
        }
        HouseFact::WebhookRemoved { webhook } => {
            let removed = sqlx::query("DELETE FROM webhooks WHERE id = $1")
                .bind(webhook.0)
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
pub(super) async fn step(tx: &mut PgConnection, id: WebhookId, step: &Step) -> Answer<()> {
    let id = id.0;
    match step {
        Step::Advance { from, to, wanted, at } => {
            let moved =
                sqlx::query("UPDATE webhooks SET cursor = $1 WHERE id = $2 AND cursor = $3")
                    .bind(signed(*to))
                    .bind(id)
                    .bind(signed(*from))
                    .execute(&mut *tx)
                    .await?;
            if moved.rows_affected() == 1 {
                wait(tx, id, wanted, *at).await?;
            }
        }
        Step::Attempted { index, before, at, answer, next } => {
            sqlx::query(
                "UPDATE webhook_deliveries SET state = $1, attempts = attempts + 1, next_at = $2, \
                 last_at = $3, answer = $4 \
                 WHERE webhook_id = $5 AND idx = $6 AND attempts = $7 AND state = 'waiting'",
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
        Step::Replay { wanted, at } => wait(tx, id, wanted, *at).await?,
        Step::ReplayDead { at } => {
            sqlx::query(
                "UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = $1 \
                 WHERE webhook_id = $2 AND state = 'dead'",
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
async fn wait(tx: &mut PgConnection, id: Uuid, wanted: &[u64], at: Timestamp) -> Answer<()> {
    let wanted: Vec<i64> = wanted.iter().copied().map(signed).collect();
    sqlx::query(
        "INSERT INTO webhook_deliveries (webhook_id, idx, state, attempts, next_at) \
         SELECT w.id, j, 'waiting', 0, $1 FROM webhooks AS w, unnest($2::bigint[]) AS j \
         WHERE w.id = $3 \
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
    tx: &mut PgConnection,
    delivered: Timestamp,
    dead: Timestamp,
) -> Answer<()> {
    sqlx::query(
        "DELETE FROM webhook_deliveries WHERE state = 'delivered' AND last_at < $1 \
         OR state = 'dead' AND last_at < $2",
    )
    .bind(delivered.micros())
    .bind(dead.micros())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn list(pool: &PgPool) -> Answer<Vec<Webhook>> {
    let rows = sqlx::query("SELECT * FROM webhooks ORDER BY name").fetch_all(pool).await?;
    let webhook = |row: &PgRow| {
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
    pool: &PgPool,
    webhook: WebhookId,
    limit: u32,
) -> Answer<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT * FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY idx DESC LIMIT $2",
    )
    .bind(webhook.0)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(delivery).collect()
}

pub(super) async fn counts(pool: &PgPool, webhook: WebhookId) -> Answer<Vec<(DeliveryState, u64)>> {
    let rows = sqlx::query(
        "SELECT state, count(*) AS found FROM webhook_deliveries WHERE webhook_id = $1 \
         GROUP BY state ORDER BY state",
    )
    .bind(webhook.0)
    .fetch_all(pool)
    .await?;
    let count = |row| Ok((state(row)?, Column("webhook_deliveries", "found").number(row)?));
    rows.iter().map(count).collect()
}

pub(super) async fn due(
    pool: &PgPool,
    webhook: WebhookId,
    now: Timestamp,
    limit: u32,
) -> Answer<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT * FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'waiting' \
         AND next_at <= $2 ORDER BY next_at, idx LIMIT $3",
    )
    .bind(webhook.0)
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(delivery).collect()
}

fn state(row: &PgRow) -> Answer<DeliveryState> {
    let text: String = row.try_get("state")?;
    let corrupt = || Column("webhook_deliveries", "state").corrupt(&text);
    DeliveryState::parse(&text).ok_or_else(corrupt)
}

fn delivery(row: &PgRow) -> Answer<Delivery> {
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
