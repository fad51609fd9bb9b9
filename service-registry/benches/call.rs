//! The price of a call, both ways, as ratios against the same call without us.
//!
//! `cargo bench -p service-registry --bench call` prints each ratio beside its target and fails when one is
//! missed. Ratios of one run, since nanoseconds differ from machine to machine.

#[path = "call/callee.rs"]
mod callee;
#[path = "call/ledger.rs"]
mod ledger;
#[path = "call/load.rs"]
mod load;
#[path = "call/local.rs"]
mod local;
#[path = "call/remote.rs"]
mod remote;
#[path = "call/report.rs"]
mod report;

use report::Report;

/// The allocator of the program that ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // A real recorder: handles that count into nothing would flatter us.
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .set_buckets(&[0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0])
        .and_then(|builder| builder.install_recorder())
        .expect("no other recorder is installed");
    let mut report = Report::new();
    let runtime = tokio::runtime::Runtime::new().expect("the system has threads");
    // A word on the command line picks one half: `-- local` or `-- remote`.
    let asked = |half: &str| std::env::args().any(|word| word == half);
    if !asked("remote") {
        local::measure(&recorder, &mut report);
    }
    if !asked("local") {
        remote::measure(&runtime, &mut report);
    }
    report.finish();
}
