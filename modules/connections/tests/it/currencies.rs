//! Tables that hold several currencies and name no account, as wallets give them.

use serde_json::{Value, json};

use crate::tables::wallet;
use crate::world::{Upload, Who, World, in_each_world, outcomes, owner, path_of, upload};

/// Three rows in euros, of which one moved nothing, and two in pounds.
const REVOLUT: &str = "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\n\
    TOPUP,Current,2026-01-02 09:12:33,2026-01-02 09:12:35,Payment from Jo,500.00,0.00,EUR,COMPLETED,500.00\n\
    EXCHANGE,Current,2026-01-08 10:00:00,2026-01-08 10:00:00,Exchanged to GBP,-100.00,1.00,EUR,COMPLETED,399.00\n\
    EXCHANGE,Current,2026-01-08 10:00:00,2026-01-08 10:00:00,Exchanged to GBP,86.10,0.00,GBP,COMPLETED,86.10\n\
    CARD_PAYMENT,Current,2026-01-09 12:30:00,2026-01-10 06:00:00,Fish & Chips,-14.55,0.00,GBP,COMPLETED,71.55\n\
    TRANSFER,Current,2026-01-12 09:00:00,,To A. Person,-50.00,0.00,EUR,DECLINED,\n";

async fn balances(world: &World, who: &Who) -> Vec<String> {
    let accounts = world.accounts(who).await;
    let mut shown: Vec<_> = accounts.iter().map(|known| format!("{} {}", known.name, known.booked)).collect();
    shown.sort();
    shown
}

fn drifts(import: &Value) -> Vec<&str> {
    let accounts = import["report"]["accounts"].as_array().unwrap();
    accounts.iter().map(|account| account["drift"]["difference"]["amount"].as_str().unwrap()).collect()
}

#[test]
fn a_wallet_s_file_fills_an_account_for_each_currency_and_finds_them_again() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(REVOLUT)).await;
        assert_eq!(outcomes(&import), [4, 0, 0, 0, 1]);
        assert_eq!(drifts(&import), ["0.00", "0.00"]);
        let expected = ["Revolut EUR 399.00 EUR", "Revolut GBP 71.55 GBP"];
        assert_eq!(balances(world, &who).await, expected);

        let more =
            "FEE,Current,2026-01-15 00:05:00,2026-01-15 00:05:00,Plan,0.00,7.99,EUR,COMPLETED,391.01\n";
        let again = world.committed(&who, upload(format!("{REVOLUT}{more}"))).await;
        assert_eq!(outcomes(&again), [1, 0, 0, 4, 1]);
        assert_eq!(balances(world, &who).await, ["Revolut EUR 391.01 EUR", expected[1]]);
        // One currency alone, as the bank's own choice of account gives it, is no other account.
        let (header, _) = REVOLUT.split_once('\n').unwrap();
        let alone = world.committed(&who, upload(format!("{header}\n{more}"))).await;
        assert_eq!((outcomes(&alone), world.accounts(&who).await.len()), ([0, 0, 0, 1, 0], 2));
        // Another household has accounts of its own.
        assert_eq!(outcomes(&world.committed(&owner(), upload(REVOLUT)).await), [4, 0, 0, 0, 1]);
    });
}

#[test]
fn a_chosen_account_takes_the_rows_in_its_currency_and_the_others_are_rejected_by_line() {
    in_each_world(async |world| {
        let who = owner();
        let query = format!("?account_id={}", wallet(world, &who, "GBP").await);
        let import = world.committed(&who, Upload { query: &query, ..upload(REVOLUT) }).await;
        assert_eq!((outcomes(&import), drifts(&import)), ([2, 0, 0, 0, 3], vec!["0.00"]));
        let rejected = import["report"]["rejected"].as_array().unwrap();
        let told: Vec<_> = rejected.iter().map(|row| (row["line"].as_u64(), row["code"].as_str())).collect();
        let mismatch = Some("currency_mismatch");
        assert_eq!(told, [(Some(2), mismatch), (Some(3), mismatch), (Some(6), Some("not_booked"))]);
        assert_eq!(rejected[0]["reason"], "the row is in EUR, the account in GBP");
        assert_eq!(balances(world, &who).await, ["Wallet 71.55 GBP"]);

        let query = format!("?account_id={}", wallet(world, &who, "USD").await);
        let refused = world.failed(&who, Upload { query: &query, ..upload(REVOLUT) }).await;
        assert_eq!(refused["problem"]["code"], "currency_mismatch", "no row is for it");
    });
}

#[test]
fn a_wallet_s_file_whose_columns_a_person_mapped_fills_the_same_accounts() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.previewed(&who, upload(REVOLUT)).await;
        let mut mapping = import["mapping"].clone();
        mapping["columns"]["memo"] = json!("Product");
        let path = path_of(&import);
        let request = Some(json!({ "mapping": mapping }));
        let preview =
            world.ask(&who, actix_web::http::Method::POST, &format!("{path}/preview"), request).await;
        assert_eq!(preview.status, 202, "{preview:?}");
        world.until(&who, &path, "previewed").await;
        world.commit(&who, &path).await;
        assert_eq!(balances(world, &who).await, ["Revolut EUR 399.00 EUR", "Revolut GBP 71.55 GBP"]);
    });
}

#[test]
fn another_table_of_several_currencies_still_needs_to_be_told_its_account() {
    in_each_world(async |world| {
        let table = "Date,Name,Amount,Currency\n2026-01-03,Baker,-4.50,EUR\n2026-01-04,Deli,-5.00,USD\n";
        let import = world.failed(&owner(), upload(table)).await;
        assert_eq!(import["problem"]["code"], "needs_account");
    });
}
