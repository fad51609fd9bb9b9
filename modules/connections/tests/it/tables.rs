use actix_web::http::Method;
use kernel::{AccountId, Currency};
use ledger_api::{AccountKind, Ledger, NewAccount};
use serde_json::{Value, json};

use crate::files::{ofx, two_accounts};
use crate::world::{Upload, Who, World, in_each_world, outcomes, owner, path_of, upload};

pub async fn wallet(world: &World, who: &Who, currency: &str) -> AccountId {
    let currency = Currency::parse(currency).unwrap();
    let account = NewAccount { name: "Wallet".into(), kind: AccountKind::Cash, currency, opening: None };
    world.ledger.create_account(&who.cx(), account).await.unwrap().id
}

async fn preview(world: &World, who: &Who, import: &Value, request: Value) -> Value {
    let answer = world.ask(who, Method::POST, &format!("{}/preview", path_of(import)), Some(request)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!((&answer.body["state"], &answer.body["problem"]), (&json!("reading"), &Value::Null));
    world.until(who, &path_of(import), "previewed").await
}

#[test]
fn a_table_goes_to_the_chosen_account_in_its_currency() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "EUR").await;
        let table = "Datum;Name;Betrag\n13.01.2026;Bäcker;-1.234,56\n14.01.2026;Gehalt;2.000,00\n";
        let query = format!("?account_id={account}");
        let import = world.committed(&who, Upload { query: &query, ..upload(table) }).await;
        assert_eq!(outcomes(&import), [2, 0, 0, 0, 0]);
        assert_eq!(
            (&import["mapping"]["delimiter"], &import["mapping"]["decimal_mark"]),
            (&json!(";"), &json!("comma"))
        );
        assert_eq!(world.accounts(&who).await[0].booked.to_string(), "765.44 EUR");
    });
}

#[test]
fn bare_amounts_beside_marked_credits_are_spent_and_a_note_says_so() {
    in_each_world(async |world| {
        let who = owner();
        let query = format!("?account_id={}", wallet(world, &who, "EUR").await);
        let table = "Date,Name,Amount\n2026-01-13,Baker,4.50\n2026-01-14,Refund,2.00 CR\n";
        let import = world.committed(&who, Upload { query: &query, ..upload(table) }).await;
        assert_eq!(import["notes"][0]["code"], "bare_amounts_spent");
        assert_eq!(world.accounts(&who).await[0].booked.to_string(), "-2.50 EUR");
    });
}

#[test]
fn a_guessed_table_without_any_sign_is_noted_until_a_mapping_turns_it_round() {
    in_each_world(async |world| {
        let who = owner();
        let query = format!("?account_id={}", wallet(world, &who, "EUR").await);
        let table = |rows: &str| {
            format!("Date,Name,Amount\n2026-01-13,A,1.00\n2026-01-14,B,2.00\n2026-01-15,C,0.00\n{rows}")
        };
        for (rows, codes) in [
            ("2026-01-16,D,4.00\n", &["unsigned_amounts"][..]),
            ("2026-01-16,D,-4.00\n", &[]),
            ("2026-01-16,D,4.00 CR\n", &["bare_amounts_spent"]),
            ("", &[]),
        ] {
            let import = world.previewed(&who, Upload { query: &query, ..upload(table(rows)) }).await;
            let notes: Vec<_> =
                import["notes"].as_array().unwrap().iter().map(|note| &note["code"]).collect();
            assert_eq!(notes, codes, "{rows}");
        }
        let import =
            world.previewed(&who, Upload { query: &query, ..upload(table("2026-01-16,E,4.00\n")) }).await;
        let mut mapping = import["mapping"].clone();
        mapping["invert_sign"] = json!(true);
        let import = preview(world, &who, &import, json!({ "mapping": mapping })).await;
        assert_eq!(
            (&import["notes"], &import["report"]["accounts"][0]["booked_after"]["amount"]),
            (&json!([]), &json!("-7.00"))
        );
    });
}

#[test]
fn a_csv_without_a_date_column_fails_and_says_so() {
    in_each_world(async |world| {
        let who = owner();
        let import =
            world.failed(&who, upload("Name,Amount,Currency\nBaker,-4.50,EUR\nBus,-2.00,EUR\n")).await;
        assert_eq!(import["problem"]["code"], "no_date_column");
        assert_eq!(world.events(&who).await, ["import.failed"]);
    });
}

#[test]
fn a_csv_without_an_amount_column_fails_and_says_so() {
    in_each_world(async |world| {
        let import = world.failed(&owner(), upload("Date,Name,Currency\n2026-01-03,Baker,EUR\n")).await;
        assert_eq!(import["problem"]["code"], "no_amount_column");
    });
}

#[test]
fn a_table_that_names_no_account_needs_one_and_a_second_preview_answers() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.failed(&who, upload("Date,Name,Amount\n2026-01-13,Baker,-4.50\n")).await;
        assert_eq!(import["problem"]["code"], "needs_account");
        let account = wallet(world, &who, "USD").await;
        let import = preview(world, &who, &import, json!({ "account_id": account })).await;
        assert_eq!(outcomes(&import), [1, 0, 0, 0, 0]);
        assert_eq!(
            import["report"]["accounts"][0]["booked_after"],
            json!({ "amount": "-4.50", "currency": "USD" })
        );
        world.commit(&who, &path_of(&import)).await;
        assert_eq!(world.transactions(&who).await.len(), 1);
    });
}

