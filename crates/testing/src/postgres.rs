//! Databases of a private PostgreSQL, one for each test.
//!
//! The first test that asks starts the server; all tests of this checkout share it, over processes;
//! when none has used it for some seconds it stops and its files go (see `postgres/cluster.rs`).
//! Where `COUNTERSIGN_TEST_POSTGRES` is the URL of a superuser, that server is used instead, and
//! the databases stay in it.

mod cluster;
mod own;

use std::path::Path;

pub use own::OwnServer;

use domain::Digest;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use store::PostgresStore;

/// Databases are made one after the other: two copies of one template cannot be made at once.
const ONE_AT_A_TIME: &str = "SELECT pg_advisory_lock(hashtext('countersign tests'))";

/// The URL of a new database in which `countersign migrate` has run.
pub async fn database() -> String {
    let admin = cluster::admin();
    let mut connection = connect(&admin).await;
    connection_lock(&mut connection).await;
    let template = format!("countersign_{}", &schema().to_string()[7..23]);
    let known: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(&template)
        .fetch_optional(&mut connection)
        .await
        .expect("an answer");
    if known.is_none() {
        // Under another name until it is complete: a test that is killed here leaves no template.
        let draft = format!("draft_{}", std::process::id());
        execute(&mut connection, &format!("DROP DATABASE IF EXISTS {draft}")).await;
        execute(&mut connection, &format!("CREATE DATABASE {draft} TEMPLATE template0")).await;
        PostgresStore::migrate(&url(&admin, &draft)).await.expect("the migrations run");
        execute(&mut connection, &format!("ALTER DATABASE {draft} RENAME TO {template}")).await;
    }
    create(&mut connection, &admin, &template).await
}

/// The URL of a new database with nothing in it.
pub async fn empty_database() -> String {
    let admin = cluster::admin();
    let mut connection = connect(&admin).await;
    connection_lock(&mut connection).await;
    create(&mut connection, &admin, "template0").await
}

/// Removes a database that a test is done with: there may be thousands in one run.
#[cfg(feature = "app")]
pub(crate) async fn remove(url: &str) {
    let database: PgConnectOptions = url.parse().expect("a URL");
    let name = database.get_database().expect("the name of a database");
    let mut connection = connect(&cluster::admin()).await;
    execute(&mut connection, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn create(connection: &mut PgConnection, admin: &PgConnectOptions, template: &str) -> String {
    let name: String = sqlx::query_scalar("SELECT 'test_' || md5(gen_random_uuid()::text)")
        .fetch_one(&mut *connection)
        .await
        .expect("a name");
    execute(connection, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    url(admin, &name)
}

fn url(admin: &PgConnectOptions, database: &str) -> String {
    admin.clone().database(database).to_url_lossy().to_string()
}

async fn connect(admin: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(admin).await.expect("the test server answers")
}

async fn connection_lock(connection: &mut PgConnection) {
    execute(connection, ONE_AT_A_TIME).await;
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// What the schema is made from: another schema has another template.
fn schema() -> Digest {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<_> = std::fs::read_dir(root.join("migrations/postgres"))
        .expect("the migrations")
        .map(|entry| entry.expect("a migration").path())
        .collect();
    files.sort();
    files.push(root.join("crates/store/src/postgres/roles.sql"));
    let texts: Vec<Vec<u8>> =
        files.iter().map(|file| std::fs::read(file).expect("a file of SQL")).collect();
    Digest::of_parts(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
