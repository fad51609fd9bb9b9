use std::fs::File;
use std::path::Path;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DbErr, Statement,
};

/// Keeps a second process from migrating the same database at the same time; sea-orm-migration takes no lock.
pub(crate) enum Lock {
    /// SQLite: an advisory lock on a file beside the database, freed by the system if we die.
    File(File),
    /// PostgreSQL: an advisory lock that lives as long as its own connection.
    Session { connection: DatabaseConnection, key: i64 },
}

impl Lock {
    pub(crate) async fn take(module: &str, db: &DatabaseConnection, file: &Path) -> Result<Self, DbErr> {
        match db.get_database_backend() {
            DatabaseBackend::Postgres => Self::session(module, db).await,
            _ => Self::file(file).await,
        }
    }

    async fn file(path: &Path) -> Result<Self, DbErr> {
        let path = path.to_owned();
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::create(&path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        });
        let locked = locked.await.map_err(|error| DbErr::Custom(error.to_string()))?;
        locked.map(Self::File).map_err(|error| DbErr::Custom(format!("cannot lock for migration: {error}")))
    }

    /// A session lock belongs to a connection, so it cannot be taken through a pool of several.
    async fn session(module: &str, db: &DatabaseConnection) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new("postgres://");
        // Never closed for being idle: the lock would go with it while the migration runs.
        options
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .set_schema_search_path(module)
            .sqlx_logging(false);
        let like = db.get_postgres_connection_pool().connect_options();
        let connection =
            Database::connect(options.map_sqlx_postgres_opts(move |_| (*like).clone()).to_owned()).await?;
        // Another process may migrate for longer than a statement may otherwise take.
        connection.execute_unprepared("SET lock_timeout = 0; SET statement_timeout = 0").await?;
        let key = module
            .bytes()
            .fold(0x7472_6962_i64, |key, byte| key.wrapping_mul(31).wrapping_add(i64::from(byte)));
        execute(&connection, "SELECT pg_advisory_lock($1)", key).await?;
        Ok(Self::Session { connection, key })
    }

    /// The connection that holds the lock, free of limits on time; the pool where there is none of its own.
    pub(crate) fn connection<'a>(&'a self, db: &'a DatabaseConnection) -> &'a DatabaseConnection {
        match self {
            Self::File(_) => db,
            Self::Session { connection, .. } => connection,
        }
    }

    pub(crate) async fn release(self) -> Result<(), DbErr> {
        match self {
            Self::File(file) => file.unlock().map_err(|error| DbErr::Custom(error.to_string())),
            Self::Session { connection, key } => {
                execute(&connection, "SELECT pg_advisory_unlock($1)", key).await?;
                connection.close().await
            }
        }
    }
}

async fn execute(connection: &DatabaseConnection, sql: &str, key: i64) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(DatabaseBackend::Postgres, sql, [key.into()]);
    connection.execute_raw(statement).await.map(drop)
}
