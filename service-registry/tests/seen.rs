//! What an operator sees of calls: numbers for each edge, and spans for sampled traces only.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use service_registry::{
    CallContext, CallError, ServiceClient, TraceContext, async_trait, publish_metrics, service,
};
use tracing_subscriber::fmt::format::FmtSpan;

#[service(name = "seen", version = 1)]
trait Door: Send + Sync {
    async fn knock(&self, cx: &CallContext, open: bool) -> Result<(), CallError>;
    /// For the other test: both run at once, and metrics are one page.
    async fn ring(&self, cx: &CallContext) -> Result<(), CallError>;
}

struct Wooden;

#[async_trait]
impl Door for Wooden {
    async fn knock(&self, _: &CallContext, open: bool) -> Result<(), CallError> {
        if open { Ok(()) } else { Err(CallError::refused("closed")) }
    }

    async fn ring(&self, _: &CallContext) -> Result<(), CallError> {
        Ok(())
    }
}

#[test]
fn calls_times_and_errors_are_counted_by_service_method_and_binding() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        let client: ServiceClient<dyn Door> = ServiceClient::local(Arc::new(Wooden));
        let unbound: ServiceClient<dyn Door> = ServiceClient::unbound();
        let cx = CallContext::root();
        runtime.block_on(async {
            for open in [true, true, false] {
                let _ = client.knock(&cx, open).await;
            }
            let _ = unbound.knock(&cx, true).await;
        });
        publish_metrics();
        publish_metrics();
    });
    let page = page.render();
    let labels = |binding| format!(r#"caller="unnamed",service="seen",method="knock",binding="{binding}""#);
    for line in [
        format!("service_calls_total{{{}}} 3", labels("local")),
        format!("service_call_seconds_count{{{}}} 3", labels("local")),
        format!(r#"service_call_errors_total{{{},kind="refusal"}} 1"#, labels("local")),
        format!("service_calls_total{{{}}} 1", labels("unbound")),
        format!(r#"service_call_errors_total{{{},kind="unavailable"}} 1"#, labels("unbound")),
    ] {
        assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
    }
}

#[test]
fn only_a_sampled_trace_makes_a_span() {
    let written = Written::default();
    let sink = written.clone();
    let subscriber =
        tracing_subscriber::fmt().with_span_events(FmtSpan::CLOSE).with_writer(move || sink.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let client: ServiceClient<dyn Door> = ServiceClient::local(Arc::new(Wooden));
    tracing::subscriber::with_default(subscriber, || {
        let sampled = |sampled| CallContext::root().with_trace(TraceContext::new(sampled));
        runtime.block_on(client.ring(&sampled(false))).unwrap();
        assert_eq!(written.text(), "");
        runtime.block_on(client.ring(&sampled(true))).unwrap();
    });
    for word in ["call", "service=\"seen\"", "method=\"ring\"", "binding=\"local\""] {
        assert!(written.text().contains(word), "no {word} in {}", written.text());
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap();
        // The colours of a terminal stand between the words.
        String::from_utf8_lossy(&bytes)
            .replace("\u{1b}[3m", "")
            .replace("\u{1b}[2m", "")
            .replace("\u{1b}[0m", "")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
