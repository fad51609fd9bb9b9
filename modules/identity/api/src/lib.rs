//! What others may see of identity: who you are, in which household, and how every process checks that by itself.
#![warn(missing_docs)]

mod access;
mod claims;
mod clock;
mod error;
pub mod events;
mod keys;
mod revoked;
mod secret;
mod service;
mod types;

pub use access::{AccessTokens, TokenFault};
pub use claims::{AUDIENCE, Claims, LEEWAY_S, TOKEN_TYPE};
pub use clock::Clock;
pub use error::IdentityError;
pub use secret::Secret;
pub use service::{Identity, SERVICE};
pub use types::{
    Credentials, Jwk, Jwks, Me, Member, MemberChange, NewMember, NewSpace, NewUser, Refresh, Registered,
    Revocations, Session, Space, Tokens, User,
};
