//! Projects some facts at once, in the order of their entries. Their rows wait, as those of a batch that
//! is committed do.

use std::collections::HashMap;

use domain::entry::HouseFact;
use domain::{
    Digest, Fact, InstanceId, Kind, KindRef, Request, RequestFact, RequestId, Timestamp, revision,
};
use sqlx::{Row, SqliteConnection};

use super::super::rows::Column;
use super::super::{insert, project, requests};
use crate::change::{Before, NewFact, RequestChange, Staged, Write};
use crate::error::StoreError;
use crate::insert::{Inserts, json};
use crate::read::Stored;
use crate::update::Updates;

type Answer<T> = Result<T, StoreError>;

/// A fact as it was recorded.
pub(super) struct Replayed {
    pub instance: InstanceId,
    pub index: u64,
    pub new: NewFact,
}

impl Replayed {
    fn of_request(&self) -> Option<(RequestId, &RequestFact)> {
        match &self.new.fact {
            Fact::Request(fact) => Some((self.new.request?, fact)),
            Fact::House(_) => None,
        }
    }

    /// Whether it brings a revision, and with it a change of its own.
    fn stages(&self) -> bool {
        use RequestFact::{RequestAmended, RequestStaged};
        matches!(self.of_request(), Some((_, RequestStaged(_) | RequestAmended(_))))
    }

    /// Whether `next` is of the same change: a review and what it decides, for one.
    fn goes_on(&self, next: &Self) -> bool {
        let id = |replayed: &Self| replayed.of_request().map(|(id, _)| id);
        id(self).is_some() && id(self) == id(next) && self.new.at == next.new.at && !next.stages()
    }
}

/// Projects all of them, or fails half-way.
pub(super) async fn project(tx: &mut SqliteConnection, facts: &[Replayed]) -> Answer<()> {
    let mut page = Page::read(tx, facts).await?;
    for change in facts.chunk_by(Replayed::goes_on) {
        match change {
            [first, ..] if let Some((id, _)) = first.of_request() => {
                page.request(tx, id, change).await?;
            }
            _ => {
                for replayed in change {
                    house(tx, replayed).await?;
                }
            }
        }
    }
    page.flush(tx).await
}

/// What the facts go on from, and the rows that wait.
struct Page {
    requests: HashMap<RequestId, Before>,
    /// The bytes of every revision of the requests that are staged or amended here.
    revisions: HashMap<(RequestId, u32), Vec<u8>>,
    kinds: HashMap<(String, u32), Kind>,
    inserts: Inserts,
    updates: Updates,
}

impl Page {
    async fn read(tx: &mut SqliteConnection, facts: &[Replayed]) -> Answer<Self> {
        let ids = |of: &dyn Fn(&Replayed) -> bool| -> Vec<RequestId> {
            let chosen = facts.iter().filter(|replayed| of(replayed));
            chosen.filter_map(|replayed| Some(replayed.of_request()?.0)).collect()
        };
        let known = requests::load_all(tx, &ids(&|_| true)).await?.into_iter();
        let before = |Stored { request, version, .. }| (request.id, Before { request, version });
        Ok(Self {
            requests: known.map(before).collect(),
            revisions: revisions(tx, &ids(&Replayed::stages)).await?,
            kinds: HashMap::new(),
            inserts: Inserts::default(),
            updates: Updates::default(),
        })
    }

    async fn flush(&mut self, tx: &mut SqliteConnection) -> Answer<()> {
        insert::flush(tx, &mut self.inserts).await?;
        insert::update(tx, &mut self.updates).await
    }

    /// One change of a request, of one fact or several.
    async fn request(
        &mut self,
        tx: &mut SqliteConnection,
        id: RequestId,
        change: &[Replayed],
    ) -> Answer<()> {
        let before = self.requests.remove(&id);
        let mut after = before.as_ref().map(|before| before.request.clone());
        for replayed in change {
            let Some((_, fact)) = replayed.of_request() else { continue };
            let evolved = Request::evolve(after, fact, replayed.new.at);
            after = Some(evolved.map_err(|error| StoreError::Refused(error.to_string()))?);
            if replayed.new.takes_back() {
                // What it takes back may wait still.
                self.flush(tx).await?;
            }
            self.inserts.fact(id, fact, replayed.new.at);
            project::fact(tx, &replayed.new).await?;
        }
        let (Some(first), Some(after)) = (change.first(), after) else { return Ok(()) };
        let staged = if first.stages() { Some(self.staged(tx, &after).await?) } else { None };
        let (at, version) = (first.new.at, before.as_ref().map_or(1, |before| before.version + 1));
        let change = RequestChange { before, after, staged };
        self.inserts.stage(&change, at, at)?;
        if self.updates.has(id) {
            self.flush(tx).await?;
        }
        self.updates.add(&change, at)?;
        self.requests.insert(id, Before { request: change.after, version });
        Ok(())
    }

    /// What a new request brings, from the revision at hand: its digest stands in the entry.
    async fn staged(&mut self, tx: &mut SqliteConnection, request: &Request) -> Answer<Staged> {
        let body = self.revisions.remove(&(request.id, request.revision)).unwrap_or_default();
        let sealed = revision::open(body, request.digest)
            .map_err(|error| StoreError::Refused(format!("request {}: {error}", request.id)))?;
        let kind = (request.kind.name.clone(), request.kind.version);
        if !self.kinds.contains_key(&kind) {
            self.kinds.insert(kind.clone(), read_kind(tx, &request.kind).await?);
        }
        let effect = self
            .kinds
            .get(&kind)
            .map(|kind| kind.effect_of(&sealed.revision.parameters, &sealed.revision.environment));
        Ok(Staged { sealed, effect: effect.unwrap_or_default() })
    }
}

/// Every revision of these requests in the file at hand.
async fn revisions(
    tx: &mut SqliteConnection,
    of: &[RequestId],
) -> Answer<HashMap<(RequestId, u32), Vec<u8>>> {
    let rows = sqlx::query(
        "SELECT request_id, number, body FROM live.revisions \
         WHERE request_id IN (SELECT value FROM json_each(?))",
    )
    .bind(json(&of)?)
    .fetch_all(tx)
    .await?;
    let revision = |row| {
        let id = Column("revisions", "request_id").parsed(row)?;
        Ok(((id, Column("revisions", "number").number(row)?), row.try_get("body")?))
    };
    rows.iter().map(revision).collect()
}

async fn read_kind(tx: &mut SqliteConnection, kind: &KindRef) -> Answer<Kind> {
    let body: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT body FROM kinds WHERE name = ? AND version = ?")
            .bind(&kind.name)
            .bind(i64::from(kind.version))
            .fetch_optional(tx)
            .await?;
    serde_json::from_slice(&body.unwrap_or_default())
        .map_err(|error| StoreError::Refused(format!("kind {}: {error}", kind.name)))
}

/// A fact that no request is changed by. What was put is in the file at hand, not in the entry.
async fn house(tx: &mut SqliteConnection, replayed: &Replayed) -> Answer<()> {
    let Replayed { instance, new, .. } = replayed;
    match &new.fact {
        Fact::House(HouseFact::InstanceCreated { .. }) => {
            project::write(tx, &Write::Instance { id: *instance }, new.at).await
        }
        Fact::House(HouseFact::KindPut { kind, digest }) => {
            copy_kind(tx, kind, *digest, new.at).await
        }
        Fact::House(HouseFact::PolicyPut { version, digest }) => {
            copy_policy(tx, *version, *digest, new.at).await
        }
        _ => project::fact(tx, new).await,
    }
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
