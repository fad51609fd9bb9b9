//! Households and who is in them.

use identity_api::{IdentityError, Member, NewMember, NewSpace, Space, events};
use kernel::{FieldError, Page, PageRequest, Role, SpaceId, UserId};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;

use super::{Asker, IdentityService, unless_taken};
use crate::domain;
use crate::store::{self, sessions, spaces, users};

impl IdentityService {
    pub(super) async fn make_space(&self, cx: &CallContext, space: NewSpace) -> Result<Space, IdentityError> {
        let asker = Asker::of(cx)?;
        let name =
            domain::normal_name("/name", &space.name).map_err(|fault| IdentityError::Invalid(vec![fault]))?;
        let make = async |txn: Txn| self.insert_space(cx, &txn, asker.user.0, name, self.now()).await;
        self.store.once(cx, make).await
    }

    pub(super) async fn members(
        &self,
        cx: &CallContext,
        space: SpaceId,
        page: PageRequest,
    ) -> Result<Page<Member>, IdentityError> {
        let asker = Asker::of(cx)?;
        let reader = self.store.reader();
        let seen = spaces::find_as(reader, space.0, asker.user.0).await.or_fail(cx)?;
        seen.ok_or(IdentityError::SpaceNotFound(space))?;
        let after = page.cursor.as_ref().map(store::time_and_id).transpose()?;
        Ok(spaces::list_members(reader, space.0, after, &page).await.or_fail(cx)?)
    }

    pub(super) async fn take_in(
        &self,
        cx: &CallContext,
        space: SpaceId,
        member: NewMember,
    ) -> Result<Member, IdentityError> {
        let asker = Asker::of(cx)?;
        let email =
            domain::normal_email(&member.email).map_err(|fault| IdentityError::Invalid(vec![fault]))?;
        let take = async |txn: Txn| {
            self.hold_as_owner(cx, &txn, space, asker).await?;
            let user = users::find_by_email(&*txn, &email).await.or_fail(cx)?.ok_or_else(not_registered)?;
            let written = spaces::add_member(&*txn, space.0, user.id, member.role, self.now()).await;
            unless_taken(cx, written, IdentityError::AlreadyMember(user.id.into()))?;
            self.tell(cx, &txn, events::MEMBER_ADDED, space, user.id.into(), Some(member.role)).await?;
            self.member(cx, &txn, space, user.id.into()).await
        };
        self.store.once(cx, take).await
    }

    pub(super) async fn give_role(
        &self,
        cx: &CallContext,
        space: SpaceId,
        user: UserId,
        role: Role,
    ) -> Result<Member, IdentityError> {
        let asker = Asker::of(cx)?;
        let give = async |txn: Txn| {
            self.hold_as_owner(cx, &txn, space, asker).await?;
            let member = self.member(cx, &txn, space, user).await?;
            // The same role again is a repeat, and must not log anybody out.
            if member.role == role {
                return Ok(member);
            }
            self.leave_an_owner(cx, &txn, space, &member).await?;
            spaces::set_role(&*txn, space.0, user.0, role).await.or_fail(cx)?;
            // Their tokens say the old role, for minutes yet.
            self.revoke_in(cx, &txn, space, user, "role_changed").await?;
            self.tell(cx, &txn, events::MEMBER_ROLE_CHANGED, space, user, Some(role)).await?;
            Ok(Member { role, ..member })
        };
        self.store.once(cx, give).await
    }

    pub(super) async fn put_out(
        &self,
        cx: &CallContext,
        space: SpaceId,
        user: UserId,
    ) -> Result<(), IdentityError> {
        let asker = Asker::of(cx)?;
        let put = async |txn: Txn| {
            let role = self.hold_as_member(cx, &txn, space, asker).await?;
            if role != Role::Owner && user != asker.user {
                return Err(IdentityError::NotAnOwner);
            }
            let member = self.member(cx, &txn, space, user).await?;
            self.leave_an_owner(cx, &txn, space, &member).await?;
            spaces::remove_member(&*txn, space.0, user.0).await.or_fail(cx)?;
            self.revoke_in(cx, &txn, space, user, "member_removed").await?;
            self.tell(cx, &txn, events::MEMBER_REMOVED, space, user, None).await
        };
        self.store.once(cx, put).await
    }

    /// Holds the household, and says what the asker is in it.
    async fn hold_as_member(
        &self,
        cx: &CallContext,
        txn: &Txn,
        space: SpaceId,
        asker: Asker,
    ) -> Result<Role, IdentityError> {
        spaces::lock(&**txn, space.0).await.or_fail(cx)?;
        let role = spaces::hold_role(&**txn, space.0, asker.user.0).await.or_fail(cx)?;
        role.ok_or(IdentityError::SpaceNotFound(space))
    }

    async fn hold_as_owner(
        &self,
        cx: &CallContext,
        txn: &Txn,
        space: SpaceId,
        asker: Asker,
    ) -> Result<(), IdentityError> {
        match self.hold_as_member(cx, txn, space, asker).await? {
            Role::Owner => Ok(()),
            Role::Editor | Role::Viewer => Err(IdentityError::NotAnOwner),
        }
    }

    async fn member(
        &self,
        cx: &CallContext,
        txn: &Txn,
        space: SpaceId,
        user: UserId,
    ) -> Result<Member, IdentityError> {
        let member = spaces::find_member(&**txn, space.0, user.0).await.or_fail(cx)?;
        member.ok_or(IdentityError::MemberNotFound(user))
    }

    /// Refuses to let the last owner go. The household is held, so the count stays true.
    async fn leave_an_owner(
        &self,
        cx: &CallContext,
        txn: &Txn,
        space: SpaceId,
        going: &Member,
    ) -> Result<(), IdentityError> {
        let owners = spaces::count_owners(&**txn, space.0).await.or_fail(cx)?;
        if going.role == Role::Owner && owners == 1 {
            return Err(IdentityError::LastOwner(going.user_id));
        }
        Ok(())
    }

    async fn revoke_in(
        &self,
        cx: &CallContext,
        txn: &Txn,
        space: SpaceId,
        user: UserId,
        reason: &str,
    ) -> Result<(), IdentityError> {
        let open = sessions::lock_of_in(&**txn, user.0, space.0, self.now()).await.or_fail(cx)?;
        self.revoke(cx, txn, open, reason).await
    }

    async fn tell(
        &self,
        cx: &CallContext,
        txn: &Txn,
        event: &str,
        space: SpaceId,
        user: UserId,
        role: Option<Role>,
    ) -> Result<(), IdentityError> {
        let data = match role {
            Some(role) => json!({ "space_id": space, "user_id": user, "role": role }),
            None => json!({ "space_id": space, "user_id": user }),
        };
        Ok(outbox::append(cx, txn, Some(space), event, user, &data).await.or_fail(cx)?)
    }
}

fn not_registered() -> IdentityError {
    let detail = "nobody with this address has registered";
    IdentityError::Invalid(vec![FieldError::new("/email", "not_registered", detail)])
}
