//! What a service token says (semantics §8): a JWT of type `svc+jwt`, for one target, for a minute.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use service_registry::Caller;

/// The `typ` of a service token; a user's token says `at+jwt` and is no good here (RFC 8725 § 3.11).
pub(crate) const TOKEN_TYPE: &str = "svc+jwt";

/// Seconds that a service token is good for.
pub(crate) const LIFETIME_S: u64 = 60;

/// Seconds by which two clocks may differ.
pub(crate) const LEEWAY_S: u64 = 10;

/// Seconds by which a token may claim to come from the future.
pub(crate) const FUTURE_S: u64 = 60;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    /// The calling service, twice.
    pub iss: String,
    pub sub: String,
    /// The one target; a list, as JWT would allow, is refused.
    pub aud: String,
    pub iat: u64,
    pub exp: u64,
    pub jti: String,
    /// The user for whom the calling service vouches (after RFC 8693 § 4.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<Caller>,
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
