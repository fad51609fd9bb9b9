use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use platform::{DatabaseSettings, Store};
use sea_orm::DbErr;
use tracing::{info, warn};

use crate::config::Settings;
use crate::{keys, modules};

/// How long a database may take to come up before we give up starting.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);
const WORTH_A_WORD: Duration = Duration::from_secs(3);

/// Where the modules of this process keep their data.
pub(crate) fn database(settings: &Settings) -> Result<DatabaseSettings> {
    let url = settings.database_url().context("database.url_file")?;
    Ok(match url.expose() {
        Some(url) => DatabaseSettings::Postgres {
            url: url.to_owned(),
            max_connections: settings.database.max_connections,
        },
        None => DatabaseSettings::Sqlite { directory: settings.data_dir.clone() },
    })
}

/// A store for each module that runs here.
pub(super) async fn open(settings: &Settings) -> Result<Vec<Store>> {
    let database = database(settings)?;
    if let DatabaseSettings::Sqlite { directory } = &database {
        keys::ensure_dir(directory)?;
    }
    let mut stores = Vec::new();
    for module in modules::ALL.iter().filter(|module| settings.runs(module.name)) {
        let store = Store::open(module.name, &database).await;
        stores.push(store.with_context(|| format!("cannot open the database of {}", module.name))?);
    }
    Ok(stores)
}

/// Brings all schemas up to date. A server that is still starting itself is waited for.
pub(super) async fn migrate(stores: &[Store]) -> Result<()> {
    let started = Instant::now();
    for store in stores {
        let module = store.module();
        let done = loop {
            match impatiently(store).await {
                Err(error) if is_unreachable(&error) && started.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => break done,
            }
        };
        let steps = done.with_context(|| format!("cannot migrate the schema of {module}"))?;
        if !steps.is_empty() {
            info!(module, steps = steps.len(), "Brought the schema of {module} up to date");
        }
    }
    Ok(())
}

/// Migrates, and says so while it takes long: somebody looks at a start that does not come to an end.
async fn impatiently(store: &Store) -> Result<Vec<String>, DbErr> {
    let module = store.module();
    let mut up = std::pin::pin!(migrations::up(module, store.writer(), store.lock_file()));
    loop {
        match tokio::time::timeout(WORTH_A_WORD, &mut up).await {
            Ok(done) => return done,
            Err(_) => {
                warn!(module, "Waiting for the database of {module}, or for another process to migrate it")
            }
        }
    }
}

fn is_unreachable(error: &DbErr) -> bool {
    matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_))
}
