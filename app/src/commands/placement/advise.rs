//! What moving each service out of a running process would cost, reckoned from the calls that it has seen.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use comfy_table::Table;
use reqwest::Method;
use serde::Serialize;
use service_registry::{EdgeSeen, PlacedService, Side};

use super::Private;
use crate::commands::report::{right, table};
use crate::commands::say::say;
use crate::commands::topology::time;
use crate::internal::Seen;

/// The method under which public requests are counted.
const REQUEST: &str = "request";
/// More calls than this for each public request are too many to send elsewhere.
const CHATTY: f64 = 2.0;
/// Round trips that a hop is judged by.
const SAMPLES: usize = 100;

/// What is known, and what follows from it.
#[derive(Debug, Serialize)]
struct Advice {
    /// Public requests since the process started.
    requests: u64,
    hop: Hop,
    services: Vec<Move>,
}

/// What one more hop takes: a round trip to the process that is asked, over HTTP and from here.
#[derive(Clone, Copy, Debug, Serialize)]
struct Hop {
    p50_us: f64,
    p95_us: f64,
}

/// One service, were it elsewhere. Numbers are for each public request, whomever it asks for.
#[derive(Debug, Serialize)]
struct Move {
    service: String,
    /// Calls between it and what stays here, to it and from it.
    calls_per_request: f64,
    /// Public requests that would be passed on to it.
    passed_on_per_request: f64,
    /// Bytes of calls of it that were written on a wire; none where all of them stayed in the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_call: Option<f64>,
    added_p50_us: f64,
    added_p95_us: f64,
    /// Calls that are made so often that they should not leave the process.
    chatty: Vec<String>,
}

/// Asks the process, measures a hop to it, and prints what follows.
pub(super) async fn run(process: &Private, json: bool) -> Result<()> {
    let seen: Seen = process.ask(Method::GET, "/topology", None).await?;
    let advice = Advice::of(&seen, hop(process).await?)?;
    match json {
        true => say!("{}", serde_json::to_string_pretty(&advice)?),
        false => say!("{}", advice.told()),
    }
    Ok(())
}

async fn hop(process: &Private) -> Result<Hop> {
    let mut took = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let started = Instant::now();
        process.touch().await?;
        took.push(started.elapsed());
    }
    // The first opens the connection, which calls between services find open.
    took.remove(0);
    took.sort_unstable();
    let at = |share: usize| micros(took[took.len() * share / 100]);
    Ok(Hop { p50_us: at(50), p95_us: at(95) })
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

impl Advice {
    /// # Errors
    /// Where nothing was asked of the process yet, since then nothing follows.
    fn of(seen: &Seen, hop: Hop) -> Result<Self> {
        let edges = &seen.topology.edges;
        let requests = edges.iter().filter(|edge| edge.method == REQUEST).map(|edge| edge.calls).sum();
        ensure!(requests > 0, "this process has seen no public request yet: there is nothing to go by");
        let here = seen.topology.services.iter();
        let here = here.filter(|service| service.provided && service.placement.side == Side::Local);
        let services = here.map(|service| Move::of(service, edges, requests, hop)).collect();
        Ok(Self { requests, hop, services })
    }

    fn told(&self) -> String {
        let hop = self.hop;
        let mut told = self.table().to_string();
        told += &format!(
            "\nFor each of {} public requests since the process started. A hop counts as {} (p50) and {} (p95), as measured \
             to this process just now, and calls as made one after another. Calls that nobody waits for, such as the look \
             for revoked sessions, count too.",
            self.requests,
            time(hop.p50_us),
            time(hop.p95_us)
        );
        told
    }

    fn table(&self) -> Table {
        let heads = ["moved out", "calls", "passed on", "bytes a call", "adds p50", "adds p95", "too chatty"];
        let mut table = table(&heads);
        for moved in &self.services {
            table.add_row([
                moved.service.clone(),
                format!("{:.2}", moved.calls_per_request),
                format!("{:.2}", moved.passed_on_per_request),
                moved.bytes_per_call.map_or_else(|| "not written".to_owned(), |bytes| format!("{bytes:.0}")),
                time(moved.added_p50_us),
                time(moved.added_p95_us),
                moved.chatty.join("\n"),
            ]);
        }
        right(&mut table, 1..6);
        table
    }
}

impl Move {
    fn of(service: &PlacedService, edges: &[EdgeSeen], requests: u64, hop: Hop) -> Self {
        let name = &service.name;
        let of_it = edges.iter().filter(|edge| edge.service == *name || edge.caller == *name);
        let (public, calls): (Vec<_>, Vec<_>) = of_it.partition(|edge| edge.method == REQUEST);
        // What it serves to others comes from outside already, and what it sends out goes there already.
        let crossing: Vec<_> =
            calls.iter().filter(|edge| edge.binding == "local" && edge.service != edge.caller).collect();
        let per_request = |calls: u64| calls as f64 / requests as f64;
        let calls_per_request = per_request(crossing.iter().map(|edge| edge.calls).sum());
        let passed_on = public.iter().filter(|edge| edge.service == *name && edge.binding == "local");
        let passed_on_per_request = per_request(passed_on.map(|edge| edge.calls).sum());
        let hops = calls_per_request + passed_on_per_request;
        let chatty = crossing.iter().filter(|edge| per_request(edge.calls) > CHATTY);
        Self {
            service: name.clone(),
            calls_per_request,
            passed_on_per_request,
            bytes_per_call: bytes_per_call(&calls),
            added_p50_us: hops * hop.p50_us,
            added_p95_us: hops * hop.p95_us,
            chatty: chatty
                .map(|edge| format!("{} → {}.{}", edge.caller, edge.service, edge.method))
                .collect(),
        }
    }
}

fn bytes_per_call(calls: &[&EdgeSeen]) -> Option<f64> {
    let written = calls.iter().filter(|edge| edge.request_bytes + edge.answer_bytes > 0);
    let sum = written.fold((0, 0), |(bytes, calls), edge| {
        (bytes + edge.request_bytes + edge.answer_bytes, calls + edge.calls)
    });
    (sum.1 > 0).then(|| sum.0 as f64 / sum.1 as f64)
}
