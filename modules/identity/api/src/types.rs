use kernel::{Instant, Role, SessionId, SpaceId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// What somebody says of themselves to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Where they are reached, and what they log in with.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
    /// 12 to 128 characters.
    #[schema(min_length = 12, max_length = 128)]
    pub password: Secret,
    /// How to call them.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// What to call the household that is made for them; `Household` where they do not say.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub space_name: Option<String>,
}

/// A person who can log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The address, trimmed and in lower case.
    pub email: String,
    /// How to call them.
    pub name: Option<String>,
    /// When they registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
}

/// A new user and the household that was made for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Registered {
    /// The user.
    pub user: User,
    /// Their household, of which they are the owner.
    pub space: Space,
}

/// The one who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Me {
    /// The user.
    pub user: User,
    /// The household that the access token is for, as it is now.
    pub space: Option<Space>,
    /// The log-in that the access token stands on.
    pub session_id: Option<SessionId>,
}

/// What it takes to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credentials {
    /// The address, in any case.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// The household to work in; the one joined first where absent.
    pub space_id: Option<SpaceId>,
    /// What the caller says it is (`User-Agent`).
    pub client: Option<String>,
}

/// What it takes to go on with a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refresh {
    /// The refresh token that was given out last.
    pub refresh_token: Secret,
    /// The household to work in from now on; the same as before where absent.
    pub space_id: Option<SpaceId>,
    /// What the caller says it is (`User-Agent`).
    pub client: Option<String>,
}

/// The tokens of a session (RFC 6749 §5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Tokens {
    /// The session that they belong to.
    pub session: Session,
    /// Goes into `Authorization: Bearer …` of each request.
    pub access_token: Secret,
    /// Gets the next pair, once; then the one that came with it takes its place.
    pub refresh_token: Secret,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Seconds that the access token is good for.
    #[schema(example = 600)]
    pub expires_in: i64,
}

/// One log-in of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The household that it works in.
    pub space_id: Option<SpaceId>,
    /// What logged in, by its `User-Agent`.
    pub client: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When it last got tokens.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Instant,
    /// When it ends, unless it is used before.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Instant,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// A household or tenant, as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Space {
    /// Its id.
    pub id: SpaceId,
    /// What its members call it.
    pub name: String,
    /// What the one who asks is in it.
    pub role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
}

/// A household to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSpace {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// Somebody in a household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// How to call them.
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub joined_at: Instant,
}

/// Somebody to take into a household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The address of somebody who has registered.
    #[schema(format = "email")]
    pub email: String,
    /// What they may do.
    pub role: Role,
}

/// What becomes of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// What they may do from now on.
    pub role: Role,
}

/// The public keys that access tokens are checked with (RFC 7517 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Jwks {
    /// The keys, in no order.
    pub keys: Vec<Jwk>,
}

/// A public Ed25519 key (RFC 8037 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Jwk {
    /// Always `OKP`.
    #[schema(example = "OKP")]
    pub kty: String,
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: String,
    /// Always `EdDSA`.
    #[schema(example = "EdDSA")]
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: String,
    /// Names the key: its thumbprint (RFC 7638).
    pub kid: String,
    /// The key itself, 32 bytes in base64url.
    pub x: String,
}

/// Sessions that ended before their time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revocations {
    /// Ask for what comes after this next time.
    pub seq: i64,
    /// Those revoked in between, as far as one of their access tokens may still be valid.
    pub sessions: Vec<SessionId>,
    /// How long each has to be remembered, in seconds: access tokens made before are expired then.
    pub keep_s: u64,
}
