//! What processes tell as a flowchart (mermaid.js.org): a box for each process, an arrow for each pair that calls.

use std::collections::BTreeMap;
use std::fmt::Write;

use service_registry::{EdgeSeen, Endpoint};

use super::show::{Process, time};

/// The calls of one caller to one callee over one kind of binding, all methods together.
#[derive(Default)]
struct Arrow {
    calls: u64,
    errors: u64,
    per_second: f64,
    /// The slowest of the methods.
    p99_us: Option<f64>,
}

pub(super) fn flowchart(processes: &[Process]) -> String {
    let mut lines = "flowchart LR\n".to_owned();
    for (at, process) in processes.iter().enumerate() {
        let title = text(&process.at);
        let _ = writeln!(lines, "  subgraph p{at}[\"{title}\"]");
        for module in &process.seen.modules {
            let _ = writeln!(lines, "    {}[\"{}\"]", node(at, module), text(module));
        }
        lines.push_str("  end\n");
    }
    let mut elsewhere = BTreeMap::new();
    for (at, process) in processes.iter().enumerate() {
        for ((caller, callee, is_remote), arrow) in arrows(&process.seen.topology.edges) {
            let target =
                if is_remote { answers(processes, callee, &mut elsewhere) } else { node(at, callee) };
            let line = if is_remote { "==>" } else { "-->" };
            let _ = writeln!(lines, "  {} {line}|\"{}\"| {target}", node(at, caller), arrow.label());
        }
    }
    for (id, label) in elsewhere {
        let _ = writeln!(lines, "  {id}([\"{}\"])", text(&label));
    }
    lines.trim_end().to_owned()
}

/// The node that answers remote calls: the module in one of these processes, else whoever is at its addresses.
fn answers(processes: &[Process], callee: &str, elsewhere: &mut BTreeMap<String, String>) -> String {
    let runs = |process: &Process| process.seen.modules.iter().any(|module| module == callee);
    let is_called = |process: &Process| {
        let edges = &process.seen.topology.edges;
        edges.iter().any(|edge| edge.binding == "serve" && edge.service == callee)
    };
    // In a split it runs where it is called from, too.
    let ranked = processes.iter().enumerate().filter(|(_, process)| runs(process));
    if let Some((at, _)) = ranked.max_by_key(|(_, process)| is_called(process)) {
        return node(at, callee);
    }
    let services = processes.iter().flat_map(|process| &process.seen.topology.services);
    let endpoints = services.filter(|service| service.name == callee).flat_map(|service| &service.endpoints);
    let mut told: Vec<_> =
        endpoints.map(|Endpoint { url, breaker, .. }| format!("{url}, {breaker}")).collect();
    told.dedup();
    let id = format!("elsewhere_{}", word(callee));
    elsewhere.insert(id.clone(), format!("{callee} at {}", told.join("; ")));
    id
}

/// What was called from here, by caller, callee and whether the calls left the process. What arrived here is told by
/// whoever sent it.
fn arrows(edges: &[EdgeSeen]) -> BTreeMap<(&str, &str, bool), Arrow> {
    let mut arrows: BTreeMap<_, Arrow> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.binding != "serve") {
        let between = (edge.caller.as_str(), edge.service.as_str(), edge.binding == "remote");
        let arrow = arrows.entry(between).or_default();
        arrow.calls += edge.calls;
        arrow.errors += edge.errors.values().sum::<u64>();
        arrow.per_second += edge.recent.per_second;
        let slowest = arrow.p99_us.into_iter().chain(edge.recent.p99_us).reduce(f64::max);
        arrow.p99_us = slowest;
    }
    arrows
}

impl Arrow {
    fn label(&self) -> String {
        let mut label = format!("{} calls, {:.1}/s", self.calls, self.per_second);
        if let Some(p99_us) = self.p99_us {
            let _ = write!(label, ", p99 {}", time(p99_us));
        }
        if self.errors > 0 {
            let _ = write!(label, ", {} errors", self.errors);
        }
        label
    }
}

fn node(process: usize, module: &str) -> String {
    format!("p{process}_{}", word(module))
}

/// What a node may be called.
fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// What may stand between quotes.
fn text(words: &str) -> String {
    words.replace('#', "#35;").replace('"', "#quot;")
}
