//! The server over HTTP, in this process: what happens, and what does not.

mod admission;
mod authn;
mod bad_input;
mod changes;
mod document;
mod events;
mod evidence;
mod examples;
mod glass;
mod hostile;
mod introspect;
mod keys;
mod ledger;
mod lifecycle;
mod mcp;
mod program;
mod redeem;
mod review;
mod risk;
mod routes;
mod stage;
mod stop;
mod verdicts;
mod webhooks;
mod workload;
