//! The room: one method per use case; transactions begin and end here.

mod access;
mod sessions;
mod spaces;

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::{Instant, Page, PageRequest, SessionId, SpaceId, UserId};
use platform::{OrFail, Store};
use sea_orm::DbErr;
use service_registry::{CallContext, IdempotencyKey, async_trait};

use identity_api::{
    Credentials, Identity, IdentityError, Jwks, LEEWAY_S, Me, Member, MemberChange, NewMember, NewSpace,
    NewUser, Refresh, Registered, Revocations, Session, Space, Tokens,
};

use crate::passwords::Passwords;
use crate::settings::IdentitySettings;
use crate::store;

/// The implementation of `Identity` over its own database.
pub(crate) struct IdentityService {
    store: Store,
    passwords: Passwords,
    settings: Arc<IdentitySettings>,
}

/// Who asks. What they may do in a household is looked up: a token may be ten minutes old.
#[derive(Clone, Copy, Debug)]
struct Asker {
    user: UserId,
    session: Option<SessionId>,
    space: Option<SpaceId>,
}

impl Asker {
    fn of(cx: &CallContext) -> Result<Self, IdentityError> {
        let caller = cx.caller().ok_or(IdentityError::Unauthenticated)?;
        Ok(Self {
            user: caller.subject.into(),
            session: caller.session.map(Into::into),
            space: caller.space.map(Into::into),
        })
    }
}

impl IdentityService {
    pub(crate) fn new(store: Store, settings: Arc<IdentitySettings>) -> Result<Self, argon2::Error> {
        Ok(Self { store, passwords: Passwords::new(settings.password_cost)?, settings })
    }

    fn now(&self) -> Instant {
        self.settings.clock.now()
    }

    /// How long a revocation matters: until every access token of the session is expired on every clock.
    fn revocation_memory(&self) -> TimeDelta {
        self.settings.lifetimes.access_token() + TimeDelta::seconds(2 * LEEWAY_S)
    }

    /// The same context, its fingerprint unreadable for whoever steals the database: there is a secret in it.
    fn blinded(&self, cx: &CallContext) -> CallContext {
        let Some(IdempotencyKey { route, key, fingerprint }) = cx.idempotency().cloned() else {
            return cx.clone();
        };
        let fingerprint = self.settings.refresh_key.blind(&fingerprint);
        cx.clone().with_idempotency(IdempotencyKey { route, key, fingerprint })
    }
}

/// A row that was written, or the refusal where there is one like it already.
fn unless_taken(
    cx: &CallContext,
    written: Result<(), DbErr>,
    taken: IdentityError,
) -> Result<(), IdentityError> {
    match written {
        Err(error) if store::is_duplicate(&error) => Err(taken),
        other => Ok(other.or_fail(cx)?),
    }
}

#[async_trait]
impl Identity for IdentityService {
    async fn register(&self, cx: &CallContext, user: NewUser) -> Result<Registered, IdentityError> {
        self.register_user(cx, user).await
    }

    async fn open_session(
        &self,
        cx: &CallContext,
        credentials: Credentials,
    ) -> Result<Tokens, IdentityError> {
        self.log_in(cx, credentials).await
    }

    async fn refresh(&self, cx: &CallContext, refresh: Refresh) -> Result<Tokens, IdentityError> {
        self.rotate(cx, refresh).await
    }

    async fn me(&self, cx: &CallContext) -> Result<Me, IdentityError> {
        let asker = Asker::of(cx)?;
        let reader = self.store.reader();
        let user = store::users::find(reader, asker.user.0).await.or_fail(cx)?;
        let user = user.ok_or(IdentityError::Unauthenticated)?.into();
        let space = match asker.space {
            Some(space) => store::spaces::find_as(reader, space.0, asker.user.0).await.or_fail(cx)?,
            None => None,
        };
        Ok(Me { user, space, session_id: asker.session })
    }

    async fn list_sessions(
        &self,
        cx: &CallContext,
        page: PageRequest,
    ) -> Result<Page<Session>, IdentityError> {
        self.open_sessions(cx, page).await
    }

    async fn session(&self, cx: &CallContext, id: SessionId) -> Result<Session, IdentityError> {
        self.open_session_of_asker(cx, id).await
    }

    async fn revoke_session(&self, cx: &CallContext, id: SessionId) -> Result<(), IdentityError> {
        self.revoke_one(cx, Asker::of(cx)?, id).await
    }

    async fn revoke_current(&self, cx: &CallContext) -> Result<(), IdentityError> {
        let asker = Asker::of(cx)?;
        let current = asker.session.ok_or(IdentityError::Unauthenticated)?;
        self.revoke_one(cx, asker, current).await
    }

    async fn revoke_all_sessions(&self, cx: &CallContext) -> Result<(), IdentityError> {
        self.revoke_all(cx).await
    }

    async fn list_spaces(&self, cx: &CallContext, page: PageRequest) -> Result<Page<Space>, IdentityError> {
        let asker = Asker::of(cx)?;
        let after = page.cursor.as_ref().map(store::time_and_id).transpose()?;
        Ok(store::spaces::list_of(self.store.reader(), asker.user.0, after, &page).await.or_fail(cx)?)
    }

    async fn create_space(&self, cx: &CallContext, space: NewSpace) -> Result<Space, IdentityError> {
        self.make_space(cx, space).await
    }

    async fn list_members(
        &self,
        cx: &CallContext,
        space: SpaceId,
        page: PageRequest,
    ) -> Result<Page<Member>, IdentityError> {
        self.members(cx, space, page).await
    }

    async fn add_member(
        &self,
        cx: &CallContext,
        space: SpaceId,
        member: NewMember,
    ) -> Result<Member, IdentityError> {
        self.take_in(cx, space, member).await
    }

    async fn change_role(
        &self,
        cx: &CallContext,
        space: SpaceId,
        user: UserId,
        change: MemberChange,
    ) -> Result<Member, IdentityError> {
        self.give_role(cx, space, user, change.role).await
    }

    async fn remove_member(
        &self,
        cx: &CallContext,
        space: SpaceId,
        user: UserId,
    ) -> Result<(), IdentityError> {
        self.put_out(cx, space, user).await
    }

    async fn jwks(&self, _: &CallContext) -> Result<Jwks, IdentityError> {
        Ok(Jwks { keys: vec![self.settings.signing_key.public().clone()] })
    }

    async fn revocations(&self, cx: &CallContext, after_seq: i64) -> Result<Revocations, IdentityError> {
        self.revocations_after(cx, after_seq).await
    }
}
