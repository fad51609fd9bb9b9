//! HTTP doors: what every module's routes are made of.

mod body;
mod cx;
mod error;
mod parameters;
mod reply;

pub use body::Json;
pub use cx::Cx;
pub use error::ApiError;
pub use parameters::{PageQuery, Path, Query};
pub use reply::{accepted, created, no_content, ok};
