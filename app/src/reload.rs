//! SIGHUP: reads certificates and configuration again and applies what can change while we run.

use std::fmt;
use std::sync::Arc;

use service_registry_http::Tls;
use tracing::{info, warn};

use crate::certificates;
use crate::compose::Process;
use crate::config::{Overrides, Settings};
use crate::placement::Placements;

/// Words of `[services.NAME]` that are applied without a restart.
const LIVE: [&str; 8] =
    ["url", "urls", "placement", "share", "fallback", "guard_error_percent", "guard_p99_ms", "shadow"];

/// The configuration that a process was started with, and what follows it while it runs.
pub struct Reload {
    overrides: Overrides,
    started: Settings,
    placements: Arc<Placements>,
    tls: Option<Arc<Tls>>,
}

impl Reload {
    /// `started` was read through `overrides`, and `process` runs by it.
    pub(crate) fn new(overrides: Overrides, started: Settings, process: &Process) -> Self {
        Self { overrides, started, placements: Arc::clone(&process.placements), tls: process.tls.clone() }
    }

    /// Reads files and environment again. A configuration with faults is refused as a whole: each is logged, and all
    /// stays as it was.
    pub(crate) fn run(&self) {
        self.tls.iter().for_each(|tls| certificates::reload(tls));
        let next = match Settings::load(&self.overrides) {
            Ok(next) => next,
            Err(faults) => return faults.iter().for_each(refuse),
        };
        if let Err(refused) = self.placements.follow(&next) {
            return refuse(refused);
        }
        let waiting: Vec<_> = self.started.differences(&next).filter(|key| !is_live(key)).collect();
        if !waiting.is_empty() {
            warn!(?waiting, "Set otherwise now, and in force after a restart: {}", waiting.join(", "));
        }
        info!("Reloaded the configuration");
    }
}

fn refuse(fault: impl fmt::Display) {
    warn!("Refused the new configuration: {fault}");
}

fn is_live(key: &str) -> bool {
    let word = key.strip_prefix("services.").and_then(|rest| rest.split_once('.'));
    word.is_some_and(|(_, word)| LIVE.contains(&word))
}
