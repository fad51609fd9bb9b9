//! What stands in the databases, looked at from behind.

use super::*;

/// What stands in the tables.
impl World {
    /// The `n` of a query in the database of connections.
    pub async fn count(&self, sql: &str) -> i64 {
        count_in(&self.store, sql).await
    }

    pub async fn execute(&self, sql: &str) {
        self.store.writer().execute_unprepared(sql).await.unwrap();
    }

    /// Waits until no file is kept.
    pub async fn no_chunks(&self) {
        for _ in 0..500 {
            if self.count("SELECT count(*) AS n FROM upload_chunks").await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a file is kept still");
    }

    /// Waits until no import is in this state.
    pub async fn nothing_waits_of(&self, state: &str) {
        for _ in 0..500 {
            if self.count(&format!("SELECT count(*) AS n FROM imports WHERE state = '{state}'")).await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("something is {state} still");
    }

    /// Waits until the ledger holds no rows, balances or batches of files that were not committed.
    pub async fn nothing_waits(&self) {
        let ledger = &self.ledger_module.store;
        for _ in 0..500 {
            let batches = count_in(ledger, "SELECT count(*) AS n FROM batches WHERE report IS NULL").await;
            let rows = count_in(ledger, "SELECT count(*) AS n FROM staged_rows").await;
            let idle = self.count("SELECT count(*) AS n FROM imports WHERE due_at IS NOT NULL").await;
            if batches + rows + idle == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("something waits still");
    }

    /// Whether a text stands anywhere in what the two databases keep.
    pub async fn is_stored(&self, text: &str) -> bool {
        match &self.database.settings {
            DatabaseSettings::Sqlite { directory } => {
                let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
                files.filter(|path| path.is_file()).any(|path| {
                    let bytes = std::fs::read(path).unwrap();
                    bytes.windows(text.len()).any(|window| window == text.as_bytes())
                })
            }
            DatabaseSettings::Postgres { .. } => {
                let mut found = 0;
                for (store, schema) in [(&self.store, "connections"), (&self.ledger_module.store, "ledger")] {
                    let tables = format!(
                        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '{schema}'"
                    );
                    for name in names(store, &tables).await {
                        // As text a bytea shows its hexadecimal, so both spellings are looked for.
                        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                        let rows = format!(
                            "SELECT count(*) AS n FROM {name} AS row WHERE row::text LIKE '%{text}%' \
                             OR row::text LIKE '%{hex}%'"
                        );
                        found += count_in(store, &rows).await;
                    }
                }
                found > 0
            }
        }
    }
}

async fn count_in(store: &Store, sql: &str) -> i64 {
    let statement = Statement::from_string(store.backend(), sql);
    let row = store.reader().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

async fn names(store: &Store, sql: &str) -> Vec<String> {
    let rows = store.reader().query_all_raw(Statement::from_string(store.backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}
