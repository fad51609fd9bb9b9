//! Whether this process is of use: looked at in the background, so that probes never wait and never pile up.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use identity_api::AccessTokens;
use platform::Store;
use reqwest::Client;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use service_registry::contract::ContractState;
use service_registry::{Registry, socket_of};
use service_registry_http::Tls;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How old what a probe sees may be.
const REFRESH: Duration = Duration::from_secs(1);
/// The same while something is missing, so that a start does not wait for the next second.
const REFRESH_MISSING: Duration = Duration::from_millis(50);
/// What does not answer within this is not there.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is missing before anything was looked at.
const STARTING: &str = "start";

/// What probes are told.
pub struct Health {
    started: AtomicBool,
    draining: Arc<AtomicBool>,
    report: ArcSwap<Report>,
}

/// What is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What we cannot work without: not ready.
    pub missing: Vec<String>,
    /// What some requests need: ready all the same, or one lost part would take the others with it.
    pub degraded: Vec<String>,
}

/// What is looked at.
pub struct Checks {
    pub stores: Vec<Store>,
    /// Whether the schema may be behind because somebody else brings it up to date.
    pub schema: bool,
    pub tokens: AccessTokens,
    /// Services elsewhere and the URLs of their private listeners; one that answers is enough.
    pub neighbours: Box<dyn Fn() -> Vec<(String, Vec<String>)> + Send + Sync>,
    /// Knows what came of comparing contracts with them.
    pub registry: Registry,
    /// Over what they are asked, if not in the clear.
    pub tls: Option<Arc<Tls>>,
}

impl Health {
    pub fn new(draining: Arc<AtomicBool>) -> Self {
        let unknown = Report { missing: vec![STARTING.to_owned()], degraded: Vec::new() };
        Self { started: AtomicBool::new(false), draining, report: ArcSwap::from_pointee(unknown) }
    }

    /// Schema, keys and routes are in place.
    pub fn set_started(&self) {
        self.started.store(true, Ordering::Release);
    }

    pub fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Whether requests should be sent here.
    pub fn is_ready(&self) -> bool {
        self.has_started() && !self.is_draining() && self.report.load().missing.is_empty()
    }

