//! People, groups, agents, keys, kinds, sessions: reads, and the authority they add up to.

use std::collections::{BTreeMap, BTreeSet};

use domain::authority::BREAK_GLASS;
use domain::{Actor, AgentId, Authority, Freeze, Ineligible, Kind, PersonId, Request, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};

use super::rows::Column;
use crate::error::StoreError;
use crate::read::{Agent, ApiKey, Instance, Person, SignInLink, StandingFreeze, StoredPolicy};

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

/// Who may decide on `request` at `now`, and under which epoch that is so.
pub(super) async fn authority(
    tx: &mut PgConnection,
    request: &Request,
    now: Timestamp,
    also: &[String],
) -> Answer<(Authority, u64)> {
    let epoch = instance(&mut *tx).await?.map_or(0, |instance| instance.epoch);
    let mut groups: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    let named = request.requirements.iter().map(|requirement| &requirement.group);
    let named: BTreeSet<String> =
        named.chain(also).cloned().chain([BREAK_GLASS.to_owned()]).collect();
    for group in named {
        let rows = sqlx::query(
            "SELECT person_id FROM group_members JOIN people ON people.id = person_id \
             WHERE group_name = $1 AND active",
        )
        .bind(&group)
        .fetch_all(&mut *tx)
        .await?;
        let members: Result<_, StoreError> =
            rows.iter().map(|row| Column("group_members", "person_id").parsed(row)).collect();
        groups.insert(group, members?);
    }
    let mut excluded = BTreeMap::new();
    let mut active = BTreeMap::new();
    for agent in [request.agent, request.executor] {
        let row = sqlx::query("SELECT owner_id, suspended FROM agents WHERE id = $1")
            .bind(agent.0)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else { continue };
        active.insert(agent, !row.try_get::<bool, _>("suspended")?);
        let holders = sqlx::query(
            "SELECT shown_to FROM api_keys \
             WHERE agent_id = $1 AND revoked_at IS NULL AND expires_at > $2",
        )
        .bind(agent.0)
        .bind(now.micros())
        .fetch_all(&mut *tx)
        .await?;
        for holder in &holders {
            // Whoever owns the one and holds a key of the other stays known as its owner.
            let holder = Column("api_keys", "shown_to").parsed(holder)?;
            excluded.entry(holder).or_insert(Ineligible::HoldsKey);
        }
        if let Some(owner) = Column("agents", "owner_id").parsed_if_any(&row)? {
            excluded.insert(owner, Ineligible::OwnsAgent);
        }
    }
    let is_active = |agent| active.get(&agent).copied().unwrap_or(false);
    let frozen = freezes(&mut *tx).await?.into_iter().map(|standing| standing.freeze);
    let authority = Authority {
        groups,
        excluded,
        frozen: frozen.filter(|freeze| freeze.scope.covers(request)).collect(),
        owes_review_by: debts(tx).await?,
        // The policy is asked by `service`: without its answer nothing is approved.
        ruling: None,
        forbidden: BTreeSet::new(),
        agent_active: is_active(request.agent),
        executor_active: is_active(request.executor),
    };
    Ok((authority, epoch))
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

pub(super) async fn freezes(tx: &mut PgConnection) -> Answer<Vec<StandingFreeze>> {
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

pub(super) async fn policies(pool: &PgPool, most: u32) -> Answer<Vec<StoredPolicy>> {
    let rows =
        sqlx::query("SELECT version, text, put_at FROM policies ORDER BY version DESC LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(pool)
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

const PEOPLE: &str = "SELECT id, name, active, password_hash IS NOT NULL AS has_password, added_at, \
     (SELECT string_agg(group_name, chr(10) ORDER BY group_name) FROM group_members \
     WHERE person_id = people.id) AS group_names FROM people";

fn person_of(row: &PgRow) -> Answer<Person> {
    let groups: Option<String> = row.try_get("group_names")?;
    Ok(Person {
        id: Column("people", "id").parsed(row)?,
        name: row.try_get("name")?,
        active: row.try_get("active")?,
        groups: groups.iter().flat_map(|names| names.lines()).map(str::to_owned).collect(),
        has_password: row.try_get("has_password")?,
        added_at: Column("people", "added_at").time(row)?,
    })
}

async fn people_where(
    pool: &PgPool,
    condition: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> Answer<Vec<Person>> {
    let mut sql = QueryBuilder::new(PEOPLE);
    condition(&mut sql);
    sql.push(" ORDER BY name");
    sql.build().fetch_all(pool).await?.iter().map(person_of).collect()
}

pub(super) async fn people(pool: &PgPool) -> Answer<Vec<Person>> {
    people_where(pool, |_| ()).await
}

pub(super) async fn person(pool: &PgPool, id: PersonId) -> Answer<Option<Person>> {
    let found = people_where(pool, |sql| {
        sql.push(" WHERE id = ").push_bind(id.0);
    });
    Ok(found.await?.pop())
}

pub(super) async fn find_person(pool: &PgPool, lookalike: &str) -> Answer<Option<Person>> {
    let found = people_where(pool, |sql| {
        sql.push(" WHERE lookalike = ").push_bind(lookalike.to_owned());
    });
    Ok(found.await?.pop())
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

pub(super) async fn agents(pool: &PgPool) -> Answer<Vec<Agent>> {
    let rows =
        sqlx::query("SELECT id, name, owner_id, suspended, added_at FROM agents ORDER BY name")
            .fetch_all(pool)
            .await?;
    rows.iter().map(agent_of).collect()
}

pub(super) async fn agent(pool: &PgPool, id: AgentId) -> Answer<Option<Agent>> {
    let row =
        sqlx::query("SELECT id, name, owner_id, suspended, added_at FROM agents WHERE id = $1")
            .bind(id.0)
            .fetch_optional(pool)
            .await?;
    row.as_ref().map(agent_of).transpose()
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

pub(super) async fn find_key(pool: &PgPool, hash: [u8; 32]) -> Answer<Option<ApiKey>> {
    let row = sqlx::query("SELECT * FROM api_keys WHERE hash = $1")
        .bind(hash.as_slice())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(key_of).transpose()
}

fn kind_of(row: &PgRow) -> Answer<(Kind, u32)> {
    let body: Vec<u8> = row.try_get("body")?;
    let kind =
        serde_json::from_slice(&body).map_err(|error| Column("kinds", "body").corrupt(error))?;
    Ok((kind, Column("kinds", "version").number(row)?))
}

pub(super) async fn kinds(pool: &PgPool) -> Answer<Vec<(Kind, u32)>> {
    let rows = sqlx::query(
        "SELECT body, version FROM kinds AS k \
         WHERE version = (SELECT max(version) FROM kinds WHERE name = k.name) ORDER BY name",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(kind_of).collect()
}

pub(super) async fn kind(
    pool: &PgPool,
    name: &str,
    version: Option<u32>,
) -> Answer<Option<(Kind, u32)>> {
    let row = sqlx::query(
        "SELECT body, version FROM kinds WHERE name = $1 AND version = coalesce($2, \
         (SELECT max(version) FROM kinds WHERE name = $1))",
    )
    .bind(name)
    .bind(version.map(i64::from))
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
