//! Door 3: what we do on a timer.

use std::time::Duration;

use kernel::{BatchId, Instant, now};
use platform::{Job, Store};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::store::batches;

const ROUND: Duration = Duration::from_secs(60 * 60);

/// The job that discards what was previewed and never committed, so long after it was last begun.
pub(crate) fn sweeper(store: &Store, kept: Duration) -> Job {
    let store = store.clone();
    Job::new("waiting rows", move |stop| keep_sweeping(store, kept, stop))
}

async fn keep_sweeping(store: Store, kept: Duration, stop: CancellationToken) {
    loop {
        match sweep(&store, kept).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(batches = gone, "Discarded {gone} batches that nobody committed"),
            Err(error) => tracing::warn!(%error, "Rows that nobody committed wait until the next round"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_none() {
            return;
        }
    }
}

async fn sweep(store: &Store, kept: Duration) -> Result<u64, DbErr> {
    let (mut gone, before) = (0, now() - kept);
    for batch in batches::forgotten(store.reader(), before).await? {
        gone += u64::from(discard(store, batch, before).await?);
    }
    Ok(gone)
}

/// Each in a transaction of its own, and looked at again in it: somebody may just have begun it anew.
async fn discard(store: &Store, batch: BatchId, before: Instant) -> Result<bool, DbErr> {
    let txn = store.begin().await?;
    txn.take_time().await?;
    let still = batches::lock_forgotten(&*txn, batch, before).await?;
    if still {
        batches::clear(&*txn, batch).await?;
        batches::delete(&*txn, batch).await?;
    }
    txn.commit().await?;
    Ok(still)
}
