use tokio_util::sync::CancellationToken;

/// What a shell expects of a command that Ctrl-C ended: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;

/// Is cancelled by the first Ctrl-C, at whatever moment it comes; the second ends the process.
///
/// A `ctrl_c()` at each place that waits would lose the one that comes between two of them.
pub(super) fn on_ctrl_c() -> CancellationToken {
    let stop = CancellationToken::new();
    let first = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            first.cancel();
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(INTERRUPTED);
        }
    });
    stop
}
