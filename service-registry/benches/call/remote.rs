//! A call to another process, over loopback: our transport against a bare JSON round trip.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use service_registry::{CallContext, ServiceClient};
use service_registry_http::{remember_connection, rpc_routes};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::callee::Callee;
use crate::ledger::{Account, Ledger, account};
use crate::load::{Spent, concurrent, sequential};
use crate::report::{Report, median, quantile, quiet};

const ROUNDS: usize = 50;

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
        report.at_most("remote call, one after another, p50", "µs", bare_p50, ours_p50, 1.15);

        let (mut bare_rate, mut ours_rate) = (Vec::new(), Vec::new());
        let (mut bare_cpu, mut ours_cpu) = (Spent::default(), Spent::default());
        for _ in 0..ROUNDS {
            bare_rate.push(bare_cpu.during(concurrent(&bare)).await);
            ours_rate.push(ours_cpu.during(concurrent(&ours)).await);
        }
        let (bare_rate, ours_rate) = (quantile(&mut bare_rate, 0.9), quantile(&mut ours_rate, 0.9));
        report.at_least("remote calls per second, 64 at a time", "/s", bare_rate, ours_rate, 0.85);
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
    let callee = Callee::new();
    let (registry, auth) = (callee.registry.clone(), Arc::clone(&callee.auth));
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
    let client = callee.client(&url);
    (url, client)
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
