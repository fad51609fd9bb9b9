use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id")]
pub struct InvalidId(pub String);

/// One id type: a UUIDv7 (RFC 9562 §5.7) that cannot be taken for the id of something else.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, later than all that this process made before.
            #[allow(clippy::new_without_default, reason = "an id is an event, not a default value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId(text.chars().take(40).collect()))
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    };
}

id!(
    /// A person who can log in.
    UserId
);
id!(
    /// A household or tenant: the border that no row crosses.
    SpaceId
);
id!(
    /// One log-in of a user, until it is revoked or expires.
    SessionId
);
id!(
    /// An account at a bank, or one kept by hand.
    AccountId
);
id!(
    /// One booked or pending movement in an account.
    TransactionId
);
id!(
    /// One delivery of rows to the ledger; a repeat with the same id has no second effect.
    BatchId
);
id!(
    /// One uploaded bank file and what became of it.
    ImportId
);
id!(
    /// A saved way to read one bank's CSV export.
    ProfileId
);
id!(
    /// One entry of a module's outbox.
    EventId
);
