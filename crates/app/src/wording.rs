//! What pages say, apart from how they look: pure, without markup, tested.

#[cfg(feature = "ssr")]
pub mod clock;
pub mod elapsed;
#[cfg(feature = "ssr")]
pub mod freeze;
#[cfg(feature = "ssr")]
pub mod kind;
#[cfg(feature = "ssr")]
pub mod number;
#[cfg(feature = "ssr")]
pub mod person;
#[cfg(feature = "ssr")]
pub mod pointer;
#[cfg(feature = "ssr")]
pub mod risk;
#[cfg(feature = "ssr")]
pub mod state;
