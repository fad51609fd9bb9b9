use kernel::{Instant, Page, PageRequest, Role};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult, IntoActiveModel, JoinType, PaginatorTrait, QueryOrder,
    QuerySelect, Set,
};

use identity_api::{Member, Space};

use super::{by_time, users};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "spaces")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub created_at: Instant,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Who is in which household.
pub(crate) mod memberships {
    use kernel::Instant;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub space_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        pub role: String,
        pub joined_at: Instant,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::Entity", from = "Column::SpaceId", to = "super::Column::Id")]
        Space,
        #[sea_orm(
            belongs_to = "crate::store::users::Entity",
            from = "Column::UserId",
            to = "crate::store::users::Column::Id"
        )]
        User,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A role as the database has it. Its check admits only roles, so anything else is a broken database.
pub(crate) fn role(text: &str) -> Result<Role, DbErr> {
    text.parse().map_err(|error: kernel::UnknownRole| DbErr::Type(error.to_string()))
}

#[derive(FromQueryResult)]
struct SpaceRow {
    id: Uuid,
    name: String,
    created_at: Instant,
    role: String,
    joined_at: Instant,
}

impl TryFrom<SpaceRow> for Space {
    type Error = DbErr;
    fn try_from(row: SpaceRow) -> Result<Self, DbErr> {
        let role = role(&row.role)?;
        Ok(Self { id: row.id.into(), name: row.name, role, created_at: row.created_at })
    }
}

#[derive(FromQueryResult)]
struct MemberRow {
    user_id: Uuid,
    email: String,
    name: Option<String>,
    role: String,
    joined_at: Instant,
}

impl TryFrom<MemberRow> for Member {
    type Error = DbErr;
    fn try_from(row: MemberRow) -> Result<Self, DbErr> {
        let role = role(&row.role)?;
        let MemberRow { user_id, email, name, joined_at, .. } = row;
        Ok(Self { user_id: user_id.into(), email, name, role, joined_at })
    }
}

pub(crate) async fn insert(on: &impl ConnectionTrait, space: Model) -> Result<(), DbErr> {
    Entity::insert(space.into_active_model()).exec_without_returning(on).await.map(drop)
}

/// Holds the household until the transaction ends, so that its members change one after the other.
///
/// Not against new rows that refer to it: a log-in that waits for us while we wait for it would be a deadlock.
pub(crate) async fn lock(on: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(on).await.map(drop)
}

/// The household as this member sees it.
pub(crate) async fn find_as(on: &impl ConnectionTrait, id: Uuid, user: Uuid) -> Result<Option<Space>, DbErr> {
    let row =
        spaces_of(user).filter(memberships::Column::SpaceId.eq(id)).into_model::<SpaceRow>().one(on).await?;
    row.map(Space::try_from).transpose()
}

/// The households of a user, the one joined first at the front.
pub(crate) async fn list_of(
    on: &impl ConnectionTrait,
    user: Uuid,
    after: Option<(Instant, Uuid)>,
    page: &PageRequest,
) -> Result<Page<Space>, DbErr> {
    use memberships::Column::{JoinedAt, SpaceId};
    let rows = spaces_of(user)
        .filter(after_position(after, JoinedAt, SpaceId))
        .order_by_asc(JoinedAt)
        .order_by_asc(SpaceId)
        .limit(u64::from(page.limit) + 1);
    let rows = rows.into_model::<SpaceRow>().all(on).await?;
    let total = if page.with_total { Some(spaces_of(user).count(on).await?) } else { None };
    let page = Page::cut(rows, page.limit, |row| by_time(row.joined_at, row.id));
    whole(Page { total, ..page }, Space::try_from)
}

fn spaces_of(user: Uuid) -> Select<memberships::Entity> {
    memberships::Entity::find()
        .select_only()
        .column_as(Column::Id, "id")
        .column_as(Column::Name, "name")
        .column_as(Column::CreatedAt, "created_at")
        .column_as(memberships::Column::Role, "role")
        .column_as(memberships::Column::JoinedAt, "joined_at")
        .join(JoinType::InnerJoin, memberships::Relation::Space.def())
        .filter(memberships::Column::UserId.eq(user))
}

