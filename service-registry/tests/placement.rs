//! Services that move while their calls run: splits, fallbacks, guards and shadows.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

#[path = "placement/fallback.rs"]
mod fallback;
#[path = "placement/guard.rs"]
mod guard;
#[path = "placement/moving.rs"]
mod moving;
#[path = "placement/refused.rs"]
mod refused;
#[path = "placement/shadow.rs"]
mod shadow;
#[path = "placement/world.rs"]
mod world;
