//! Tables, which say less of themselves than other bank files do.

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Household, Installation};

pub async fn dates_that_are_ambiguous_are_decided_by_a_person(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = ada.open_account("Giro", "EUR").await;
    let table = "Date,Name,Amount\n01/02/2026,Bakery,-1.50\n03/02/2026,Rent,-900.00\n";
    let import = ada.preview(table, &format!("account_id={account}")).await;
    assert_eq!(import["problem"]["code"], "ambiguous_dates", "{import}");
    let mut mapping = import["mapping"].clone();
    mapping["date_order"] = json!("day_first");
    let id = import["id"].as_str().unwrap();
    let path = format!("/api/v1/imports/{id}/preview");
    ada.client.post(&path, &json!({ "mapping": mapping })).await.expect(202);
    assert_eq!(ada.rested(id).await["state"], "previewed");
    ada.commit(id).await.expect(202);
    ada.rested(id).await;
    let february = ada.client.get("/api/v1/transactions?from=2026-02-01&to=2026-02-03&with_total=true").await;
    assert_eq!(february.expect(200)["total"], 2);
}

pub async fn amounts_are_read_as_their_bank_writes_them(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = ada.open_account("Giro", "EUR").await;
    let comma = "Buchungstag;Name;Betrag\n13.02.2026;Salary;1.234,56\n14.02.2026;Grocer;-34,56\n";
    let brackets = "Date,Name,Amount\n2026-02-15,Fee,(12.00)\n2026-02-16,Gift,\"1,000.00\"\n";
    for table in [comma, brackets] {
        ada.import(table, &format!("account_id={account}")).await;
    }
    assert_eq!(ada.balances().await[0].1, "2188.00 EUR");
}

pub async fn a_saved_mapping_reads_the_next_table_of_the_same_bank_by_itself(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = ada.open_account("Giro", "EUR").await;
    let january = "Date,Name,Amount\n01/02/2026,Bakery,-1.50\n";
    let import = ada.preview(january, &format!("account_id={account}")).await;
    let mut mapping = import["mapping"].clone();
    mapping["date_order"] = json!("day_first");
    let profile = json!({ "name": "My bank", "mapping": mapping, "account_id": account });
    let path = format!("/api/v1/mapping-profiles/{}", Uuid::now_v7());
    ada.client.put(&path, &profile).await.expect(200);

    let import = ada.import("Date,Name,Amount\n03/02/2026,Rent,-900.00\n", "").await;
    assert_eq!(import["mapping"]["date_order"], "day_first", "{import}");
    assert_eq!(ada.balances().await, [("Giro".to_owned(), "-900.00 EUR".to_owned())]);
    let transactions = ada.client.get("/api/v1/transactions").await.expect(200);
    assert_eq!(transactions["data"][0]["posted_on"], "2026-02-03");

    // The id is the client's choice, and somebody else's may be the same: theirs is another profile.
    let eve = Household::new(at, "eve").await;
    eve.client.delete(&path).await.problem(404, "not_found");
    let theirs = json!({ "name": "Eve's bank", "mapping": mapping });
    eve.client.put(&path, &theirs).await.expect(200);
    let profiles = ada.client.get("/api/v1/mapping-profiles").await.expect(200);
    assert_eq!((&profiles["data"][0]["name"], &profiles["data"][1]), (&json!("My bank"), &json!(null)));
    ada.client.delete(&path).await.expect(204);
    assert_eq!(eve.client.get("/api/v1/mapping-profiles").await.expect(200)["data"][0]["name"], "Eve's bank");
}

pub async fn rows_that_look_odd_are_named_before_they_are_taken(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let account = ada.open_account("Giro", "EUR").await;
    let query = format!("account_id={account}");
    let known = "Date,Name,Amount\n2026-02-05,Shop,-20.00\n2026-02-09,Rent,-900.00\n";
    assert_eq!(ada.import(known, &query).await["report"]["suspicious"], json!([]));
    let odd = "Date,Name,Amount\n2026-02-05,Shop,-20.00\n2026-02-10,RENT FEBRUARY,-900.00\n\
               2026-02-10,Coffee,-3.50\n2026-02-10,Coffee,-3.50\n2199-01-01,Shop,-1.00\n";
    let report = ada.import(odd, &query).await["report"].clone();
    let named = report["suspicious"].as_array().unwrap();
    let named: Vec<_> = named.iter().map(|row| (&row["line"], &row["code"])).collect();
    let expected =
        [(3, "known_alike"), (5, "repeated"), (6, "date_ahead")].map(|(n, code)| (json!(n), json!(code)));
    assert_eq!(named, expected.iter().map(|(line, code)| (line, code)).collect::<Vec<_>>());
    assert_eq!((&report["outcomes"]["created"], ada.transactions().await), (&json!(4), 6));
}