#[test]
fn a_table_with_an_account_column_needs_a_currency_and_a_second_preview_answers() {
    in_each_world(async |world| {
        let who = owner();
        let table = "Date,Name,Amount,Account\n2026-01-13,Baker,-4.50,DE0011112222\n2026-01-14,Bus,-2.00,DE0033334444\n";
        let import = world.failed(&who, upload(table)).await;
        assert_eq!(import["problem"]["code"], "needs_currency");
        let import = preview(world, &who, &import, json!({ "currency": "EUR" })).await;
        let masks: Vec<_> = import["report"]["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|account| &account["number_mask"])
            .collect();
        assert_eq!(masks, ["••••2222", "••••4444"]);
    });
}

#[test]
fn dates_that_are_ambiguous_ask_for_an_order_and_a_second_preview_answers() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "USD").await;
        let query = format!("?account_id={account}");
        let table = "Date,Name,Amount\n01/02/2026,Baker,-4.50\n03/04/2026,Bus,-2.00\n";
        let import = world.failed(&who, Upload { query: &query, ..upload(table) }).await;
        assert_eq!(import["problem"]["code"], "ambiguous_dates");
        let mut mapping = import["mapping"].clone();
        mapping["date_order"] = json!("day_first");
        let import = preview(world, &who, &import, json!({ "mapping": mapping })).await;
        assert_eq!(import["mapping"]["date_order"], "day_first");
        world.commit(&who, &path_of(&import)).await;
        let mut days: Vec<_> = world
            .transactions(&who)
            .await
            .iter()
            .map(|transaction| transaction.posted_on.to_string())
            .collect();
        days.sort();
        assert_eq!(days, ["2026-02-01", "2026-04-03"]);
    });
}

#[test]
fn another_mapping_replaces_what_was_read_before() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "EUR").await;
        let query = format!("?account_id={account}");
        let table = "Date,Name,Amount,Fee\n2026-01-13,Baker,-4.50,-9.00\n";
        let import = world.previewed(&who, Upload { query: &query, ..upload(table) }).await;
        let mut mapping = import["mapping"].clone();
        mapping["columns"]["amount"] = json!({ "signed": "Fee" });
        let import = preview(world, &who, &import, json!({ "mapping": mapping })).await;
        assert_eq!(import["account_id"], json!(account), "what is left out stays");
        world.commit(&who, &path_of(&import)).await;
        let transactions = world.transactions(&who).await;
        assert_eq!((transactions.len(), transactions[0].amount.to_string()), (1, "-9.00 EUR".into()));
    });
}

#[test]
fn a_mapping_that_no_file_can_be_read_with_is_refused_at_once() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.failed(&who, upload("Date,Name,Amount\n2026-01-13,Baker,-4.50\n")).await;
        let mapping =
            json!({ "delimiter": "x", "columns": { "date": "Date", "amount": { "signed": "Amount" } } });
        let preview = format!("{}/preview", path_of(&import));
        let answer = world.ask(&who, Method::POST, &preview, Some(json!({ "mapping": mapping }))).await;
        assert_eq!((answer.status, answer.code()), (422, "validation_failed"));
        assert_eq!(world.get(&who, &path_of(&import)).await.body, import);
    });
}

#[test]
fn a_mapping_that_this_file_does_not_fit_fails_the_preview() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "EUR").await;
        let import = world.failed(&who, upload("Date,Name,Amount\n2026-01-13,Baker,-4.50\n")).await;
        let mapping =
            json!({ "delimiter": ",", "columns": { "date": "Tag", "amount": { "signed": "Betrag" } } });
        let request = json!({ "mapping": mapping, "account_id": account });
        let answer =
            world.ask(&who, Method::POST, &format!("{}/preview", path_of(&import)), Some(request)).await;
        assert_eq!(answer.status, 202);
        let import = world.until(&who, &path_of(&import), "failed").await;
        assert_eq!(import["problem"]["code"], "header_not_found");
    });
}

#[test]
fn one_account_cannot_be_chosen_for_a_file_of_several() {
    in_each_world(async |world| {
        let who = owner();
        let query = format!("?account_id={}", wallet(world, &who, "EUR").await);
        let import = world.failed(&who, Upload { query: &query, ..upload(two_accounts()) }).await;
        assert_eq!(import["problem"]["code"], "account_mismatch");
        assert!(world.transactions(&who).await.is_empty());
    });
}

#[test]
fn a_statement_in_another_currency_than_the_chosen_account_is_refused() {
    in_each_world(async |world| {
        let who = owner();
        let query = format!("?account_id={}", wallet(world, &who, "USD").await);
        let file = ofx(&[(3, "-4.50", "a", "Baker")]);
        let import = world.failed(&who, Upload { query: &query, ..upload(file) }).await;
        assert_eq!(import["problem"]["code"], "currency_mismatch");
    });
}

#[test]
fn an_unknown_currency_in_a_file_is_named() {
    in_each_world(async |world| {
        let file = ofx(&[(3, "-4.50", "a", "Baker")]).replace("<CURDEF>EUR", "<CURDEF>XXX");
        let import = world.failed(&owner(), upload(file)).await;
        assert_eq!(import["problem"]["code"], "unknown_currency");
    });
}
