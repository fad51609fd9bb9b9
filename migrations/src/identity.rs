use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::shared;

pub(crate) fn list() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Users), Box::new(Sessions), Box::new(shared::Refusals("m20261120_000003_refusals"))]
}

struct Users;
struct Sessions;

impl MigrationName for Users {
    fn name(&self) -> &str {
        "m20261120_000001_users"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Users {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::create_idempotency_keys(manager).await?;
        shared::create_outbox(manager).await?;
        let users = Table::create()
            .table("users")
            .col(uuid("id").primary_key())
            .col(string("email").unique_key())
            .col(string_null("name"))
            .col(timestamp_with_time_zone("created_at"))
            .check(Expr::cust("length(email) between 3 and 254"))
            .to_owned();
        manager.create_table(users).await?;

        // Apart from users, so that a list of people never has their password hashes in it.
        let credentials = Table::create()
            .table("credentials")
            .col(uuid("user_id").primary_key())
            .col(string("password_hash"))
            .col(timestamp_with_time_zone("changed_at"))
            .foreign_key(ForeignKey::create().from("credentials", "user_id").to("users", "id"))
            .check(Expr::cust("password_hash like '$argon2id$%'"))
            .to_owned();
        manager.create_table(credentials).await?;

        let spaces = Table::create()
            .table("spaces")
            .col(uuid("id").primary_key())
            .col(string("name"))
            .col(timestamp_with_time_zone("created_at"))
            .check(Expr::cust("length(name) > 0"))
            .to_owned();
        manager.create_table(spaces).await?;

        let memberships = Table::create()
            .table("memberships")
            .col(uuid("space_id"))
            .col(uuid("user_id"))
            .col(string("role"))
            .col(timestamp_with_time_zone("joined_at"))
            .primary_key(Index::create().col("space_id").col("user_id"))
            .foreign_key(ForeignKey::create().from("memberships", "space_id").to("spaces", "id"))
            .foreign_key(ForeignKey::create().from("memberships", "user_id").to("users", "id"))
            .check(Expr::cust("role in ('owner', 'editor', 'viewer')"))
            .to_owned();
        manager.create_table(memberships).await?;
        shared::index(manager, "memberships_by_user", "memberships", &["user_id", "joined_at", "space_id"])
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = ["memberships", "spaces", "credentials", "users", "outbox", "idempotency_keys"];
        shared::drop_tables(manager, &tables).await
    }
}

impl MigrationName for Sessions {
    fn name(&self) -> &str {
        "m20261120_000002_sessions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sessions {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = Table::create()
            .table("sessions")
            .col(uuid("id").primary_key())
            .col(uuid("user_id"))
            .col(uuid_null("space_id"))
            .col(string_null("client"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("last_used_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("revoked_at"))
            .col(big_integer_null("revocation_seq").unique_key())
            .foreign_key(ForeignKey::create().from("sessions", "user_id").to("users", "id"))
            .foreign_key(ForeignKey::create().from("sessions", "space_id").to("spaces", "id"))
            .check(Expr::cust("(revoked_at is null) = (revocation_seq is null)"))
            .to_owned();
        manager.create_table(sessions).await?;
        shared::index(manager, "sessions_by_user", "sessions", &["user_id", "id"]).await?;
        shared::index(manager, "sessions_by_end", "sessions", &["expires_at"]).await?;

        // Only hashes: who reads this table can log in as nobody.
        let refresh_tokens = Table::create()
            .table("refresh_tokens")
            .col(blob("token_hash").primary_key())
            .col(uuid("session_id"))
            .col(integer("generation"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("used_at"))
            .col(string_null("used_by"))
            .foreign_key(
                ForeignKey::create()
                    .from("refresh_tokens", "session_id")
                    .to("sessions", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .check(Expr::cust("length(token_hash) = 32"))
            .check(Expr::cust("generation >= 0"))
            .to_owned();
        manager.create_table(refresh_tokens).await?;
        let generation = ["session_id", "generation"];
        shared::unique_index(manager, "refresh_tokens_by_generation", "refresh_tokens", &generation).await?;

        // Every household that a session ever got an access token for: leaving one must end that session.
        let session_spaces = Table::create()
            .table("session_spaces")
            .col(uuid("session_id"))
            .col(uuid("space_id"))
            .primary_key(Index::create().col("session_id").col("space_id"))
            .foreign_key(
                ForeignKey::create()
                    .from("session_spaces", "session_id")
                    .to("sessions", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .foreign_key(ForeignKey::create().from("session_spaces", "space_id").to("spaces", "id"))
            .to_owned();
        manager.create_table(session_spaces).await?;

        // One row: who counts it up holds it until commit, so that numbers become visible in their order.
        let revocations = Table::create()
            .table("revocation_counter")
            .col(integer("id").primary_key())
            .col(big_integer("last"))
            .check(Expr::cust("id = 1"))
            .to_owned();
        manager.create_table(revocations).await?;
        let first = Query::insert()
            .into_table("revocation_counter")
            .columns(["id", "last"])
            .values_panic([1.into(), 0i64.into()])
            .to_owned();
        manager.execute(first).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["refresh_tokens", "session_spaces", "sessions", "revocation_counter"])
            .await
    }
}
