//! People, groups, agents, keys, kinds, sessions: reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Actor, AgentId, Freeze, Kind, PersonId, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Postgres, Row};

use super::connect::snapshot;
use super::rows::Column;
use crate::error::StoreError;
use crate::house::{House, Rows};
use crate::read::{
    Agent, ApiKey, Instance, Person, SignInLink, StandingFreeze, StoredPolicy, Trust,
};

type Answer<T> = Result<T, StoreError>;

pub(super) async fn instance<'e>(
    executor: impl sqlx::Executor<'e, Database = Postgres>,
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
pub(super) async fn house(pool: &PgPool) -> Answer<House> {
    let mut tx = snapshot(pool).await?;
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
async fn debts(tx: &mut PgConnection) -> Answer<BTreeMap<PersonId, Timestamp>> {
    let rows = sqlx::query(
        "SELECT owes_review, min(owes_review_by) AS due FROM requests \
         WHERE owes_review IS NOT NULL GROUP BY owes_review",
    )
    .fetch_all(tx)
    .await?;
    let debt = |row: &PgRow| {
        let person = Column("requests", "owes_review").parsed(row)?;
        Ok((person, Column("requests", "due").time(row)?))
    };
    rows.iter().map(debt).collect()
}

async fn freezes(tx: &mut PgConnection) -> Answer<Vec<StandingFreeze>> {
    let rows = sqlx::query(
        "SELECT id, scope, halts, frozen_at, frozen_by, reason FROM freezes \
         WHERE thawed_at IS NULL ORDER BY frozen_at, id",
    )
    .fetch_all(tx)
    .await?;
    let standing = |row: &PgRow| {
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

pub(super) async fn policies(tx: &mut PgConnection, most: u32) -> Answer<Vec<StoredPolicy>> {
    let rows =
        sqlx::query("SELECT version, text, put_at FROM policies ORDER BY version DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(tx)
            .await?;
    let policy = |row: &PgRow| {
        Ok(StoredPolicy {
            version: Column("policies", "version").number(row)?,
            text: row.try_get("text")?,
            at: Column("policies", "put_at").time(row)?,
        })
    };
    rows.iter().map(policy).collect()
}

const PEOPLE: &str = "SELECT id, name, active, passwords, added_at, \
     (SELECT string_agg(group_name, chr(10) ORDER BY group_name) FROM group_members \
     WHERE person_id = people.id) AS group_names FROM people ORDER BY name";

fn person_of(row: &PgRow) -> Answer<Person> {
    let groups: Option<String> = row.try_get("group_names")?;
    Ok(Person {
        id: Column("people", "id").parsed(row)?,
        name: row.try_get("name")?,
        active: row.try_get("active")?,
        groups: groups.iter().flat_map(|names| names.lines()).map(str::to_owned).collect(),
        passwords: Column("people", "passwords").number(row)?,
        added_at: Column("people", "added_at").time(row)?,
    })
}

async fn people(tx: &mut PgConnection) -> Answer<Vec<Person>> {
    let rows = sqlx::query(PEOPLE).fetch_all(tx).await?;
    rows.iter().map(person_of).collect()
}

pub(super) async fn password_hash(pool: &PgPool, id: PersonId) -> Answer<Option<String>> {
    let hash: Option<Option<String>> =
        sqlx::query_scalar("SELECT password_hash FROM people WHERE id = $1")
            .bind(id.0)
            .fetch_optional(pool)
            .await?;
    Ok(hash.flatten())
}

fn agent_of(row: &PgRow) -> Answer<Agent> {
    Ok(Agent {
        id: Column("agents", "id").parsed(row)?,
        name: row.try_get("name")?,
        owner: Column("agents", "owner_id").parsed_if_any(row)?,
        suspended: row.try_get("suspended")?,
        added_at: Column("agents", "added_at").time(row)?,
    })
}

async fn agents(tx: &mut PgConnection) -> Answer<Vec<Agent>> {
    let rows =
        sqlx::query("SELECT id, name, owner_id, suspended, added_at FROM agents ORDER BY name")
            .fetch_all(tx)
            .await?;
    rows.iter().map(agent_of).collect()
}

fn key_of(row: &PgRow) -> Answer<ApiKey> {
    let holder = match Column("api_keys", "agent_id").parsed_if_any(row)? {
        Some(agent) => Actor::Agent(agent),
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

pub(super) async fn keys_of(pool: &PgPool, holder: &Actor) -> Answer<Vec<ApiKey>> {
    const BY_AGENT: &str = "SELECT * FROM api_keys WHERE agent_id = $1 ORDER BY issued_at DESC";
    const BY_PERSON: &str = "SELECT * FROM api_keys WHERE person_id = $1 ORDER BY issued_at DESC";
    let query = match holder {
        Actor::Agent(agent) => sqlx::query(BY_AGENT).bind(agent.0),
        Actor::Person(person) => sqlx::query(BY_PERSON).bind(person.0),
        Actor::System => return Ok(Vec::new()),
    };
    query.fetch_all(pool).await?.iter().map(key_of).collect()
}

/// Keys that were not revoked, by the hash that finds them.
async fn keys(tx: &mut PgConnection) -> Answer<Vec<([u8; 32], ApiKey)>> {
    let rows = sqlx::query("SELECT * FROM api_keys WHERE revoked_at IS NULL").fetch_all(tx).await?;
    let key = |row: &PgRow| Ok((Column("api_keys", "hash").digest(row)?.0, key_of(row)?));
    rows.iter().map(key).collect()
}

fn trust_of(row: &PgRow) -> Answer<Trust> {
    Ok(Trust {
        id: Column("trusts", "id").parsed(row)?,
        agent: Column("trusts", "agent_id").parsed(row)?,
        terms: Column("trusts", "terms").json(row)?,
        added_at: Column("trusts", "added_at").time(row)?,
        added_by: Column("trusts", "added_by").parsed_if_any(row)?,
        last_used_at: Column("trusts", "last_used_at").time_if_any(row)?,
    })
}

pub(super) async fn trusts_of(pool: &PgPool, agent: AgentId) -> Answer<Vec<Trust>> {
    let rows = sqlx::query(
        "SELECT * FROM trusts WHERE agent_id = $1 AND removed_at IS NULL ORDER BY added_at, id",
    )
    .bind(agent.0)
    .fetch_all(pool)
    .await?;
    rows.iter().map(trust_of).collect()
}

/// The trusts that stand.
async fn trusts(tx: &mut PgConnection) -> Answer<Vec<Trust>> {
    let rows = sqlx::query("SELECT * FROM trusts WHERE removed_at IS NULL ORDER BY added_at, id")
        .fetch_all(tx)
        .await?;
    rows.iter().map(trust_of).collect()
}

fn kind_of(row: &PgRow) -> Answer<Kind> {
    let body: Vec<u8> = row.try_get("body")?;
    serde_json::from_slice(&body).map_err(|error| Column("kinds", "body").corrupt(error))
}

/// Each kind in its newest version, by name.
async fn kinds(tx: &mut PgConnection) -> Answer<Vec<(Arc<Kind>, u32)>> {
    let rows = sqlx::query(
        "SELECT body, version FROM kinds AS k \
         WHERE version = (SELECT max(version) FROM kinds WHERE name = k.name) ORDER BY name",
    )
    .fetch_all(tx)
    .await?;
    let kind = |row: &PgRow| Ok((Arc::new(kind_of(row)?), Column("kinds", "version").number(row)?));
    rows.iter().map(kind).collect()
}

pub(super) async fn kind(pool: &PgPool, name: &str, version: u32) -> Answer<Option<Kind>> {
    let row = sqlx::query("SELECT body FROM kinds WHERE name = $1 AND version = $2")
        .bind(name)
        .bind(i64::from(version))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(kind_of).transpose()
}

pub(super) async fn session(
    pool: &PgPool,
    id_hash: [u8; 32],
) -> Answer<Option<(String, Timestamp)>> {
    let row = sqlx::query("SELECT data, expires_at FROM sessions WHERE id_hash = $1")
        .bind(id_hash.as_slice())
        .fetch_optional(pool)
        .await?;
    row.map(|row| Ok((row.try_get("data")?, Column("sessions", "expires_at").time(&row)?)))
        .transpose()
}

pub(super) async fn sign_in_link(
    pool: &PgPool,
    hash: [u8; 32],
    now: Timestamp,
) -> Answer<Option<SignInLink>> {
    let row = sqlx::query(
        "SELECT person_id, expires_at FROM sign_in_links \
         WHERE hash = $1 AND used_at IS NULL AND expires_at > $2",
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
