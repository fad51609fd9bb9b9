//! Processes that end without a word: what they take along, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::time::sleep;

use crate::harness::{Bank, Household, Installation, PASSWORD, patiently};

const KEY: &str = "0d1bd1c4-8d5c-4d6b-9a8e-4b2f6a7d8c90";

/// What each module is needed for.
const NEEDED_FOR: [(&str, &str); 3] =
    [("ledger", "/api/v1/accounts"), ("connections", "/api/v1/imports"), ("identity", "/api/v1/spaces")];

pub async fn a_killed_module_takes_only_its_own_requests_along_and_heals(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    ada.import(Bank::account("1001").row(1, "12.00", "a").write(), "").await;
    for (module, _) in NEEDED_FOR {
        at.process(module).kill();
        if at.is_apart(module) {
            only_what_needs_it_is_refused(at, &ada, module).await;
        } else {
            assert!(ada.client.try_get("/api/v1/accounts").await.is_none(), "nobody is there to answer");
        }
        at.process(module).restart().await;
        for (_, route) in NEEDED_FOR {
            let answers = async || (ada.client.get(route).await.status == 200).then_some(());
            patiently("it heals by itself", answers).await;
        }
    }
    assert_eq!(ada.balances().await[0].1, "12.00 EUR");
    Household::log_in(&at.client(), &ada.email, None).await;
}

/// `dead` is the one module that is not there.
async fn only_what_needs_it_is_refused(at: &mut Installation, ada: &Household, dead: &str) {
    for (module, route) in NEEDED_FOR {
        // What was killed with it, or lives on.
        let alive = module != dead && (module == "identity" || !at.process(module).runs(dead));
        let answer = ada.client.get(route).await;
        if alive {
            answer.expect(200);
            continue;
        }
        let problem = answer.problem(503, "upstream_unavailable");
        assert!(problem["retry_after"].as_u64().is_some_and(|seconds| seconds > 0), "{problem}");
        assert_eq!(answer.header("retry-after"), problem["retry_after"].to_string());
    }
    let log_in = json!({ "email": ada.email, "password": PASSWORD });
    let log_in = at.client().post("/api/v1/sessions", &log_in).await;
    match dead {
        "identity" => drop(log_in.problem(503, "upstream_unavailable")),
        _ => drop(log_in.expect(201)),
    }
}

pub async fn a_key_is_remembered_beyond_the_death_of_a_process(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = json!({ "name": "Giro", "kind": "checking", "currency": "EUR" });
    at.process("ledger").kill();
    if at.is_apart("ledger") {
        let nobody = ada.client.post_once("/api/v1/accounts", KEY, &account).await;
        nobody.problem(503, "upstream_unavailable");
    }
    at.process("ledger").restart().await;
    let first = patiently("the account is opened", async || {
        Some(ada.client.post_once("/api/v1/accounts", KEY, &account).await)
            .filter(|answer| answer.status != 503)
    })
    .await;
    first.expect(201);
    at.process("ledger").kill();
    at.process("ledger").restart().await;
    let again = patiently("the answer comes again", async || {
        Some(ada.client.post_once("/api/v1/accounts", KEY, &account).await)
            .filter(|answer| answer.status != 503)
    })
    .await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    assert_eq!(ada.accounts().await.len(), 1);
}

pub async fn an_import_waits_for_a_ledger_that_is_away(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let file = Bank::account("1001").cents(50).write();
    // Where the ledger takes the gateway along, it is killed right after the upload instead of before.
    let before = at.is_apart("ledger");
    if before {
        at.process("ledger").kill();
    }
    let import = ada.client.upload(file, "").await.expect(202);
    if !before {
        at.process("ledger").kill();
    }
    sleep(Duration::from_millis(300)).await;
    at.process("ledger").restart().await;
    let id = import["id"].as_str().unwrap();
    assert_eq!(ada.rested(id).await["state"], "previewed");
    ada.commit(id).await.expect(202);
    assert_eq!(ada.rested(id).await["state"], "committed");
    assert_eq!(ada.transactions().await, 50);
}

const ROWS: u32 = 4000;

pub async fn a_process_killed_during_an_import_loses_and_doubles_no_row(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let deaths = [("connections", 0), ("ledger", 15), ("connections", 60), ("ledger", 0)];
    for (number, (module, pause_ms)) in deaths.into_iter().enumerate() {
        let file = Bank::account(&format!("10{number}")).cents(ROWS).balance("40.00").write();
        let import = ada.client.upload(file.clone(), "").await.expect(202);
        let id = import["id"].as_str().unwrap();
        die_after(at, module, pause_ms).await;
        assert_eq!(ada.rested(id).await["state"], "previewed");
        ada.commit(id).await.expect(202);
        die_after(at, module, pause_ms).await;
        let import = ada.rested(id).await;
        assert_eq!(import["state"], "committed", "{import}");
        let outcomes = &import["report"]["outcomes"];
        assert_eq!((&outcomes["read"], &outcomes["created"]), (&json!(ROWS), &json!(ROWS)), "{import}");
        assert_eq!(ada.transactions().await, u64::from(ROWS) * (number as u64 + 1), "after {module} died");
        // Nobody saw the answer, so they try again.
        let again = ada.import(file, "").await;
        assert_eq!(again["report"]["outcomes"]["duplicate"], ROWS, "{again}");
    }
    for account in ada.accounts().await {
        assert_eq!(
            (&account["booked"]["amount"], &account["drift"]["difference"]["amount"]),
            (&json!("40.00"), &json!("0.00"))
        );
    }
}

async fn die_after(at: &mut Installation, module: &str, pause_ms: u64) {
    sleep(Duration::from_millis(pause_ms)).await;
    at.process(module).kill();
    at.process(module).restart().await;
}

pub async fn an_upload_that_was_cut_off_can_be_sent_again(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let file = Bank::account("1001").cents(20_000).write();
    let half = Bytes::from(file[..file.len() / 2].to_owned());
    // Half of it comes, and then nothing any more.
    let body = stream::iter([Ok::<_, std::io::Error>(half)]).chain(stream::pending());
    let request =
        ada.client.upload_request(reqwest::Body::wrap_stream(body), "").header("idempotency-key", KEY);
    let cut_off = tokio::spawn(request.send());
    sleep(Duration::from_millis(300)).await;
    at.process("connections").kill();
    let answer = cut_off.await.unwrap();
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 503), "it cannot have worked");
    at.process("connections").restart().await;

    let again = ada.client.upload_request(file, "").header("idempotency-key", KEY);
    let import = ada.client.send(again).await.expect(202);
    let id = import["id"].as_str().unwrap();
    let import = ada.rested(id).await;
    assert_eq!(import["report"]["outcomes"]["created"], 20_000, "{import}");
    let imports = ada.client.get("/api/v1/imports?with_total=true").await.expect(200);
    assert_eq!(imports["total"], 1);
}
