//! Evidence: its bytes in pieces, whose it is, and who opened it.

use domain::{AgentId, Digest, PersonId, RequestId, Timestamp};
use futures::TryStreamExt;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row};

use super::rows::Column;
use crate::change::{CLEARED_AT_ONCE, ContentId};
use crate::error::StoreError;
use crate::read::Opening;

type Answer<T> = Result<T, StoreError>;

pub(super) async fn size(pool: &PgPool, agent: AgentId, digest: Digest) -> Answer<Option<u64>> {
    let row = sqlx::query(
        "SELECT size_bytes FROM evidence JOIN evidence_uploads USING (digest) \
         WHERE digest = $1 AND agent_id = $2",
    )
    .bind(digest.0.as_slice())
    .bind(agent.0)
    .fetch_optional(pool)
    .await?;
    row.map(|row| Column("evidence", "size_bytes").number(&row)).transpose()
}

/// The bytes that the digest names; `Corrupt` where others, or none, are kept for it.
pub(super) async fn bytes(pool: &PgPool, digest: Digest) -> Answer<Option<Vec<u8>>> {
    let mut rows = sqlx::query(
        "SELECT bytes FROM evidence LEFT JOIN evidence_chunks USING (content_id) \
         WHERE digest = $1 ORDER BY seq",
    )
    .bind(digest.0.as_slice())
    .fetch(pool);
    let mut bytes: Option<Vec<u8>> = None;
    while let Some(row) = rows.try_next().await? {
        let chunk = row.try_get::<Option<Vec<u8>>, _>("bytes")?;
        bytes.get_or_insert_default().extend(chunk.unwrap_or_default());
    }
    if bytes.as_deref().is_some_and(|bytes| Digest::of(bytes) != digest) {
        return Err(Column("evidence_chunks", "bytes").corrupt(digest));
    }
    Ok(bytes)
}

/// Removes a content, unless it is evidence.
pub(super) async fn discard(connection: &mut PgConnection, content: ContentId) -> Answer<()> {
    sqlx::query(
        "DELETE FROM evidence_contents WHERE id = $1 \
         AND NOT EXISTS (SELECT 1 FROM evidence WHERE content_id = $1)",
    )
    .bind(content.0.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes evidence that was stored before an instant and that nothing refers to, and contents begun
/// before another that did not become evidence.
pub(super) async fn clear(
    tx: &mut PgConnection,
    evidence_before: Timestamp,
    contents_before: Timestamp,
) -> Answer<()> {
    sqlx::query(
        "DELETE FROM evidence WHERE digest IN (SELECT digest FROM evidence AS e \
         WHERE stored_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM evidence_used AS u WHERE u.digest = e.digest) \
         AND NOT EXISTS (SELECT 1 FROM evidence_uploads AS u \
                         WHERE u.digest = e.digest AND u.at >= $1) \
         LIMIT $2)",
    )
    .bind(evidence_before.micros())
    .bind(i64::from(CLEARED_AT_ONCE))
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM evidence_contents WHERE id IN (SELECT id FROM evidence_contents AS c \
         WHERE begun_at < $1 AND NOT EXISTS (SELECT 1 FROM evidence WHERE content_id = c.id) \
         LIMIT $2)",
    )
    .bind(contents_before.micros())
    .bind(i64::from(CLEARED_AT_ONCE))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn opened(pool: &PgPool, id: RequestId, person: PersonId) -> Answer<Vec<Opening>> {
    let rows = sqlx::query(
        "SELECT digest, unmasked, at FROM evidence_opened \
         WHERE request_id = $1 AND person_id = $2",
    )
    .bind(id.0)
    .bind(person.0)
    .fetch_all(pool)
    .await?;
    let one = |row: &PgRow| {
        let digest = Column("evidence_opened", "digest").digest(row)?;
        let at = Column("evidence_opened", "at").time(row)?;
        Ok(Opening { digest, unmasked: row.try_get("unmasked")?, at })
    };
    rows.iter().map(one).collect()
}
