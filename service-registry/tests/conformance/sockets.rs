//! Endpoints that are Unix sockets, beside others and when nobody answers on them.

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use service_registry::policy::Policy;
use service_registry::{CallContext, CallError, Placement};
use service_registry_http::KeyPair;

use crate::bindings::{Fault, Server, both_sides, client};
use crate::probe::{Probe, ProbeError, ProbeService};

#[tokio::test]
async fn a_socket_that_is_missing_or_left_behind_is_unavailable_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("probe.sock");
    let url = format!("unix://{}", path.display());
    for left_behind in [false, true] {
        if left_behind {
            drop(UnixListener::bind(&path).unwrap());
            assert!(path.exists());
        }
        let client = client(std::slice::from_ref(&url), &Policy::default(), &KeyPair::generate().unwrap());
        let started = Instant::now();
        let absent = client.increment(&CallContext::root()).await;
        assert_eq!(absent, Err(ProbeError::Call(CallError::unavailable("probe"))));
        assert!(started.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_socket_and_an_address_are_two_endpoints_in_any_order() {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), Fault::None);
    let nowhere = tempfile::tempdir().unwrap();
    let dead_socket = format!("unix://{}", nowhere.path().join("probe.sock").display());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead_address = format!("http://{closed}");
    let live = [&server.url, &server.socket_url];
    for urls in [
        [live[0], &dead_socket],
        [&dead_socket, live[0]],
        [live[1], &dead_address],
        [&dead_address, live[1]],
        [live[0], live[1]],
        [live[1], live[0]],
    ] {
        let urls = urls.map(String::clone);
        let client = client(&urls, &Policy::default(), &server.tester);
        for _ in 0..20 {
            // Acts once: whatever went to the dead endpoint was never sent, so it may go to the other.
            client.increment(&CallContext::root()).await.unwrap_or_else(|error| panic!("{urls:?}: {error}"));
        }
    }
    assert_eq!(probe.executions(), 120);
}

#[tokio::test]
async fn a_socket_is_told_by_its_path() {
    let server = Server::start(Arc::new(ProbeService::default()), Fault::None);
    let registry = both_sides(&server.url, &server.tester, &Policy::default());
    registry.provide::<dyn Probe>(Arc::new(ProbeService::default()));
    registry.place("probe", Placement::remote(&server.socket_url)).unwrap();
    registry.client::<dyn Probe>().nothing(&CallContext::root()).await.unwrap();
    let placed = registry.topology().services.remove(0);
    assert_eq!((&placed.endpoints[0].url, placed.endpoints[0].address), (&server.socket_url, None));
    assert_eq!(placed.contracts[0].endpoint, server.socket_url);
}
