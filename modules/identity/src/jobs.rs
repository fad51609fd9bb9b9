use std::time::Duration;

use chrono::TimeDelta;
use identity_api::Clock;
use platform::{Job, Store};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::store::sessions;

const EVERY: Duration = Duration::from_secs(3600);
/// How long an ended session is remembered, so that a late repeat of ending it is told that it ended.
const SESSION_MEMORY: TimeDelta = TimeDelta::days(7);
/// Small enough that nobody waits long for the write lock.
const BATCH: u64 = 500;

/// The job that forgets what is long over.
pub(crate) fn sweeper(store: &Store, clock: &Clock) -> Job {
    let (store, clock) = (store.clone(), clock.clone());
    Job::new("identity sweeper", move |stop| keep_sweeping(store, clock, stop))
}

async fn keep_sweeping(store: Store, clock: Clock, stop: CancellationToken) {
    loop {
        match sweep(&store, &clock).await {
            Ok(0) => {}
            Ok(sessions) => tracing::info!(sessions, "Forgot {sessions} ended sessions"),
            Err(error) => tracing::warn!(%error, "Could not forget ended sessions"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Forgets ended sessions; answers how many.
async fn sweep(store: &Store, clock: &Clock) -> Result<u64, DbErr> {
    let mut forgotten = 0;
    loop {
        let txn = store.begin().await?;
        let batch = sessions::forget_ended(&*txn, clock.now() - SESSION_MEMORY, BATCH).await?;
        txn.commit().await?;
        forgotten += batch;
        if batch < BATCH {
            return Ok(forgotten);
        }
    }
}
