//! The main job: a bank's files go in, an exact ledger comes out.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Bank, Household, Installation, SAMPLES, zip};

/// All rows of the samples and what becomes of them the first time.
fn outcomes(read: u64, created: u64, duplicate: u64) -> Value {
    json!({ "read": read, "created": created, "updated": 0, "matched": 0, "duplicate": duplicate, "rejected": 0 })
}

fn owned(balances: &[(&str, &str)]) -> Vec<(String, String)> {
    balances.iter().map(|(name, balance)| (name.to_string(), balance.to_string())).collect()
}

/// What the samples add up to, as they say themselves.
fn balances_of_samples() -> Vec<(String, String)> {
    owned(&[
        ("Checking ••••5678", "6853.68 EUR"),
        ("Credit card ••••4417", "-834.64 USD"),
        ("Savings ••••4321", "8766.75 EUR"),
    ])
}

pub async fn a_person_registers_logs_in_imports_and_sees_exact_balances(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    assert_eq!(ada.accounts().await, Vec::<Value>::new());
    for sample in &SAMPLES {
        ada.import(sample.content, &format!("file_name={}", sample.name)).await;
    }
    assert_eq!(ada.balances().await, balances_of_samples());
    for account in ada.accounts().await {
        assert_eq!(account["drift"]["difference"]["amount"], "0.00", "{account}");
    }
    // The 27 rows of March are in both checking statements.
    let rows: u64 = SAMPLES.iter().map(|sample| sample.rows).sum();
    assert_eq!(ada.transactions().await, rows - 27);
}

pub async fn a_file_imported_twice_creates_nothing(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    for sample in &SAMPLES {
        ada.import(sample.content, "").await;
    }
    for sample in &SAMPLES {
        let again = ada.import(sample.content, "").await;
        assert_eq!(again["report"]["outcomes"], outcomes(sample.rows, 0, sample.rows), "{}", sample.name);
    }
    assert_eq!(ada.balances().await, balances_of_samples());
}

pub async fn two_files_of_one_account_overlap_without_doubles(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let [first, second, ..] = SAMPLES;
    // The later file first: in which order files come must not matter.
    let later = ada.import(second.content, "").await;
    assert_eq!(later["report"]["outcomes"], outcomes(52, 52, 0));
    let earlier = ada.import(first.content, "").await;
    assert_eq!(earlier["report"]["outcomes"], outcomes(78, 51, 27));
    assert_eq!(ada.balances().await, owned(&[("Checking ••••5678", "6853.68 EUR")]));
}

pub async fn two_identical_rows_that_are_both_real_stay_two(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    ada.import(SAMPLES[0].content, "").await;
    let tickets = "/api/v1/transactions?min_amount=-2.90&max_amount=-2.90";
    let found = ada.client.get(tickets).await.expect(200);
    let found = found["data"].as_array().expect("a page has data").clone();
    let mut days: Vec<_> = found.iter().map(|ticket| ticket["posted_on"].to_string()).collect();
    days.sort();
    assert!(days.windows(2).any(|pair| pair[0] == pair[1]), "{found:?}");
}

pub async fn a_preview_changes_nothing_and_can_be_given_up(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let import = ada.preview(SAMPLES[0].content, "").await;
    assert_eq!(import["state"], "previewed");
    assert_eq!(import["report"]["outcomes"], outcomes(78, 78, 0));
    assert_eq!((ada.accounts().await.len(), ada.transactions().await), (0, 0));
    let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
    for _ in 0..2 {
        ada.client.delete(&path).await.expect(204);
    }
    assert_eq!(ada.client.get(&path).await.expect(200)["state"], "cancelled");
    ada.client.post(&format!("{path}/commit"), &json!({})).await.problem(409, "import_state");
    assert_eq!(ada.transactions().await, 0);
}

pub async fn a_difference_to_the_banks_own_balance_is_shown_and_never_plugged(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let statement = Bank::account("1001").row(1, "100.00", "a").row(2, "-30.00", "b").balance("75.00");
    let import = ada.import(statement.write(), "").await;
    let drift = &import["report"]["accounts"][0]["drift"];
    let money = |amount: &str| json!({ "amount": amount, "currency": "EUR" });
    let expected = json!({
        "as_of": "2026-06-30", "stated": money("75.00"), "booked": money("70.00"), "difference": money("5.00"),
    });
    assert_eq!(*drift, expected);
    let account = ada.accounts().await.remove(0);
    assert_eq!((&account["drift"], &account["booked"]), (&expected, &money("70.00")));
    // Said once what it held before, the account agrees with its bank.
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    let account = ada.client.patch(&path, &json!({ "opening": "5.00" })).await.expect(200);
    assert_eq!((&account["drift"]["difference"], &account["booked"]), (&money("0.00"), &money("75.00")));
}

pub async fn files_uploaded_at_the_same_time_all_arrive_once(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    // Two accounts, two files each of which the second holds the first, and one file twice.
    let file = |account: &str, rows| Bank::account(account).cents(rows).write();
    let files = [file("1001", 40), file("1001", 60), file("2002", 40), file("2002", 60), file("2002", 60)];
    let imports = join_all(files.into_iter().map(|file| ada.import(file, ""))).await;
    let sum = |outcome: &str| -> u64 {
        imports.iter().map(|import| import["report"]["outcomes"][outcome].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("read"), sum("created"), sum("duplicate")), (260, 120, 140));
    assert_eq!(ada.transactions().await, 120);
    assert_eq!(
        ada.balances().await,
        owned(&[("Checking ••••01", "0.60 EUR"), ("Checking ••••02", "0.60 EUR")])
    );
}

