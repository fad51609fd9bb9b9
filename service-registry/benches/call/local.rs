//! A call in this process: through the client against straight at the trait object.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use metrics_exporter_prometheus::PrometheusHandle;
use service_registry::generated::{Route, bound};
use service_registry::{CallContext, CallError, ServiceClient, TraceContext, publish_metrics};
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;

use crate::ledger::{InMemory, Ledger, LedgerError};
use crate::report::{Report, quiet};

const ROUNDS: usize = 300;
const CALLS: usize = 4_000;

pub fn measure(recorder: &PrometheusHandle, report: &mut Report) {
    let (bare, client) = subjects();
    // A subscriber is there in both cases, as in production; it decides nothing for an unsampled trace.
    let spans = tracing_subscriber::registry().with(
        tracing_subscriber::fmt::layer()
            .json()
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::NONE)
            .with_writer(std::io::sink),
    );
    let _subscribed = tracing::subscriber::set_default(spans);
    let cx = CallContext::root();
    let id = Uuid::from_u128(1);
    let (least_bare, least_ours) = race(
        recorder,
        || async { black_box(bare.touch(&cx, black_box(1)).await).is_ok() },
        || async { black_box(client.touch(&cx, black_box(1)).await).is_ok() },
    );
    let (handle_bare, handle) = race(
        recorder,
        || async { black_box(bare.touch(&cx, black_box(1)).await).is_ok() },
        || async { black_box(touch_unguarded(&client, &cx).await).is_ok() },
    );
    let (row_bare, row_ours) = race(
        recorder,
        || async { black_box(bare.account(&cx, black_box(id)).await).is_ok() },
        || async { black_box(client.account(&cx, black_box(id)).await).is_ok() },
    );
    let sampled = CallContext::root().with_trace(TraceContext::new(true));
    let (_, recorded) = race(
        recorder,
        || async { black_box(bare.account(&sampled, black_box(id)).await).is_ok() },
        || async { black_box(client.account(&sampled, black_box(id)).await).is_ok() },
    );
    // The least that a call can be shows what the seam adds; no module's call is that small.
    report.told("local call, a number for a number", "ns", least_bare, least_ours);
    report.under("handle over a swappable binding alone", "ns", handle_bare, handle, handle_bare + 50.0);
    report.at_most("local call, a row for an id", "ns", row_bare, row_ours, 3.0);
    report.under("local call, a row for an id, trace sampled and recorded", "ns", row_bare, recorded, 1200.0);
}

/// What generated code does to find out who answers, and nothing else: no deadline, no bulkhead, no metrics.
async fn touch_unguarded(client: &ServiceClient<dyn Ledger>, cx: &CallContext) -> Result<u64, LedgerError> {
    const TOUCH: usize = 1;
    match bound(client).route(TOUCH, cx) {
        Route::Local(service, _) => service.touch(cx, black_box(1)).await,
        _ => Err(CallError::unavailable("bench").into()),
    }
}

fn subjects() -> (Arc<dyn Ledger>, ServiceClient<dyn Ledger>) {
    (Arc::new(InMemory::new()), ServiceClient::local(Arc::new(InMemory::new())))
}

/// Nanoseconds per call of each, from the quietest tenth of rounds that take turns, so that a busy
/// moment of the machine falls on neither.
fn race<A, B>(recorder: &PrometheusHandle, bare: impl Fn() -> A, ours: impl Fn() -> B) -> (f64, f64)
where
    A: Future<Output = bool>,
    B: Future<Output = bool>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut bare_ns, mut ours_ns) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare_ns.push(runtime.block_on(round(&bare)));
        ours_ns.push(runtime.block_on(round(&ours)));
        // What a scrape does.
        publish_metrics();
        recorder.run_upkeep();
    }
    (quiet(&mut bare_ns), quiet(&mut ours_ns))
}

async fn round<F: Future<Output = bool>>(call: &impl Fn() -> F) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        assert!(call().await);
    }
    started.elapsed().as_nanos() as f64 / CALLS as f64
}
