use std::path::Path;

use platform::testing::TestDatabase;
use platform::{DatabaseSettings, Store};
use sea_orm::{ConnectionTrait, Statement};

/// Where an installation keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A database of one installation's own.
pub(super) enum Created {
    /// Files in the data directory, which goes anyway.
    Sqlite,
    Postgres {
        database: TestDatabase,
        url: String,
    },
}

impl Database {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// A fresh one; none where no server is named for it, which the test database says aloud.
    pub(super) async fn create(self) -> Option<Created> {
        if self == Self::Sqlite {
            return Some(Created::Sqlite);
        }
        let database = TestDatabase::postgres().await?;
        let DatabaseSettings::Postgres { url, .. } = database.settings.clone() else {
            unreachable!("a PostgreSQL database has a URL")
        };
        Some(Created::Postgres { database, url })
    }
}

impl Created {
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }

    /// Every event that was written has its place in a feed once all has stopped.
    pub(super) async fn check_outboxes(&self, data_dir: &Path) {
        let settings = match self {
            Self::Sqlite => DatabaseSettings::Sqlite { directory: data_dir.to_owned() },
            Self::Postgres { database, .. } => database.settings.clone(),
        };
        for module in ["identity", "ledger", "connections"] {
            let store = Store::open(module, &settings).await.expect("a stopped database can be opened");
            let waiting = "SELECT kind FROM outbox WHERE feed_seq IS NULL";
            let waiting =
                store.reader().query_all_raw(Statement::from_string(store.backend(), waiting)).await;
            assert_eq!(waiting.expect("an outbox can be read").len(), 0, "events of {module} wait");
            store.close().await.expect("a database can be closed");
        }
    }

    pub(super) async fn drop(self) {
        if let Self::Postgres { database, .. } = self {
            database.drop().await;
        }
    }
}
