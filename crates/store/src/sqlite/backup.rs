//! Backups: a whole copy in one file, and whether a file is one.

use std::io::Read;
use std::path::Path;

use domain::Digest;
use sqlx::Row;
use sqlx::sqlite::SqlitePool;

use super::rows::Column;
use super::{evidence, make_private};
use crate::error::StoreError;

type Answer<T> = Result<T, StoreError>;

/// How every SQLite file begins, and where it says how it is written (SQLite file format, 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const WRITE_VERSION: usize = 18;
const WAL: u8 = 2;

/// Copies what is committed into a new file, also while a writer goes on.
pub(super) async fn write(pool: &SqlitePool, file: &Path) -> Answer<()> {
    make_private(file)?;
    let name = file.to_str().ok_or_else(|| unfit("its path is not UTF-8"))?;
    // The copy has no write-ahead log: it is one file.
    sqlx::query("VACUUM INTO ?").bind(name).execute(pool).await?;
    Ok(())
}

/// Refuses a file whose latest changes may be in another one (threats M02).
pub(super) fn expect_whole(file: &Path) -> Answer<()> {
    let mut header = Vec::new();
    let opened = std::fs::File::open(file);
    opened
        .and_then(|file| file.take(100).read_to_end(&mut header))
        .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    if !header.starts_with(MAGIC) {
        return Err(unfit("it is no backup: not a SQLite file"));
    }
    if header.get(WRITE_VERSION) == Some(&WAL) {
        return Err(unfit(
            "it is the file of a server, not a backup: what was committed last may be in a -wal \
             file that belongs to it; make a backup of it with: countersign backup",
        ));
    }
    Ok(())
}

pub(super) async fn examine(pool: &SqlitePool) -> Answer<()> {
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(pool).await?;
    if let Some(problem) = found.iter().find(|found| *found != "ok") {
        return Err(unfit(&format!("the file is damaged: {problem}")));
    }
    if let Some(row) = sqlx::query("PRAGMA foreign_key_check").fetch_optional(pool).await? {
        let (table, parent): (String, String) = (row.try_get("table")?, row.try_get("parent")?);
        return Err(unfit(&format!("a row of {table} refers to none of {parent}")));
    }
    for row in sqlx::query("SELECT digest FROM evidence ORDER BY digest").fetch_all(pool).await? {
        let digest: Digest = Column("evidence", "digest").digest(&row)?;
        evidence::bytes(pool, digest).await?;
    }
    Ok(())
}

fn unfit(problem: &str) -> StoreError {
    StoreError::Unfit(problem.to_owned())
}
