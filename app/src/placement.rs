//! Moves services while the process runs. Whoever asks was let in before; what they change is logged and kept.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::Instant;
use serde::{Deserialize, Serialize};
use service_registry::{Placed, PlacedService, Placement, Registry, ServiceDescriptor, Side};
use tracing::{error, info};

use crate::config::Settings;
use crate::modules;

/// Changes that are kept to be shown; all of them are in the log.
const KEPT: usize = 100;

/// Where the services of this process are placed, and who placed them there.
pub struct Placements {
    registry: Registry,
    /// What runs here and where its data is does not change before a restart.
    started: Settings,
    state: Mutex<State>,
}

/// Held while something is moved, so that changes come one after another.
struct State {
    configured: BTreeMap<&'static str, Placement>,
    changes: VecDeque<Change>,
}

/// One change of one placement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    pub at: Instant,
    /// `operator`, or `SIGHUP` for a new configuration.
    pub who: String,
    pub service: String,
    pub before: Placement,
    pub after: Placement,
}

/// A service as it is shown to operators.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    #[serde(flatten)]
    pub placed: PlacedService,
    /// Where a restart would put it.
    pub configured: Placement,
    /// Who moved it since the start, latest last.
    pub changes: Vec<Change>,
}

/// A change that was not made.
#[derive(Debug)]
pub enum Refused {
    UnknownService(String),
    /// Each with the JSON Pointer to what it is about.
    CannotApply(Vec<(&'static str, String)>),
}

impl Placements {
    /// Those of `registry`, which was built from `settings`.
    pub(crate) fn new(registry: Registry, settings: &Settings) -> Self {
        let configured =
            modules::ALL.iter().map(|service| (service.name, settings.placement(service))).collect();
        let state = Mutex::new(State { configured, changes: VecDeque::new() });
        Self { registry, started: settings.clone(), state }
    }

    /// Every service, or the one of this name.
    pub(crate) fn shown(&self, name: Option<&str>) -> Vec<Shown> {
        let state = self.state();
        let services = self.registry.topology().services.into_iter();
        let services = services.filter(|placed| name.is_none_or(|name| name == placed.name));
        services
            .map(|placed| Shown {
                configured: state.configured.get(placed.name.as_str()).cloned().unwrap_or_default(),
                changes: state.changes.iter().filter(|it| it.service == placed.name).cloned().collect(),
                placed,
            })
            .collect()
    }

    /// Sends the calls of `service` elsewhere from now on, in the name of `who`.
    pub(crate) fn place(&self, who: &str, service: &str, placement: Placement) -> Result<Change, Refused> {
        let service = modules::descriptor(service).ok_or_else(|| Refused::UnknownService(service.into()))?;
        self.place_under(&mut self.state(), who, service, placement)
    }

    /// Moves the services whose placement is set otherwise in `next` than before, all or none. One that is set as before
    /// stays where somebody may have moved it since; one that is to begin or end to run here waits for a restart.
    pub(crate) fn follow(&self, next: &Settings) -> Result<(), Refused> {
        let mut state = self.state();
        let stays = |service: &&ServiceDescriptor| next.runs(service.name) == self.started.runs(service.name);
        let mut moved: Vec<(&ServiceDescriptor, Change)> = Vec::new();
        for service in modules::ALL.iter().filter(stays) {
            let placement = next.placement(service);
            if state.configured.get(service.name) == Some(&placement) {
                continue;
            }
            match self.place_under(&mut state, SIGHUP, service, placement) {
                Ok(change) => moved.push((service, change)),
                Err(refused) => {
                    for (service, change) in moved.into_iter().rev() {
                        if let Err(again) = self.place_under(&mut state, SIGHUP, service, change.before) {
                            error!(service = service.name, "Cannot put {} back: {again}", service.name);
                        }
                    }
                    return Err(refused);
                }
            }
        }
        let placed = moved.into_iter().map(|(service, change)| (service.name, change.after));
        state.configured.extend(placed);
        Ok(())
    }

    fn place_under(
        &self,
        state: &mut State,
        who: &str,
        service: &ServiceDescriptor,
        placement: Placement,
    ) -> Result<Change, Refused> {
        let faults = self.started.faults_of_placement(service, &placement);
        if !faults.is_empty() {
            return Err(Refused::CannotApply(faults));
        }
        let placed = self.registry.place(service.name, placement);
        let Placed { before, after } = placed.map_err(|faults| {
            Refused::CannotApply(faults.0.iter().map(|fault| ("", fault.to_string())).collect())
        })?;
        let change = Change {
            at: kernel::now(),
            who: who.to_owned(),
            service: service.name.to_owned(),
            before,
            after,
        };
        change.log();
        state.changes.push_back(change.clone());
        if state.changes.len() > KEPT {
            state.changes.pop_front();
        }
        Ok(change)
    }

    /// Nothing that panics leaves a change half made.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SIGHUP: &str = "SIGHUP";

impl Change {
    fn log(&self) {
        let json = |placement: &Placement| serde_json::to_string(placement).unwrap_or_default();
        let Self { who, service, before, after, .. } = self;
        info!(
            target: "audit",
            who, service, before = json(before), after = json(after),
            "{who} placed {self}"
        );
    }
}

impl fmt::Display for Change {
    /// `ledger: local → split, 5 % remote at http://10.0.0.7:7130`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.service, words(&self.before), words(&self.after))
    }
}

/// A placement and where that is.
fn words(placement: &Placement) -> String {
    match placement.side == Side::Local && !placement.shadow {
        true => placement.to_string(),
        false => format!("{placement} at {}", placement.urls.join(", ")),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownService(name) => write!(f, "there is no service {name}"),
            Self::CannotApply(faults) => {
                let faults: Vec<_> = faults.iter().map(|(_, fault)| fault.as_str()).collect();
                f.write_str(&faults.join("; "))
            }
        }
    }
}
