//! Columns to types and back. A value that no code of ours writes is `Corrupt`, with its place.

use domain::{Digest, Timestamp};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::StoreError;

/// Where a value was read: named in the error when it is impossible.
#[derive(Clone, Copy)]
pub(super) struct Column(pub &'static str, pub &'static str);

impl Column {
    pub(super) fn corrupt(self, value: impl ToString) -> StoreError {
        StoreError::Corrupt { table: self.0, column: self.1, id: value.to_string() }
    }

    /// Reads an identifier.
    pub(super) fn parsed<T: std::str::FromStr>(self, row: &PgRow) -> Result<T, StoreError> {
        let id: Uuid = row.try_get(self.1)?;
        id.to_string().parse().map_err(|_| self.corrupt(id))
    }

    pub(super) fn parsed_if_any<T: std::str::FromStr>(
        self,
        row: &PgRow,
    ) -> Result<Option<T>, StoreError> {
        let id: Option<Uuid> = row.try_get(self.1)?;
        id.map(|id| id.to_string().parse().map_err(|_| self.corrupt(id))).transpose()
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(self, row: &PgRow) -> Result<T, StoreError> {
        let text: String = row.try_get(self.1)?;
        serde_json::from_str(&text).map_err(|error| self.corrupt(error))
    }

    pub(super) fn time(self, row: &PgRow) -> Result<Timestamp, StoreError> {
        let micros: i64 = row.try_get(self.1)?;
        Timestamp::from_micros(micros).ok_or_else(|| self.corrupt(micros))
    }

    pub(super) fn time_if_any(self, row: &PgRow) -> Result<Option<Timestamp>, StoreError> {
        let micros: Option<i64> = row.try_get(self.1)?;
        micros.map(|m| Timestamp::from_micros(m).ok_or_else(|| self.corrupt(m))).transpose()
    }

    pub(super) fn digest(self, row: &PgRow) -> Result<Digest, StoreError> {
        let bytes: Vec<u8> = row.try_get(self.1)?;
        let length = bytes.len();
        bytes.try_into().map(Digest).map_err(|_| self.corrupt(format!("{length} bytes")))
    }

    pub(super) fn number<T: TryFrom<i64>>(self, row: &PgRow) -> Result<T, StoreError> {
        let value: i64 = row.try_get(self.1)?;
        T::try_from(value).map_err(|_| self.corrupt(value))
    }
}

/// An unsigned number as PostgreSQL's signed one; the ledger never reaches 2^63 entries.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
