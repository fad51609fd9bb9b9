//! Other ways between two processes of one machine, as ratios against JSON over HTTP/1.1 over TCP: bare round trips from
//! reqwest to actix all of them, and what a codec takes by itself.
//!
//! `cargo bench -p service-registry --bench ways` tells and judges nothing; what came of it is in ADR 0008. With
//! `--features http2` it tells of HTTP/2 too.

#[path = "call/callee.rs"]
mod callee;
#[path = "ways/codec.rs"]
mod codec;
#[allow(dead_code, reason = "only its rows are wanted here")]
#[path = "call/ledger.rs"]
mod ledger;
#[path = "call/load.rs"]
mod load;
#[path = "ways/race.rs"]
mod race;
#[allow(dead_code, reason = "nothing is judged here")]
#[path = "call/report.rs"]
mod report;
#[path = "ways/server.rs"]
mod server;
#[path = "ways/trip.rs"]
mod trip;

use service_registry::ServiceClient;

use codec::{Cbor, Codec, Json, MessagePack, Postcard};
use ledger::Ledger;
use report::Report;
use server::Server;
use trip::{Trip, called_page, called_row, page, row};

/// The allocator of the program that ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut report = Report::beside(["HTTP/1.1 JSON", "this way"]);
    let runtime = tokio::runtime::Runtime::new().expect("the system has threads");
    // A word on the command line picks one half: `-- wire` or `-- codec`.
    let asked = |half: &str| std::env::args().any(|word| word == half);
    if !asked("wire") {
        codec::measure(&mut report);
    }
    let server = runtime.block_on(async { Server::start() });
    if !asked("codec") {
        runtime.block_on(wires(&server, &mut report));
        runtime.block_on(calls(&server, &mut report));
    }
    if !asked("wire") {
        runtime.block_on(codecs(&server, &mut report));
    }
}

/// The same JSON in other envelopes.
async fn wires(server: &Server, report: &mut Report) {
    let ways: Vec<_> = server.ways().collect();
    let rows = ways.iter().map(|way| (way.name, row::<Json>(way))).collect();
    race::run(report, "a row", rows).await;
    let pages = ways.iter().map(|way| (way.name, page::<Json>(way))).collect();
    race::run(report, "200 rows", pages).await;
}

/// Whole calls beside the bare floor.
async fn calls(server: &Server, report: &mut Report) {
    let with = |floor: Trip, called: fn(ServiceClient<dyn Ledger>) -> Trip| {
        let calls = server.calls().map(|(name, client)| (name, called(client)));
        [("TCP", floor)].into_iter().chain(calls).collect()
    };
    race::run(report, "a row", with(row::<Json>(&server.tcp()), called_row)).await;
    race::run(report, "200 rows", with(page::<Json>(&server.tcp()), called_page)).await;
}

/// The same envelope around other codecs.
async fn codecs(server: &Server, report: &mut Report) {
    fn named<C: Codec>(trip: Trip) -> (&'static str, Trip) {
        (C::NAME, trip)
    }
    let tcp = server.tcp();
    let rows = vec![
        named::<Json>(row::<Json>(&tcp)),
        named::<MessagePack>(row::<MessagePack>(&tcp)),
        named::<Cbor>(row::<Cbor>(&tcp)),
        named::<Postcard>(row::<Postcard>(&tcp)),
    ];
    race::run(report, "a row", rows).await;
    let pages = vec![
        named::<Json>(page::<Json>(&tcp)),
        named::<MessagePack>(page::<MessagePack>(&tcp)),
        named::<Cbor>(page::<Cbor>(&tcp)),
        named::<Postcard>(page::<Postcard>(&tcp)),
    ];
    race::run(report, "200 rows", pages).await;
}
