//! People, groups, agents, keys, kinds, sessions: reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Actor, AgentId, Freeze, Kind, PersonId, Timestamp};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, Sqlite, SqliteConnection};

use super::rows::Column;
use crate::error::StoreError;
use crate::house::{House, Rows};
use crate::read::{
    Agent, ApiKey, Instance, Person, SignInLink, StandingFreeze, StoredPolicy, Trust,
};

type Answer<T> = Result<T, StoreError>;

pub(super) async fn instance<'e>(
    executor: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Answer<Option<Instance>> {
    let row = sqlx::query("SELECT id, authority_epoch, changes_gated FROM instance")
        .fetch_optional(executor)
        .await?;
    row.map(|row| {
        Ok(Instance {
            id: domain::InstanceId(Column("instance", "id").parsed(&row)?),
            epoch: Column("instance", "authority_epoch").number(&row)?,
            changes_gated: row.try_get("changes_gated")?,
        })
    })
    .transpose()
}

/// Everything that authority rests on, read at one instant.
pub(super) async fn house(pool: &SqlitePool) -> Answer<House> {
    let mut tx = pool.begin().await?;
    Ok(House::new(Rows {
        instance: instance(&mut *tx).await?,
        people: people(&mut tx).await?,
        agents: agents(&mut tx).await?,
        keys: keys(&mut tx).await?,
        trusts: trusts(&mut tx).await?,
        kinds: kinds(&mut tx).await?,
        policy: policies(&mut tx, 1).await?.pop(),
        freezes: freezes(&mut tx).await?,
        debts: debts(&mut tx).await?,
    }))
}

/// Whose break-glass still waits for a second person, and until when, the most urgent of each.
async fn debts(tx: &mut SqliteConnection) -> Answer<BTreeMap<PersonId, Timestamp>> {
    let rows = sqlx::query(
        "SELECT owes_review, min(owes_review_by) AS due FROM requests \
         WHERE owes_review IS NOT NULL GROUP BY owes_review",
    )
    .fetch_all(tx)
    .await?;
    let debt = |row: &SqliteRow| {
        let person = Column("requests", "owes_review").parsed(row)?;
        Ok((person, Column("requests", "due").time(row)?))
    };
    rows.iter().map(debt).collect()
}

async fn freezes(tx: &mut SqliteConnection) -> Answer<Vec<StandingFreeze>> {
    let rows = sqlx::query(
        "SELECT id, scope, halts, frozen_at, frozen_by, reason FROM freezes \
         WHERE thawed_at IS NULL ORDER BY frozen_at, id",
    )
    .fetch_all(tx)
    .await?;
    let standing = |row: &SqliteRow| {
        let freeze = Freeze {
            id: Column("freezes", "id").parsed(row)?,
            scope: Column("freezes", "scope").json(row)?,
            halts: row.try_get("halts")?,
        };
        Ok(StandingFreeze {
            freeze,
            at: Column("freezes", "frozen_at").time(row)?,
            by: Column("freezes", "frozen_by").parsed_if_any(row)?,
            reason: row.try_get("reason")?,
        })
    };
    rows.iter().map(standing).collect()
}

pub(super) async fn policies(tx: &mut SqliteConnection, most: u32) -> Answer<Vec<StoredPolicy>> {
    let rows =
        sqlx::query("SELECT version, text, put_at FROM policies ORDER BY version DESC LIMIT +?")
            .bind(i64::from(most))
            .fetch_all(tx)
            .await?;
    let policy = |row: &SqliteRow| {
        Ok(StoredPolicy {
            version: Column("policies", "version").number(row)?,
            text: row.try_get("text")?,
            at: Column("policies", "put_at").time(row)?,
        })
    };
    rows.iter().map(policy).collect()
}

const PEOPLE: &str = "SELECT id, name, active, passwords, added_at, \
     (SELECT group_concat(group_name, char(10)) FROM group_members WHERE person_id = people.id) \
     AS groups FROM people ORDER BY name";

fn person_of(row: &SqliteRow) -> Answer<Person> {
    let groups: Option<String> = row.try_get("groups")?;
    Ok(Person {
        id: Column("people", "id").parsed(row)?,
        name: row.try_get("name")?,
        active: row.try_get("active")?,
        groups: groups.iter().flat_map(|names| names.lines()).map(str::to_owned).collect(),
        passwords: Column("people", "passwords").number(row)?,
        added_at: Column("people", "added_at").time(row)?,
    })
}

async fn people(tx: &mut SqliteConnection) -> Answer<Vec<Person>> {
    let rows = sqlx::query(PEOPLE).fetch_all(tx).await?;
    rows.iter().map(person_of).collect()
}

