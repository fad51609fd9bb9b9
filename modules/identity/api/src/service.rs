use kernel::{Page, PageRequest, SessionId, SpaceId, UserId};
use service_registry::{CallContext, Contract, ServiceDescriptor, service};

use crate::{
    Credentials, IdentityError, Jwks, Me, Member, MemberChange, NewMember, NewSpace, NewUser, Refresh,
    Registered, Revocations, Session, Space, Tokens,
};

/// Identity as the registry knows it.
pub const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "identity",
    version: 1,
    methods: <dyn Identity as Contract>::METHODS,
    routes: &[
        "/api/v1/users",
        "/api/v1/sessions",
        "/api/v1/tokens",
        "/api/v1/spaces",
        "/.well-known/jwks.json",
    ],
    calls: &[],
    default_port: 7110,
};

/// Who you are: users, their sessions and tokens, and the households that they share.
///
/// A session or household that is not the caller's is not found, as if it did not exist.
#[service(name = "identity", version = 1)]
pub trait Identity: Send + Sync {
    /// Makes a user, and a household with that user as its owner. `EmailTaken` where the address is known.
    #[once(dedupe, timeout_ms = 10_000)]
    async fn register(&self, cx: &CallContext, user: NewUser) -> Result<Registered, IdentityError>;

    /// Logs in. `InvalidCredentials` whether the address is unknown or the password is wrong.
    #[once(dedupe, timeout_ms = 10_000)]
    async fn open_session(&self, cx: &CallContext, credentials: Credentials)
    -> Result<Tokens, IdentityError>;

    /// Trades a refresh token for the next pair (RFC 9700 §4.14).
    ///
    /// The same token again from the same client gives the same successor for 30 seconds, so that a lost answer
    /// locks nobody out; after that, or from another client, it is `RefreshTokenReused` and ends the session.
    #[idempotent]
    async fn refresh(&self, cx: &CallContext, refresh: Refresh) -> Result<Tokens, IdentityError>;

    /// The one who asks.
    #[read]
    async fn me(&self, cx: &CallContext) -> Result<Me, IdentityError>;

    /// The caller's sessions that are not over, the latest log-in first.
    #[read]
    async fn list_sessions(
        &self,
        cx: &CallContext,
        page: PageRequest,
    ) -> Result<Page<Session>, IdentityError>;

    /// One session of the caller that is not over.
    #[read]
    async fn session(&self, cx: &CallContext, id: SessionId) -> Result<Session, IdentityError>;

    /// Ends one session of the caller. All processes refuse its access tokens within a second.
    #[idempotent]
    async fn revoke_session(&self, cx: &CallContext, id: SessionId) -> Result<(), IdentityError>;

    /// Ends the session that asks.
    #[idempotent]
    async fn revoke_current(&self, cx: &CallContext) -> Result<(), IdentityError>;

    /// Ends all sessions of the caller, the one that asks included.
    #[idempotent]
    async fn revoke_all_sessions(&self, cx: &CallContext) -> Result<(), IdentityError>;

    /// The households that the caller is a member of, the one joined first at the front.
    #[read]
    async fn list_spaces(&self, cx: &CallContext, page: PageRequest) -> Result<Page<Space>, IdentityError>;

    /// Makes a household with the caller as its owner.
    #[once(dedupe)]
    async fn create_space(&self, cx: &CallContext, space: NewSpace) -> Result<Space, IdentityError>;

    /// The members of a household of the caller, the one who joined first at the front.
    #[read]
    async fn list_members(
        &self,
        cx: &CallContext,
        space: SpaceId,
        page: PageRequest,
    ) -> Result<Page<Member>, IdentityError>;

    /// Takes a registered user into a household that the caller owns.
    #[once(dedupe)]
    async fn add_member(
        &self,
        cx: &CallContext,
        space: SpaceId,
        member: NewMember,
    ) -> Result<Member, IdentityError>;

    /// Changes what a member may do, and ends the sessions that the member has in the household.
    ///
    /// For owners. Refuses with `LastOwner` where no owner would be left.
    #[idempotent]
    async fn change_role(
        &self,
        cx: &CallContext,
        space: SpaceId,
        user: UserId,
        change: MemberChange,
    ) -> Result<Member, IdentityError>;

    /// Ends a membership and the sessions that the member has in the household.
    ///
    /// Owners may remove anybody, others may leave. Refuses with `LastOwner` where no owner would be left.
    #[once(dedupe)]
    async fn remove_member(
        &self,
        cx: &CallContext,
        space: SpaceId,
        user: UserId,
    ) -> Result<(), IdentityError>;

    /// The public keys that access tokens are checked with. Asks nobody to log in.
    #[read]
    async fn jwks(&self, cx: &CallContext) -> Result<Jwks, IdentityError>;

    /// Sessions revoked after `after_seq`, 0 for all that matter. For the other processes: asks nobody to log in.
    #[read]
    async fn revocations(&self, cx: &CallContext, after_seq: i64) -> Result<Revocations, IdentityError>;
}
