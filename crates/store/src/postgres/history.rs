//! What was staged before: the table of targets, and the question that risk asks of it.

use domain::revision::Sealed;
use domain::risk::{BURST_COUNTED, BURST_S, Ended, Ending, History, REPEAT_S, TargetHistory};
use domain::{StateName, Timestamp};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};

use super::rows::Column;
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// For each target of the array $4, in its order: is it known to the agent $1 and to the kind $2, and how many
/// requests named it after $5, up to $6 of them. With it, the same in each row: whether the agent staged the
/// kind before, and the last request of the content $7 that was denied or expired after $8. The request
/// $3 itself does not count.
const BEFORE: &str = "SELECT \
     EXISTS (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.target AND t.agent_id = $1 AND t.request_id <> $3) AS agent, \
     EXISTS (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.target AND t.kind_name = $2 AND t.request_id <> $3) AS kind, \
     (SELECT count(*) FROM (SELECT 1 FROM request_targets AS t \
             WHERE t.target = wanted.target AND t.named_at > $5 AND t.request_id <> $3 \
             LIMIT $6) AS counted) AS lately, \
     EXISTS (SELECT 1 FROM requests \
             WHERE agent_id = $1 AND kind_name = $2 AND id <> $3) AS knows_kind, \
     ended.state, ended.changed_at \
     FROM unnest($4) WITH ORDINALITY AS wanted (target, place) LEFT JOIN \
     (SELECT state, changed_at FROM requests \
      WHERE content_digest = $7 AND state IN ('denied', 'expired') AND id <> $3 AND changed_at > $8 \
      ORDER BY changed_at DESC LIMIT 1) AS ended ON true ORDER BY wanted.place";

/// What was staged before this revision, which names a target at least.
pub(super) async fn history(pool: &PgPool, of: &Sealed, now: Timestamp) -> Answer<History> {
    let revision = &of.revision;
    let (id, agent) = (revision.request_id.0, revision.agent.0);
    let rows = sqlx::query(BEFORE)
        .bind(agent)
        .bind(&revision.kind.name)
        .bind(id)
        .bind(&revision.targets)
        .bind(now.plus_seconds(-BURST_S).micros())
        .bind(i64::from(BURST_COUNTED))
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

fn target(row: &PgRow) -> Answer<TargetHistory> {
    Ok(TargetHistory {
        agent_knows_it: row.try_get("agent")?,
        kind_knows_it: row.try_get("kind")?,
        lately: Column("request_targets", "lately").number(row)?,
    })
}

fn ending(row: &PgRow) -> Answer<Option<Ended>> {
    let column = Column("requests", "state");
    let Some(word) = row.try_get::<Option<String>, _>("state")? else { return Ok(None) };
    let how = match StateName::from_word(&word) {
        Some(StateName::Denied) => Ending::Denied,
        Some(StateName::Expired) => Ending::Expired,
        _ => return Err(column.corrupt(word)),
    };
    Ok(Some(Ended { how, at: Column("requests", "changed_at").time(row)? }))
}
