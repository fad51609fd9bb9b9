//! The two sides of a service that may be asked on either, and what stands before the remote one.

mod difference;
mod fallback;
mod here;
mod recovery;
mod shadow;
mod simulated;
mod watch;
mod window;

pub(crate) use self::fallback::WithFallback;
pub(crate) use self::here::Here;
pub(crate) use self::shadow::Shadowed;
pub use self::simulated::Network;
pub(crate) use self::simulated::Simulated;
pub(crate) use self::watch::{Breach, OnBreach, Watched};
