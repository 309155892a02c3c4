//! Somebody who reaches the database past the server, with every right and no respect.

use std::path::PathBuf;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::TestApp;

/// Where the database of a test is.
pub(crate) enum Place {
    File(PathBuf),
    Server(String),
}

impl TestApp {
    /// Runs statements on the server's database, triggers left in place.
    pub async fn tamper(&self, statements: &[String]) {
        let sql = AssertSqlSafe(statements.join(";\n"));
        let done = match &self.place {
            Place::File(file) => {
                let options = SqliteConnectOptions::new().filename(file);
                let mut connection = options.connect().await.expect("the file opens");
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
            }
            Place::Server(url) => {
                let mut connection = PgConnection::connect(url).await.expect("the server answers");
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
            }
        };
        done.unwrap_or_else(|error| panic!("{statements:?}: {error}"));
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let counted = match &self.place {
            Place::File(file) => {
                let options = SqliteConnectOptions::new().filename(file).read_only(true);
                let mut connection = options.connect().await.expect("the file opens");
                sqlx::query_scalar(sql).fetch_one(&mut connection).await
            }
            Place::Server(url) => {
                let mut connection = PgConnection::connect(url).await.expect("the server answers");
                sqlx::query_scalar(sql).fetch_one(&mut connection).await
            }
        };
        counted.unwrap_or_else(|error| panic!("{table}: {error}"))
    }

    /// From now on the database refuses `what` (`INSERT`, `UPDATE`) on this table.
    pub async fn refuse(&self, what: &str, table: &str) {
        let rule = match self.place {
            Place::File(_) => "BEGIN SELECT RAISE(ABORT, 'refused by a test'); END",
            Place::Server(_) => "FOR EACH ROW EXECUTE FUNCTION refuse('refused by a test')",
        };
        let trigger = format!("CREATE TRIGGER refused_by_a_test BEFORE {what} ON {table} {rule}");
        self.tamper(&[trigger]).await;
    }

    /// Bytes, given as hexadecimal digits, as this database's SQL writes them.
    pub fn sql_bytes(&self, hex: &str) -> String {
        match self.place {
            Place::File(_) => format!("x'{hex}'"),
            Place::Server(_) => format!("'\\x{hex}'"),
        }
    }
}
