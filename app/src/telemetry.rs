//! Logs and metrics of the process.

use std::io::IsTerminal;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Log, LogFormat, Settings};

/// Upper bounds, in seconds, between a local read and a slow bank file.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// Starts logging to standard error, so that standard output stays what a command answers.
///
/// JSON in production; readable lines otherwise, coloured where a person looks.
pub fn init(settings: &Settings) -> Result<()> {
    let json = match settings.log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => settings.is_production(),
    };
    let calls = settings.log.spans.then(|| lines(json, FmtSpan::CLOSE).with_filter(filter_fn(is_call)));
    let started = tracing_subscriber::registry()
        .with(filter(&settings.log)?)
        .with(lines(json, FmtSpan::NONE))
        .with(calls)
        .try_init();
    started.context("logging was already started")
}

/// Writes a line for each event, and for what `spans` do.
fn lines<S>(json: bool, spans: FmtSpan) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_span_events(spans).with_writer(std::io::stderr);
    match json {
        true => layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        false => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
    }
}

/// The span of a call, which only a sampled trace has.
fn is_call(of: &Metadata<'_>) -> bool {
    of.is_span() && of.name() == "call"
}

/// RUST_LOG if it is set, else the setting.
fn filter(log: &Log) -> Result<EnvFilter> {
    match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => filter.parse().context("RUST_LOG"),
        _ => log.level.parse().context("log.level"),
    }
}

/// The recorder of this process. One for all: `metrics` has one global recorder.
///
/// Somebody has to call [`PrometheusHandle::run_upkeep`] now and then, or its histograms grow without end.
pub fn metrics() -> Result<PrometheusHandle> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    HANDLE.get_or_init(|| install().map_err(|error| error.to_string())).clone().map_err(anyhow::Error::msg)
}

fn install() -> Result<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(seconds, &SECONDS)?.install_recorder()?;
    metrics_process::Collector::default().describe();
    Ok(handle)
}
