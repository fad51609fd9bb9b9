//! Who you are: users, sessions, tokens, households.
#![warn(missing_docs)]

mod domain;
mod http;
mod jobs;
mod module;
mod passwords;
mod service;
mod settings;
mod store;
mod tokens;

pub use http::routes;
pub use module::module;
pub use passwords::{PasswordCost, TooCheap};
pub use settings::{IdentitySettings, Lifetimes, SettingsFault};
pub use tokens::{RefreshKey, SigningKey, UnusableKey};
