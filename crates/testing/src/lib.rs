//! Development only: a whole server in this process, with typed users.
//!
//! Each `TestApp` has a database of its own in a directory of its own, a clock that stands still
//! until it is moved, and entropy from a seed. The credential is in the type: a `TestAgent` can
//! only send its key, a `TestPerson` only their cookie. [`postgres`] gives databases of a private
//! PostgreSQL.

#[cfg(feature = "app")]
mod app;
#[cfg(feature = "app")]
mod people;
#[cfg(feature = "app")]
mod ports;
pub mod postgres;
#[cfg(feature = "app")]
mod reply;
#[cfg(feature = "app")]
mod scene;
#[cfg(feature = "app")]
mod tamper;

#[cfg(feature = "app")]
pub use app::{TestAgent, TestApp, stage_body};
#[cfg(feature = "app")]
pub use people::TestPerson;
#[cfg(feature = "app")]
pub use ports::{FixedClock, SeededEntropy};
#[cfg(feature = "app")]
pub use reply::Reply;
#[cfg(feature = "app")]
pub use scene::Scene;
