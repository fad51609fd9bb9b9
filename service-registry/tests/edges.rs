//! Who calls whom, as the registry saw it.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use service_registry::testing::Serialised;
use service_registry::{
    CallContext, CallError, Calls, Contract, EdgeSeen, Network, Registry, RegistryBuilder, ServiceDescriptor,
    async_trait, publish_metrics, service,
};

const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "shop",
    version: 1,
    methods: <dyn Shop as Contract>::METHODS,
    routes: &[],
    calls: &[],
    default_port: 9197,
};

#[service(name = "shop", version = 1)]
trait Shop: Send + Sync {
    #[read]
    async fn price(&self, cx: &CallContext, of: String) -> Result<u32, CallError>;
    #[read]
    async fn wait(&self, cx: &CallContext) -> Result<(), CallError>;
    async fn buy(&self, cx: &CallContext) -> Result<(), CallError>;
}

struct Corner;

#[async_trait]
impl Shop for Corner {
    async fn price(&self, _: &CallContext, of: String) -> Result<u32, CallError> {
        if of == "bread" { Ok(3) } else { Err(CallError::refused("not sold here")) }
    }

    async fn wait(&self, _: &CallContext) -> Result<(), CallError> {
        std::future::pending().await
    }

    async fn buy(&self, _: &CallContext) -> Result<(), CallError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(())
    }
}

/// Everybody who calls the shop here.
fn builder() -> RegistryBuilder {
    let everything: Calls = &[("shop", &["price", "wait", "buy"])];
    let callers = ["kitchen", "cellar", "garden", "till"].into_iter();
    callers.fold(Registry::builder().service(SERVICE), |builder, caller| builder.caller(caller, everything))
}

fn registry() -> Registry {
    let registry = builder().build().unwrap();
    registry.provide::<dyn Shop>(Arc::new(Corner));
    registry
}

/// The one edge there is.
fn only(registry: &Registry) -> EdgeSeen {
    let mut edges = registry.topology().edges;
    assert_eq!(edges.len(), 1, "{edges:?}");
    edges.remove(0)
}

#[tokio::test]
async fn calls_are_counted_for_whoever_holds_the_client() {
    let registry = registry();
    let (cx, bread) = (CallContext::root(), || "bread".to_owned());
    for (caller, times) in [("kitchen", 2), ("cellar", 1)] {
        let client = registry.as_caller(caller).client::<dyn Shop>();
        for _ in 0..times {
            client.price(&cx, bread()).await.unwrap();
        }
    }
    // A second client of the same holder counts in the same place.
    registry.as_caller("kitchen").client::<dyn Shop>().price(&cx, bread()).await.unwrap();
    let seen: Vec<_> = registry
        .topology()
        .edges
        .into_iter()
        .map(|edge| (edge.caller, edge.method, edge.binding, edge.calls))
        .collect();
    let row = |caller: &str, calls| (caller.to_owned(), "price".to_owned(), "local".to_owned(), calls);
    assert_eq!(seen, [row("cellar", 1), row("kitchen", 3)]);
}

#[tokio::test]
async fn errors_are_counted_by_their_kind_and_nothing_crosses_a_wire_at_home() {
    let registry = registry();
    let client = registry.as_caller("kitchen").client::<dyn Shop>();
    let late = CallContext::root().with_remaining(Duration::ZERO);
    assert!(client.price(&CallContext::root(), "gold".to_owned()).await.is_err());
    assert!(client.price(&late, "bread".to_owned()).await.is_err());
    let edge = only(&registry);
    assert_eq!((edge.errors["refusal"], edge.errors["deadline_exceeded"], edge.calls), (1, 1, 2));
    assert_eq!((edge.request_bytes, edge.answer_bytes, edge.retries), (0, 0, 0));
}

#[tokio::test]
async fn regression_a_call_whose_caller_went_away_is_not_in_flight_for_ever() {
    let registry = registry();
    let client = registry.as_caller("kitchen").client::<dyn Shop>();
    let cx = CallContext::root();
    let mut waiting = client.wait(&cx);
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(only(&registry).in_flight, 1);
    drop(waiting);
    let edge = only(&registry);
    assert_eq!((edge.in_flight, edge.calls, edge.errors["cancelled"]), (0, 0, 1));
}

