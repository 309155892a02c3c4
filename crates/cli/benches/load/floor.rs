//! What databases alone can do on this machine: SQLite with the rows of a request, PostgreSQL with
//! `pgbench`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

/// How many requests are copied again and again.
const KEPT: i64 = 10_000;

/// A SQLite file that takes the rows of requests from a gate's own, under the same durability, with
/// the same tables and indexes, without triggers and checks between them.
pub struct Raw {
    connection: SqliteConnection,
    /// The tables that have rows of a request.
    tables: Vec<String>,
    /// A transaction that copies the rows of some requests into each of them: one message to the
    /// driver, so that it is SQLite that is measured.
    copy: String,
    requests: Vec<String>,
    next: usize,
    _directory: tempfile::TempDir,
}

impl Raw {
    /// Rows come from the gate's file, which may be in use.
    pub async fn beside(gate: &Path) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("raw.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false);
        let mut connection = options.connect().await?;
        let attach = sqlx::query("ATTACH ? AS gate").bind(gate.display().to_string());
        attach.execute(&mut connection).await?;
        let schema = sqlx::query(
            "SELECT sql FROM gate.sqlite_schema WHERE sql IS NOT NULL \
             AND type IN ('table', 'index') AND name NOT LIKE 'sqlite_%' ORDER BY type DESC",
        );
        for row in schema.fetch_all(&mut connection).await? {
            let sql: String = row.try_get(0)?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        }
        let tables = tables(&mut connection).await?;
        let newest =
            sqlx::query_scalar("SELECT id FROM gate.requests ORDER BY staged_at DESC LIMIT ?");
        let requests: Vec<String> = newest.bind(KEPT).fetch_all(&mut connection).await?;
        ensure!(requests.len() >= 64, "too few requests were staged before");
        sqlx::query("ATTACH ':memory:' AS kept").execute(&mut connection).await?;
        for table in &tables {
            let keep = sqlx::query(AssertSqlSafe(keep(table)));
            keep.bind(serde_json::to_string(&requests)?).execute(&mut connection).await?;
            let index = format!("CREATE INDEX kept.{table}_of_request ON {table} (wanted)");
            sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut connection).await?;
        }
        let mut copies = String::new();
        for table in &tables {
            copies += &copy(&mut connection, table).await?;
        }
        let copy = format!("BEGIN IMMEDIATE; {copies}COMMIT");
        Ok(Self { connection, tables, copy, requests, next: 0, _directory: directory })
    }

    /// Commits the rows of `group` requests at a time; answers with requests a second.
    pub async fn rate(&mut self, group: usize, for_: Duration) -> anyhow::Result<f64> {
        let (mut done, mut spent) = (0_u32, Duration::ZERO);
        while spent < for_ {
            spent += self.commit(group).await?;
            done += u32::try_from(group)?;
        }
        Ok(f64::from(done) / spent.as_secs_f64())
    }

    /// How long one commit of one request takes.
    pub async fn once(&mut self) -> anyhow::Result<Duration> {
        self.commit(1).await
    }

    async fn commit(&mut self, group: usize) -> anyhow::Result<Duration> {
        if self.next + group > self.requests.len() {
            self.clear().await?;
        }
        let ids: Vec<&String> = self.requests.iter().skip(self.next).take(group).collect();
        let ids = serde_json::to_string(&ids)?;
        let start = Instant::now();
        let copy = sqlx::query(AssertSqlSafe(self.copy.as_str()));
        let copy = self.tables.iter().fold(copy, |copy, _| copy.bind(&ids));
        copy.execute(&mut self.connection).await?;
        self.next += group;
        Ok(start.elapsed())
    }

    /// The requests that there are go round.
    async fn clear(&mut self) -> anyhow::Result<()> {
        for table in &self.tables {
            let delete = format!("DELETE FROM main.{table}");
            sqlx::raw_sql(AssertSqlSafe(delete)).execute(&mut self.connection).await?;
        }
        self.next = 0;
        Ok(())
    }
}

/// The tables that have rows of a request.
async fn tables(connection: &mut SqliteConnection) -> anyhow::Result<Vec<String>> {
    let tables = sqlx::query_scalar::<_, String>(
        "SELECT m.name FROM gate.sqlite_schema AS m JOIN pragma_table_info(m.name, 'gate') AS c \
         WHERE m.type = 'table' AND c.name = 'request_id' ORDER BY 1",
    );
    let mut tables = tables.fetch_all(connection).await?;
    ensure!(tables.len() > 3, "the tables of a request are not found");
    tables.extend(["requests".to_owned(), "entry_texts".to_owned()]);
    Ok(tables)
}

/// Holds a table's rows of some requests, whose ids are a JSON array, in memory, each with the request's
/// id: what is measured is the writing.
fn keep(table: &str) -> String {
    let of = match table {
        "requests" => "t.id",
        "entry_texts" => "(SELECT e.request_id FROM gate.entries AS e WHERE e.idx = t.idx)",
        _ => "t.request_id",
    };
    format!(
        "CREATE TABLE kept.{table} AS SELECT t.*, {of} AS wanted FROM gate.{table} AS t \
         WHERE {of} IN (SELECT value FROM json_each(?))"
    )
}

/// The statement that copies a table's rows of some requests, whose ids are a JSON array.
async fn copy(connection: &mut SqliteConnection, table: &str) -> anyhow::Result<String> {
    let columns =
        sqlx::query_scalar("SELECT group_concat('k.' || name, ', ') FROM pragma_table_info(?)");
    let columns: String = columns.bind(table).fetch_one(connection).await?;
    Ok(format!(
        "INSERT INTO main.{table} SELECT {columns} FROM json_each(?) AS ids \
         CROSS JOIN kept.{table} AS k ON k.wanted = ids.value; "
    ))
}

/// The address without what only our driver knows.
fn for_libpq(url: &str) -> anyhow::Result<String> {
    let mut url = reqwest::Url::parse(url)?;
    let known = |name: &str| ["host", "port", "user", "password", "sslmode"].contains(&name);
    let pairs: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| known(name)).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    Ok(url.into())
}

/// Inserts of one row a transaction that 16 clients of `pgbench` make in a second; a row has as
/// many bytes as a request takes.
pub async fn pgbench(url: &str, bytes: usize, seconds: u32) -> anyhow::Result<f64> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    let table = "CREATE TABLE IF NOT EXISTS bench_rows (id uuid PRIMARY KEY, body bytea NOT NULL)";
    sqlx::raw_sql(table).execute(&mut connection).await?;
    connection.close().await?;
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("insert.sql");
    std::fs::write(
        &script,
        format!(
            "INSERT INTO bench_rows VALUES (gen_random_uuid(), decode(repeat('5a', {bytes}), 'hex'));\n"
        ),
    )?;
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--client=16", "--jobs=2", "--protocol=prepared"])
        .arg(format!("--time={seconds}"))
        .arg("--file")
        .arg(&script)
        .arg(for_libpq(url)?)
        .output()
        .context("cannot run pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    Ok(tps.context("pgbench printed no rate")?.parse()?)
}
