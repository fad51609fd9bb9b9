//! What a caller does about a callee that fails, is slow, or is not there: through real HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use futures_util::future::{FutureExt, join_all};
use service_registry::policy::{BreakerRules, BulkheadLimits, Policy, RetryRules};
use service_registry::{CallContext, CallError, ServiceClient};
use service_registry_http::{HttpTransport, KeyPair, Resolve, ServiceSigner, Upstream};

use crate::bindings::{Fault, Server, client};
use crate::probe::{Probe, ProbeError, ProbeService};

/// A server that answers every call with one status, and counts them. Of contracts it knows nothing.
struct Broken {
    url: String,
    asked: Arc<AtomicU32>,
    handle: ServerHandle,
}

impl Broken {
    fn start(status: u16) -> Self {
        Self::start_at("127.0.0.1:0", status)
    }

    fn start_at(address: &str, status: u16) -> Self {
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let answer = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let status = actix_web::http::StatusCode::from_u16(status).unwrap();
            async move { HttpResponse::build(status).finish() }
        };
        let server = HttpServer::new(move || {
            let handshake = web::get().to(HttpResponse::MethodNotAllowed);
            App::new().route("/rpc/probe", handshake).default_service(web::to(answer.clone()))
        });
        let server = server.workers(1).bind(address).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, asked, handle }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn never_opens() -> BreakerRules {
    BreakerRules { failures_in_a_row: u32::MAX, least_calls: u32::MAX, ..BreakerRules::default() }
}

fn no_retries() -> RetryRules {
    RetryRules { percent: 0, floor_per_s: 0 }
}

fn caller(urls: &[&str], policy: &Policy) -> ServiceClient<dyn Probe> {
    let urls: Vec<_> = urls.iter().map(|url| (*url).to_owned()).collect();
    client(&urls, policy, &KeyPair::generate().unwrap())
}

fn is_unavailable(outcome: &Result<(), ProbeError>) -> bool {
    matches!(outcome, Err(ProbeError::Call(CallError::Unavailable { .. })))
}

#[tokio::test]
async fn after_seven_failures_nobody_asks_until_a_probe_finds_it_well() {
    let broken = Broken::start(500);
    let breaker = BreakerRules {
        open: Duration::from_millis(100),
        open_most: Duration::from_millis(100),
        ..BreakerRules::default()
    };
    let client = caller(&[&broken.url], &Policy { breaker, ..Policy::default() });
    for _ in 0..7 {
        assert!(client.nothing(&CallContext::root()).await.is_err());
    }
    let started = Instant::now();
    let refused = client.nothing(&CallContext::root()).await;
    let Err(ProbeError::Call(error @ CallError::Unavailable { .. })) = refused else { panic!("{refused:?}") };
    assert!(error.retry_after_ms().is_some_and(|wait| (1..=150).contains(&wait)), "{error:?}");
    assert!(started.elapsed() < Duration::from_millis(50));
    assert_eq!(broken.asked(), 7);

    // The same address, by a server that is well.
    let address = broken.url.trim_start_matches("http://").to_owned();
    broken.handle.stop(true).await;
    let well = Broken::start_at(&address, 204);
    tokio::time::sleep(Duration::from_millis(160)).await;
    let _ = client.nothing(&CallContext::root()).await;
    let _ = client.nothing(&CallContext::root()).await;
    assert_eq!(well.asked(), 2, "closed again after one probe");
}

#[tokio::test]
async fn what_a_caller_does_wrong_does_not_open_the_breaker() {
    let refusing = Broken::start(403);
    let client = caller(&[&refusing.url], &Policy::default());
    for _ in 0..30 {
        let _ = client.nothing(&CallContext::root()).await;
    }
    assert_eq!(refusing.asked(), 30);
}

#[tokio::test]
async fn a_callee_that_never_answers_opens_the_breaker_and_an_impatient_caller_does_not() {
    let server = Server::start(Arc::new(ProbeService::default()), Fault::None);
    let breaker = BreakerRules { fair_chance: Duration::from_millis(60), ..BreakerRules::default() };
    let client = server.client(&Policy { breaker, retry: no_retries(), ..Policy::default() });
    let cut_after = async |ms: u64| {
        let cx = CallContext::root().with_remaining(Duration::from_millis(ms));
        join_all((0..20).map(|_| client.sleep(&cx, 60_000))).await
    };
    cut_after(30).await;
    assert_eq!(client.nothing(&CallContext::root()).await, Ok(()));
    cut_after(120).await;
    assert!(is_unavailable(&client.nothing(&CallContext::root()).await));
}

