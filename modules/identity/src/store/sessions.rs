use kernel::{Cursor, Instant, Page, PageRequest, SessionId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{LockType, OnConflict, Query};
use sea_orm::{
    ConnectionTrait, ExprTrait, IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect, Set, Statement,
};

use identity_api::Session;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub space_id: Option<Uuid>,
    pub client: Option<String>,
    pub created_at: Instant,
    pub last_used_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
    pub revocation_seq: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Every household that a session ever got an access token for.
pub(crate) mod session_spaces {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "session_spaces")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub session_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub space_id: Uuid,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Model {
    /// Whether it can still be used.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }

    /// The session as its user sees it, who asks out of `current`.
    pub(crate) fn seen_from(self, current: Option<SessionId>) -> Session {
        let id = SessionId(self.id);
        Session {
            id,
            space_id: self.space_id.map(Into::into),
            client: self.client,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            expires_at: self.expires_at,
            current: current == Some(id),
        }
    }
}

pub(crate) async fn insert(on: &impl ConnectionTrait, session: Model) -> Result<(), DbErr> {
    let (id, space) = (session.id, session.space_id);
    Entity::insert(session.into_active_model()).exec_without_returning(on).await?;
    note_space(on, id, space).await
}

/// Notes that the session was used, until when it lives now, and where it works.
pub(crate) async fn note_use(
    on: &impl ConnectionTrait,
    id: Uuid,
    space: Option<Uuid>,
    at: Instant,
    expires_at: Instant,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(id),
        space_id: Set(space),
        last_used_at: Set(at),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    Entity::update(row).exec(on).await?;
    note_space(on, id, space).await
}

async fn note_space(on: &impl ConnectionTrait, session: Uuid, space: Option<Uuid>) -> Result<(), DbErr> {
    let Some(space) = space else { return Ok(()) };
    let row = session_spaces::ActiveModel { session_id: Set(session), space_id: Set(space) };
    let known = OnConflict::columns([session_spaces::Column::SessionId, session_spaces::Column::SpaceId])
        .do_nothing()
        .to_owned();
    session_spaces::Entity::insert(row).on_conflict(known).exec_without_returning(on).await.map(drop)
}

pub(crate) async fn find(on: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(on).await
}

/// The session, held until the transaction ends: who uses or revokes it comes one after the other.
pub(crate) async fn lock(on: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(on).await
}

/// All open sessions of a user, held until the transaction ends.
pub(crate) async fn lock_of(
    on: &impl ConnectionTrait,
    user: Uuid,
    now: Instant,
) -> Result<Vec<Model>, DbErr> {
    open_of(user, now).order_by_asc(Column::Id).lock(LockType::NoKeyUpdate).all(on).await
}

/// The open sessions of a user that ever worked in a household, held until the transaction ends.
pub(crate) async fn lock_of_in(
    on: &impl ConnectionTrait,
    user: Uuid,
    space: Uuid,
    now: Instant,
) -> Result<Vec<Model>, DbErr> {
    let worked_there = Query::select()
        .column(session_spaces::Column::SessionId)
        .from(session_spaces::Entity)
        .and_where(session_spaces::Column::SpaceId.eq(space))
        .to_owned();
    let sessions = open_of(user, now).filter(Column::Id.in_subquery(worked_there));
    sessions.order_by_asc(Column::Id).lock(LockType::NoKeyUpdate).all(on).await
}

/// The open sessions of a user, the latest log-in first.
pub(crate) async fn list_of(
    on: &impl ConnectionTrait,
    user: Uuid,
    now: Instant,
    before: Option<Uuid>,
    page: &PageRequest,
) -> Result<Page<Model>, DbErr> {
    let mut rows = open_of(user, now);
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before));
    }
    let rows = rows.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(on).await?;
    let total = if page.with_total { Some(open_of(user, now).count(on).await?) } else { None };
    let page = Page::cut(rows, page.limit, |row| Cursor::new([row.id]));
    Ok(Page { total, ..page })
}

fn open_of(user: Uuid, now: Instant) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
}

/// Marks a session as revoked. Lock it first, and take the number last: it holds up all other revocations.
pub(crate) async fn mark_revoked(
    on: &impl ConnectionTrait,
    id: Uuid,
    at: Instant,
    revocation_seq: i64,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(id),
        revoked_at: Set(Some(at)),
        revocation_seq: Set(Some(revocation_seq)),
        ..Default::default()
    };
    Entity::update(row).exec(on).await.map(drop)
}

/// The next revocation number. The row stays held until commit, so that numbers become visible in their order.
pub(crate) async fn next_revocation_seq(on: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let sql = "UPDATE revocation_counter SET last = last + 1 WHERE id = 1 RETURNING last";
    counter(on, sql).await
}

/// The last revocation number that was committed.
pub(crate) async fn last_revocation_seq(on: &impl ConnectionTrait) -> Result<i64, DbErr> {
    counter(on, "SELECT last FROM revocation_counter WHERE id = 1").await
}

async fn counter(on: &impl ConnectionTrait, sql: &str) -> Result<i64, DbErr> {
    let row = on.query_one_raw(Statement::from_string(on.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("revocation_counter has no row".into()))?;
    row.try_get("", "last")
}

/// Sessions revoked after `after` and up to `upto` in the order of their numbers, none revoked before `since`.
pub(crate) async fn revoked(
    on: &impl ConnectionTrait,
    after: i64,
    upto: i64,
    since: Instant,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::RevocationSeq.gt(after))
        .filter(Column::RevocationSeq.lte(upto))
        .filter(Column::RevokedAt.gt(since))
        .order_by_asc(Column::RevocationSeq)
        .limit(limit)
        .all(on)
        .await
}

/// Forgets up to `limit` sessions that ended before `before`, and their refresh tokens with them.
pub(crate) async fn forget_ended(
    on: &impl ConnectionTrait,
    before: Instant,
    limit: u64,
) -> Result<u64, DbErr> {
    let ended = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::ExpiresAt.lt(before).or(Column::RevokedAt.lt(before)))
        .limit(limit)
        .to_owned();
    Ok(Entity::delete_many().filter(Column::Id.in_subquery(ended)).exec(on).await?.rows_affected)
}
