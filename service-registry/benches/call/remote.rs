//! A call to another process, over loopback: our transport against a bare JSON round trip.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{App, HttpServer, web};
use service_registry::{CallContext, Contract, Method, Registry, ServiceClient, ServiceDescriptor};
use service_registry_http::{
    HttpTransport, KeyPair, NoCallers, RpcAuth, ServiceSigner, ServiceVerifier, remember_connection,
    rpc_routes,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::ledger::{Account, InMemory, Ledger, account};
use crate::report::{Report, median, quantile, quiet};

const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "bench",
    version: 1,
    methods: METHODS,
    routes: &[],
    calls: &[],
    default_port: 9198,
};
const METHODS: &[Method] = <dyn Ledger as Contract>::METHODS;
const ROUNDS: usize = 50;
const SEQUENTIAL: usize = 200;
const CONCURRENT: usize = 64;

pub fn measure(runtime: &Runtime, report: &mut Report) {
    runtime.block_on(async {
        let (url, ours) = serve();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let address = format!("{url}/bare");
        let bare = || {
            let (http, address) = (http.clone(), address.clone());
            async move { bare_call(&http, &address).await }
        };
        // One request makes many calls; what it costs to begin one is not the price of a call.
        let cx = CallContext::root().with_remaining(Duration::from_secs(600));
        let ours = || {
            let (ours, cx) = (ours.clone(), cx.clone());
            async move { ours.account(&cx, Uuid::from_u128(1)).await.is_ok() }
        };
        let (mut bare_us, mut ours_us) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bare_us.push(median(&mut sequential(&bare).await));
            ours_us.push(median(&mut sequential(&ours).await));
        }
        let (bare_p50, ours_p50) = (quiet(&mut bare_us), quiet(&mut ours_us));
        report.at_most("remote call, one after another, p50", "µs", bare_p50, ours_p50, 1.3);

        let (mut bare_rate, mut ours_rate) = (Vec::new(), Vec::new());
        let (mut bare_cpu, mut ours_cpu) = (Spent::default(), Spent::default());
        for _ in 0..ROUNDS {
            bare_rate.push(bare_cpu.during(concurrent(&bare)).await);
            ours_rate.push(ours_cpu.during(concurrent(&ours)).await);
        }
        let (bare_rate, ours_rate) = (quantile(&mut bare_rate, 0.9), quantile(&mut ours_rate, 0.9));
        report.at_least("remote calls per second, 64 at a time", "/s", bare_rate, ours_rate, 0.75);
        // Where other programs take part of the cores, this is the steadier measure of the same.
        report.told(
            "remote, processor time of both sides, 64 at a time",
            "µs",
            bare_cpu.per_call(),
            ours_cpu.per_call(),
        );
    });
}

/// One server with both routes, so that both contend for the same threads.
fn serve() -> (String, ServiceClient<dyn Ledger>) {
    let pair = KeyPair::generate().expect("a key");
    let registry = Registry::builder()
        .service(SERVICE)
        .caller("caller", &[("bench", &["account", "touch"])])
        .build()
        .expect("a sound registry");
    registry.provide::<dyn Ledger>(Arc::new(InMemory::new()));
    let services = ServiceVerifier::new().key("caller", pair.public_key()).expect("a key");
    let auth = RpcAuth { services, callers: Arc::new(NoCallers), certificates: false };
    let auth = Arc::new(auth);
    let server = HttpServer::new(move || {
        App::new().configure(rpc_routes(&registry, &auth)).route("/bare", web::post().to(bare_answer))
    });
    let server = server
        .workers(2)
        .on_connect(remember_connection)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
    let url = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    let signer = Arc::new(ServiceSigner::new("caller", &pair));
    let transport = HttpTransport::new("bench", &url, signer).expect("a transport");
    (url, ServiceClient::remote(Arc::new(transport)))
}

async fn bare_answer(arguments: web::Json<(Uuid,)>) -> web::Json<Account> {
    web::Json(account(arguments.0.0))
}

async fn bare_call(http: &reqwest::Client, address: &str) -> bool {
    let sent = http.post(address).json(&(Uuid::from_u128(1),)).send().await;
    match sent {
        Ok(response) => response.json::<Account>().await.is_ok(),
        Err(_) => false,
    }
}

/// Microseconds of each call.
async fn sequential<F: Future<Output = bool>>(call: &impl Fn() -> F) -> Vec<f64> {
    let mut took = Vec::with_capacity(SEQUENTIAL);
    for _ in 0..SEQUENTIAL {
        let started = Instant::now();
        assert!(call().await);
        took.push(started.elapsed().as_nanos() as f64 / 1000.0);
    }
    took
}

/// Processor time of this process, and the calls it was spent on.
#[derive(Default)]
struct Spent {
    ticks: u64,
    calls: usize,
}

impl Spent {
    /// Runs a window, adds its calls and its time, and answers with its calls per second.
    async fn during(&mut self, window: impl Future<Output = (usize, Duration)>) -> f64 {
        let before = ticks();
        let (calls, took) = window.await;
        self.ticks += ticks() - before;
        self.calls += calls;
        calls as f64 / took.as_secs_f64()
    }

    /// Microseconds; a tick is ten milliseconds on Linux.
    fn per_call(&self) -> f64 {
        self.ticks as f64 * 10_000.0 / self.calls as f64
    }
}

/// User and system time from proc(5), fields 14 and 15 of `stat`; zero where there is no such file.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Calls made by 64 callers at once, and how long that took.
async fn concurrent<F: Future<Output = bool> + Send + 'static>(call: &impl Fn() -> F) -> (usize, Duration)
where
    F::Output: Send,
{
    const WINDOW: Duration = Duration::from_millis(120);
    let started = Instant::now();
    let mut done = 0_usize;
    let mut running: tokio::task::JoinSet<bool> = (0..CONCURRENT).map(|_| call()).collect();
    while let Some(answered) = running.join_next().await {
        assert!(answered.expect("no caller panics"));
        done += 1;
        if started.elapsed() < WINDOW {
            running.spawn(call());
        }
    }
    (done, started.elapsed())
}
