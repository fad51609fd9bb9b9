//! Door 3: working on imports, and sweeping what is left behind.

use std::time::Duration;

use platform::Job;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::work::Runner;

/// How long work may wait that another process left us.
const POLL: Duration = Duration::from_millis(500);
const SWEEP: Duration = Duration::from_secs(60);

/// Takes imports up as they come due, a few at a time.
pub(crate) fn import_runner(runner: Runner) -> Job {
    Job::new("import runner", move |stop| run(runner, stop))
}

async fn run(runner: Runner, stop: CancellationToken) {
    let mut working = JoinSet::new();
    while !stop.is_cancelled() {
        while working.len() < runner.settings.at_once {
            match runner.store.claim(runner.settings.lease).await {
                Ok(Some((lease, row))) => {
                    working.spawn(runner.clone().work(lease, row, stop.clone()));
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "Cannot look for imports to work on");
                    break;
                }
            }
        }
        tokio::select! {
            () = runner.bell.work.notified() => {}
            Some(_) = working.join_next() => {}
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => {}
        }
    }
    // Each lets go of its import, so that another process need not wait for the lease to run out.
    while working.join_next().await.is_some() {}
}

/// Takes back what was never finished, and forgets files that nobody needs any more.
pub(crate) fn sweep(runner: Runner) -> Job {
    Job::new("upload sweep", move |stop| keep_sweeping(runner, stop))
}

async fn keep_sweeping(runner: Runner, stop: CancellationToken) {
    loop {
        let uploads = runner.store.drop_abandoned_uploads(runner.settings.upload_patience).await;
        let previews = runner.store.give_up_previews(runner.settings.preview_retention).await;
        let files = runner.store.forget_files().await;
        match (uploads, previews, files) {
            (Ok(0), Ok(0), Ok(0)) => {}
            (Ok(uploads), Ok(previews), Ok(files)) => tracing::info!(
                uploads,
                previews,
                files,
                "Swept {uploads} abandoned uploads, {previews} old previews and {files} old files"
            ),
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
                tracing::warn!(%error, "Cannot sweep old uploads");
            }
        }
        runner.bell.ring();
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = stop.cancelled() => return,
        }
    }
}
