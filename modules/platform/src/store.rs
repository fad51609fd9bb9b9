use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection,
    DatabaseTransaction, DbErr, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, Value,
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{Txn, open};

/// Where modules keep their data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseSettings {
    /// One SQLite file per module in this directory.
    Sqlite {
        /// The directory; made where it is missing.
        directory: PathBuf,
    },
    /// One PostgreSQL schema per module in this database.
    Postgres {
        /// `postgres://user@host:port/database`.
        url: String,
        /// Connections per module. Too low: requests queue; too high: the server's memory goes into idle backends.
        max_connections: u32,
    },
}

/// One module's own database: a SQLite file, or a PostgreSQL schema.
///
/// SQLite has one writer connection, which queues writers fairly, beside a few readers. PostgreSQL has one pool.
#[derive(Clone)]
pub struct Store {
    module: &'static str,
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    lock_file: PathBuf,
    bell: Arc<Notify>,
}

const SQLITE_READERS: u32 = 4;
/// How long a statement may wait for the one writer. Longer than on PostgreSQL, where writers do not queue.
const SQLITE_ACQUIRE: Duration = Duration::from_secs(10);
/// Bytes that a write-ahead log may keep once it was moved into its database.
const WAL_KEPT: &str = "67108864";
const POSTGRES_ACQUIRE: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the database of `module`. PostgreSQL is connected on first use, so that a process starts without it.
    pub async fn open(module: &'static str, settings: &DatabaseSettings) -> Result<Self, DbErr> {
        service_registry::watch_transactions(open::is_open_here);
        match settings {
            DatabaseSettings::Sqlite { directory } => Self::sqlite(module, directory).await,
            DatabaseSettings::Postgres { url, max_connections } => {
                Self::postgres(module, url, *max_connections).await
            }
        }
    }

    async fn sqlite(module: &'static str, directory: &Path) -> Result<Self, DbErr> {
        let unusable =
            |error| DbErr::Custom(format!("cannot use data directory {}: {error}", directory.display()));
        std::fs::create_dir_all(directory).map_err(unusable)?;
        let file = directory.join(format!("{module}.sqlite3"));
        let lock_file = directory.join(format!("{module}.lock"));
        let writer = {
            // Of two that turn a new file to WAL at once SQLite refuses one, whatever the busy timeout.
            let _turn = locked(&lock_file).await.map_err(unusable)?;
            Database::connect(sqlite_options(&file, 1)).await?
        };
        let reader = Database::connect(sqlite_options(&file, SQLITE_READERS)).await?;
        Ok(Self { module, writer, reader, lock_file, bell: Arc::default() })
    }

    async fn postgres(module: &'static str, url: &str, max_connections: u32) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(max_connections)
            .min_connections(0)
            .acquire_timeout(POSTGRES_ACQUIRE)
            .connect_lazy(true)
            .sqlx_logging(false)
            .set_schema_search_path(module)
            .set_application_name(format!("tributary-{module}"))
            .map_sqlx_postgres_opts(|options| {
                // Compiling a plan (jit) takes longer than running any of ours.
                let limits = [("lock_timeout", "10s"), ("statement_timeout", "10s"), ("jit", "off")];
                plain_at_home(options).options(limits)
            });
        let pool = Database::connect(options).await?;
        Ok(Self {
            module,
            writer: pool.clone(),
            reader: pool,
            lock_file: PathBuf::new(),
            bell: Arc::default(),
        })
    }

    /// The module whose database this is.
    pub fn module(&self) -> &'static str {
        self.module
    }

    /// For queries outside a transaction.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For migrations; everything else writes inside a transaction.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// The file that a migration locks; of no use on PostgreSQL.
    pub fn lock_file(&self) -> &Path {
        &self.lock_file
    }

    /// Which of the two databases it is.
    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Begins a transaction that writes. SQLite takes its write lock at once, so that it never fails half-way.
    pub async fn begin(&self) -> Result<Txn, DbErr> {
        let sqlite_transaction_mode =
            (self.backend() == DatabaseBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() };
        Ok(Txn::new(self.writer.begin_with_options(options).await?, Arc::clone(&self.bell)))
    }

    /// Begins a transaction that reads and sees one state of the database, that of its first query, until it ends.
    ///
    /// It holds a connection of the few there are, and PostgreSQL cannot clean up behind it: not to be kept long.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = match self.backend() {
            DatabaseBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            // A reader of SQLite in WAL mode sees one state in any case.
            _ => TransactionOptions::default(),
        };
        self.reader.begin_with_options(options).await
    }

    /// The id of this database, made when somebody asks for the first time. Processes that get the same one share it.
    pub async fn identity(&self) -> Result<Uuid, DbErr> {
        let run = |sql, values: Vec<Value>| Statement::from_sql_and_values(self.backend(), sql, values);
        let make = "INSERT INTO store_identity (one, id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
        self.writer.execute_raw(run(make, vec![Uuid::now_v7().into()])).await?;
        let row = self.writer.query_one_raw(run("SELECT id FROM store_identity", Vec::new())).await?;
        let none = || DbErr::RecordNotFound("the identity of the store".to_owned());
        row.ok_or_else(none)?.try_get("", "id")
    }

    /// Rings when a transaction with events was committed by this process.
    pub(crate) fn bell(&self) -> &Notify {
        &self.bell
    }

    /// Closes all connections.
    pub async fn close(self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close().await
    }
}

