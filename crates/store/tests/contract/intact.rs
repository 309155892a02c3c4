//! The rules of the schema are there, or nothing starts (L14).

use store::StoreError;

use crate::rules::Database;

pub async fn l14_nothing_opens_a_schema_whose_rules_were_taken_away_or_altered<D: Database>(
    _unused: D,
) {
    for (sql, rule) in D::alterations() {
        let database = D::new().await;
        database.furnished().await.close().await;
        database.run(sql).await;
        let opened = database.open_by(Default::default()).await.err();
        let migrated = database.migrate().await.err();
        for refused in [opened, migrated] {
            let named =
                matches!(&refused, Some(StoreError::SchemaAltered(what)) if what.contains(rule));
            assert!(named, "{sql}: {refused:?}");
        }
    }
}

pub async fn l14_what_others_add_beside_the_schema_is_theirs(database: impl Database) {
    database.furnished().await.close().await;
    database.run("CREATE TABLE theirs (a INTEGER PRIMARY KEY)").await;
    database.run("CREATE INDEX theirs_too ON requests (risk)").await;
    database.migrate().await.unwrap();
    database.open().await;
}
