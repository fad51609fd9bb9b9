//! Drill 5: processes that start in any order, one of them late, find each other.

use std::time::{Duration, Instant};

use serde_json::Value;
use service_registry::policy::Dice;
use tokio::time::sleep;

use crate::harness::{Client, Database, Household, Installation, Mode, patiently, run_parts};

pub async fn drill_5_processes_started_in_any_order_find_each_other() {
    let full = std::env::var("TRIBUTARY_DRILL").is_ok_and(|word| word == "full");
    let (orders, late) = if full { (20, Duration::from_secs(30)) } else { (2, Duration::from_secs(1)) };
    let seed = std::env::var("TRIBUTARY_DRILL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| Dice::new().throw());
    println!("TRIBUTARY_DRILL_SEED={seed}");
    let mut dice = Dice::seeded(seed);
    for _ in 0..orders {
        let order = shuffled(&mut dice);
        println!("order: {order:?}, the last one late");
        run_parts(&Mode::Microservices.parts(), Database::Postgres, async |at: &mut Installation| {
            start_in_order(at, &order, late).await;
        })
        .await;
    }
}

const MODULES: [&str; 4] = ["connections", "ledger", "identity", "gateway"];

fn shuffled(dice: &mut Dice) -> Vec<&'static str> {
    let mut left = MODULES.to_vec();
    std::iter::from_fn(|| (!left.is_empty()).then(|| left.swap_remove(dice.below(left.len())))).collect()
}

async fn start_in_order(at: &mut Installation, order: &[&'static str], late: Duration) {
    let (last, first) = order.split_last().expect("there are four");
    for module in first {
        at.process(module).start().await;
    }
    let begun = Instant::now();
    for module in first {
        names_what_it_needs(at, module, last).await;
    }
    while begun.elapsed() < late {
        for module in first {
            let inside = Client::new(at.process(module).private());
            assert_eq!(inside.get("/health/live").await.status, 200, "{module} is live without {last}");
        }
        sleep(Duration::from_millis(200)).await;
    }
    at.process(last).start().await;
    for module in order {
        at.process(module).until_ready().await;
    }
    let ada = Household::new(at, "ada").await;
    ada.open_account("Cash", "EUR").await;
    assert_eq!(ada.accounts().await.len(), 1);
}

/// Who waits for `late` says so, once it has looked; who does not, is ready.
async fn names_what_it_needs(at: &mut Installation, module: &str, late: &str) {
    let needs_it = match module {
        "gateway" => true,
        "connections" => late != "gateway",
        "ledger" => late == "identity",
        _ => false,
    };
    // Nobody can be known without identity; all else takes only its own requests along.
    let expected = if needs_it && late == "identity" { 503 } else { 200 };
    let inside = Client::new(at.process(module).private());
    patiently(&format!("{module} tells how it is without {late}"), async || {
        let ready = inside.get("/health/ready").await;
        let told = ready.json();
        let mut all = [&told["missing"], &told["degraded"]].into_iter().filter_map(Value::as_array).flatten();
        let names_it = all.any(|what| what.as_str().is_some_and(|what| what.contains(late)));
        (names_it == needs_it && ready.status == expected).then_some(())
    })
    .await;
}
