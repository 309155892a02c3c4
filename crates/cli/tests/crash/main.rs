//! The real binary under what happens to machines: it is killed at any system call, its disk fails or
//! is full, its database goes away, its clock is set.
//!
//! The rule that must hold each time: what was acknowledged is there, nothing is half done, a call
//! made again under its key has one outcome, and `ledger verify` finds ledger and tables whole.
//! `COUNTERSIGN_ROUNDS` sets how often something is killed or cut; the long form of the faults at
//! system calls is a test of its own, which `cargo xtask prove --only crash` runs.

mod caller;
mod clock;
mod house;
mod journal;
mod kills;
mod points;
mod postgres;
mod proxy;
mod server;
mod strace;