/// 200 requests a second to a dead upstream, for three seconds; for thirty where `TRIBUTARY_DRILL=full` says so.
#[tokio::test]
async fn drill_4_a_dead_upstream_gets_a_fifth_more_than_its_requests_and_a_probe_a_period() {
    const RATE: u32 = 200;
    let seconds = if std::env::var("TRIBUTARY_DRILL").is_ok_and(|word| word == "full") { 30 } else { 3 };
    let broken = [Broken::start(503), Broken::start(503)];
    let retry = RetryRules { percent: 20, floor_per_s: 1 };
    let open = Duration::from_millis(200);
    let breaker = BreakerRules { open, open_most: open, ..BreakerRules::default() };
    let clients = [
        caller(&[&broken[0].url], &Policy { retry, breaker: never_opens(), ..Policy::default() }),
        caller(&[&broken[1].url], &Policy { retry, breaker, ..Policy::default() }),
    ];
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..RATE * seconds {
        ticks.tick().await;
        for client in clients.clone() {
            running.spawn(async move { client.nothing(&CallContext::root()).await });
        }
    }
    while let Some(done) = running.join_next().await {
        assert!(is_unavailable(&done.unwrap()));
    }
    let requests = RATE * seconds;
    // One a second, looked at ten seconds at a time.
    let floor = seconds.max(10);
    let bounded = broken[0].asked();
    assert!(bounded > requests, "{bounded}: some were repeated");
    assert!(bounded <= requests * 6 / 5 + floor, "{bounded} attempts for {requests} requests");
    // Seven to open it, with what was in flight then; from there a probe for each period of at least half of `open`.
    let most = 7 + 20 + seconds * 1000 / 100 + 1;
    let past = broken[1].asked();
    assert!(past <= most, "{past} attempts past the breaker, at most {most}");
    println!("{requests} requests: {bounded} attempts without a breaker, {past} with one");
}

#[tokio::test]
async fn a_slow_callee_holds_so_many_callers_and_no_more() {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), Fault::None);
    let bulkhead = BulkheadLimits { concurrent: 3, queued: 2 };
    let remote = server.client(&Policy { bulkhead, ..Policy::default() });
    let shed = shed_of_ten(&remote).await;
    assert_eq!((shed, probe.executions()), (5, 5));
}

/// How many of ten calls at once are turned away, and at once.
async fn shed_of_ten(client: &ServiceClient<dyn Probe>) -> usize {
    let started = Instant::now();
    let cx = CallContext::root();
    let calls = (0..10).map(|_| async {
        let outcome = client.sleep(&cx, 300).await;
        (outcome, started.elapsed())
    });
    let outcomes = join_all(calls).await;
    let shed = outcomes.iter().filter(|(outcome, elapsed)| {
        let overloaded = matches!(outcome, Err(ProbeError::Call(CallError::Overloaded { .. })));
        assert!(overloaded || outcome.is_ok(), "{outcome:?}");
        assert!(!overloaded || *elapsed < Duration::from_millis(250), "{elapsed:?}");
        overloaded
    });
    shed.count()
}

#[tokio::test]
async fn a_local_callee_has_the_same_bulkhead() {
    let probe = Arc::new(ProbeService::default());
    let policy = Policy { bulkhead: BulkheadLimits { concurrent: 3, queued: 2 }, ..Policy::default() };
    let registry = service_registry::Registry::builder()
        .service(crate::probe::SERVICE)
        .policies([("probe".to_owned(), policy)])
        .build()
        .unwrap();
    registry.provide::<dyn Probe>(probe.clone());
    let shed = shed_of_ten(&registry.client()).await;
    assert_eq!((shed, probe.executions()), (5, 5));
    let waits = CallContext::root().with_remaining(Duration::from_millis(50));
    let client = registry.client::<dyn Probe>();
    let busy = join_all((0..3).map(|_| client.nothing(&waits))).await;
    assert!(busy.iter().all(Result::is_ok), "all places are free again");
}

#[tokio::test]
async fn whoever_waits_for_a_place_beyond_the_deadline_is_told_so() {
    let policy = Policy { bulkhead: BulkheadLimits { concurrent: 1, queued: 9 }, ..Policy::default() };
    let registry = service_registry::Registry::builder()
        .service(crate::probe::SERVICE)
        .policies([("probe".to_owned(), policy)])
        .build()
        .unwrap();
    registry.provide::<dyn Probe>(Arc::new(ProbeService::default()));
    let client = registry.client::<dyn Probe>();
    let cx = CallContext::root();
    let mut held = Box::pin(client.sleep(&cx, 60_000));
    assert!((&mut held).now_or_never().is_none());
    let late = client.nothing(&CallContext::root().with_remaining(Duration::from_millis(30))).await;
    assert_eq!(late, Err(ProbeError::Call(CallError::deadline_exceeded("probe", "nothing"))));
}

