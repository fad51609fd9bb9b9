use kernel::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, Set};

use identity_api::User;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email: String,
    pub name: Option<String>,
    pub created_at: Instant,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self { id: row.id.into(), email: row.email, name: row.name, created_at: row.created_at }
    }
}

/// Apart from users, so that a list of people never has their password hashes in it.
pub(crate) mod credentials {
    use kernel::Instant;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "credentials")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        pub password_hash: String,
        pub changed_at: Instant,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl std::fmt::Debug for Model {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "credentials of {}", self.user_id)
        }
    }
}

/// Writes a new user; a duplicate where the address is taken.
pub(crate) async fn insert(
    on: &impl ConnectionTrait,
    user: Model,
    password_hash: String,
) -> Result<(), DbErr> {
    let credentials = credentials::ActiveModel {
        user_id: Set(user.id),
        password_hash: Set(password_hash),
        changed_at: Set(user.created_at),
    };
    Entity::insert(user.into_active_model()).exec_without_returning(on).await?;
    credentials::Entity::insert(credentials).exec_without_returning(on).await?;
    Ok(())
}

pub(crate) async fn find(on: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(on).await
}

/// The user with this address, normal as it is stored.
pub(crate) async fn find_by_email(on: &impl ConnectionTrait, email: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Email.eq(email)).one(on).await
}

pub(crate) async fn password_hash(on: &impl ConnectionTrait, user: Uuid) -> Result<Option<String>, DbErr> {
    Ok(credentials::Entity::find_by_id(user).one(on).await?.map(|row| row.password_hash))
}
