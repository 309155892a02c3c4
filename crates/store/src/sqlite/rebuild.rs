//! Builds the projections anew from the entries and compares them with those at hand (threats L13).
//!
//! A scratch database in memory gets the schema and every fact, through the same code that
//! projects when facts are committed; the file at hand is attached read-only, and everything is
//! read at one instant, also while a server writes.

mod compare;

use std::path::Path;

use domain::entry::{Entry, HouseFact};
use domain::{Digest, Fact, Kind, KindRef, Request, RequestFact, RequestId, Timestamp, revision};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection};

use super::rows::Column;
use super::{insert, ledger, project, requests, schema};
use crate::change::{Before, NewFact, RequestChange, Staged, Text, Write};
use crate::error::StoreError;
use crate::insert::Inserts;
use crate::read::{Difference, Rebuilt, Stored, StoredEntry};
use crate::update::Updates;

type Answer<T> = Result<T, StoreError>;

/// Entries read at once.
const STRIDE: u64 = 1000;

pub(crate) async fn rebuild(path: &Path) -> Answer<Rebuilt> {
    // Rows that no entry speaks of (evidence) are referred to by rows that entries do speak of.
    let options = SqliteConnectOptions::new().filename(":memory:").foreign_keys(false);
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
        for stored in &entries {
            replay(&mut tx, stored, &mut rebuilt).await?;
        }
    }
    compare::tables(&mut tx, &mut rebuilt).await?;
    Ok(rebuilt)
}

/// A path inside a `file:` URI.
fn escaped(path: &Path) -> String {
    let text = path.display().to_string();
    text.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Projects one entry. What cannot follow on what was before is a difference too.
async fn replay(
    tx: &mut SqliteConnection,
    stored: &StoredEntry,
    rebuilt: &mut Rebuilt,
) -> Answer<()> {
    let entry: Entry = serde_json::from_slice(&stored.body)
        .map_err(|error| Column("entries", "body").corrupt(format!("{}: {error}", stored.index)))?;
    // Only the columns by which entries are looked up: their bytes were checked by their hashes.
    let mut rows = Inserts::default();
    rows.entry(&entry, Vec::new(), &stored.leaf.0, &[]);
    insert::flush(tx, &mut rows).await?;
    let fact = NewFact {
        at: entry.at,
        actor: entry.actor,
        request: entry.request,
        texts: texts(&entry, stored, rebuilt),
        fact: entry.fact,
    };
    let projected = match (&fact.fact, fact.request) {
        (Fact::Request(of_request), Some(id)) => request(tx, id, of_request, &fact).await,
        (Fact::House(HouseFact::InstanceCreated { .. }), _) => {
            project::write(tx, &Write::Instance { id: entry.instance }, entry.at).await
        }
        (Fact::House(HouseFact::KindPut { kind, digest }), _) => {
            copy_kind(tx, kind, *digest, entry.at).await
        }
        (Fact::House(HouseFact::PolicyPut { version, digest }), _) => {
            copy_policy(tx, *version, *digest, entry.at).await
        }
        _ => project::fact(tx, &fact).await,
    };
    match projected {
        Err(StoreError::Unavailable(error)) => Err(StoreError::Unavailable(error)),
        Err(error) => {
            rebuilt.differences.push(Difference {
                table: "entries",
                row: stored.index.to_string(),
                column: None,
                recorded: fact.fact.name().to_owned(),
                found: error.to_string(),
            });
            Ok(())
        }
        Ok(()) => Ok(()),
    }
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

async fn request(
    tx: &mut SqliteConnection,
    id: RequestId,
    fact: &RequestFact,
    new: &NewFact,
) -> Answer<()> {
    let refused = |error: &dyn std::fmt::Display| StoreError::Refused(error.to_string());
    let before = requests::load(tx, id).await?;
    let before = before.map(|Stored { request, version, .. }| Before { request, version });
    let request = before.as_ref().map(|before| before.request.clone());
    let after = Request::evolve(request, fact, new.at);
    let after = after.map_err(|error| refused(&error))?;
    let staged = match fact {
        RequestFact::RequestStaged(_) | RequestFact::RequestAmended(_) => {
            Some(staged(tx, &after).await?)
        }
        _ => None,
    };
    let change = RequestChange { before, after, staged };
    let (mut rows, mut updates) = (Inserts::default(), Updates::default());
    rows.stage(&change, new.at, new.at)?;
    rows.fact(id, fact, new.at);
    insert::flush(tx, &mut rows).await?;
    project::fact(tx, new).await?;
    updates.add(&change, new.at)?;
    insert::update(tx, &mut updates).await
}

/// What a new request brings, from the revision at hand: its digest stands in the entry.
async fn staged(tx: &mut SqliteConnection, request: &Request) -> Answer<Staged> {
    let row = sqlx::query("SELECT body FROM live.revisions WHERE request_id = ? AND number = ?")
        .bind(request.id.to_string())
        .bind(i64::from(request.revision))
        .fetch_optional(&mut *tx)
        .await?;
    let body: Vec<u8> = row.map(|row| row.try_get("body")).transpose()?.unwrap_or_default();
    let sealed = revision::open(body, request.digest)
        .map_err(|error| StoreError::Refused(format!("request {}: {error}", request.id)))?;
    let row = sqlx::query("SELECT body FROM kinds WHERE name = ? AND version = ?")
        .bind(&request.kind.name)
        .bind(i64::from(request.kind.version))
        .fetch_optional(tx)
        .await?;
    let kind = row.map(|row| row.try_get::<Vec<u8>, _>("body")).transpose()?.unwrap_or_default();
    let kind: Kind = serde_json::from_slice(&kind)
        .map_err(|error| StoreError::Refused(format!("kind {}: {error}", request.kind.name)))?;
    let effect = kind.effect_of(&sealed.revision.parameters, &sealed.revision.environment);
    Ok(Staged { sealed, effect })
}

/// A kind's body from the file at hand, if it is what the entry names.
async fn copy_kind(
    tx: &mut SqliteConnection,
    kind: &KindRef,
    digest: Digest,
    at: Timestamp,
) -> Answer<()> {
    let (name, version) = (&kind.name, i64::from(kind.version));
    let body: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT body FROM live.kinds WHERE name = ? AND version = ?")
            .bind(name)
            .bind(version)
            .fetch_optional(&mut *tx)
            .await?;
    let body = put(body, digest, &format!("kind {name} {version}"))?;
    sqlx::query("INSERT INTO kinds (name, version, body, put_at) VALUES (?, ?, ?, ?)")
        .bind(name)
        .bind(version)
        .bind(body)
        .bind(at.micros())
        .execute(tx)
        .await?;
    Ok(())
}

/// A policy's text from the file at hand, if it is what the entry names.
async fn copy_policy(
    tx: &mut SqliteConnection,
    version: u32,
    digest: Digest,
    at: Timestamp,
) -> Answer<()> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT text FROM live.policies WHERE version = ?")
            .bind(i64::from(version))
            .fetch_optional(&mut *tx)
            .await?;
    let text = put(text, digest, &format!("policy {version}"))?;
    project::write(tx, &Write::Policy { version, text }, at).await
}

/// What was put, where it is there and has the digest that the entry names.
fn put<T: AsRef<[u8]>>(found: Option<T>, digest: Digest, what: &str) -> Answer<T> {
    let found = found.ok_or_else(|| StoreError::Refused(format!("{what} is gone")))?;
    if Digest::of(found.as_ref()) == digest {
        Ok(found)
    } else {
        Err(StoreError::Refused(format!("{what} is not what was put")))
    }
}
