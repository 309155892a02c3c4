//! What was staged before: the table of targets, and the question that risk asks of it.

use domain::revision::Sealed;
use domain::risk::{BURST_COUNTED, BURST_S, Ended, Ending, History, REPEAT_S, TargetHistory};
use domain::{StateName, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::rows::Column;
use crate::error::StoreError;
use crate::insert::json;

type Answer<T> = Result<T, StoreError>;

/// For each target of the JSON array ?4, in its order: is it known to the agent ?1 and to the kind ?2, and how many
/// requests named it after ?5, up to ?6 of them. With it, the same in each row: whether the agent staged the
/// kind before, and the last request of the content ?7 that was denied or expired after ?8. The request
/// ?3 itself does not count.
const BEFORE: &str = "SELECT \
     EXISTS (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.value AND t.agent_id = ?1 AND t.request_id <> ?3) AS agent, \
     EXISTS (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.value AND t.kind_name = ?2 AND t.request_id <> ?3) AS kind, \
     (SELECT count(*) FROM (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.value AND t.named_at > ?5 AND t.request_id <> ?3 \
             LIMIT +?6)) AS lately, \
     EXISTS (SELECT 1 FROM requests \
             WHERE agent_id = ?1 AND kind_name = ?2 AND id <> ?3) AS knows_kind, \
     ended.state, ended.changed_at \
     FROM json_each(?4) AS wanted LEFT JOIN \
     (SELECT state, changed_at FROM requests \
      WHERE content_digest = ?7 AND state IN ('denied', 'expired') AND id <> ?3 AND changed_at > ?8 \
      ORDER BY changed_at DESC LIMIT 1) AS ended ON true ORDER BY wanted.key";

/// What was staged before this revision, which names a target at least.
pub(super) async fn history(pool: &SqlitePool, of: &Sealed, now: Timestamp) -> Answer<History> {
    let revision = &of.revision;
    let (id, agent) = (revision.request_id.to_string(), revision.agent.to_string());
    let rows = sqlx::query(BEFORE)
        .bind(&agent)
        .bind(&revision.kind.name)
        .bind(&id)
        .bind(json(&revision.targets)?)
        .bind(now.plus_seconds(-BURST_S).micros())
        .bind(BURST_COUNTED)
        .bind(of.content_digest.0.as_slice())
        .bind(now.plus_seconds(-REPEAT_S).micros())
        .fetch_all(pool)
        .await?;
    let first = rows.first();
    let knows_kind = first.map(|row| row.try_get("knows_kind")).transpose()?;
    Ok(History {
        agent_knows_kind: knows_kind.unwrap_or_default(),
        targets: rows.iter().map(target).collect::<Answer<_>>()?,
        ended: first.map(ending).transpose()?.flatten(),
    })
}

fn target(row: &SqliteRow) -> Answer<TargetHistory> {
    Ok(TargetHistory {
        agent_knows_it: row.try_get("agent")?,
        kind_knows_it: row.try_get("kind")?,
        lately: Column("request_targets", "lately").number(row)?,
    })
}

fn ending(row: &SqliteRow) -> Answer<Option<Ended>> {
    let column = Column("requests", "state");
    let Some(word) = row.try_get::<Option<String>, _>("state")? else { return Ok(None) };
    let how = match StateName::from_word(&word) {
        Some(StateName::Denied) => Ending::Denied,
        Some(StateName::Expired) => Ending::Expired,
        _ => return Err(column.corrupt(word)),
    };
    Ok(Some(Ended { how, at: Column("requests", "changed_at").time(row)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{Connection, SqliteConnection};

    #[tokio::test]
    async fn history_costs_the_same_however_much_was_staged() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::MIGRATIONS.run(&mut database).await.unwrap();
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {BEFORE}")));
        let steps = plan.fetch_all(&mut database).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|row| row.get("detail")).collect();
        let by_index = |step: &&String| step.starts_with("SEARCH") && step.contains("INDEX");
        assert_eq!(steps.iter().filter(by_index).count(), 5, "{steps:#?}");
        let walks = |step: &String| step == "SCAN t" || step.starts_with("SCAN requests");
        assert!(!steps.iter().any(walks), "{steps:#?}");
    }
}
