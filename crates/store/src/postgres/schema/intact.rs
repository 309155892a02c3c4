//! Whether the rules of the schema are all there, as the migrations make them (threats L14).
//!
//! What PostgreSQL writes down about itself after the migrations is kept in `intact.json`; the test
//! below writes that file.

use sqlx::{PgConnection, Row};

use crate::error::StoreError;
use crate::schema::{Definition, expect_same};

type Answer<T> = Result<T, StoreError>;

const WANTED: &str = include_str!("intact.json");

/// Refuses a schema in which a rule is missing, switched off or otherwise than the migrations make it.
pub(in crate::postgres) async fn expect_intact(connection: &mut PgConnection) -> Answer<()> {
    let wanted: Vec<Definition> =
        serde_json::from_str(WANTED).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    expect_same(&wanted, &definitions(connection).await?)
}

async fn definitions(connection: &mut PgConnection) -> Answer<Vec<Definition>> {
    let rows = sqlx::query(include_str!("intact.sql")).fetch_all(connection).await?;
    let definition = |row: &sqlx::postgres::PgRow| {
        Ok(Definition {
            what: row.try_get("what")?,
            on: row.try_get("on")?,
            name: row.try_get("name")?,
            text: row.try_get("text")?,
        })
    };
    rows.iter().map(definition).collect()
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::super::MIGRATIONS;
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/postgres/schema/intact.json");

    #[tokio::test]
    async fn l14_what_is_held_against_a_schema_is_what_the_migrations_make() {
        let url = testing::postgres::empty_database().await;
        let mut connection = PgConnection::connect(&url).await.unwrap();
        MIGRATIONS.run(&mut connection).await.unwrap();
        let mut made = definitions(&mut connection).await.unwrap();
        made.sort_by(|one, other| {
            (&one.on, &one.what, &one.name).cmp(&(&other.on, &other.what, &other.name))
        });
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
            std::fs::write(FILE, text).unwrap();
        } else {
            let wanted: Vec<Definition> = serde_json::from_str(WANTED).unwrap();
            assert_eq!(wanted, made, "run this test with UPDATE_SCHEMA=1 to write {FILE} anew");
        }
    }
}
