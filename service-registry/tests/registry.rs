//! Which services there are, where they are placed, and what is wrong with that.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use service_registry::testing::Serialised;
use service_registry::{
    CallContext, CallError, Calls, Contract, Dispatcher, Fault, Outgoing, Placement, Registry, Reply,
    ServiceClient, ServiceDescriptor, Transport, Unanswered, async_trait, service,
};

const fn descriptor(name: &'static str, routes: &'static [&'static str], calls: Calls) -> ServiceDescriptor {
    let methods = <dyn Identity as Contract>::METHODS;
    ServiceDescriptor { name, version: 1, methods, routes, calls, default_port: 9100 }
}

const IDENTITY: ServiceDescriptor = descriptor("identity", &["/api/v1/users", "/.well-known/jwks.json"], &[]);
const LEDGER: ServiceDescriptor = descriptor("ledger", &["/api/v1/accounts"], &[("identity", &["whoami"])]);
const CONNECTIONS: ServiceDescriptor = descriptor(
    "connections",
    &["/api/v1/imports", "/api/v1/accounts/{id}/imports"],
    &[("ledger", &[]), ("identity", &["whoami"])],
);

#[service(name = "identity", version = 1)]
trait Identity: Send + Sync {
    async fn whoami(&self, cx: &CallContext) -> Result<String, CallError>;
}

struct Here;

#[async_trait]
impl Identity for Here {
    async fn whoami(&self, _: &CallContext) -> Result<String, CallError> {
        Ok("here".to_owned())
    }
}

/// Answers every call with a word.
struct There(&'static str);

#[async_trait]
impl Transport for There {
    async fn call(&self, _: Outgoing<'_>) -> Result<Reply, Unanswered> {
        Ok(Reply::Answer(format!("{:?}", self.0).into()))
    }
}

fn remote(url: &str) -> Placement {
    Placement::remote(url)
}

fn faults(services: Vec<ServiceDescriptor>, placed: Vec<(&str, Placement)>) -> Vec<Fault> {
    let placed = placed.into_iter().map(|(name, placement)| (name.to_owned(), placement));
    match Registry::builder().services(services).placement(placed).build() {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0,
    }
}

#[test]
fn sound_services_have_no_faults() {
    let placed = vec![("ledger", remote("http://127.0.0.1:9102")), ("identity", Placement::local())];
    assert_eq!(faults(vec![IDENTITY, LEDGER, CONNECTIONS], placed), []);
}

#[test]
fn all_faults_are_named_at_once() {
    let services = vec![
        LEDGER,
        descriptor("trust", &["/api/v1/accounts", "no-slash"], &[("audit", &[]), ("ledger", &["forge"])]),
        descriptor("trust", &[], &[]),
    ];
    let placed =
        vec![("bank", Placement::local()), ("ledger", remote("")), ("trust", remote("http://trust/path"))];
    let found = faults(services, placed);
    let expected = [
        Fault::DuplicateService("trust"),
        Fault::DuplicateRoute { route: "/api/v1/accounts", first: "ledger", second: "trust" },
        Fault::BadRoute { service: "trust", route: "no-slash", problem: "must start with /" },
        Fault::UnknownCallee { caller: "ledger", service: "identity" },
        Fault::UnknownCallee { caller: "trust", service: "audit" },
        Fault::UnknownMethod { caller: "trust", service: "ledger", method: "forge" },
        Fault::UnknownPlacement("bank".to_owned()),
        Fault::MissingUrl("ledger".to_owned()),
        Fault::BadUrl {
            service: "trust".to_owned(),
            url: "http://trust/path".to_owned(),
            problem: "must not have a path, a query or a fragment",
        },
    ];
    for fault in &expected {
        assert!(found.contains(fault), "{fault} is not among {found:?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn a_circle_is_written_out_once() {
    let services = vec![
        descriptor("a", &[], &[("b", &[])]),
        descriptor("b", &[], &[("c", &[]), ("d", &[])]),
        descriptor("c", &[], &[("a", &[])]),
        descriptor("d", &[], &[]),
        descriptor("e", &[], &[("e", &[])]),
    ];
    let told: Vec<String> = faults(services, vec![]).iter().map(Fault::to_string).collect();
    let prefix = "services depend on each other in a circle: ";
    assert_eq!(told, [format!("{prefix}a → b → c → a"), format!("{prefix}e → e")]);
}

#[test]
fn what_a_caller_outside_of_the_services_calls_is_checked_too() {
    let calls: Calls = &[("identity", &["whoami", "whoareyou"])];
    let built = Registry::builder().service(IDENTITY).caller("gateway", calls).build();
    let told = built.err().map(|faults| faults.to_string());
    assert_eq!(told.as_deref(), Some("gateway calls identity.whoareyou, and identity has no such method"));
}

#[test]
fn what_nobody_listed_is_not_allowed() {
    let registry = Registry::builder().services([IDENTITY, LEDGER, CONNECTIONS]).build().unwrap();
    let table = registry.permissions();
    assert!(table.allow("ledger", "identity", "whoami"));
    assert!(table.allow("identity", "identity", "whoami"), "on its other side");
    for (caller, service, method) in [
        ("ledger", "identity", "whoareyou"),
        ("ledger", "connections", "whoami"),
        ("connections", "ledger", "whoami"),
        ("nobody", "identity", "whoami"),
    ] {
        assert!(!table.allow(caller, service, method), "{caller} → {service}.{method}");
    }
}

#[tokio::test]
async fn a_serialised_call_is_refused_where_a_wire_would_refuse_it() {
    let client = |caller: &ServiceDescriptor| {
        let here = Arc::new(Dispatcher::new(Arc::new(Here) as Arc<dyn Identity>));
        ServiceClient::<dyn Identity>::remote(Arc::new(Serialised::of(caller, here)))
    };
    assert_eq!(client(&LEDGER).whoami(&CallContext::root()).await, Ok("here".to_owned()));
    let stranger = descriptor("stranger", &[], &[]);
    let refused = client(&stranger).whoami(&CallContext::root()).await;
    assert!(matches!(refused, Err(CallError::Refused { .. })), "{refused:?}");
}

#[test]
fn the_longest_matching_route_owns_a_path() {
    let registry = Registry::builder().services([IDENTITY, LEDGER, CONNECTIONS]).build().unwrap();
    let owner = |path| registry.owner_of_path(path).map(|service| service.name);
    assert_eq!(owner("/api/v1/accounts/7/transactions?limit=5"), Some("ledger"));
    assert_eq!(owner("/api/v1/accounts/7/imports"), Some("connections"));
    assert_eq!(owner("/.well-known/jwks.json"), Some("identity"));
    assert_eq!(owner("/api/v1/nothing"), None);
}

#[tokio::test]
async fn a_client_taken_early_answers_once_the_service_is_provided() {
    let registry = Registry::builder().service(IDENTITY).build().unwrap();
    let early = registry.client::<dyn Identity>();
    assert_eq!(early.whoami(&CallContext::root()).await, Err(CallError::unavailable("identity")));
    registry.provide::<dyn Identity>(Arc::new(Here));
    assert_eq!(early.whoami(&CallContext::root()).await, Ok("here".to_owned()));
    assert_eq!(registry.dispatchers().len(), 1);
}

#[tokio::test]
async fn a_service_placed_remote_goes_over_its_transport_even_when_provided_here() {
    let registry = Registry::builder()
        .service(IDENTITY)
        .place("identity", remote("http://127.0.0.1:9101"))
        .transports(Arc::new(|_, _| Ok(Arc::new(There("there")) as Arc<dyn Transport>)))
        .build()
        .unwrap();
    registry.provide::<dyn Identity>(Arc::new(Here));
    let client = registry.client::<dyn Identity>();
    assert_eq!(client.whoami(&CallContext::root()).await, Ok("there".to_owned()));
    assert!(registry.dispatcher("identity", 1).is_some());
}

#[tokio::test]
async fn every_holder_follows_when_a_service_moves() {
    let registry = Registry::builder().service(IDENTITY).build().unwrap();
    registry.provide::<dyn Identity>(Arc::new(Here));
    let (one, other) = (registry.client::<dyn Identity>(), registry.client::<dyn Identity>());
    registry.bind_remote("identity", Arc::new(There("moved")));
    for client in [one, other, registry.client::<dyn Identity>()] {
        assert_eq!(client.whoami(&CallContext::root()).await, Ok("moved".to_owned()));
    }
}

#[test]
fn a_transport_that_cannot_be_made_is_a_fault() {
    let built = Registry::builder()
        .service(IDENTITY)
        .place("identity", remote("http://127.0.0.1:9101"))
        .transports(Arc::new(|_, _| Err(CallError::failed("no certificates"))))
        .build();
    let told = built.err().map(|faults| faults.to_string());
    assert_eq!(told.as_deref(), Some("no transport to identity at http://127.0.0.1:9101: no certificates"));
}
