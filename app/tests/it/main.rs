//! The binary and its two listeners, as they are seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "../shared/authority.rs"]
mod authority;
mod cli;
mod config;
mod edge;
mod export;
mod import;
mod imports;
mod lost_answers;
mod operator;
mod placement;
mod private;
mod reload;
mod render;
mod render_tls;
mod server;
mod sockets;
mod topology;
mod trust;
mod watch;
