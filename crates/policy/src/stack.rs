//! Room on the stack for Cedar, which reads, checks and evaluates trees by recursion.
//!
//! SECURITY: what nests is bounded in `source`; here is the room that the deepest text within
//! those bounds needs. Without it Cedar would overflow the stack of an ordinary thread, which ends
//! the process, or would evaluate a rule for one caller and refuse it for another.

/// What the deepest rule needs to be read, in an unoptimised build; optimised, a tenth of it.
const TO_READ: usize = 64 * 1024 * 1024;
/// What the deepest rule needs to be evaluated. Ordinary threads have 2 MiB.
const TO_DECIDE: usize = if cfg!(debug_assertions) { 16 } else { 1 } * 1024 * 1024;

/// Runs the reading and checking of a text, on a stack of its own.
pub fn to_read<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(TO_READ, work)
}

/// Runs the evaluation of a policy that was read, on a stack of its own where this one is too small.
pub fn to_decide<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(TO_DECIDE, 2 * TO_DECIDE, work)
}
