//! The certificates of this process, if its calls go over TLS: found in files, and read again when those change.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use metrics::counter;
use service_registry_http::{Tls, TlsFault, TlsFiles};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{Faults, OPERATOR, Settings};

/// How often the files are looked at. Nothing tells of a change everywhere that files come from.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Reads the certificates that `settings` name, if they name any.
pub(crate) fn load(settings: &Settings) -> Result<Option<Arc<Tls>>> {
    read(settings).transpose().context("private.tls")
}

fn read(settings: &Settings) -> Option<Result<Arc<Tls>, TlsFault>> {
    settings.tls_files().map(|files| Tls::load(files, &settings.modules))
}

/// The same for whoever operates processes with these settings: `operator.pem` and `operator-key.pem`, beside the
/// certificate of the process.
pub(crate) fn of_operator(settings: &Settings) -> Result<Option<Arc<Tls>>> {
    let files = settings.tls_files().map(|TlsFiles { cert, ca, .. }| TlsFiles {
        key: cert.with_file_name(format!("{OPERATOR}-key.pem")),
        cert: cert.with_file_name(format!("{OPERATOR}.pem")),
        ca,
    });
    let tls = files.map(|files| Tls::load(files, &[OPERATOR.to_owned()])).transpose();
    tls.context("private.tls is set, so an operator needs a certificate too")
}

/// Notes what is wrong with them.
pub(crate) fn check(settings: &Settings, faults: &mut Faults) {
    if let Some(Err(fault)) = read(settings) {
        faults.add("private.tls", fault);
    }
}

/// Reads them again when the files have changed.
pub(crate) async fn keep_current(tls: Arc<Tls>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if tls.have_files_changed() {
            reload(&tls);
        }
    }
}

/// Reads them again, and says what came of it.
pub(crate) fn reload(tls: &Tls) {
    let outcome = tls.reload();
    let label = if outcome.is_ok() { "taken" } else { "refused" };
    counter!("certificate_reloads_total", "outcome" => label).increment(1);
    match outcome {
        Ok(()) => info!("Took the certificates as they are now"),
        Err(error) => warn!(%error, "Refused the certificates as they are now; those before stay: {error}"),
    }
}
