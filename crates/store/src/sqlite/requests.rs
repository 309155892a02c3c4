//! Requests and their revisions: reads.

use domain::{AgentId, Digest, RequestId, StateName, Timestamp};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::rows::Column;
use crate::batch::{Found, Wanted};
use crate::error::StoreError;
use crate::insert::json;
use crate::read::{IdempotencyRecord, Order, Recorded, RequestQuery, StateCount, Stored};

type Answer<T> = Result<T, StoreError>;

const COLUMNS: &str = "SELECT version, changed_at, effect, document FROM requests";

fn stored(row: &SqliteRow) -> Answer<Stored> {
    Ok(Stored {
        request: Column("requests", "document").json(row)?,
        version: Column("requests", "version").number(row)?,
        changed_at: Column("requests", "changed_at").time(row)?,
        effect: Column("requests", "effect").json(row)?,
    })
}

pub(super) async fn load(
    connection: &mut SqliteConnection,
    id: RequestId,
) -> Answer<Option<Stored>> {
    let row =
        sqlx::query("SELECT version, changed_at, effect, document FROM requests WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(stored).transpose()
}

/// Those of the requests that are there.
pub(super) async fn load_all(
    connection: &mut SqliteConnection,
    ids: &[RequestId],
) -> Answer<Vec<Stored>> {
    let mut sql = QueryBuilder::<Sqlite>::new(COLUMNS);
    sql.push(" WHERE id IN (SELECT value FROM json_each(").push_bind(json(&ids)?).push("))");
    sql.build().fetch_all(connection).await?.iter().map(stored).collect()
}

/// One row, because each is a message from the driver's thread: the entries one a line, as canonical
/// bytes have no line breaks in them.
const RECORD: &str = "SELECT version, changed_at, effect, document, v.body, v.digest, \
     (SELECT group_concat(CAST(e.body AS TEXT), char(10) ORDER BY idx) FROM entries AS e \
      WHERE e.request_id = r.id) AS entries \
     FROM requests AS r LEFT JOIN revisions AS v ON v.request_id = r.id AND number = revision \
     WHERE r.id = ?";

pub(super) async fn record(pool: &SqlitePool, id: RequestId) -> Answer<Option<Recorded>> {
    let row = sqlx::query(RECORD).bind(id.to_string()).fetch_optional(pool).await?;
    let Some(row) = row else { return Ok(None) };
    let body: Option<Vec<u8>> = row.try_get("body")?;
    let digest = body.is_some().then(|| Column("revisions", "digest").digest(&row)).transpose()?;
    let entries: Option<String> = row.try_get("entries")?;
    let entries = entries.iter().flat_map(|entries| entries.split('\n'));
    Ok(Some(Recorded {
        stored: stored(&row)?,
        revision: body.zip(digest),
        entries: entries.map(|entry| entry.as_bytes().to_vec()).collect(),
    }))
}

/// The versions of requests, and the idempotency records, that are there among those wanted.
pub(super) async fn found(tx: &mut SqliteConnection, wanted: &Wanted) -> Answer<Found> {
    let mut found = Found::default();
    if !wanted.requests.is_empty() {
        let rows = sqlx::query(
            "SELECT id, version FROM requests WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(json(&wanted.requests)?)
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let id = Column("requests", "id").parsed(row)?;
            found.versions.insert(id, Column("requests", "version").number(row)?);
        }
    }
    if !wanted.keys.is_empty() {
        let rows = sqlx::query(
            "SELECT scope, i.key, fingerprint, request_id, at FROM json_each(?) AS wanted \
             CROSS JOIN idempotency AS i ON scope = wanted.value ->> 0 AND i.key = wanted.value ->> 1",
        )
        .bind(json(&wanted.keys)?)
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
    pool: &SqlitePool,
    id: RequestId,
    number: u32,
) -> Answer<Option<(Vec<u8>, Digest)>> {
    let row = sqlx::query("SELECT body, digest FROM revisions WHERE request_id = ? AND number = ?")
        .bind(id.to_string())
        .bind(i64::from(number))
        .fetch_optional(pool)
        .await?;
    row.map(|row| Ok((row.try_get("body")?, Column("revisions", "digest").digest(&row)?)))
        .transpose()
}

pub(super) async fn list(pool: &SqlitePool, query: RequestQuery) -> Answer<Vec<Stored>> {
    selection(query).build().fetch_all(pool).await?.iter().map(stored).collect()
}

fn selection(query: RequestQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new(COLUMNS);
    sql.push(" WHERE 1");
    if !query.states.is_empty() {
        sql.push(" AND state IN (");
        let mut words = sql.separated(", ");
        for state in &query.states {
            words.push_bind(state.as_str());
        }
        sql.push(")");
    }
    if query.owes_review {
        sql.push(" AND owes_review IS NOT NULL");
    }
    if let Some(agents) = &query.agents {
        for column in [" AND (agent_id IN (", ") OR executor_id IN ("] {
            sql.push(column);
            let mut ids = sql.separated(", ");
            for agent in agents {
                ids.push_bind(agent.to_string());
            }
        }
        sql.push("))");
    }
    if let Some(text) = &query.text {
        sql.push(" AND instr(search, ").push_bind(text.to_lowercase()).push(") > 0");
    }
    if let Some(since) = query.changed_since {
        sql.push(" AND changed_at >= ").push_bind(since.micros());
    }
    if let Some((at, id)) = query.before {
        sql.push(" AND (staged_at, id) < (").push_bind(at.micros());
        sql.push(", ").push_bind(id.to_string()).push(")");
    }
    sql.push(match query.order {
        Order::NewestFirst => " ORDER BY staged_at DESC, id DESC",
        Order::MostUrgentFirst => {
            " ORDER BY CASE risk WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, due_at, id"
        }
        Order::LastChangedFirst => " ORDER BY changed_at DESC, id DESC",
    });
    sql.push(" LIMIT +").push_bind(i64::from(query.limit));
    sql
}

pub(super) async fn counts(pool: &SqlitePool) -> Answer<Vec<StateCount>> {
    let rows = sqlx::query("SELECT state, count(*) AS count FROM requests GROUP BY state")
        .fetch_all(pool)
        .await?;
    let count = |row: &SqliteRow| {
        let word: String = row.try_get("state")?;
        let state = StateName::from_word(&word)
            .ok_or_else(|| Column("requests", "state").corrupt(&word))?;
        Ok((state, Column("requests", "count").number(row)?))
    };
    rows.iter().map(count).collect()
}

pub(super) async fn count_of_agent(
    pool: &SqlitePool,
    agent: AgentId,
    state: StateName,
) -> Answer<u64> {
    let row =
        sqlx::query("SELECT count(*) AS count FROM requests WHERE agent_id = ? AND state = ?")
            .bind(agent.to_string())
            .bind(state.as_str())
            .fetch_one(pool)
            .await?;
    Column("requests", "count").number(&row)
}

pub(super) async fn environments(pool: &SqlitePool) -> Answer<Vec<String>> {
    let names = sqlx::query_scalar("SELECT DISTINCT environment FROM requests ORDER BY 1");
    Ok(names.fetch_all(pool).await?)
}

pub(super) async fn due(pool: &SqlitePool, now: Timestamp, limit: u32) -> Answer<Vec<RequestId>> {
    let rows = sqlx::query("SELECT id FROM requests WHERE due_at <= ? ORDER BY due_at LIMIT +?")
        .bind(now.micros())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| Column("requests", "id").parsed(row)).collect()
}

pub(super) async fn idempotency(
    pool: &SqlitePool,
    scope: &str,
    key: &str,
) -> Answer<Option<IdempotencyRecord>> {
    let row = sqlx::query(
        "SELECT fingerprint, request_id, at FROM idempotency WHERE scope = ? AND key = ?",
    )
    .bind(scope)
    .bind(key)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(idempotency_record).transpose()
}

fn idempotency_record(row: &SqliteRow) -> Answer<IdempotencyRecord> {
    Ok(IdempotencyRecord {
        fingerprint: Column("idempotency", "fingerprint").digest(row)?,
        request: Column("idempotency", "request_id").parsed(row)?,
        at: Column("idempotency", "at").time(row)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Connection};

    async fn plan(query: RequestQuery) -> String {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::MIGRATIONS.run(&mut database).await.unwrap();
        let sql = selection(query).sql().as_str().replace('?', "NULL");
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
        let steps = plan.fetch_all(&mut database).await.unwrap();
        steps.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
    }

    #[tokio::test]
    async fn the_inbox_costs_the_same_however_much_waits() {
        let (states, order) = (vec![StateName::Pending], Order::MostUrgentFirst);
        let plan = plan(RequestQuery { states, order, ..RequestQuery::default() }).await;
        assert_eq!(plan, "SEARCH requests USING INDEX requests_by_urgency (state=?)\n");
    }

    #[tokio::test]
    async fn what_a_broken_glass_owes_is_found_without_looking_at_everything_else() {
        let plan = plan(RequestQuery { owes_review: true, ..RequestQuery::default() }).await;
        assert_eq!(plan, "SCAN requests USING INDEX requests_by_debt\n");
    }

    #[tokio::test]
    async fn what_ended_is_found_without_looking_at_what_did_not() {
        let states = vec![StateName::Denied, StateName::Expired];
        let since = Timestamp::from_micros(1);
        let order = Order::LastChangedFirst;
        let query = RequestQuery { states, order, changed_since: since, ..RequestQuery::default() };
        let plan = plan(query).await;
        assert!(
            plan.starts_with("SEARCH requests USING INDEX requests_by_state (state=?"),
            "{plan}"
        );
    }
}