    pub fn report(&self) -> Report {
        let mut report = Report::clone(&self.report.load());
        if self.is_draining() {
            report.missing.push("draining".to_owned());
        }
        report
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Looks again and again until `stop`.
    pub async fn watch(&self, mut checks: Checks, stop: CancellationToken) {
        let mut clients = Clients::default();
        loop {
            let report = checks.look(&mut clients).await;
            let pause = if report.missing.is_empty() { REFRESH } else { REFRESH_MISSING };
            self.note(report);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Says it once when something changes.
    fn note(&self, report: Report) {
        let before = self.report.swap(Arc::new(report.clone()));
        let Report { missing, degraded } = &report;
        if *before == report {
            return;
        }
        if missing.is_empty() && degraded.is_empty() {
            info!("Everything needed answers");
        } else if before.missing == [STARTING] {
            info!(?missing, ?degraded, "Waiting for what is needed");
        } else {
            warn!(?missing, ?degraded, "Something needed does not answer");
        }
    }
}

impl Checks {
    async fn look(&mut self, clients: &mut Clients) -> Report {
        let mut report = Report::default();
        for store in &self.stores {
            let answer = tokio::time::timeout(PATIENCE, store.reader().execute_unprepared("SELECT 1")).await;
            if matches!(answer, Ok(Ok(_))) {
                self.identify(store).await;
            } else {
                report.missing.push(format!("database of {}", store.module()));
            }
        }
        if self.schema {
            self.look_at_schema(&mut report).await;
        }
        if !self.tokens.is_ready() {
            report.missing.push("keys and revocations of identity".to_owned());
        }
        for (name, urls) in (self.neighbours)() {
            if !clients.any_answers(&name, &urls, self.tls.as_ref()).await {
                report.degraded.push(name.clone());
            }
            report.degraded.extend(self.registry.contract_state(&name).iter().filter_map(disagreement));
        }
        report
    }

    /// Tells the registry which database a module works on, as soon as the schema has room for that.
    async fn identify(&self, store: &Store) {
        if self.registry.store(store.module()).is_none()
            && let Ok(Ok(id)) = tokio::time::timeout(PATIENCE, store.identity()).await
        {
            self.registry.set_store(store.module(), id.to_string());
        }
    }

    /// Until it is seen up to date once; a schema does not go back under a running process.
    async fn look_at_schema(&mut self, report: &mut Report) {
        for store in &self.stores {
            let steps =
                tokio::time::timeout(PATIENCE, migrations::status(store.module(), store.reader())).await;
            let done = matches!(&steps, Ok(Ok(steps)) if steps.iter().all(|step| step.applied));
            if !done {
                report.missing.push(format!("migrations of {}", store.module()));
            }
        }
        self.schema = report.missing.iter().any(|what| what.starts_with("migrations"));
    }
}

/// What an operator should know of the contract at one endpoint of a neighbour, if there is something.
fn disagreement(contract: &ContractState) -> Option<String> {
    let ContractState { service, version, endpoint, missing, differences, .. } = contract;
    if !missing.is_empty() {
        return Some(format!("{service} v{version} at {endpoint} lacks {}", missing.join(", ")));
    }
    let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| {
        format!("{service} v{version} at {endpoint} is refused for its contract: {}", all.join("; "))
    })
}

/// With what neighbours are asked, by their names and URLs: over TLS each has to show that it is the one.
#[derive(Default)]
struct Clients(HashMap<(String, String), Option<Client>>);

impl Clients {
    async fn any_answers(&mut self, name: &str, urls: &[String], tls: Option<&Arc<Tls>>) -> bool {
        let asked = urls.iter().filter_map(|url| {
            let known = self.0.entry((name.to_owned(), url.clone()));
            let client = known.or_insert_with(|| client(name, url, tls)).as_ref()?;
            let base = if socket_of(url).is_some() { "http://localhost" } else { url.trim_end_matches('/') };
            Some(client.get(format!("{base}/health/live")).send())
        });
        let answers = futures_util::future::join_all(asked.collect::<Vec<_>>()).await;
        answers.into_iter().any(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
    }
}

fn client(service: &str, url: &str, tls: Option<&Arc<Tls>>) -> Option<Client> {
    let client = Client::builder().no_proxy().timeout(PATIENCE);
    let client = match (socket_of(url), tls) {
        (Some(path), _) => client.unix_socket(path),
        (None, Some(tls)) => client.tls_backend_preconfigured(tls.client_config(service)),
        (None, None) => client,
    };
    client.build().inspect_err(|error| warn!(service, %error, "Cannot look after {service}")).ok()
}

#[cfg(test)]
mod tests {
    use service_registry::contract::Difference;

    use super::*;

    fn contract(state: &str) -> ContractState {
        ContractState {
            service: "ledger".to_owned(),
            endpoint: "ledger:7130".to_owned(),
            version: 1,
            state: state.to_owned(),
            missing: Vec::new(),
            differences: Vec::new(),
            store: None,
        }
    }

    #[test]
    fn a_refused_contract_is_told_with_service_method_and_field() {
        let difference = Difference {
            service: "ledger".to_owned(),
            method: "account".to_owned(),
            field: "answer.name".to_owned(),
            problem: "the callee writes integer, the caller reads text".to_owned(),
        };
        let refused = ContractState { differences: vec![difference], ..contract("refused") };
        let told = "ledger v1 at ledger:7130 is refused for its contract: \
                    ledger account answer.name: the callee writes integer, the caller reads text";
        assert_eq!(disagreement(&refused).as_deref(), Some(told));
    }

    #[test]
    fn missing_methods_are_told_and_agreement_is_not() {
        let degraded = ContractState { missing: vec!["changes".to_owned()], ..contract("degraded") };
        assert_eq!(disagreement(&degraded).as_deref(), Some("ledger v1 at ledger:7130 lacks changes"));
        assert_eq!(disagreement(&contract("compatible")), None);
    }
}