pub(super) async fn password_hash(pool: &SqlitePool, id: PersonId) -> Answer<Option<String>> {
    let hash: Option<Option<String>> =
        sqlx::query_scalar("SELECT password_hash FROM people WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(pool)
            .await?;
    Ok(hash.flatten())
}

fn agent_of(row: &SqliteRow) -> Answer<Agent> {
    Ok(Agent {
        id: Column("agents", "id").parsed(row)?,
        name: row.try_get("name")?,
        owner: Column("agents", "owner_id").parsed_if_any(row)?,
        suspended: row.try_get("suspended")?,
        added_at: Column("agents", "added_at").time(row)?,
    })
}

async fn agents(tx: &mut SqliteConnection) -> Answer<Vec<Agent>> {
    let rows =
        sqlx::query("SELECT id, name, owner_id, suspended, added_at FROM agents ORDER BY name")
            .fetch_all(tx)
            .await?;
    rows.iter().map(agent_of).collect()
}

fn key_of(row: &SqliteRow) -> Answer<ApiKey> {
    let agent: Option<String> = row.try_get("agent_id")?;
    let holder = match agent {
        Some(_) => Actor::Agent(Column("api_keys", "agent_id").parsed(row)?),
        None => Actor::Person(Column("api_keys", "person_id").parsed(row)?),
    };
    Ok(ApiKey {
        id: Column("api_keys", "id").parsed(row)?,
        holder,
        hint: row.try_get("hint")?,
        issued_at: Column("api_keys", "issued_at").time(row)?,
        expires_at: Column("api_keys", "expires_at").time(row)?,
        revoked_at: Column("api_keys", "revoked_at").time_if_any(row)?,
        last_used_at: Column("api_keys", "last_used_at").time_if_any(row)?,
        shown_to: Column("api_keys", "shown_to").parsed(row)?,
        scope: Column("api_keys", "scope").json(row)?,
    })
}

pub(super) async fn keys_of(pool: &SqlitePool, holder: &Actor) -> Answer<Vec<ApiKey>> {
    const BY_AGENT: &str = "SELECT * FROM api_keys WHERE agent_id = ? ORDER BY issued_at DESC";
    const BY_PERSON: &str = "SELECT * FROM api_keys WHERE person_id = ? ORDER BY issued_at DESC";
    let query = match holder {
        Actor::Agent(agent) => sqlx::query(BY_AGENT).bind(agent.to_string()),
        Actor::Person(person) => sqlx::query(BY_PERSON).bind(person.to_string()),
        Actor::System => return Ok(Vec::new()),
    };
    query.fetch_all(pool).await?.iter().map(key_of).collect()
}

/// Keys that were not revoked, by the hash that finds them.
async fn keys(tx: &mut SqliteConnection) -> Answer<Vec<([u8; 32], ApiKey)>> {
    let rows = sqlx::query("SELECT * FROM api_keys WHERE revoked_at IS NULL").fetch_all(tx).await?;
    let key = |row: &SqliteRow| Ok((Column("api_keys", "hash").digest(row)?.0, key_of(row)?));
    rows.iter().map(key).collect()
}

fn trust_of(row: &SqliteRow) -> Answer<Trust> {
    Ok(Trust {
        id: Column("trusts", "id").parsed(row)?,
        agent: Column("trusts", "agent_id").parsed(row)?,
        terms: Column("trusts", "terms").json(row)?,
        added_at: Column("trusts", "added_at").time(row)?,
        added_by: Column("trusts", "added_by").parsed_if_any(row)?,
        last_used_at: Column("trusts", "last_used_at").time_if_any(row)?,
    })
}

pub(super) async fn trusts_of(pool: &SqlitePool, agent: AgentId) -> Answer<Vec<Trust>> {
    let rows = sqlx::query(
        "SELECT * FROM trusts WHERE agent_id = ? AND removed_at IS NULL ORDER BY added_at, id",
    )
    .bind(agent.to_string())
    .fetch_all(pool)
    .await?;
    rows.iter().map(trust_of).collect()
}

/// The trusts that stand.
async fn trusts(tx: &mut SqliteConnection) -> Answer<Vec<Trust>> {
    let rows = sqlx::query("SELECT * FROM trusts WHERE removed_at IS NULL ORDER BY added_at, id")
        .fetch_all(tx)
        .await?;
    rows.iter().map(trust_of).collect()
}

fn kind_of(row: &SqliteRow) -> Answer<Kind> {
    let body: Vec<u8> = row.try_get("body")?;
    serde_json::from_slice(&body).map_err(|error| Column("kinds", "body").corrupt(error))
}

/// Each kind in its newest version, by name.
async fn kinds(tx: &mut SqliteConnection) -> Answer<Vec<(Arc<Kind>, u32)>> {
    let rows = sqlx::query(
        "SELECT body, version FROM kinds AS k \
         WHERE version = (SELECT max(version) FROM kinds WHERE name = k.name) ORDER BY name",
    )
    .fetch_all(tx)
    .await?;
    let kind =
        |row: &SqliteRow| Ok((Arc::new(kind_of(row)?), Column("kinds", "version").number(row)?));
    rows.iter().map(kind).collect()
}

pub(super) async fn kind(pool: &SqlitePool, name: &str, version: u32) -> Answer<Option<Kind>> {
    let row = sqlx::query("SELECT body FROM kinds WHERE name = ? AND version = ?")
        .bind(name)
        .bind(i64::from(version))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(kind_of).transpose()
}

pub(super) async fn session(
    pool: &SqlitePool,
    id_hash: [u8; 32],
) -> Answer<Option<(String, Timestamp)>> {
    let row = sqlx::query("SELECT data, expires_at FROM sessions WHERE id_hash = ?")
        .bind(id_hash.as_slice())
        .fetch_optional(pool)
        .await?;
    row.map(|row| Ok((row.try_get("data")?, Column("sessions", "expires_at").time(&row)?)))
        .transpose()
}

pub(super) async fn sign_in_link(
    pool: &SqlitePool,
    hash: [u8; 32],
    now: Timestamp,
) -> Answer<Option<SignInLink>> {
    let row = sqlx::query(
        "SELECT person_id, expires_at FROM sign_in_links \
         WHERE hash = ? AND used_at IS NULL AND expires_at > ?",
    )
    .bind(hash.as_slice())
    .bind(now.micros())
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(SignInLink {
            person: Column("sign_in_links", "person_id").parsed(&row)?,
            expires_at: Column("sign_in_links", "expires_at").time(&row)?,
        })
    })
    .transpose()
}
