//! What a freeze stops, in words.

use service::view::FreezeScopeView;

/// The words of a scope, and the name in it if it has one.
pub fn scope(scope: &FreezeScopeView) -> (&'static str, Option<String>) {
    match scope {
        FreezeScopeView::All => ("everything", None),
        FreezeScopeView::Agent(name) => ("the agent ", Some(name.clone())),
        FreezeScopeView::Kind(name) => ("the kind ", Some(name.clone())),
        FreezeScopeView::Environment(name) => ("the environment ", Some(name.clone())),
    }
}

/// What happens to executions that run already.
pub fn running(halts: bool) -> &'static str {
    if halts { "what runs is told to halt" } else { "what runs goes on" }
}
