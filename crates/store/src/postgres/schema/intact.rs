//! Whether the rules of the schema are all there, as the migrations make them (threats L14).
//!
//! What PostgreSQL writes down about itself after the migrations is kept in `intact.json`; the test
//! below writes that file.

use sqlx::{PgConnection, Row};

use crate::error::StoreError;
use crate::schema::{Definition, expect_same};

type Answer<T> = Result<T, StoreError>;

const WANTED: &str = include_str!("intact.json");
/// The version of PostgreSQL that wrote it: 15.
const WRITTEN_BY: &str = "15";
/// What is read back as PostgreSQL spells it, not as the migrations do.
const SPELT_ANEW: [&str; 3] = ["trigger", "constraint", "rule"];

/// Refuses a schema in which a rule is missing, switched off or otherwise than the migrations make it.
pub(in crate::postgres) async fn expect_intact(connection: &mut PgConnection) -> Answer<()> {
    let mut wanted: Vec<Definition> =
        serde_json::from_str(WANTED).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let mut found = definitions(connection).await?;
    let number: String =
        sqlx::query_scalar("SHOW server_version_num").fetch_one(connection).await?;
    if !number.starts_with(WRITTEN_BY) {
        wanted.iter_mut().chain(&mut found).for_each(without_spelling);
    }
    expect_same(&wanted, &found)
}

/// Leaves of a definition that PostgreSQL spells anew, from what it has parsed, only whether it is on:
/// another version may spell it otherwise.
fn without_spelling(definition: &mut Definition) {
    if SPELT_ANEW.contains(&definition.what.as_str()) {
        let off = definition.text.ends_with(" DISABLED");
        definition.text = if off { "DISABLED".to_owned() } else { String::new() };
    }
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

    #[test]
    fn l14_in_another_spelling_a_rule_is_still_missed_when_it_is_off() {
        let rule = |text: &str| Definition {
            what: "trigger".to_owned(),
            on: "entries".to_owned(),
            name: "entries_immutable".to_owned(),
            text: text.to_owned(),
        };
        let compared = |wanted: &str, found: &str| {
            let [mut wanted, mut found] = [rule(wanted), rule(found)];
            without_spelling(&mut wanted);
            without_spelling(&mut found);
            expect_same(&[wanted], &[found]).is_ok()
        };
        assert!(compared("CREATE TRIGGER a BEFORE UPDATE", "create trigger a before update"));
        assert!(!compared(
            "CREATE TRIGGER a BEFORE UPDATE",
            "create trigger a before update DISABLED"
        ));
    }

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
