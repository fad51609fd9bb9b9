//! Real databases for tests: a fresh SQLite directory, and a fresh PostgreSQL database where a server is named.

use std::path::PathBuf;

use sea_orm::{ConnectionTrait, Database};
use uuid::Uuid;

use crate::DatabaseSettings;

/// Names the PostgreSQL server that tests may use, such as `postgres://postgres@127.0.0.1:5432/postgres`.
pub const POSTGRES_VARIABLE: &str = "TRIBUTARY_TEST_POSTGRES_URL";
/// Set to 1 where a missing server must fail the tests rather than skip them.
pub const REQUIRE_VARIABLE: &str = "TRIBUTARY_REQUIRE_SERVERS";

/// A database of one test's own, gone when dropped with [`TestDatabase::drop`].
#[derive(Debug)]
pub struct TestDatabase {
    /// How to open stores in it.
    pub settings: DatabaseSettings,
    cleanup: Cleanup,
}

#[derive(Debug)]
enum Cleanup {
    Directory(PathBuf),
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// A fresh directory for SQLite files.
    pub fn sqlite() -> Self {
        let directory = std::env::temp_dir().join(format!("tributary-test-{}", Uuid::now_v7()));
        let settings = DatabaseSettings::Sqlite { directory: directory.clone() };
        Self { settings, cleanup: Cleanup::Directory(directory) }
    }

    /// A fresh database on the PostgreSQL server that the environment names; none where it names none.
    ///
    /// # Panics
    /// Where the environment names none but requires one, or the server does not answer.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES_VARIABLE) else {
            let required = std::env::var(REQUIRE_VARIABLE).is_ok_and(|value| value == "1");
            assert!(!required, "{POSTGRES_VARIABLE} is not set but servers are required");
            println!("skipped: PostgreSQL ({POSTGRES_VARIABLE} is not set)");
            return None;
        };
        let name = format!("tributary_test_{}", Uuid::now_v7().simple());
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').expect("a PostgreSQL URL ends in /database");
        let settings = DatabaseSettings::Postgres { url: format!("{base}/{name}"), max_connections: 4 };
        Some(Self { settings, cleanup: Cleanup::Postgres { server, name } })
    }

    /// Both kinds, or SQLite alone where no PostgreSQL server is named.
    pub async fn each() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres().await].into_iter().flatten().collect()
    }

    /// Takes the database away again. Close the stores in it first.
    pub async fn drop(self) {
        match self.cleanup {
            Cleanup::Directory(directory) => {
                std::fs::remove_dir_all(directory).expect("a test's own directory can be removed");
            }
            Cleanup::Postgres { server, name } => {
                execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

async fn execute(server: &str, sql: &str) {
    let connection = Database::connect(server).await.expect("the PostgreSQL server answers");
    connection.execute_unprepared(sql).await.expect("the test role may create and drop databases");
    connection.close().await.expect("a connection can be closed");
}
