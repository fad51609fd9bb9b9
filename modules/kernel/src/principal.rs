use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{SessionId, SpaceId, UserId};

/// Who asks, in which household, and what they may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The person.
    pub user: UserId,
    /// The household that every row touched must belong to.
    pub space: SpaceId,
    /// The log-in that this request stands on; absent for background work done for the user.
    pub session: Option<SessionId>,
    /// What the person is in the household.
    pub role: Role,
}

impl Principal {
    /// Whether this principal may do what `scope` names.
    pub fn may(&self, scope: Scope) -> bool {
        self.role.scopes().contains(&scope)
    }
}

/// Why somebody may not do what they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// They did not log in, or the token names no household.
    Unauthenticated,
    /// Their role does not allow it.
    Forbidden(Scope),
}

/// What a member may do in a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, members included.
    Owner,
    /// Everything but members.
    Editor,
    /// Look, but change nothing.
    Viewer,
}

/// One thing that may be done, named as in OAuth 2 scopes (RFC 6749 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// See accounts, transactions, balances, imports.
    LedgerRead,
    /// Change accounts, import files.
    LedgerWrite,
    /// Add and remove members of the household.
    SpaceAdmin,
}

impl Role {
    /// The scopes that come with the role.
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Owner => &[Scope::LedgerRead, Scope::LedgerWrite, Scope::SpaceAdmin],
            Self::Editor => &[Scope::LedgerRead, Scope::LedgerWrite],
            Self::Viewer => &[Scope::LedgerRead],
        }
    }

    /// The word for it, as in JSON and in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }
}

/// The text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role {0:?}")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Owner, Self::Editor, Self::Viewer]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.chars().take(16).collect()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scope {
    /// The scope as it stands in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LedgerRead => "ledger:read",
            Self::LedgerWrite => "ledger:write",
            Self::SpaceAdmin => "space:admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_owners_manage_members_and_viewers_change_nothing() {
        assert!(Role::Owner.scopes().contains(&Scope::SpaceAdmin));
        assert!(!Role::Editor.scopes().contains(&Scope::SpaceAdmin));
        assert_eq!(Role::Viewer.scopes(), [Scope::LedgerRead]);
    }
}
