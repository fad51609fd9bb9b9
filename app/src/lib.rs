//! Turns modules into a process.
// A reader that goes away, as `head` does, makes `println!` panic; commands use `say!`.
#![warn(clippy::print_stdout)]

mod certificates;
pub mod cli;
pub mod commands;
pub mod compose;
pub mod config;
pub mod edge;
pub mod health;
pub mod internal;
pub mod keys;
pub mod modules;
pub mod openapi;
mod placement;
mod reload;
mod shutdown;
pub mod telemetry;
mod upstreams;

/// The server named in its own documents, and what `User-Agent` we have as a client.
pub(crate) const NAME: &str = concat!("tributary/", env!("CARGO_PKG_VERSION"));
