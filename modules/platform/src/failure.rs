use std::error::Error;

use sea_orm::{DbErr, RuntimeErr};
use service_registry::{CallContext, CallError};

/// Turns our own failures into the one that crosses the seam, and logs the cause, once and here.
pub trait OrFail<T> {
    /// The value, or a `CallError` that tells the caller no internals.
    fn or_fail(self, cx: &CallContext) -> Result<T, CallError>;
}

impl<T, E: Error + 'static> OrFail<T> for Result<T, E> {
    fn or_fail(self, cx: &CallContext) -> Result<T, CallError> {
        self.map_err(|error| failure(cx, &error))
    }
}

fn failure(cx: &CallContext, error: &(dyn Error + 'static)) -> CallError {
    let request_id = cx.request_id();
    if is_unreachable(error) {
        tracing::warn!(%request_id, %error, "The database does not answer in time");
        return CallError::Overloaded { service: "database".into(), retry_after_ms: 1_000 };
    }
    tracing::error!(%request_id, error = %chain(error), "A call failed");
    CallError::Failed { message: "the cause is in the log under the request id".into() }
}

/// Whether trying again soon makes sense: no connection or no lock could be had in time.
fn is_unreachable(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<DbErr>() {
        Some(DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) => true,
        Some(DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) => error
            .as_database_error()
            .and_then(|error| error.code())
            .is_some_and(|code| PASSING.contains(&&*code)),
        _ => false,
    }
}

/// Codes of failures that pass by themselves. PostgreSQL (Appendix A): serialization_failure, deadlock_detected,
/// lock_not_available, query_canceled, admin_shutdown; SQLite: SQLITE_BUSY, SQLITE_BUSY_SNAPSHOT.
const PASSING: [&str; 7] = ["40001", "40P01", "55P03", "57014", "57P01", "5", "517"];

/// The error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
