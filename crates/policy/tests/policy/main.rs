//! The policy as its callers meet it.

mod default_policy;
mod deny;
mod documentation;
mod hostile;
mod refusals;
mod replay;
mod satisfiable;
mod scene;
mod speaks_of;
