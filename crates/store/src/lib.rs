//! The persistence port, and its two back ends: SQLite embedded, PostgreSQL for several servers.
//!
//! Semantic, not tabular: callers load, commit a [`Change`], and page through what was committed.
//! State, ledger entries, erasable texts and the idempotency record of one change become durable
//! together or not at all (I6, I7). No authorisation and no lifecycle rule lives here; what the
//! schema repeats of them (named CHECKs and triggers) is a second lock, not the first.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod batch;
pub mod change;
pub mod clock;
mod copy;
pub mod error;
pub mod house;
mod insert;
pub mod port;
pub mod postgres;
mod queue;
pub mod read;
mod schema;
pub mod sqlite;
mod update;

pub use change::{
    Change, Changed, Committed, ContentId, NewFact, Next, RequestChange, Side, Step, Text, Upload,
    Write,
};
pub use clock::{Clock, SystemClock};
pub use error::StoreError;
pub use house::House;
pub use insert::CHUNK_BYTES;
pub use port::Store;
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
