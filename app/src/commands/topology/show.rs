use std::process::ExitCode;

use anyhow::Result;
use comfy_table::Table;
use reqwest::Method;
use serde::Serialize;
use service_registry::contract::ContractState;
use service_registry::{EdgeSeen, Endpoint, PlacedService};

use super::mermaid;
use crate::cli::{Operated, ShowTopology};
use crate::commands::placement::Private;
use crate::commands::report::{right, table};
use crate::commands::say::say;
use crate::internal::Seen;

/// A process, and what it told.
#[derive(Serialize)]
pub(super) struct Process {
    /// Where its private listener is.
    pub(super) at: String,
    #[serde(flatten)]
    pub(super) seen: Seen,
}

/// Asks each process, and prints what they tell together.
pub(super) async fn run(wanted: ShowTopology) -> Result<ExitCode> {
    let ShowTopology { at, json, mermaid, common } = wanted;
    let all: Vec<_> = if at.is_empty() { vec![None] } else { at.into_iter().map(Some).collect() };
    let mut processes = Vec::new();
    for at in all {
        let private = Private::of(&Operated { at, json, common: common.clone() })?;
        let seen = private.ask(Method::GET, "/topology", None).await?;
        processes.push(Process { at: private.url(), seen });
    }
    if json {
        say!("{}", serde_json::to_string_pretty(&serde_json::json!({ "processes": processes }))?);
    } else if mermaid {
        say!("{}", mermaid::flowchart(&processes));
    } else {
        say!("{}\n{}", services(&processes), edges(&processes));
    }
    Ok(ExitCode::SUCCESS)
}

/// Where each process sees each service.
fn services(processes: &[Process]) -> Table {
    let mut table = table(&["process", "runs", "service", "placement", "elsewhere"]);
    for Process { at, seen } in processes {
        let mut who = [at.clone(), seen.modules.join(" + ")];
        for service in &seen.topology.services {
            let PlacedService { name, placement, rolled_back, endpoints, contracts, .. } = service;
            let back = rolled_back.as_ref().map(|back| format!("\nrolled back: {}", back.reason));
            let placed = format!("{placement}{}", back.unwrap_or_default());
            let left = service.retry_budget_left.map(|left| format!("repeats left: {left}"));
            let elsewhere: Vec<_> =
                endpoints.iter().map(endpoint).chain(left).chain(contracts.iter().map(contract)).collect();
            let [at, runs] = std::mem::take(&mut who);
            table.add_row([at, runs, name.clone(), placed, elsewhere.join("\n")]);
        }
    }
    table
}

fn endpoint(endpoint: &Endpoint) -> String {
    let Endpoint { url, address, breaker, in_flight, .. } = endpoint;
    let address = address.map_or_else(String::new, |address| format!(" at {address}"));
    format!("{url}{address}: {breaker}, {in_flight} in flight")
}

fn contract(contract: &ContractState) -> String {
    let ContractState { endpoint, version, state, missing, differences, .. } = contract;
    let reasons = missing.iter().map(|method| format!("\n  lacks {method}"));
    let reasons: String =
        reasons.chain(differences.iter().map(|difference| format!("\n  {difference}"))).collect();
    format!("contract v{version} at {endpoint}: {state}{reasons}")
}

/// Who calls whom, those with the most calls first.
fn edges(processes: &[Process]) -> Table {
    let mut table = table(&[
        "caller",
        "callee",
        "binding",
        "calls",
        "per s",
        "p50",
        "p99",
        "errors",
        "in flight",
        "again",
        "bytes",
    ]);
    let mut edges: Vec<_> = processes.iter().flat_map(|process| &process.seen.topology.edges).collect();
    edges.sort_by_key(|edge| std::cmp::Reverse(edge.calls));
    for edge in edges {
        let EdgeSeen { caller, service, method, binding, recent, .. } = edge;
        let bytes = edge.request_bytes + edge.answer_bytes;
        table.add_row([
            caller.clone(),
            format!("{service}.{method}"),
            binding.clone(),
            edge.calls.to_string(),
            format!("{:.1}", recent.per_second),
            recent.p50_us.map_or_else(String::new, time),
            recent.p99_us.map_or_else(String::new, time),
            errors(edge),
            edge.in_flight.to_string(),
            edge.retries.to_string(),
            if bytes > 0 { bytes.to_string() } else { String::new() },
        ]);
    }
    right(&mut table, 3..7);
    right(&mut table, 8..11);
    table
}

fn errors(edge: &EdgeSeen) -> String {
    let told: Vec<_> = edge.errors.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    told.join("\n")
}

/// A time as a person reads it.
pub(in crate::commands) fn time(us: f64) -> String {
    match us {
        us if us < 1_000.0 => format!("{us:.1} µs"),
        us if us < 1_000_000.0 => format!("{:.1} ms", us / 1_000.0),
        us => format!("{:.1} s", us / 1_000_000.0),
    }
}
