//! Watches for calls that are made while a database transaction is open: they would hold its locks for as long as
//! somebody else takes, and could not be taken back with it.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use metrics::counter;
use tracing::error;

/// Says whether the task that asks has a transaction open.
static IS_OPEN: OnceLock<fn() -> bool> = OnceLock::new();

/// Lets every call from now on ask `is_open` whether its task has a transaction open; the first one given stays.
///
/// Such a call panics in a build with debug assertions, as tests are. In others it goes on, is counted as
/// `calls_in_transaction_total` by service and method, and is logged once for each method.
pub fn watch_transactions(is_open: fn() -> bool) {
    IS_OPEN.get_or_init(|| is_open);
}

#[inline(always)]
pub(crate) fn check(service: &'static str, method: &'static str) {
    if let Some(is_open) = IS_OPEN.get()
        && is_open()
    {
        tell(service, method, cfg!(debug_assertions));
    }
}

#[cold]
fn tell(service: &'static str, method: &'static str, fatal: bool) {
    static TOLD: Mutex<BTreeSet<(&str, &str)>> = Mutex::new(BTreeSet::new());
    counter!("calls_in_transaction_total", "service" => service, "method" => method).increment(1);
    if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert((service, method)) {
        error!(service, method, "{service}.{method} was called while a database transaction was open");
    }
    assert!(!fatal, "{service}.{method} was called while a database transaction was open");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_in_a_transaction_is_counted_in_production() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            tell("ledger", "ingest", false);
            tell("ledger", "ingest", false);
        });
        let counted = "calls_in_transaction_total{service=\"ledger\",method=\"ingest\"} 2";
        assert!(page.render().contains(counted), "{}", page.render());
    }
}
