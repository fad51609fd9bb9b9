//! hledger and beancount accept what we write, whatever stands in the ledger.

use std::io::Write;
use std::process::Command;

use kernel::PageRequest;
use ledger_api::{AccountKind, AccountPatch, Details, Row, Split, TransactionStatus};
use proptest::test_runner::{Config, TestRunner};

use super::{Content, export, household, ledgers, money};
use crate::harness::*;

/// Set to 1 where a missing program must fail the tests rather than skip them.
const REQUIRE: &str = "TRIBUTARY_REQUIRE_TOOLS";

/// The program and its first arguments; none where it is not installed and need not be.
fn tool(program: &'static str, args: &'static [&'static str]) -> Option<impl Fn(&str)> {
    if Command::new(program).arg("--version").output().is_err() {
        let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
        assert!(!required, "{program} is not installed but required");
        println!("skipped: {program} (not installed)");
        return None;
    }
    Some(move |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        // Without a locale they take text for ASCII.
        let output =
            Command::new(program).args(args).arg(file.path()).env("LC_ALL", "C.UTF-8").output().unwrap();
        let said =
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(output.status.success() && said.is_empty(), "{said}\n{text}");
    })
}

fn hledger() -> Option<impl Fn(&str)> {
    tool("hledger", &["check", "--strict", "-f"])
}

fn bean_check() -> Option<impl Fn(&str)> {
    tool("bean-check", &["--no-cache"])
}

async fn accepted(bench: &Bench, accounts: &[Content], from: Option<u32>) {
    let cx = household(bench, accounts).await;
    let from = from.map_or(String::new(), |on| format!("?from={}", day(on)));
    if let Some(accepts) = hledger() {
        accepts(&export(bench, &cx, &format!("hledger{from}")).await.text());
    }
    if let Some(accepts) = bean_check() {
        accepts(&export(bench, &cx, &format!("beancount{from}")).await.text());
    }
}

#[test]
fn hledger_and_beancount_accept_every_ledger() {
    on_each_database(async |bench| {
        let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
        let ledgers = (ledgers(), proptest::option::of(1..28u32));
        let outcome = TestRunner::new(config).run(&ledgers, |(accounts, from)| {
            let handle = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| handle.block_on(accepted(bench, &accounts, from)));
            Ok(())
        });
        outcome.unwrap();
    });
}

/// A card with an opening balance, one stated balance that holds and one that does not.
async fn card(bench: &Bench) -> service_registry::CallContext {
    let file = File::of([
        with_id(row(2, -1234, "Shop \"A\""), "id-1"),
        Row {
            memo: Some("for May".into()),
            check_number: Some("17".into()),
            ..row(3, 500, "Refund; thanks")
        },
    ]);
    let mut file = file.stating(2, 8766).stating(3, 9999);
    file.account = ledger_api::AccountRef::External(ledger_api::ExternalAccount {
        kind: AccountKind::CreditCard,
        name: "Karte".into(),
        ..checking("key")
    });
    let cx = owner();
    bench.import(&cx, &file).await.unwrap();
    let account = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.remove(0);
    let patch = AccountPatch { opening: Some("100.00".into()), ..AccountPatch::default() };
    bench.ledger.update_account(&cx, account.id, patch).await.unwrap();
    cx
}

/// The lines that do not hold ids of ours.
fn shown(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("account-id") && !line.contains("transaction-id"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_beancount_file_asserts_the_balances_that_hold_and_tells_of_those_that_do_not() {
    on_each_database(async |bench| {
        let cx = card(bench).await;
        let text = export(bench, &cx, "beancount").await.text();
        let expected = r#"option "title" "Tributary"

2026-01-02 open Liabilities:Karte EUR
  name: "Karte"
  kind: "credit_card"
  bank-id: "BANK"
  number: "••••6789"

2026-01-02 * "Opening balance"
  Liabilities:Karte  100.00 EUR
  Equity:Opening-Balances  -100.00 EUR

2026-01-02 * "Shop \"A\"" ""
  external-id: "id-1"
  kind: "other"
  Liabilities:Karte  -12.34 EUR
  Expenses:Uncategorized  12.34 EUR

2026-01-03 balance Liabilities:Karte  87.66 EUR

2026-01-03 * "Refund; thanks" "for May"
  kind: "other"
  check: "17"
  Liabilities:Karte  5.00 EUR
  Income:Uncategorized  -5.00 EUR

; the bank says 99.99 EUR at the end of 2026-01-03, these rows add up to 92.66 EUR

2026-01-02 open Equity:Opening-Balances
2026-01-02 open Expenses:Uncategorized
2026-01-02 open Income:Uncategorized"#;
        assert_eq!(shown(&text), expected);
    });
}

#[test]
fn a_journal_of_hledger_declares_what_it_uses() {
    on_each_database(async |bench| {
        let cx = card(bench).await;
        let text = export(bench, &cx, "hledger?from=2026-01-03").await.text();
        let expected = "; Tributary
decimal-mark .

commodity 1000.00 EUR

account Liabilities:Karte
    ; name: Karte
    ; kind: credit_card
    ; bank-id: BANK
    ; number: ••••6789

2026-01-03 * Opening balance
    Liabilities:Karte  87.66 EUR
    Equity:Opening-Balances  -87.66 EUR

2026-01-03 * (17) Refund, thanks | for May
    ; kind: other
    Liabilities:Karte  5.00 EUR
    Income:Uncategorized  -5.00 EUR

; the bank says 99.99 EUR at the end of 2026-01-03, these rows add up to 92.66 EUR

account Equity:Opening-Balances
account Income:Uncategorized";
        assert_eq!(shown(&text), expected);
    });
}

#[test]
fn categories_and_splits_are_the_other_side_and_pending_rows_stay_out() {
    on_each_database(async |bench| {
        let split =
            |category: &str, minor| Split { amount: eur(minor), category: Some(category.into()), memo: None };
        let divided = Details {
            splits: vec![split("Food:Fruit", -300), split("[Savings]", -200)],
            ..Details::default()
        };
        let rows = [
            Row { details: divided, ..row(1, -500, "Market") },
            Row {
                details: Details { category: Some("Gifts".into()), ..Details::default() },
                ..row(2, 700, "Aunt")
            },
            Row { status: TransactionStatus::Pending, ..row(3, -900, "Hotel") },
        ];
        let cx = owner();
        bench.import(&cx, &File::of(rows)).await.unwrap();
        for format in ["hledger", "beancount"] {
            let text = export(bench, &cx, format).await.text();
            for line in [
                "Expenses:Food:Fruit  3.00 EUR",
                "Equity:Transfers:Savings  2.00 EUR",
                "Income:Gifts  -7.00 EUR",
            ] {
                assert!(text.contains(line), "{text}");
            }
            assert!(!text.contains("Hotel"), "{text}");
        }
    });
}

#[test]
fn accounts_of_one_name_stay_two() {
    on_each_database(async |bench| {
        let one = |minor| Content {
            kind: AccountKind::Checking,
            currency: "JPY",
            name: "Same!".into(),
            rows: vec![Row::new(day(1), money(minor, "JPY"), "x")],
            stated: vec![],
        };
        let cx = household(bench, &[one(1), one(2)]).await;
        let text = export(bench, &cx, "hledger").await.text();
        assert!(text.contains("Assets:Same  1 JPY") && text.contains("Assets:Same-2  2 JPY"), "{text}");
    });
}
