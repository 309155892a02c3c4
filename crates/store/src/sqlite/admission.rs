//! What admission asks: the agent's other requests, and its uploads that nothing refers to.

use domain::revision::Sealed;
use domain::{AgentId, Digest, StateName, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::rows::Column;
use crate::error::StoreError;
use crate::read::{Others, Unused};

type Answer<T> = Result<T, StoreError>;

/// Of the agent ?1, the request ?2 apart: how many requests wait for people, up to ?3 of them; the newest of
/// the content ?4 that may still be used; and the last of it that was denied after ?5. What has
/// run out by ?6 is over, swept or not.
const OTHERS: &str = "SELECT waiting.open, \
     same.id AS same_id, same.state AS same_state, \
     denied.id AS denied_id, denied.changed_at AS denied_at \
     FROM (SELECT count(*) AS open FROM (SELECT 1 FROM requests \
           WHERE agent_id = ?1 AND id <> ?2 \
           AND state IN ('pending', 'changes_requested', 'approved') AND state <> 'approved' \
           AND (due_at IS NULL OR due_at > ?6) LIMIT +?3) AS counted) AS waiting LEFT JOIN \
     (SELECT id, state FROM requests \
      WHERE agent_id = ?1 AND content_digest = ?4 AND id <> ?2 \
      AND state IN ('pending', 'changes_requested', 'approved') \
      AND (due_at IS NULL OR due_at > ?6) \
      ORDER BY staged_at DESC LIMIT 1) AS same ON true LEFT JOIN \
     (SELECT id, changed_at FROM requests \
      WHERE content_digest = ?4 AND state IN ('denied', 'expired') AND state = 'denied' \
      AND agent_id = ?1 AND id <> ?2 AND changed_at > ?5 \
      ORDER BY changed_at DESC LIMIT 1) AS denied ON true";

/// What the agent ?1 uploaded at or after ?2 and no request refers to, the digest ?3 apart.
const UNUSED: &str = "SELECT count(*) AS uploads, coalesce(sum(size_bytes), 0) AS bytes \
     FROM evidence_uploads AS u JOIN evidence AS e ON e.digest = u.digest \
     WHERE u.agent_id = ?1 AND u.at >= ?2 AND u.digest <> ?3 \
     AND NOT EXISTS (SELECT 1 FROM evidence_used AS used WHERE used.digest = u.digest)";

pub(super) async fn others(
    pool: &SqlitePool,
    of: &Sealed,
    up_to: u32,
    denied_after: Timestamp,
    now: Timestamp,
) -> Answer<Others> {
    let row = sqlx::query(OTHERS)
        .bind(of.revision.agent.to_string())
        .bind(of.revision.request_id.to_string())
        .bind(i64::from(up_to))
        .bind(of.content_digest.0.as_slice())
        .bind(denied_after.micros())
        .bind(now.micros())
        .fetch_one(pool)
        .await?;
    let same = Column("requests", "same_id").parsed_if_any(&row)?;
    let denied = Column("requests", "denied_id").parsed_if_any(&row)?;
    let denied_at = Column("requests", "denied_at").time_if_any(&row)?;
    Ok(Others {
        open: Column("requests", "open").number(&row)?,
        same: same.zip(state(&row)?),
        denied: denied.zip(denied_at),
    })
}

fn state(row: &SqliteRow) -> Answer<Option<StateName>> {
    let Some(word) = row.try_get::<Option<String>, _>("same_state")? else { return Ok(None) };
    let unknown = || Column("requests", "state").corrupt(&word);
    StateName::from_word(&word).ok_or_else(unknown).map(Some)
}

pub(super) async fn unused_evidence(
    pool: &SqlitePool,
    agent: AgentId,
    digest: Digest,
    since: Timestamp,
) -> Answer<Unused> {
    let row = sqlx::query(UNUSED)
        .bind(agent.to_string())
        .bind(since.micros())
        .bind(digest.0.as_slice())
        .fetch_one(pool)
        .await?;
    Ok(Unused {
        uploads: Column("evidence_uploads", "uploads").number(&row)?,
        bytes: Column("evidence", "bytes").number(&row)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{Connection, SqliteConnection};

    async fn plan(sql: &str) -> Vec<String> {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::MIGRATIONS.run(&mut database).await.unwrap();
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
        let steps = plan.fetch_all(&mut database).await.unwrap();
        steps.iter().map(|row| row.get("detail")).collect()
    }

    #[tokio::test]
    async fn j03_what_an_agent_has_open_is_found_however_much_was_staged() {
        let steps = plan(OTHERS).await;
        let usable = |step: &&String| step.contains("INDEX requests_usable (agent_id=?");
        assert_eq!(steps.iter().filter(usable).count(), 2, "{steps:#?}");
        let denied = "INDEX requests_not_carried_out (content_digest=? AND changed_at>?)";
        assert!(steps.iter().any(|step| step.contains(denied)), "{steps:#?}");
        let sorts =
            |step: &String| step.starts_with("SCAN requests") || step.contains("TEMP B-TREE");
        assert!(!steps.iter().any(sorts), "{steps:#?}");
    }

    #[tokio::test]
    async fn j11_what_an_agent_left_unused_is_found_however_much_was_uploaded() {
        let steps = plan(UNUSED).await;
        let uploads = "INDEX evidence_uploads_by_agent (agent_id=? AND at>?)";
        assert!(steps.iter().any(|step| step.contains(uploads)), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:#?}");
    }
}