/// The members of a household, the one who joined first at the front.
pub(crate) async fn list_members(
    on: &impl ConnectionTrait,
    space: Uuid,
    after: Option<(Instant, Uuid)>,
    page: &PageRequest,
) -> Result<Page<Member>, DbErr> {
    use memberships::Column::{JoinedAt, UserId};
    let rows = members_of(space)
        .filter(after_position(after, JoinedAt, UserId))
        .order_by_asc(JoinedAt)
        .order_by_asc(UserId)
        .limit(u64::from(page.limit) + 1);
    let rows = rows.into_model::<MemberRow>().all(on).await?;
    let total = if page.with_total { Some(members_of(space).count(on).await?) } else { None };
    let page = Page::cut(rows, page.limit, |row| by_time(row.joined_at, row.user_id));
    whole(Page { total, ..page }, Member::try_from)
}

pub(crate) async fn find_member(
    on: &impl ConnectionTrait,
    space: Uuid,
    user: Uuid,
) -> Result<Option<Member>, DbErr> {
    let row = members_of(space).filter(memberships::Column::UserId.eq(user));
    row.into_model::<MemberRow>().one(on).await?.map(Member::try_from).transpose()
}

fn members_of(space: Uuid) -> Select<memberships::Entity> {
    memberships::Entity::find()
        .select_only()
        .column_as(memberships::Column::UserId, "user_id")
        .column_as(users::Column::Email, "email")
        .column_as(users::Column::Name, "name")
        .column_as(memberships::Column::Role, "role")
        .column_as(memberships::Column::JoinedAt, "joined_at")
        .join(JoinType::InnerJoin, memberships::Relation::User.def())
        .filter(memberships::Column::SpaceId.eq(space))
}

fn after_position<C: ColumnTrait>(after: Option<(Instant, Uuid)>, at: C, id: C) -> sea_orm::Condition {
    let all = sea_orm::Condition::all();
    let Some((joined_at, last)) = after else { return all };
    all.add(at.gt(joined_at).or(at.eq(joined_at).and(id.gt(last))))
}

/// The page with each row made into what it means, or the first that means nothing.
fn whole<R, T>(page: Page<R>, each: impl Fn(R) -> Result<T, DbErr>) -> Result<Page<T>, DbErr> {
    let data = page.data.into_iter().map(each).collect::<Result<_, _>>()?;
    Ok(Page { data, next_cursor: page.next_cursor, total: page.total })
}

/// Writes a new membership; a duplicate where there is one.
pub(crate) async fn add_member(
    on: &impl ConnectionTrait,
    space: Uuid,
    user: Uuid,
    role: Role,
    joined_at: Instant,
) -> Result<(), DbErr> {
    let row = memberships::ActiveModel {
        space_id: Set(space),
        user_id: Set(user),
        role: Set(role.to_string()),
        joined_at: Set(joined_at),
    };
    memberships::Entity::insert(row).exec_without_returning(on).await.map(drop)
}

/// What the user is in the household, if anything, and keeps it so until the transaction ends.
pub(crate) async fn hold_role(
    on: &impl ConnectionTrait,
    space: Uuid,
    user: Uuid,
) -> Result<Option<Role>, DbErr> {
    let row = memberships::Entity::find_by_id((space, user)).lock(LockType::Share).one(on).await?;
    row.map(|row| role(&row.role)).transpose()
}

/// The household that the user joined first, if any.
pub(crate) async fn first_of(on: &impl ConnectionTrait, user: Uuid) -> Result<Option<Uuid>, DbErr> {
    use memberships::Column::{JoinedAt, SpaceId, UserId};
    let first =
        memberships::Entity::find().filter(UserId.eq(user)).order_by_asc(JoinedAt).order_by_asc(SpaceId);
    Ok(first.one(on).await?.map(|row| row.space_id))
}

pub(crate) async fn set_role(
    on: &impl ConnectionTrait,
    space: Uuid,
    user: Uuid,
    role: Role,
) -> Result<(), DbErr> {
    let row = memberships::ActiveModel {
        space_id: Set(space),
        user_id: Set(user),
        role: Set(role.to_string()),
        ..Default::default()
    };
    memberships::Entity::update(row).exec(on).await.map(drop)
}

pub(crate) async fn remove_member(on: &impl ConnectionTrait, space: Uuid, user: Uuid) -> Result<(), DbErr> {
    memberships::Entity::delete_by_id((space, user)).exec(on).await.map(drop)
}

pub(crate) async fn count_owners(on: &impl ConnectionTrait, space: Uuid) -> Result<u64, DbErr> {
    use memberships::Column::{Role as RoleColumn, SpaceId};
    let owners =
        memberships::Entity::find().filter(SpaceId.eq(space)).filter(RoleColumn.eq(Role::Owner.as_str()));
    owners.count(on).await
}