#[tokio::test]
async fn times_and_rates_are_told_of_what_is_recent() {
    let registry = registry();
    let client = registry.as_caller("kitchen").client::<dyn Shop>();
    for _ in 0..5 {
        client.buy(&CallContext::root()).await.unwrap();
    }
    let recent = only(&registry).recent;
    assert_eq!(recent.calls, 5);
    assert!(recent.p50_us.unwrap() >= 18_000.0 && recent.p99_us >= recent.p50_us, "{recent:?}");
    assert!(recent.per_second > 5.0 && recent.seconds >= 0.1, "{recent:?}");
}

#[test]
fn all_that_is_counted_of_an_edge_is_told_to_the_recorder() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        let registry = registry();
        registry.bind_remote("shop", Arc::new(Serialised::new(registry.dispatcher("shop", 1).unwrap())));
        let client = registry.as_caller("garden").client::<dyn Shop>();
        runtime.block_on(client.price(&CallContext::root(), "bread".to_owned())).unwrap();
        let requests = registry.as_caller("gateway").requests_to("shop");
        requests.count(true, Duration::from_millis(2), Some("server_error"));
        requests.retries().add_one();
        publish_metrics();
        publish_metrics();
    });
    let page = page.render();
    let labels = r#"caller="garden",service="shop",method="price",binding="remote""#;
    let passed_on = r#"caller="gateway",service="shop",method="request",binding="remote""#;
    for line in [
        format!("service_calls_total{{{labels}}} 1"),
        format!("service_calls_in_flight{{{labels}}} 0"),
        format!(r#"service_call_bytes_total{{{labels},part="request"}} 9"#),
        format!(r#"service_call_bytes_total{{{labels},part="answer"}} 1"#),
        format!("service_calls_total{{{passed_on}}} 1"),
        format!("service_call_retries_total{{{passed_on}}} 1"),
        format!(r#"service_call_errors_total{{{passed_on},kind="server_error"}} 1"#),
    ] {
        assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
    }
}

fn simulated(latency_ms: u64, loss: f64) -> Registry {
    let network = Network { latency: Duration::from_millis(latency_ms), loss };
    let registry = builder().simulate("shop", network).build().unwrap();
    registry.provide::<dyn Shop>(Arc::new(Corner));
    registry
}

#[tokio::test]
async fn over_a_simulated_network_a_call_takes_its_time_and_its_bytes_are_seen() {
    let registry = simulated(20, 0.0);
    let shop = registry.as_caller("till").client::<dyn Shop>();
    let started = std::time::Instant::now();
    assert_eq!(shop.price(&CallContext::root(), "bread".into()).await, Ok(3));
    assert!(started.elapsed() >= Duration::from_millis(20), "{:?}", started.elapsed());
    let refused = shop.price(&CallContext::root(), "gold".into()).await;
    assert_eq!(refused, Err(CallError::refused("not sold here")));
    let edge = only(&registry);
    assert_eq!((edge.binding.as_str(), edge.calls), ("remote", 2));
    assert_eq!((edge.request_bytes, edge.answer_bytes > 1), (r#"["bread"]["gold"]"#.len() as u64, true));
}

#[tokio::test]
async fn what_a_simulated_network_loses_is_asked_again_only_if_that_does_no_harm() {
    let registry = simulated(0, 1.0);
    let shop = registry.as_caller("till").client::<dyn Shop>();
    assert_eq!(shop.price(&CallContext::root(), "bread".into()).await, Err(CallError::unavailable("shop")));
    assert_eq!(only(&registry).retries, 2);

    let registry = simulated(0, 0.5);
    let shop = registry.as_caller("till").client::<dyn Shop>();
    let mut answered = 0;
    for _ in 0..200 {
        answered += u32::from(shop.price(&CallContext::root(), "bread".into()).await.is_ok());
    }
    assert!((150..200).contains(&answered), "{answered} of 200 with seven in eight expected");
}
