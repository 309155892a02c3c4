//! The lifecycle as a reviewer can read it: what follows from which command, for whom, when, and
//! what never does. A test's name begins with the invariant (`i1_`) or the threat (`e01_`) it holds.

mod amend;
mod break_glass;
mod document;
mod emergency;
mod execution;
mod facts;
mod ledger;
mod quorum;
mod redemption;
mod review;
mod roles;
mod scene;
mod states;
mod table;
mod time;
mod worlds;
