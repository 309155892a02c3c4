//! The use cases (in progress).
pub mod view;
