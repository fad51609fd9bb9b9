//! Two builds of one service: those that understand each other work, those that do not are told so by name.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

#[path = "contract/changes.rs"]
mod changes;
#[path = "contract/server.rs"]
mod server;
#[path = "contract/shop.rs"]
mod shop;
#[path = "contract/skew.rs"]
mod skew;
