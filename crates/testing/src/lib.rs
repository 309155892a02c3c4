//! Development only: a whole server in this process, with typed users.
//!
//! Each [`TestApp`] has a database of its own in a directory of its own, a clock that stands still
//! until it is moved, and entropy from a seed. The credential is in the type: a [`TestAgent`] can
//! only send its key, a [`TestPerson`] only their cookie.

mod app;
mod people;
mod ports;
mod reply;
mod scene;

pub use app::{TestAgent, TestApp, stage_body};
pub use people::TestPerson;
pub use ports::{FixedClock, SeededEntropy};
pub use reply::Reply;
pub use scene::Scene;
