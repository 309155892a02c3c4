//! Races: what happens when people, agents and the clock act at the same instant.
//!
//! Each test runs many rounds on threads of their own, and in every round the calls start at one
//! barrier. On PostgreSQL (`COUNTERSIGN_TEST_DATABASE=postgres`) they go to two servers in turn.
//! `COUNTERSIGN_ROUNDS` sets the number of rounds; `cargo xtask prove` runs the long form.

mod arena;
mod clock;
mod releases;
mod reviews;
mod staging;
