//! Requests and their revisions: reads.

use domain::{AgentId, Digest, RequestId, StateName, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::rows::Column;
use crate::batch::{Found, Wanted};
use crate::error::StoreError;
use crate::read::{IdempotencyRecord, Order, Recorded, RequestQuery, StateCount, Stored};

type Answer<T> = Result<T, StoreError>;

const COLUMNS: &str = "SELECT version, changed_at, effect, document FROM requests";

fn stored(row: &PgRow) -> Answer<Stored> {
    Ok(Stored {
        request: Column("requests", "document").json(row)?,
        version: Column("requests", "version").number(row)?,
        changed_at: Column("requests", "changed_at").time(row)?,
        effect: Column("requests", "effect").json(row)?,
    })
}

pub(super) async fn load(connection: &mut PgConnection, id: RequestId) -> Answer<Option<Stored>> {
    let row =
        sqlx::query("SELECT version, changed_at, effect, document FROM requests WHERE id = $1")
            .bind(id.0)
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(stored).transpose()
}

/// One statement, so as of one instant.
const RECORD: &str = "SELECT version, changed_at, effect, document, v.body, v.digest, \
     (SELECT array_agg(e.body ORDER BY idx) FROM entries AS e WHERE e.request_id = r.id) AS entries \
     FROM requests AS r LEFT JOIN revisions AS v ON v.request_id = r.id AND number = revision \
     WHERE r.id = $1";

pub(super) async fn record(pool: &PgPool, id: RequestId) -> Answer<Option<Recorded>> {
    let row = sqlx::query(RECORD).bind(id.0).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    let body: Option<Vec<u8>> = row.try_get("body")?;
    let digest = body.is_some().then(|| Column("revisions", "digest").digest(&row)).transpose()?;
    let entries: Option<Vec<Vec<u8>>> = row.try_get("entries")?;
    Ok(Some(Recorded {
        stored: stored(&row)?,
        revision: body.zip(digest),
        entries: entries.unwrap_or_default(),
    }))
}

/// The versions of requests, and the idempotency records, that are there among those wanted.
pub(super) async fn found(tx: &mut PgConnection, wanted: &Wanted) -> Answer<Found> {
    let mut found = Found::default();
    if !wanted.requests.is_empty() {
        let ids: Vec<Uuid> = wanted.requests.iter().map(|id| id.0).collect();
        let rows = sqlx::query("SELECT id, version FROM requests WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            let id = Column("requests", "id").parsed(row)?;
            found.versions.insert(id, Column("requests", "version").number(row)?);
        }
    }
    if !wanted.keys.is_empty() {
        let (scopes, keys): (Vec<&str>, Vec<&str>) =
            wanted.keys.iter().map(|(scope, key)| (scope.as_str(), key.as_str())).unzip();
        let rows = sqlx::query(
            "SELECT scope, key, fingerprint, request_id, at FROM idempotency \
             JOIN unnest($1::text[], $2::text[]) AS wanted (scope, key) USING (scope, key)",
        )
        .bind(scopes)
        .bind(keys)
        .fetch_all(tx)
        .await?;
        for row in &rows {
            found
                .keys
                .insert((row.try_get("scope")?, row.try_get("key")?), idempotency_record(row)?);
        }
    }
    Ok(found)
}

pub(super) async fn revision(
    pool: &PgPool,
    id: RequestId,
    number: u32,
) -> Answer<Option<(Vec<u8>, Digest)>> {
    let row =
        sqlx::query("SELECT body, digest FROM revisions WHERE request_id = $1 AND number = $2")
            .bind(id.0)
            .bind(i64::from(number))
            .fetch_optional(pool)
            .await?;
    row.map(|row| Ok((row.try_get("body")?, Column("revisions", "digest").digest(&row)?)))
        .transpose()
}

pub(super) async fn list(pool: &PgPool, query: RequestQuery) -> Answer<Vec<Stored>> {
    let mut sql = QueryBuilder::<Postgres>::new(COLUMNS);
    sql.push(" WHERE true");
    if !query.states.is_empty() {
        let states: Vec<&str> = query.states.iter().map(|state| state.as_str()).collect();
        sql.push(" AND state = ANY(").push_bind(states).push(")");
    }
    if query.owes_review {
        sql.push(" AND owes_review IS NOT NULL");
    }
    if let Some(agents) = &query.agents {
        let ids: Vec<Uuid> = agents.iter().map(|agent| agent.0).collect();
        sql.push(" AND (agent_id = ANY(").push_bind(ids.clone());
        sql.push(") OR executor_id = ANY(").push_bind(ids).push("))");
    }
    if let Some(text) = &query.text {
        sql.push(" AND strpos(search, ").push_bind(text.to_lowercase()).push(") > 0");
    }
    if let Some(since) = query.changed_since {
        sql.push(" AND changed_at >= ").push_bind(since.micros());
    }
    if let Some((at, id)) = query.before {
        sql.push(" AND (staged_at, id) < (").push_bind(at.micros());
        sql.push(", ").push_bind(id.0).push(")");
    }
    sql.push(match query.order {
        Order::NewestFirst => " ORDER BY staged_at DESC, id DESC",
        Order::MostUrgentFirst => {
            " ORDER BY CASE risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, due_at NULLS FIRST, id"
        }
        Order::LastChangedFirst => " ORDER BY changed_at DESC, id DESC",
    });
    sql.push(" LIMIT ").push_bind(i64::from(query.limit));
    sql.build().fetch_all(pool).await?.iter().map(stored).collect()
}

pub(super) async fn counts(pool: &PgPool) -> Answer<Vec<StateCount>> {
    let rows = sqlx::query("SELECT state, count(*) AS count FROM requests GROUP BY state")
        .fetch_all(pool)
        .await?;
    let count = |row: &PgRow| {
        let word: String = row.try_get("state")?;
        let state = StateName::from_word(&word)
            .ok_or_else(|| Column("requests", "state").corrupt(&word))?;
        Ok((state, Column("requests", "count").number(row)?))
    };
    rows.iter().map(count).collect()
}

pub(super) async fn count_of_agent(pool: &PgPool, agent: AgentId, state: StateName) -> Answer<u64> {
    let row =
        sqlx::query("SELECT count(*) AS count FROM requests WHERE agent_id = $1 AND state = $2")
            .bind(agent.0)
            .bind(state.as_str())
            .fetch_one(pool)
            .await?;
    Column("requests", "count").number(&row)
}

pub(super) async fn environments(pool: &PgPool) -> Answer<Vec<String>> {
    let names = sqlx::query_scalar("SELECT DISTINCT environment FROM requests ORDER BY 1");
    Ok(names.fetch_all(pool).await?)
}

pub(super) async fn due(pool: &PgPool, now: Timestamp, limit: u32) -> Answer<Vec<RequestId>> {
    let rows = sqlx::query("SELECT id FROM requests WHERE due_at <= $1 ORDER BY due_at LIMIT $2")
        .bind(now.micros())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| Column("requests", "id").parsed(row)).collect()
}

pub(super) async fn idempotency(
    pool: &PgPool,
    scope: &str,
    key: &str,
) -> Answer<Option<IdempotencyRecord>> {
    let row = sqlx::query(
        "SELECT fingerprint, request_id, at FROM idempotency WHERE scope = $1 AND key = $2",
    )
    .bind(scope)
    .bind(key)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(idempotency_record).transpose()
}

fn idempotency_record(row: &PgRow) -> Answer<IdempotencyRecord> {
    Ok(IdempotencyRecord {
        fingerprint: Column("idempotency", "fingerprint").digest(row)?,
        request: Column("idempotency", "request_id").parsed(row)?,
        at: Column("idempotency", "at").time(row)?,
    })
}
