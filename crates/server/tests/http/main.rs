//! The server over HTTP, in this process: what happens, and what does not.

mod admission;
mod authn;
mod bad_input;
mod changes;
mod glass;
mod ledger;
mod lifecycle;
mod program;
mod redeem;
mod review;
mod risk;
mod routes;
mod stage;
mod stop;
mod verdicts;
