use std::process::ExitCode;

use anyhow::{Context, Result};
use platform::Store;

use super::say::say;
use crate::cli::{Common, Direction, Migrate};
use crate::compose;
use crate::modules;

/// Moves the schemas of the modules that run here, or says where they stand.
pub(super) async fn run(migrate: Migrate) -> Result<ExitCode> {
    let (common, direction) = match &migrate.direction {
        Direction::Up(common) | Direction::Status(common) | Direction::Down { common, .. } => {
            (common, &migrate.direction)
        }
    };
    for store in open(common).await? {
        let module = store.module();
        match direction {
            Direction::Up(_) => up(&store).await,
            Direction::Down { steps, .. } => down(&store, *steps).await,
            Direction::Status(_) => status(&store).await,
        }
        .with_context(|| format!("schema of {module}"))?;
        store.close().await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(common: &Common) -> Result<Vec<Store>> {
    let settings = super::settings(&common.overrides())?;
    let database = compose::database(&settings)?;
    let mut stores = Vec::new();
    for module in modules::ALL.iter().filter(|module| settings.runs(module.name)) {
        stores.push(Store::open(module.name, &database).await?);
    }
    Ok(stores)
}

async fn up(store: &Store) -> Result<()> {
    let done = migrations::up(store.module(), store.writer(), store.lock_file()).await?;
    match done.as_slice() {
        [] => say!("{}: up to date", store.module()),
        steps => steps.iter().for_each(|step| say!("{}: applied {step}", store.module())),
    }
    Ok(())
}

async fn down(store: &Store, steps: u32) -> Result<()> {
    let applied =
        async || anyhow::Ok(count_applied(&migrations::status(store.module(), store.reader()).await?));
    let before = applied().await?;
    migrations::down(store.module(), store.writer(), store.lock_file(), steps).await?;
    say!("{}: took back {}", store.module(), before - applied().await?);
    Ok(())
}

fn count_applied(steps: &[migrations::Step]) -> usize {
    steps.iter().filter(|step| step.applied).count()
}

async fn status(store: &Store) -> Result<()> {
    for step in migrations::status(store.module(), store.reader()).await? {
        say!("{}: {} {}", store.module(), if step.applied { "applied" } else { "pending" }, step.name);
    }
    Ok(())
}
