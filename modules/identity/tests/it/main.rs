//! Identity through its trait and its routes, on every database that there is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod events;
mod home;
mod households;
mod log_in;
mod refresh;
mod register;
mod routes;
mod sessions;
mod tokens;
