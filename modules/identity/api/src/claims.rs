use kernel::{SessionId, SpaceId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `typ` of our access tokens (RFC 9068 §2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// `aud` of our access tokens: one API, however many processes serve it.
pub const AUDIENCE: &str = "tributary";

/// How far two clocks may differ, in seconds. More would let expired tokens live; less refuses good ones.
pub const LEEWAY_S: i64 = 10;

/// The claims of an access token (RFC 9068 §2.2). Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// Whom it is for; always `AUDIENCE`.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The log-in that it stands on.
    pub sid: SessionId,
    /// The household that the user works in; absent while the user is a member of none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub space: Option<SpaceId>,
    /// What the user is in that household.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// What may be done with it, parted by spaces (RFC 6749 §3.3).
    pub scope: String,
    /// When it was made.
    pub iat: i64,
    /// When it begins to be valid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nbf: Option<i64>,
    /// When it ends.
    pub exp: i64,
    /// Names this token alone.
    pub jti: Uuid,
}
