//! Builds the projections anew from the entries and compares them with those at hand (threats L13).
//!
//! A scratch database gets the schema and every fact, through the same code that projects when facts
//! are committed; the file at hand is attached read-only, and everything is read at one instant, also
//! while a server writes. The scratch is a file of its own, so that memory does not grow with the ledger
//! (L19).

mod compare;
mod page;

use std::path::Path;

use domain::Entry;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::rows::Column;
use super::{insert, ledger, schema};
use crate::change::{NewFact, Text};
use crate::error::StoreError;
use crate::insert::Inserts;
use crate::read::{Difference, Rebuilt, StoredEntry};
use page::Replayed;

type Answer<T> = Result<T, StoreError>;

/// Entries read, and projected, at once: some tens of messages to the driver, not some a fact.
const STRIDE: u64 = 256;
/// What SQLite calls a file of its own, in the directory for such files, that goes with its connection.
const SCRATCH: &str = "";
/// Pages of the scratch that are kept in memory: 64 MiB, in KiB and negative, as SQLite has it.
const CACHE: &str = "-65536";

pub(crate) async fn rebuild(path: &Path) -> Answer<Rebuilt> {
    // Rows that no entry speaks of (evidence) are referred to by rows that entries do speak of.
    let options = SqliteConnectOptions::new().filename(SCRATCH).foreign_keys(false);
    let options = options.pragma("cache_size", CACHE);
    let mut scratch = SqliteConnection::connect_with(&options).await?;
    schema::make(&mut scratch).await?;
    sqlx::query("ATTACH ? AS live")
        .bind(format!("file:{}?mode=ro", escaped(path)))
        .execute(&mut scratch)
        .await?;
    let mut tx = scratch.begin().await?;
    let mut rebuilt = Rebuilt::default();
    let mut next = 0;
    loop {
        let entries = ledger::attached(&mut tx, next, next + STRIDE).await?;
        let Some(last) = entries.last() else { break };
        next = last.index + 1;
        // Only the columns by which entries are looked up: their bytes were checked by their hashes.
        let mut rows = Inserts::default();
        let mut facts = Vec::with_capacity(entries.len());
        for stored in &entries {
            let entry = entry(stored)?;
            rows.entry(&entry, Vec::new(), &stored.leaf.0, &[]);
            facts.push(replayed(entry, stored, &mut rebuilt));
        }
        insert::flush(&mut tx, &mut rows).await?;
        replay(&mut tx, &facts, &mut rebuilt).await?;
    }
    compare::tables(&mut tx, &mut rebuilt).await?;
    Ok(rebuilt)
}

/// A path inside a `file:` URI.
fn escaped(path: &Path) -> String {
    let text = path.display().to_string();
    text.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn entry(stored: &StoredEntry) -> Answer<Entry> {
    serde_json::from_slice(&stored.body)
        .map_err(|error| Column("entries", "body").corrupt(format!("{}: {error}", stored.index)))
}

fn replayed(entry: Entry, stored: &StoredEntry, rebuilt: &mut Rebuilt) -> Replayed {
    let texts = texts(&entry, stored, rebuilt);
    let Entry { instance, index, at, actor, request, fact, .. } = entry;
    Replayed { instance, index, new: NewFact { at, actor, request, fact, texts } }
}

/// The texts of an entry's commitments; a stand-in for each that was erased.
fn texts(entry: &Entry, stored: &StoredEntry, rebuilt: &mut Rebuilt) -> Vec<Text> {
    let fact = serde_json::to_value(&entry.fact).unwrap_or_default();
    let fields = fact.get("body").and_then(serde_json::Value::as_object).into_iter().flatten();
    let committed = fields.filter(|(_, value)| value.get("commitment").is_some());
    let text = |(field, _): (&String, _)| {
        let found = stored.texts.iter().find(|(name, ..)| name == field);
        let text = found.map(|(_, _, text)| text.clone()).unwrap_or_else(|| {
            rebuilt.erased.push((stored.index, field.clone()));
            compare::erased(stored.index)
        });
        // The field's name and the salt are of no use to a projection.
        Text { field: "", salt: [0; 16], text }
    };
    committed.map(text).collect()
}

/// Projects facts together or, where that does not go, one by one: what cannot follow on what was
/// before is a difference too.
async fn replay(
    tx: &mut SqliteConnection,
    facts: &[Replayed],
    rebuilt: &mut Rebuilt,
) -> Answer<()> {
    if attempt(tx, facts).await?.is_ok() {
        return Ok(());
    }
    for one in facts {
        if let Err(refused) = attempt(tx, std::slice::from_ref(one)).await? {
            rebuilt.differences.push(Difference {
                table: "entries",
                row: one.index.to_string(),
                column: None,
                recorded: one.new.fact.name().to_owned(),
                found: refused.to_string(),
            });
        }
    }
    Ok(())
}

/// All of the facts, or none; the inner error is why one of them is refused.
async fn attempt(tx: &mut SqliteConnection, facts: &[Replayed]) -> Answer<Result<(), StoreError>> {
    let mut part = tx.begin().await?;
    match page::project(&mut part, facts).await {
        Ok(()) => Ok(Ok(part.commit().await?)),
        Err(StoreError::Unavailable(error)) => Err(StoreError::Unavailable(error)),
        Err(refused) => {
            part.rollback().await?;
            Ok(Err(refused))
        }
    }
}
