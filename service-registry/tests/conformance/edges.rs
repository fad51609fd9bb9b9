//! What is counted of calls over a wire, on both of its sides.

use std::sync::Arc;

use service_registry::policy::{Policy, RetryRules};
use service_registry::{CallContext, Calls, EdgeSeen, Placement, Registry};
use service_registry_http::{HttpTransport, ServiceSigner};

use crate::bindings::{Fault, Server, both_sides};
use crate::probe::{Probe, ProbeService, SERVICE};

/// The one edge of a method over a kind of binding.
fn edge(registry: &Registry, method: &str, binding: &str) -> EdgeSeen {
    let mut edges = registry.topology().edges;
    edges.retain(|edge| edge.method == method && edge.binding == binding);
    assert_eq!(edges.len(), 1, "{edges:?}");
    edges.remove(0)
}

/// Two registries as in two processes: the caller's, and the one that answers.
fn two_sides(fault: Fault) -> (Registry, Server) {
    let server = Server::start(Arc::new(ProbeService::default()), fault);
    let calls: Calls = &[("probe", &["sleep", "nothing"])];
    let registry = Registry::builder().service(SERVICE).caller("tester", calls).build().unwrap();
    let signer = Arc::new(ServiceSigner::new("tester", &server.tester));
    let transport = HttpTransport::new("probe", &server.url, signer).unwrap();
    registry.bind_remote("probe", Arc::new(transport));
    (registry, server)
}

#[tokio::test]
async fn both_sides_of_a_call_count_the_same_bytes_and_the_same_caller() {
    let (registry, server) = two_sides(Fault::None);
    let client = registry.as_caller("tester").client::<dyn Probe>();
    client.sleep(&CallContext::root(), 1).await.unwrap();
    let (left, arrived) = (edge(&registry, "sleep", "remote"), edge(&server.registry, "sleep", "serve"));
    assert_eq!((left.caller.as_str(), arrived.caller.as_str()), ("tester", "tester"));
    assert_eq!((left.request_bytes, left.answer_bytes), ("[1]".len() as u64, "null".len() as u64));
    assert_eq!((arrived.request_bytes, arrived.answer_bytes), (left.request_bytes, left.answer_bytes));
    assert!(left.recent.p50_us > arrived.recent.p50_us, "{left:?} {arrived:?}");
}

#[tokio::test]
async fn what_is_sent_again_is_counted_where_it_is_sent_from() {
    let (registry, server) = two_sides(Fault::EveryAnswerLost);
    let client = registry.as_caller("tester").client::<dyn Probe>();
    assert!(client.nothing(&CallContext::root()).await.is_err());
    let (left, arrived) = (edge(&registry, "nothing", "remote"), edge(&server.registry, "nothing", "serve"));
    assert_eq!((left.calls, left.retries, left.errors["unavailable"]), (1, 2, 1));
    assert_eq!((arrived.calls, arrived.retries), (3, 0));
}

#[tokio::test]
async fn what_is_left_of_the_budget_for_repeats_is_told() {
    let server = Server::start(Arc::new(ProbeService::default()), Fault::EveryAnswerLost);
    let policy = Policy { retry: RetryRules { percent: 50, floor_per_s: 1 }, ..Policy::default() };
    let registry = both_sides(&server.url, &server.tester, &policy);
    let left = || registry.topology().services[0].retry_budget_left;
    assert_eq!(left(), None, "nothing is repeated at home");
    registry.place("probe", Placement::remote(&server.url)).unwrap();
    assert_eq!(left(), Some(10));
    for after in [8, 7] {
        assert!(registry.client::<dyn Probe>().nothing(&CallContext::root()).await.is_err());
        assert_eq!(left(), Some(after), "half of a repeat more for each call, and two are gone");
    }
}
