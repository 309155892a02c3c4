//! What was staged before: the table of targets, and the question that risk asks of it.

use domain::revision::Sealed;
use domain::risk::{BURST_COUNTED, BURST_S, Ended, Ending, History, REPEAT_S, TargetHistory};
use domain::{StateName, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::project::refused;
use super::rows::Column;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// Whether the agent ?1 staged the kind ?2 in another request than ?3.
const KNOWS_KIND: &str =
    "SELECT EXISTS (SELECT 1 FROM requests WHERE agent_id = ?1 AND kind_name = ?2 AND id <> ?3)";

/// For each target of the JSON array ?4, in its order: is it known to agent and kind, and how many
/// requests named it after ?5, up to ?6 of them.
const OF_TARGETS: &str = "SELECT \
     EXISTS (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.value AND t.agent_id = ?1 AND t.request_id <> ?3) AS agent, \
     EXISTS (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.value AND t.kind_name = ?2 AND t.request_id <> ?3) AS kind, \
     (SELECT count(*) FROM (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.value AND t.named_at > ?5 AND t.request_id <> ?3 \
             LIMIT ?6)) AS lately \
     FROM json_each(?4) AS wanted ORDER BY wanted.key";

/// The last request of the content ?1, other than ?2, that was denied or expired after ?3.
const ENDED: &str = "SELECT state, changed_at FROM requests \
     WHERE content_digest = ?1 AND state IN ('denied', 'expired') AND id <> ?2 AND changed_at > ?3 \
     ORDER BY changed_at DESC LIMIT 1";

/// What was staged before this revision. Three reads, not one instant: it is advice.
pub(super) async fn history(pool: &SqlitePool, of: &Sealed, now: Timestamp) -> Answer<History> {
    let revision = &of.revision;
    let (id, agent) = (revision.request_id.to_string(), revision.agent.to_string());
    let mut connection = pool.acquire().await?;
    let agent_knows_kind = sqlx::query_scalar(KNOWS_KIND)
        .bind(&agent)
        .bind(&revision.kind.name)
        .bind(&id)
        .fetch_one(&mut *connection)
        .await?;
    let targets = sqlx::query(OF_TARGETS)
        .bind(&agent)
        .bind(&revision.kind.name)
        .bind(&id)
        .bind(serde_json::to_string(&revision.targets).map_err(refused)?)
        .bind(now.plus_seconds(-BURST_S).micros())
        .bind(BURST_COUNTED)
        .fetch_all(&mut *connection)
        .await?;
    let ended = sqlx::query(ENDED)
        .bind(of.content_digest.0.as_slice())
        .bind(&id)
        .bind(now.plus_seconds(-REPEAT_S).micros())
        .fetch_optional(&mut *connection)
        .await?;
    Ok(History {
        agent_knows_kind,
        targets: targets.iter().map(target).collect::<Answer<_>>()?,
        ended: ended.as_ref().map(ending).transpose()?,
    })
}

fn target(row: &SqliteRow) -> Answer<TargetHistory> {
    Ok(TargetHistory {
        agent_knows_it: row.try_get("agent")?,
        kind_knows_it: row.try_get("kind")?,
        lately: Column("request_targets", "lately").number(row)?,
    })
}

fn ending(row: &SqliteRow) -> Answer<Ended> {
    let column = Column("requests", "state");
    let word: String = row.try_get("state")?;
    let how = match StateName::from_word(&word) {
        Some(StateName::Denied) => Ending::Denied,
        Some(StateName::Expired) => Ending::Expired,
        _ => return Err(column.corrupt(word)),
    };
    Ok(Ended { how, at: Column("requests", "changed_at").time(row)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{Connection, SqliteConnection};

    #[tokio::test]
    async fn history_costs_the_same_however_much_was_staged() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::MIGRATIONS.run(&mut database).await.unwrap();
        for (sql, searches) in [(KNOWS_KIND, 1), (OF_TARGETS, 3), (ENDED, 1)] {
            let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
            let steps = plan.fetch_all(&mut database).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|row| row.get("detail")).collect();
            let by_index = |step: &&String| step.starts_with("SEARCH") && step.contains("INDEX");
            assert_eq!(steps.iter().filter(by_index).count(), searches, "{steps:#?}");
            let walks = |step: &String| step == "SCAN t" || step.starts_with("SCAN requests");
            assert!(!steps.iter().any(walks), "{steps:#?}");
        }
    }
}
