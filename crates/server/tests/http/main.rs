//! The server over HTTP, in this process: what happens, and what does not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

mod authn;
mod bad_input;
mod redeem;
mod review;
mod routes;
mod stage;
