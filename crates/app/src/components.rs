//! The parts that pages are made of.

pub mod card;
pub mod confirm;
pub mod deed;
pub mod effect;
pub mod frame;
pub mod freeze;
pub mod glass;
pub mod keys;
pub mod parameters;
pub mod problems;
pub mod reason;
pub mod replay;
pub mod request_row;
pub mod risk_badge;
pub mod textarea;
pub mod untrusted;
pub mod watched;
pub mod when;
