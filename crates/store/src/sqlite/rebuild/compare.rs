//! Column by column: what was built anew against what is at hand.

use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::read::{Difference, Rebuilt};

type Answer<T> = Result<T, StoreError>;

/// A projection: its key, and the columns that no entry speaks of.
struct Projection {
    table: &'static str,
    key: &'static [&'static str],
    beside: &'static [&'static str],
}

const PROJECTIONS: [Projection; 18] = [
    // Several facts of one change move the epoch once.
    Projection { table: "instance", key: &["only_row"], beside: &["authority_epoch"] },
    Projection { table: "entries", key: &["idx"], beside: &["body", "leaf"] },
    Projection { table: "people", key: &["id"], beside: &["password_hash"] },
    Projection { table: "group_members", key: &["group_name", "person_id"], beside: &[] },
    Projection { table: "agents", key: &["id"], beside: &[] },
    Projection { table: "api_keys", key: &["id"], beside: &["hash", "hint", "last_used_at"] },
    Projection { table: "trusts", key: &["id"], beside: &["last_used_at"] },
    Projection { table: "kinds", key: &["name", "version"], beside: &[] },
    Projection { table: "policies", key: &["version"], beside: &[] },
    Projection { table: "freezes", key: &["id"], beside: &[] },
    // How far it was told is no fact.
    Projection { table: "webhooks", key: &["id"], beside: &["cursor"] },
    // Several facts of one change are one version.
    Projection { table: "requests", key: &["id"], beside: &["version"] },
    Projection { table: "revisions", key: &["request_id", "number"], beside: &[] },
    Projection { table: "reviews", key: &["request_id", "revision", "person_id"], beside: &[] },
    Projection { table: "releases", key: &["request_id"], beside: &[] },
    Projection { table: "request_targets", key: &["request_id", "target"], beside: &[] },
    Projection { table: "evidence_used", key: &["request_id", "digest"], beside: &[] },
    Projection {
        table: "evidence_opened",
        key: &["request_id", "digest", "person_id", "unmasked"],
        beside: &[],
    },
];

/// Differences reported of one column: enough to see what happened.
const REPORTED: u32 = 100;
/// Characters of a value in a report.
const SHOWN_CHARS: usize = 200;
const ERASED: &str = "erased text of entry ";

/// What stands in for an erased text: another for each entry, so that none is taken twice.
pub(super) fn erased(index: u64) -> String {
    format!("{ERASED}{index}")
}

/// Adds every difference between the tables here and those of the attached file.
pub(super) async fn tables(tx: &mut SqliteConnection, rebuilt: &mut Rebuilt) -> Answer<()> {
    for projection in &PROJECTIONS {
        for (here, there, recorded, found) in
            [("main", "live", "a row", "none"), ("live", "main", "none", "a row")]
        {
            for row in rows(tx, &projection.rows_missing(here, there)).await? {
                let (recorded, found) = (recorded.to_owned(), found.to_owned());
                let row = row.try_get("row_key")?;
                let difference =
                    Difference { table: projection.table, row, column: None, recorded, found };
                rebuilt.differences.push(difference);
            }
        }
        for column in columns(tx, projection).await? {
            for row in rows(tx, &projection.values_differing(&column)).await? {
                let recorded: String = row.try_get("recorded")?;
                if erased_instead(projection.table, &column, &recorded) {
                    continue;
                }
                rebuilt.differences.push(Difference {
                    table: projection.table,
                    row: row.try_get("row_key")?,
                    column: Some(column.clone()),
                    recorded: shortened(&recorded),
                    found: shortened(&row.try_get::<String, _>("found")?),
                });
            }
        }
    }
    Ok(())
}

/// A text that was erased is in the tables still, where the product needs it.
fn erased_instead(table: &str, column: &str, recorded: &str) -> bool {
    let recorded = recorded.trim_start_matches('\'');
    match (table, column) {
        ("people", "name") | ("freezes", "reason") => recorded.starts_with(ERASED),
        ("people", "lookalike") => recorded.starts_with(domain::name::lookalike(ERASED).trim_end()),
        _ => false,
    }
}

impl Projection {
    fn row_key(&self, of: &str) -> String {
        let parts: Vec<String> = self.key.iter().map(|key| format!("quote({of}.{key})")).collect();
        parts.join(" || ' ' || ")
    }

    fn same_row(&self) -> String {
        let parts: Vec<String> = self.key.iter().map(|key| format!("a.{key} = b.{key}")).collect();
        parts.join(" AND ")
    }

    /// Rows of `here` that `there` does not have.
    fn rows_missing(&self, here: &str, there: &str) -> String {
        let (table, row_key, same_row) = (self.table, self.row_key("a"), self.same_row());
        format!(
            "SELECT {row_key} AS row_key FROM {here}.{table} AS a \
             WHERE NOT EXISTS (SELECT 1 FROM {there}.{table} AS b WHERE {same_row}) \
             ORDER BY 1 LIMIT {REPORTED}"
        )
    }

    fn values_differing(&self, column: &str) -> String {
        let (table, row_key, same_row) = (self.table, self.row_key("a"), self.same_row());
        format!(
            "SELECT {row_key} AS row_key, quote(a.{column}) AS recorded, quote(b.{column}) AS found \
             FROM main.{table} AS a JOIN live.{table} AS b ON {same_row} \
             WHERE a.{column} IS NOT b.{column} ORDER BY 1 LIMIT {REPORTED}"
        )
    }
}

/// The columns to compare: all but the key and those beside the ledger.
async fn columns(tx: &mut SqliteConnection, of: &Projection) -> Answer<Vec<String>> {
    let found = rows(tx, &format!("SELECT name FROM pragma_table_info('{}')", of.table)).await?;
    let names: Vec<String> =
        found.iter().map(|row| row.try_get("name")).collect::<Result<_, _>>()?;
    let counts = |name: &String| ![of.key, of.beside].concat().contains(&name.as_str());
    Ok(names.into_iter().filter(counts).collect())
}

/// Runs a statement that is made of the names above and nothing else.
async fn rows(tx: &mut SqliteConnection, sql: &str) -> Answer<Vec<sqlx::sqlite::SqliteRow>> {
    Ok(sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(tx).await?)
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
