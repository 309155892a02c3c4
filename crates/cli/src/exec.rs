//! `countersign exec`: runs a command once people have approved exactly this command.
//!
//! INVARIANT: what runs is the open file whose digest was approved, with the approved arguments,
//! directory and environment, at most once for one approval. Where this process dies after the
//! command was started, nobody knows how that ended: it is never started again, but said so.

mod arguments;
mod course;
mod lease;
mod program;
mod proposal;
mod record;
mod running;
mod signals;
mod tail;
mod wants;

pub use arguments::Arguments;

use std::process::ExitCode;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use course::Course;
pub use course::Interrupted;

use crate::code_of;

/// Stages, waits, redeems, runs, reports; or goes on where the same command line stopped.
pub async fn exec(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // SECURITY: the command has our user. So that it finds neither our environment, with the agent's key,
    // nor our memory under /proc, those belong to root from here on (proc(5), PR_SET_DUMPABLE).
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // It has said why itself: whoever prints it once more may wait for ever for somebody to read it.
    Ok(Course::begin(arguments)?.run().await.map_or_else(|error| code_of(&error), ExitCode::from))
}
