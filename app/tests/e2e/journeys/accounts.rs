//! Looking at what is in the ledger.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Bank, Household, Installation, patiently};

pub async fn lists_are_paged_in_order_and_count_their_total_on_request(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    ada.import(Bank::account("1001").cents(120).write(), "").await;
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/transactions?limit=50&with_total=true{cursor}");
        let page = ada.client.get(&path).await.expect(200);
        assert_eq!(page["total"], 120);
        let rows = page["data"].as_array().unwrap();
        sizes.push(rows.len());
        let place = |row: &serde_json::Value| (row["posted_on"].to_string(), row["id"].to_string());
        seen.extend(rows.iter().map(place));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(sizes, [50, 50, 20]);
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0), "newest bank date first");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 120, "no row twice");
    let page = ada.client.get("/api/v1/transactions").await.expect(200);
    assert_eq!((page["data"].as_array().unwrap().len(), page.get("total")), (50, None));
}

pub async fn transactions_are_found_by_day_text_amount_and_kind(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let june =
        Bank::account("1001").row(1, "-5.00", "Bakery").row(2, "-7.50", "Grocer").row(2, "100", "Employer");
    ada.import(june.write(), "").await;
    let count = async |query: &str| {
        let page = ada.client.get(&format!("/api/v1/transactions?with_total=true&{query}")).await.expect(200);
        page["total"].as_u64().unwrap()
    };
    assert_eq!(count("from=2026-06-02&to=2026-06-02").await, 2, "one day is a range");
    assert_eq!(count("to=2026-06-01").await, 1);
    assert_eq!(count("text=BAKERY").await, 1);
    assert_eq!(count("text=shop").await, 3);
    assert_eq!(count("min_amount=-7.50&max_amount=-5").await, 2);
    assert_eq!(count("kind=point_of_sale").await, 3);
    assert_eq!(count("kind=fee").await, 0);
    let backwards = ada.client.get("/api/v1/transactions?from=2026-06-02&to=2026-06-01").await;
    backwards.problem(422, "validation_failed");
}

pub async fn an_account_is_opened_renamed_closed_and_refuses_rows(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let id = ada.open_account("Cash box", "EUR").await;
    let path = format!("/api/v1/accounts/{id}");
    let account = ada.client.patch(&path, &json!({ "name": "Purse", "opening": "12.34" })).await.expect(200);
    assert_eq!((&account["name"], &account["booked"]["amount"]), (&json!("Purse"), &json!("12.34")));

    let import =
        ada.preview(Bank::account("1").row(1, "1.00", "a").write(), &format!("account_id={id}")).await;
    assert_eq!(import["state"], "previewed", "{import}");
    ada.client.patch(&path, &json!({ "closed": true })).await.expect(200);
    let import_id = import["id"].as_str().unwrap();
    ada.commit(import_id).await.expect(202);
    let import = ada.rested(import_id).await;
    assert_eq!((&import["state"], &import["problem"]["code"]), (&json!("failed"), &json!("account_closed")));
    assert_eq!(ada.transactions().await, 0, "a failed commit leaves no rows");
}

pub async fn every_change_is_told_once_and_in_order(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let id = ada.open_account("Cash box", "EUR").await;
    ada.client.patch(&format!("/api/v1/accounts/{id}"), &json!({ "closed": true })).await.expect(200);
    ada.import(Bank::account("1001").row(1, "100.00", "a").balance("75.00").write(), "").await;
    let expected = [
        "ledger.account.opened",
        "ledger.account.closed",
        "ledger.account.opened",
        "ledger.drift.found",
        "ledger.batch.committed",
    ];
    let mut changes = Vec::new();
    let mut after = 0;
    // Events get their place in the feed a moment after the change.
    patiently("all changes are told", async || {
        let page = ada.client.get(&format!("/api/v1/changes?limit=2&after_seq={after}")).await.expect(200);
        changes.extend(page["data"].as_array().unwrap().clone());
        after = page["next_seq"].as_i64().unwrap();
        (changes.len() >= expected.len()).then_some(())
    })
    .await;
    let kinds: Vec<_> = changes.iter().map(|change| change["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, expected);
    assert!(changes.is_sorted_by(|a, b| a["seq"].as_i64() < b["seq"].as_i64()));
}
