//! What is known of the contract at one endpoint, and how long it is believed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use http::HeaderValue;
use reqwest::Response;
use reqwest_middleware::Error;
use service_registry::contract::{Agreement, ContractState, Difference, Document};
use service_registry::{CONTRACT_RECHECK, CallError};
use tracing::{info, warn};

/// What a caller knows of the service that it calls.
#[derive(Clone, Copy, Debug)]
pub struct Spoken {
    pub contract: fn() -> &'static Document,
    pub version: u32,
    pub method: &'static str,
}

/// Somebody else has just tried to reach the endpoint for the same reason.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint did not answer when its contract was asked for")]
pub(super) struct Unreached;

/// Why a call is not sent to an endpoint.
pub(super) enum Unmet {
    /// Its contract refuses it.
    Refused(CallError),
    /// It did not come to a comparison, and this is what the call comes to as well.
    Early(Result<Response, Error>),
}

/// What an endpoint said at a handshake.
pub(super) struct Heard {
    /// None of an endpoint that knows nothing of contracts, being older than they are.
    pub(super) agreement: Option<Agreement>,
    pub(super) store: Option<String>,
    /// Goes with each call, so that nobody else answers it.
    pub(super) mark: Option<HeaderValue>,
}

#[derive(Default)]
pub(super) struct Contracts {
    /// Versions whose callers need look no further, and those that are refused; a bit each.
    agreed: AtomicU64,
    refused: AtomicU64,
    marks: ArcSwap<Vec<(u32, HeaderValue)>>,
    met: Mutex<BTreeMap<u32, Met>>,
    /// Held by the one who asks; the others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
    failures: AtomicU64,
}

struct Met {
    heard: Heard,
    since: Instant,
}

enum Verdict {
    Go,
    Stop(CallError),
    Ask,
}

impl Contracts {
    /// Whether calls in this version may go without another thought.
    #[inline]
    pub(super) fn agreed(&self, version: u32) -> bool {
        self.agreed.load(Ordering::Acquire) & bit(version) != 0
    }

    /// Whether another endpoint would be the better choice.
    pub(super) fn refuses(&self, version: u32) -> bool {
        self.refused.load(Ordering::Relaxed) & bit(version) != 0
    }

    /// The word for what was heard here, to go with each call.
    pub(super) fn mark(&self, version: u32) -> Option<HeaderValue> {
        self.marks.load().iter().find(|(known, _)| *known == version).map(|(_, mark)| mark.clone())
    }

    /// Finds out whether the call may be sent, by what is known, or else by what `ask` hears.
    pub(super) async fn meet(
        &self,
        spoken: Spoken,
        endpoint: &str,
        ask: impl Future<Output = Result<Heard, Unmet>>,
    ) -> Result<(), Unmet> {
        let failures = self.failures.load(Ordering::Acquire);
        let _turn = match self.verdict(spoken) {
            Verdict::Ask => self.turn.lock().await,
            known => return known.into(),
        };
        match self.verdict(spoken) {
            Verdict::Ask => {}
            known => return known.into(),
        }
        if self.failures.load(Ordering::Acquire) != failures {
            return Err(Unmet::Early(Err(Error::middleware(Unreached))));
        }
        match ask.await {
            Ok(heard) => self.keep(spoken, endpoint, heard),
            Err(unmet) => {
                self.failures.fetch_add(1, Ordering::AcqRel);
                return Err(unmet);
            }
        }
        self.verdict(spoken).into()
    }

    fn verdict(&self, spoken: Spoken) -> Verdict {
        let met = self.met();
        let Some(Met { heard, since }) = met.get(&spoken.version) else { return Verdict::Ask };
        let stop = |difference| match since.elapsed() < CONTRACT_RECHECK {
            true => Verdict::Stop(CallError::Incompatible(Box::new(difference))),
            false => Verdict::Ask,
        };
        match &heard.agreement {
            None | Some(Agreement::Compatible) => Verdict::Go,
            Some(Agreement::Degraded { missing }) => match missing.iter().any(|name| name == spoken.method) {
                true => stop(lacking((spoken.contract)(), spoken.method)),
                false => Verdict::Go,
            },
            Some(Agreement::Refused(differences)) => {
                let own = differences.iter().find(|difference| difference.method == spoken.method);
                // Never empty; what is said of the method that is called comes first.
                own.or(differences.first()).cloned().map_or(Verdict::Go, stop)
            }
        }
    }

