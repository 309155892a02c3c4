//! Building the tables anew from the entries: whatever follows from entries, and is changed past
//! the ledger, is reported.

use std::collections::BTreeSet;

use domain::entry::HouseFact;
use domain::freeze::FreezeScope;
use domain::{Actor, Digest, Freeze, FreezeId, KeyId, KindRef, TrustId, WebhookId, canonical};
use sqlx::{Connection, Row, SqliteConnection};
use store::read::Difference;
use store::{Change, NewFact, Store, Write};
use uuid::Uuid;

use crate::fixture::{BOB, at, fact, four_states, frozen, issued, kind, trusted};
use crate::rules::Database;
use crate::webhooks::added;

const FREEZE: FreezeId = FreezeId(Uuid::from_u128(6));
const POLICY: &str = "// nothing is permitted";

/// A row forged, the table and the column where that is found; no column where it is the whole row.
const FORGED: &[(&str, &str, Option<&str>)] = &[
    ("UPDATE instance SET changes_gated = NOT changes_gated", "instance", Some("changes_gated")),
    ("UPDATE instance SET created_at = created_at + 1", "instance", Some("created_at")),
    ("UPDATE entries SET at = at + 1 WHERE idx = 3", "entries", Some("at")),
    ("UPDATE people SET active = NOT active", "people", Some("active")),
    ("UPDATE group_members SET group_name = 'administrators'", "group_members", None),
    ("UPDATE agents SET suspended = NOT suspended", "agents", Some("suspended")),
    ("UPDATE api_keys SET expires_at = expires_at + 1", "api_keys", Some("expires_at")),
    ("UPDATE api_keys SET scope = '{}'", "api_keys", Some("scope")),
    ("UPDATE trusts SET removed_at = NULL", "trusts", Some("removed_at")),
    ("UPDATE trusts SET terms = '{}'", "trusts", Some("terms")),
    ("UPDATE kinds SET put_at = put_at + 1", "kinds", Some("put_at")),
    ("UPDATE policies SET put_at = put_at + 1", "policies", Some("put_at")),
    (
        "INSERT INTO policies VALUES (2, 'permit (principal, action, resource);', 0)",
        "policies",
        None,
    ),
    ("UPDATE freezes SET halts = NOT halts", "freezes", Some("halts")),
    ("UPDATE freezes SET thawed_at = 5", "freezes", Some("thawed_at")),
    ("UPDATE freezes SET reason = 'no reason'", "freezes", Some("reason")),
    ("UPDATE webhooks SET url = 'https://elsewhere.example/'", "webhooks", Some("url")),
    ("UPDATE webhooks SET disabled_at = 5", "webhooks", Some("disabled_at")),
    ("UPDATE requests SET due_at = due_at + 1", "requests", Some("due_at")),
    ("UPDATE requests SET changed_at = changed_at + 1", "requests", Some("changed_at")),
    ("UPDATE reviews SET verdict = 'pass'", "reviews", Some("verdict")),
    ("UPDATE releases SET redeemed_at = redeemed_at + 1", "releases", Some("redeemed_at")),
    ("UPDATE request_targets SET named_at = named_at + 1", "request_targets", Some("named_at")),
    ("INSERT INTO evidence_used SELECT id, digest FROM requests", "evidence_used", None),
    (
        "INSERT INTO evidence_opened SELECT id, digest, (SELECT id FROM agents LIMIT 1), FALSE, 0 FROM requests",
        "evidence_opened",
        None,
    ),
    ("UPDATE policies SET text = text || ' '", "entries", None),
    ("UPDATE revisions SET number = number + 7", "revisions", None),
];

/// What no entry speaks of, or what is checked on its own.
const APART: [&str; 11] = [
    // The ledger's own check: commitments, hashes, signatures.
    "entry_texts",
    "tree_nodes",
    "checkpoints",
    // Content that is named by its digest, and who may refer to it.
    "evidence",
    "evidence_contents",
    "evidence_chunks",
    "evidence_uploads",
    // Passing: retries, who is signed in, and how far endpoints were told.
    "idempotency",
    "webhook_deliveries",
    "sessions",
    "sign_in_links",
];

/// A house with a row in every table that follows from entries.
async fn housed(database: &impl Database) -> std::sync::Arc<dyn Store> {
    let store = database.furnished().await;
    let digest = Digest::of(&canonical::to_bytes(&kind()).unwrap());
    let put = KindRef { name: "k".into(), version: 1 };
    let system = |one: HouseFact| NewFact { at: at(100), ..fact(Actor::System, one) };
    let freeze = Freeze { id: FREEZE, scope: FreezeScope::All, halts: false };
    let policy_put = HouseFact::PolicyPut { version: 1, digest: Digest::of(POLICY.as_bytes()) };
    let facts = vec![
        // The kind was written when the clock stood there.
        system(HouseFact::KindPut { kind: put, digest }),
        system(policy_put),
        system(HouseFact::ChangesGated),
        NewFact { at: at(100), ..issued(KeyId(Uuid::from_u128(3))) },
        NewFact { at: at(100), ..trusted(TrustId(Uuid::from_u128(4))) },
        system(HouseFact::TrustRemoved { trust: TrustId(Uuid::from_u128(4)) }),
        NewFact { at: at(100), ..frozen(Actor::Person(BOB), freeze) },
        NewFact { at: at(100), ..added(WebhookId(Uuid::from_u128(50)), "bridge", 2) },
    ];
    let writes = vec![Write::Policy { version: 1, text: POLICY.into() }];
    store.commit(Change { facts, writes, ..Change::default() }).await.unwrap();
    four_states(&*store).await;
    store
}

pub async fn l13_a_forged_row_of_any_table_that_follows_from_entries_is_reported(
    database: impl Database,
) {
    let store = housed(&database).await;
    let rebuilt = store.rebuild().await.unwrap();
    assert_eq!(rebuilt.differences, [], "as it was written");
    for (sql, table, column) in FORGED {
        database.forge(sql).await;
        let found = store.rebuild().await.unwrap().differences;
        let named = |difference: &&Difference| {
            difference.table == *table && difference.column.as_deref() == *column
        };
        assert!(found.iter().any(|difference| named(&difference)), "{sql}: {found:#?}");
    }
}

pub async fn l13_every_table_is_compared_or_it_is_said_why_not(database: impl Database) {
    let (store, directory) = (database.furnished().await, tempfile::tempdir().unwrap());
    let file = directory.path().join("tables.db");
    store.backup(&file).await.unwrap();
    let mut raw = SqliteConnection::connect(&file.display().to_string()).await.unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' \
               AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'";
    let rows = sqlx::query(sql).fetch_all(&mut raw).await.unwrap();
    let tables: BTreeSet<String> = rows.iter().map(|row| row.get("name")).collect();
    let forged = FORGED.iter().map(|(_, table, _)| *table);
    let known: BTreeSet<String> = forged.chain(APART).map(str::to_owned).collect();
    assert_eq!(tables, known, "a table that is neither compared nor said to be apart");
}
