//! What is seen of who calls whom.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Household, Installation, SAMPLES, patiently};

pub async fn who_calls_whom_is_seen_with_what_it_costs(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    ada.import(SAMPLES[0].content, "").await;
    let told: Value = serde_json::from_str(&at.topology(&["--json"])).unwrap();
    let edges: Vec<&Value> =
        told["processes"].as_array().unwrap().iter().flat_map(|it| it["edges"].as_array().unwrap()).collect();
    let between = |caller: &str, callee: &str, binding: &str| {
        let matching = edges.iter().filter(|edge| edge["caller"] == caller && edge["service"] == callee);
        matching.filter(|edge| edge["binding"] == binding).copied().collect::<Vec<_>>()
    };
    let sum =
        |edges: &[&Value], what: &str| edges.iter().map(|edge| edge[what].as_u64().unwrap()).sum::<u64>();
    let apart = at.is_apart("connections");
    let sent = between("connections", "ledger", if apart { "remote" } else { "local" });
    assert!(sum(&sent, "calls") > 0, "{edges:#?}");
    assert!(sent.iter().all(|edge| edge["recent"]["p50_us"].as_f64() > Some(0.0)), "{sent:#?}");
    // Bytes are what crosses a wire, and both of its sides count the same.
    let served = between("connections", "ledger", "serve");
    for what in ["calls", "request_bytes", "answer_bytes"] {
        assert_eq!(sum(&served, what), if apart { sum(&sent, what) } else { 0 }, "{what}");
    }
    assert_eq!(sum(&sent, "request_bytes") > 0, apart);
    // The gateway's own edges: what people asked for.
    let asked = between("gateway", "connections", if apart { "remote" } else { "local" });
    assert!(asked.iter().any(|edge| edge["method"] == "request" && edge["calls"].as_u64() > Some(1)));
    let table = at.topology(&[]);
    assert!(table.contains("ledger.ingest") && table.contains("connections"), "{table}");
}

pub async fn a_sampled_trace_is_the_same_calls_wherever_they_are_answered(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let import = ada.import(SAMPLES[0].content, "").await;
    let path = format!("/api/v1/imports/{}/rows", import["id"].as_str().unwrap());
    let ask = async |trace_id: &str, flags: &str| {
        let asked = ada.client.request(Method::GET, &path);
        let asked = asked.header("traceparent", format!("00-{trace_id}-b7ad6b7169203331-{flags}"));
        ada.client.send(asked).await.expect(200);
    };
    let (unsampled, sampled) = ("11111111111111111111111111111111", "0af7651916cd43dd8448eb211c80319c");
    ask(unsampled, "00").await;
    ask(sampled, "01").await;
    // Caller and callee each tell their half of a call between processes, and it is one span.
    let halves = if at.is_apart("connections") { vec!["remote", "serve"] } else { vec!["local"] };
    // The process that answers may do so a moment after its answer is read.
    let spans = patiently("the calls are told", async || {
        let mut spans = at.spans(sampled);
        spans.sort();
        (spans.len() > halves.len()).then_some(spans)
    })
    .await;
    let [route, calls @ ..] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((route.call.as_str(), route.binding.as_str()), ("connections.rows", "local"));
    assert_eq!(calls.iter().map(|span| span.binding.as_str()).collect::<Vec<_>>(), halves);
    for span in calls {
        assert_eq!((span.call.as_str(), &span.traceparent), ("ledger.rows", &calls[0].traceparent));
    }
    assert_eq!(at.spans(unsampled), []);
}

pub async fn the_flowchart_has_a_box_for_each_process_and_arrows_between_their_modules(
    at: &mut Installation,
) {
    let ada = Household::new(at, "ada").await;
    ada.import(SAMPLES[0].content, "").await;
    let chart = at.topology(&["--mermaid"]);
    let mut nodes = Vec::new();
    let mut lines = chart.lines();
    assert_eq!(lines.next(), Some("flowchart LR"));
    for line in lines {
        match line.trim().split_once(' ') {
            None if line == "  end" => {}
            None => nodes.push(defined(line.trim())),
            Some(("subgraph", box_)) => drop(defined(box_)),
            Some((from, arrow)) => {
                let (line, rest) = arrow.split_once("|\"").unwrap_or_else(|| panic!("{line}"));
                let (label, to) = rest.split_once("\"| ").unwrap_or_else(|| panic!("{line}"));
                assert!(["-->", "==>"].contains(&line) && !label.contains('"'), "{line}");
                assert!(
                    nodes.contains(&from.to_owned()) && nodes.contains(&to.to_owned()),
                    "{line}: {nodes:?}"
                );
            }
        }
    }
    let boxes = chart.lines().filter(|line| line.trim().starts_with("subgraph ")).count();
    assert_eq!(boxes, at.processes().len());
    assert_eq!(chart.contains("==>"), at.is_apart("connections"), "{chart}");
}

/// The name of a node or a box that is written as `name["words"]`.
#[track_caller]
fn defined(text: &str) -> String {
    let (name, label) = text.strip_suffix("\"]").and_then(|text| text.split_once("[\"")).expect(text);
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !label.contains('"'), "{text}");
    name.to_owned()
}
