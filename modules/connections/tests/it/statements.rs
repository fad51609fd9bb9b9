//! Statement formats other than OFX and tables, from their bytes to the ledger's balances.

use actix_web::http::Method;
use serde_json::json;

use crate::files::NUMBER;
use crate::tables::wallet;
use crate::world::{Upload, in_each_world, outcomes, owner, upload};

/// A statement of two pages with three rows, one of them taken back.
fn mt940() -> String {
    let page = |page: u32, entries: &str, closing: &str| {
        format!(":20:STARTUMS\r\n:25:{NUMBER}\r\n:28C:1/{page}\r\n{entries}{closing}\r\n-\r\n")
    };
    let first = ":60F:C251231EUR50,00\r\n\
                 :61:2512310102CR100,00NTRFNONREF//B1\r\n:86:166?00GUTSCHRIFT?20EREF+E1?21SVWZ+Salary?32Works\r\n\
                 :61:2602300228DR4,5NTRFNONREF//B2\r\n:86:177?00UEBERWEISUNG?20SVWZ+Bread?32Baker\r\n";
    let second = ":60M:C260228EUR145,50\r\n:61:260302RDR4,5NTRFNONREF//B3\r\n:86:159?00RETOURE?32Baker\r\n";
    page(1, first, ":62M:C260228EUR145,50") + &page(2, second, ":62F:C260302EUR150,00")
}

#[test]
fn an_mt940_statement_becomes_the_ledgers_with_its_balance() {
    in_each_world(async |world| {
        let who = owner();
        let file = || Upload { query: "?file_name=january.sta", ..upload(mt940()) };
        let import = world.committed(&who, file()).await;
        assert_eq!((outcomes(&import), import["format"].as_str()), ([3, 0, 0, 0, 0], Some("mt940")));
        let notes = import["notes"].as_array().unwrap();
        assert_eq!((notes.len(), notes[0]["code"].as_str()), (1, Some("moved_dates")), "{notes:?}");
        let accounts = world.accounts(&who).await;
        assert_eq!((accounts.len(), accounts[0].booked.to_string()), (1, "150.00 EUR".into()));
        let drift = &import["report"]["accounts"][0]["drift"];
        assert_eq!(drift["difference"]["amount"], "0.00", "{drift}");
        let mut told: Vec<_> = world
            .transactions(&who)
            .await
            .iter()
            .map(|told| format!("{} {} {}", told.posted_on, told.amount, told.name))
            .collect();
        told.sort();
        assert_eq!(
            told,
            ["2026-01-02 100.00 EUR Works", "2026-02-28 -4.50 EUR Baker", "2026-03-02 4.50 EUR Baker"]
        );
        let again = world.committed(&who, file()).await;
        assert_eq!(outcomes(&again), [0, 0, 0, 3, 0]);
    });
}

const REGISTERS: &str = "!Account\nNHousehold\nTBank\n^\n!Type:Bank\nD12/31'25\nT50.00\nPOpening Balance\nL[Household]\n^\n\
    D1/13'26\nT-30.00\nPMarket\nSFood\n$-10.00\nSHome\n$-20.00\n^\nD1/14'26\nT1,000.00\nPWorks\n^\n\
    !Account\nNPurse\nTCash\n^\n!Type:Cash\nD1/15'26\nT-2.50\nPBus\n^\n";

#[test]
fn registers_of_a_qif_file_become_the_ledgers_accounts_with_their_balances() {
    in_each_world(async |world| {
        let who = owner();
        let file = || Upload { query: "?file_name=a.qif&currency=USD", ..upload(REGISTERS) };
        let import = world.committed(&who, file()).await;
        assert_eq!((outcomes(&import), import["format"].as_str()), ([3, 0, 0, 0, 0], Some("qif")));
        assert_eq!(import["mapping"]["date_order"], "month_first");
        let mut accounts: Vec<_> = world
            .accounts(&who)
            .await
            .iter()
            .map(|account| format!("{} {:?} {}", account.name, account.kind, account.booked))
            .collect();
        accounts.sort();
        assert_eq!(accounts, ["Household Checking 1020.00 USD", "Purse Cash -2.50 USD"]);
        let transactions = world.transactions(&who).await;
        let market = transactions.iter().find(|told| told.name == "Market").unwrap();
        assert_eq!(market.details.splits.len(), 2);
        let again = world.committed(&who, file()).await;
        assert_eq!(outcomes(&again), [0, 0, 0, 3, 0]);
    });
}

#[test]
fn a_qif_file_asks_for_what_it_does_not_tell_and_a_second_preview_answers() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.failed(&who, upload(REGISTERS)).await;
        assert_eq!(import["problem"]["code"], "needs_currency", "it names its accounts");
        let import = world.failed(&who, upload("!Type:Bank\nD1/2/26\nT-4.50\nPBaker\n^\n")).await;
        assert_eq!(import["problem"]["code"], "ambiguous_dates");
        let mut mapping = import["mapping"].clone();
        mapping["date_order"] = json!("day_first");
        let preview = format!("/api/v1/imports/{}/preview", import["id"].as_str().unwrap());
        let path = preview.trim_end_matches("/preview");
        let ask = async |request| {
            let answer = world.ask(&who, Method::POST, &preview, Some(request)).await;
            assert_eq!(answer.status, 202, "{answer:?}");
        };
        ask(json!({ "mapping": mapping })).await;
        let import = world.until(&who, path, "failed").await;
        assert_eq!(import["problem"]["code"], "needs_account", "it does not name its account");
        ask(json!({ "account_id": wallet(world, &who, "EUR").await })).await;
        world.until(&who, path, "previewed").await;
        world.commit(&who, path).await;
        let told = &world.transactions(&who).await[0];
        assert_eq!(
            (told.posted_on.to_string(), told.amount.to_string()),
            ("2026-02-01".into(), "-4.50 EUR".into())
        );
    });
}
