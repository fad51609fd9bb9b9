use kernel::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, Set};

use crate::domain::Use;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Blob")]
    pub token_hash: Vec<u8>,
    pub session_id: Uuid,
    pub generation: i32,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
    pub used_by: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The first use of the token, if it was used.
    pub(crate) fn earlier_use(&self) -> Option<Use> {
        self.used_at.map(|at| Use { at, by: self.used_by.clone() })
    }
}

pub(crate) async fn insert(on: &impl ConnectionTrait, token: Model) -> Result<(), DbErr> {
    Entity::insert(token.into_active_model()).exec_without_returning(on).await.map(drop)
}

/// The token with this hash: one row by its primary key.
pub(crate) async fn find(on: &impl ConnectionTrait, token_hash: Vec<u8>) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(token_hash).one(on).await
}

pub(crate) async fn note_use(on: &impl ConnectionTrait, token_hash: Vec<u8>, by: &Use) -> Result<(), DbErr> {
    let row = ActiveModel {
        token_hash: Set(token_hash),
        used_at: Set(Some(by.at)),
        used_by: Set(by.by.clone()),
        ..Default::default()
    };
    Entity::update(row).exec(on).await.map(drop)
}
