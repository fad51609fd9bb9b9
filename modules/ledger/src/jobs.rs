//! Door 3: what we do on a timer.

use std::time::Duration;

use kernel::{BatchId, now};
use platform::{Job, Store};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::store::batches;

const ROUND: Duration = Duration::from_secs(60 * 60);
/// How long rows wait after their batch was last begun. Longer than anybody looks at a preview and than files are
/// kept, so that whoever still wants them can send the file again; short enough that they do not pile up.
const WAITING_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The job that discards what was previewed and never committed.
pub(crate) fn sweeper(store: &Store) -> Job {
    let store = store.clone();
    Job::new("waiting rows", move |stop| keep_sweeping(store, stop))
}

async fn keep_sweeping(store: Store, stop: CancellationToken) {
    loop {
        match sweep(&store).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(batches = gone, "Discarded {gone} batches that nobody committed"),
            Err(error) => tracing::warn!(%error, "Rows that nobody committed wait until the next round"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_none() {
            return;
        }
    }
}

async fn sweep(store: &Store) -> Result<u64, DbErr> {
    let mut gone = 0;
    for batch in batches::forgotten(store.reader(), now() - WAITING_KEPT).await? {
        gone += u64::from(discard(store, batch).await?);
    }
    Ok(gone)
}

/// Each in a transaction of its own, and looked at again in it: somebody may just have begun it anew.
async fn discard(store: &Store, batch: BatchId) -> Result<bool, DbErr> {
    let txn = store.begin().await?;
    txn.take_time().await?;
    let still = batches::lock_forgotten(&*txn, batch, now() - WAITING_KEPT).await?;
    if still {
        batches::clear(&*txn, batch, None).await?;
        batches::delete(&*txn, batch).await?;
    }
    txn.commit().await?;
    Ok(still)
}
