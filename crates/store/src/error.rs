//! What can go wrong between a change and its durability.

use domain::Timestamp;

use crate::read::IdempotencyRecord;

/// Why a change was not committed, or a read not answered.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The request or the authority moved since the change was decided: load, apply, try again.
    #[error("the change was decided on an older state")]
    Stale,
    /// The instant up to which the change was valid has passed: load, apply, try again.
    #[error("the change came after its deadline")]
    TooLate,
    /// The clock was set back too far, or was far ahead when the newest entry was made.
    #[error(
        "the clock shows {clock}, more than a day before the newest entry, of {newest}: put the \
         clock right"
    )]
    ClockBehind { clock: Timestamp, newest: Timestamp },
    /// The idempotency key was used before; here is what it stands for.
    #[error("the idempotency key was used before")]
    KeyUsed(IdempotencyRecord),
    /// A name that looks the same exists.
    #[error("a name that looks the same exists")]
    NameTaken,
    /// The one-time link was used or has expired.
    #[error("the link was used or has expired")]
    LinkSpent,
    /// A rule of the schema refused the change: a defect in the code above.
    #[error("the database refused the change: {0}")]
    Refused(String),
    /// A stored row that no code of ours writes.
    #[error("impossible row in `{table}`, `{column}`: {id}")]
    Corrupt { table: &'static str, column: &'static str, id: String },
    /// The database is newer than this program.
    #[error(
        "the database has schema {found}, this program knows up to {known}; use a newer program"
    )]
    NewerSchema { found: i64, known: i64 },
    /// The schema is older than this program, and a server does not change it.
    #[error(
        "the database has schema {found}, this program needs {known}; run: countersign migrate"
    )]
    NotMigrated { found: i64, known: i64 },
    /// The schema lacks a rule, or has one that no migration makes.
    #[error(
        "the schema was altered: {0}; nothing starts on it until it is as the migrations make it"
    )]
    SchemaAltered(String),
    /// The database server is not one to keep a record in.
    #[error("the database does not do: {0}")]
    Unfit(String),
    /// Something is where a whole database was to go.
    #[error("the database is not empty")]
    NotEmpty,
    /// Another server holds the database.
    #[error("another process holds `{0}`; stop it first")]
    Held(String),
    /// The database cannot be reached or written.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How a refusal of the schema's own triggers, or of a text that cannot be stored, is coded:
/// SQLITE_CONSTRAINT_TRIGGER; integrity_constraint_violation and character_not_in_repertoire.
const RULE_CODES: [&str; 3] = ["1811", "23000", "22021"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(refused) = &error {
            let message = refused.message();
            // SQLite names the columns, PostgreSQL the constraint.
            if message.contains("lookalike") || message.contains("_names_differ") {
                return Self::NameTaken;
            }
            if refused.is_check_violation()
                || refused.is_unique_violation()
                || refused.is_foreign_key_violation()
                || RULE_CODES.contains(&refused.code().as_deref().unwrap_or_default())
            {
                return Self::Refused(message.to_owned());
            }
        }
        Self::Unavailable(Box::new(error))
    }
}