/// Locks `path` against other processes until the answer is dropped.
async fn locked(path: &Path) -> std::io::Result<File> {
    let path = path.to_owned();
    let lock = move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock).await?
}

/// Without TLS on the loopback interface, unless the URL insists on it: nobody can listen there, and sqlx 0.9.0 waits
/// 40 ms after each statement that TLS cuts into several records (its sockets lack TCP_NODELAY).
fn plain_at_home(options: PgConnectOptions) -> PgConnectOptions {
    let host = options.get_host().trim_matches(['[', ']']);
    let home = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match options.get_ssl_mode() {
        PgSslMode::Allow | PgSslMode::Prefer if home => options.ssl_mode(PgSslMode::Disable),
        _ => options,
    }
}

fn sqlite_options(file: &Path, connections: u32) -> ConnectOptions {
    let file = file.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(SQLITE_ACQUIRE)
        // A file does not hang up: asking each connection first whether it is still there doubles a short query.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .in_memory(false)
                .shared_cache(false)
                .filename(&file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // NORMAL may roll acknowledged commits back after a power loss.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                // Pages in memory: 16 MiB a connection, enough for the hot end of the indexes.
                .pragma("cache_size", "-16384")
                // What a large import sorts and keeps for a rollback belongs on the disk: 7,000,000 rows of it took 500 MB.
                .pragma("temp_store", "file")
                // A transaction of gigabytes leaves a WAL of gigabytes, which nobody makes smaller unless told so.
                .pragma("journal_size_limit", WAL_KEPT)
                // A page of a list fits, so that its reader need not stop for us in the middle of it.
                .row_buffer_size(256)
        });
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_on_this_machine_tls_is_spoken_to_postgresql_only_where_the_url_insists() {
        for (url, plain) in [
            ("postgres://localhost/money?sslmode=prefer", true),
            ("postgres://127.0.0.1:5433/money?sslmode=allow", true),
            ("postgres://[::1]/money?sslmode=prefer", true),
            ("postgres://localhost/money?sslmode=require", false),
            ("postgres://127.0.0.1/money?sslmode=verify-full", false),
            ("postgres://db.example/money?sslmode=prefer", false),
        ] {
            let options = plain_at_home(url.parse().unwrap());
            assert_eq!(matches!(options.get_ssl_mode(), PgSslMode::Disable), plain, "{url}");
        }
    }
}