#[tokio::test]
async fn of_several_endpoints_the_broken_one_is_left_alone() {
    let probe = Arc::new(ProbeService::default());
    let (server, broken) = (Server::start(probe.clone(), Fault::None), Broken::start(500));
    let urls = [broken.url.clone(), server.url.clone()];
    let well = client(&urls, &Policy::default(), &server.tester);
    let mut failed = 0;
    for _ in 0..100 {
        failed += u32::from(well.nothing(&CallContext::root()).await.is_err());
    }
    assert_eq!((broken.asked(), failed), (7, 7));
    assert_eq!(probe.executions(), 93);
}

#[tokio::test]
async fn a_repeat_goes_to_another_endpoint() {
    let probe = Arc::new(ProbeService::default());
    let (server, broken) = (Server::start(probe.clone(), Fault::None), Broken::start(503));
    let urls = [broken.url.clone(), server.url.clone()];
    let well = client(&urls, &Policy { breaker: never_opens(), ..Policy::default() }, &server.tester);
    for _ in 0..50 {
        assert_eq!(well.nothing(&CallContext::root()).await, Ok(()));
    }
    assert!(broken.asked() > 0);
}

#[tokio::test]
async fn the_endpoint_with_less_to_do_gets_more() {
    let (busy, idle) = (Arc::new(ProbeService::default()), Arc::new(ProbeService::default()));
    let first = Server::start(busy.clone(), Fault::None);
    let second = Server::start_with_key(idle.clone(), Fault::None, Arc::clone(&first.tester));
    let both = client(&[first.url.clone(), second.url.clone()], &Policy::default(), &first.tester);
    let cx = CallContext::root();
    // Each call that is on its way makes its endpoint the less likely choice for the next.
    join_all((0..20).map(|_| both.sleep(&cx, 300))).await;
    assert_eq!((busy.executions(), idle.executions()), (10, 10));
}

#[tokio::test]
async fn a_name_with_two_addresses_is_two_endpoints_and_follows_when_one_goes() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let one = Broken::start_at(&format!("127.0.0.1:{port}"), 403);
    let other = Broken::start_at(&format!("127.0.0.2:{port}"), 403);
    let resolver: Resolve = Arc::new(|host, port| {
        assert_eq!(host, "probe.test");
        let of = move |last| std::net::SocketAddr::from(([127, 0, 0, last], port));
        Box::pin(async move { Ok(vec![of(1), of(2)]) })
    });
    let urls = [format!("http://probe.test:{port}")];
    let upstream = Upstream::with_resolver("probe", &urls, &Policy::default(), resolver).unwrap();
    let signer = Arc::new(ServiceSigner::new("tester", &KeyPair::generate().unwrap()));
    let client: ServiceClient<dyn Probe> =
        ServiceClient::remote(Arc::new(HttpTransport::over(Arc::new(upstream), signer)));
    let _ = client.nothing(&CallContext::root()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..40 {
        let _ = client.nothing(&CallContext::root()).await;
    }
    assert!(one.asked() >= 5 && other.asked() >= 5, "{} and {}", one.asked(), other.asked());
    drop(other);
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..40 {
        let outcome = client.nothing(&CallContext::root()).await;
        assert!(!is_unavailable(&outcome), "a repeat finds the one that is left");
    }
}

#[tokio::test]
async fn a_slow_read_is_asked_twice_where_that_is_wanted_and_a_write_never() {
    let probe = Arc::new(ProbeService::default());
    let server = Server::start(probe.clone(), Fault::None);
    let hedge_after = Some(Duration::from_millis(40));
    let hedging = server.client(&Policy { hedge_after, ..Policy::default() });
    assert_eq!(hedging.sleep(&CallContext::root(), 150).await, Ok(()));
    assert_eq!(probe.executions(), 2);
    assert_eq!(hedging.write_slowly(&CallContext::root(), 150).await, Ok(()));
    assert_eq!(probe.executions(), 3);
    let plain = server.client(&Policy::default());
    assert_eq!(plain.sleep(&CallContext::root(), 150).await, Ok(()));
    assert_eq!(probe.executions(), 4);
}