pub async fn files_in_one_archive_all_arrive_once(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let files = SAMPLES.map(|sample| (sample.name, sample.content));
    let archive = ada.preview(zip(&files), "file_name=statements.zip").await;
    assert_eq!((&archive["state"], &archive["format"]), (&json!("unpacked"), &json!("zip")));
    let mut created = 0;
    for (id, sample) in archive["members"].as_array().unwrap().iter().zip(SAMPLES) {
        let id = id.as_str().unwrap();
        let import = ada.rested(id).await;
        assert_eq!((&import["state"], &import["file_name"]), (&json!("previewed"), &json!(sample.name)));
        ada.commit(id).await.expect(202);
        created += ada.rested(id).await["report"]["outcomes"]["created"].as_u64().unwrap();
    }
    assert_eq!(ada.balances().await, balances_of_samples());
    assert_eq!(ada.transactions().await, created);
    let bomb = ada.preview(zip(&[("zeros.csv", &vec![b'0'; 2_000_000])]), "").await;
    assert_eq!((&bomb["state"], &bomb["problem"]["code"]), (&json!("failed"), &json!("archive_too_large")));
}

pub async fn each_row_of_a_file_is_told_with_its_line_and_reason(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let statement = Bank::account("1001").row(1, "100.00", "a").row(2, "a lot", "b").row(3, "-30.00", "c");
    let import = ada.import(statement.write(), "").await;
    let rows = format!("/api/v1/imports/{}/rows", import["id"].as_str().unwrap());
    let all = ada.client.get(&rows).await.expect(200);
    let told = |row: &Value| (row["line"].clone(), row["outcome"].clone());
    let told: Vec<_> = all["data"].as_array().unwrap().iter().map(told).collect();
    let expected = [(4, "created"), (5, "rejected"), (6, "created")];
    assert_eq!(told, expected.map(|(line, outcome)| (json!(line), json!(outcome))));
    let rejected = ada.client.get(&format!("{rows}?outcome=rejected")).await.expect(200);
    assert_eq!(rejected["data"][0]["code"], "malformed_amount");
}

pub async fn a_kept_file_is_read_again_and_deleted(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let import = ada.import(SAMPLES[0].content, "").await;
    assert!(import["file_kept_until"].is_string(), "{import}");
    let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
    let again = ada.client.post(&format!("{path}/reparse"), &json!({})).await.expect(202);
    assert_eq!(again["reparse_of"], import["id"]);
    let again = ada.rested(again["id"].as_str().unwrap()).await;
    assert_eq!(again["report"]["outcomes"], outcomes(78, 0, 78));
    assert_eq!(again["difference"], json!({ "missing": 0, "missing_rows": [] }));
    ada.client.delete(&format!("{path}/file")).await.expect(204);
    assert!(ada.client.get(&path).await.expect(200)["file_kept_until"].is_null());
    ada.client.post(&format!("{path}/reparse"), &json!({})).await.problem(409, "import_state");
    assert_eq!(ada.transactions().await, 78);
}

pub async fn an_import_is_undone_and_its_file_comes_again_as_new(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let [earlier, later, ..] = SAMPLES;
    let first = ada.import(earlier.content, "").await;
    ada.import(later.content, "").await;
    let path = format!("/api/v1/imports/{}", first["id"].as_str().unwrap());
    ada.client.post(&format!("{path}/undo"), &json!({})).await.expect(202);
    let undone = ada.rested(first["id"].as_str().unwrap()).await;
    // The 27 rows of March are in the later statement as well.
    let told = &undone["undone"];
    assert_eq!(
        (&undone["state"], &told["removed"], &told["kept"]),
        (&json!("undone"), &json!(51), &json!(27))
    );
    assert_eq!(ada.transactions().await, 52);
    ada.client.post(&format!("{path}/undo"), &json!({})).await.expect(202);
    let again = ada.import(earlier.content, "").await;
    assert_eq!(again["report"]["outcomes"], outcomes(78, 51, 27));
    assert_eq!(ada.balances().await, owned(&[("Checking ••••5678", "6853.68 EUR")]));
}

pub async fn what_was_exported_is_nothing_new_when_it_is_imported(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    for sample in &SAMPLES {
        ada.import(sample.content, "").await;
    }
    let (balances, rows) = (ada.balances().await, ada.transactions().await);
    for format in ["csv", "ofx", "qif"] {
        let file = ada.client.get(&format!("/api/v1/exports/ledger.{format}")).await;
        assert_eq!(file.status, 200, "{}", file.text);
        assert!(file.header("content-disposition").ends_with(&format!(".{format}\"")));
        let again = ada.import(file.text, "").await;
        let outcomes = &again["report"]["outcomes"];
        let count = |outcome: &str| outcomes[outcome].as_u64().unwrap();
        assert_eq!(["read", "created", "updated", "rejected"].map(count), [rows, 0, 0, 0], "{again}");
    }
    assert_eq!((ada.balances().await, ada.transactions().await), (balances, rows));
    for format in ["json", "beancount", "hledger"] {
        let file = ada.client.get(&format!("/api/v1/exports/ledger.{format}?from=2026-01-01")).await;
        assert!(file.status == 200 && file.text.contains("6853.68"), "{}", file.text);
    }
}
