//! Builds the tables anew from the entries: in a scratch SQLite file that has everything, by the
//! code that does so for SQLite.

use sqlx::postgres::PgPool;

use crate::copy;
use crate::error::StoreError;
use crate::read::Rebuilt;
use crate::sqlite::rebuild::rebuild as rebuild_file;

/// Copies the database out at one instant, rebuilds, compares, and removes the copy.
pub(super) async fn rebuild(pool: &PgPool) -> Result<Rebuilt, StoreError> {
    let scratch = tempfile::Builder::new().prefix("countersign-rebuild-").tempdir();
    let scratch = scratch.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let file = scratch.path().join("copy.db");
    copy::to_file(pool, &file).await?;
    rebuild_file(&file).await
}