    fn keep(&self, spoken: Spoken, endpoint: &str, heard: Heard) {
        let bit = bit(spoken.version);
        let (agreed, refused) = match &heard.agreement {
            None | Some(Agreement::Compatible) => (true, false),
            Some(Agreement::Degraded { .. }) => (false, false),
            Some(Agreement::Refused(_)) => (false, true),
        };
        let mut met = self.met();
        let before = met.insert(spoken.version, Met { heard, since: Instant::now() });
        let now = &met[&spoken.version].heard.agreement;
        if before.is_none_or(|before| before.heard.agreement != *now) {
            tell((spoken.contract)(), endpoint, now.as_ref());
        }
        let set = |flags: &AtomicU64, on: bool| match on {
            true => flags.fetch_or(bit, Ordering::AcqRel),
            false => flags.fetch_and(!bit, Ordering::AcqRel),
        };
        let marked = |(version, met): (&u32, &Met)| Some((*version, met.heard.mark.clone()?));
        self.marks.store(Arc::new(met.iter().filter_map(marked).collect()));
        set(&self.agreed, agreed);
        set(&self.refused, refused);
    }

    /// To be called when a connection broke, or somebody else answered: it may be another build from now on.
    pub(super) fn forget(&self) {
        if self.agreed.swap(0, Ordering::AcqRel) != 0 || !self.met().is_empty() {
            self.refused.store(0, Ordering::Release);
            self.marks.store(Arc::default());
            self.met().clear();
        }
    }

    /// What came of the handshakes with this endpoint, by version.
    pub(super) fn states(&self, service: &str, endpoint: &str) -> Vec<ContractState> {
        let state = |(version, met): (&u32, &Met)| {
            let agreement = met.heard.agreement.as_ref();
            let (missing, differences) = match agreement {
                Some(Agreement::Degraded { missing }) => (missing.clone(), Vec::new()),
                Some(Agreement::Refused(differences)) => (Vec::new(), differences.clone()),
                None | Some(Agreement::Compatible) => Default::default(),
            };
            ContractState {
                service: service.to_owned(),
                endpoint: endpoint.to_owned(),
                version: *version,
                state: agreement.map_or("unknown", Agreement::as_str).to_owned(),
                missing,
                differences,
                store: met.heard.store.clone(),
            }
        };
        self.met().iter().map(state).collect()
    }

    /// Nothing panics while it is held.
    fn met(&self) -> MutexGuard<'_, BTreeMap<u32, Met>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Verdict> for Result<(), Unmet> {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Stop(refusal) => Err(Unmet::Refused(refusal)),
            // After an answer there is nothing left to ask; a verdict that grew old meanwhile is good for this call.
            Verdict::Go | Verdict::Ask => Ok(()),
        }
    }
}

/// Versions from 63 on share a bit: none of them is expected.
fn bit(version: u32) -> u64 {
    1 << version.min(63)
}

fn lacking(contract: &Document, method: &str) -> Difference {
    Difference {
        service: contract.service.clone(),
        method: method.to_owned(),
        field: String::new(),
        problem: "the callee does not have it".to_owned(),
    }
}

fn tell(contract: &Document, endpoint: &str, agreement: Option<&Agreement>) {
    let Document { service, version, .. } = contract;
    match agreement {
        Some(Agreement::Compatible) => {
            info!(service, endpoint, "Contract of {service} v{version} at {endpoint} is compatible");
        }
        Some(Agreement::Degraded { missing }) => {
            warn!(
                service,
                endpoint,
                ?missing,
                "Contract of {service} v{version} at {endpoint} lacks methods"
            );
        }
        Some(Agreement::Refused(differences)) => {
            let all: Vec<String> = differences.iter().map(Difference::to_string).collect();
            warn!(
                service,
                endpoint,
                "Contract of {service} v{version} at {endpoint} refused: {}",
                all.join("; ")
            );
        }
        None => warn!(
            service,
            endpoint, "{service} at {endpoint} does not tell its contract, being older; calling it as it is"
        ),
    }
}
