//! What stands in the files that other programs, and our own importer, read.

use kernel::{Money, PageRequest};
use ledger_api::{Account, AccountKind, BalanceSnapshot, NewAccount, Row, Transaction, TransactionFilter};
use serde::Deserialize;

use super::export;
use crate::harness::*;

#[derive(Deserialize)]
struct Document {
    format: String,
    version: u32,
    accounts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    account: Account,
    transactions: Vec<Transaction>,
    balances: Vec<BalanceSnapshot>,
}

/// Two accounts, one of them without rows.
async fn two_accounts(bench: &Bench) -> service_registry::CallContext {
    let cx = owner();
    let rows = [
        Row {
            memo: Some("=1+1".into()),
            original: Some(Money::parse("-13.00", "USD".parse().unwrap()).unwrap()),
            ..with_id(row(3, -1200, "Café, \"Roma\""), "a")
        },
        with_id(row(3, 100, "-x"), "b"),
        with_id(row(4, 200, "y"), "b"),
    ];
    bench.import(&cx, &File::of(rows).stating(4, -900)).await.unwrap();
    let currency = "EUR".parse().unwrap();
    let empty = NewAccount { name: "Empty".into(), kind: AccountKind::Checking, currency, opening: None };
    bench.ledger.create_account(&cx, empty).await.unwrap();
    cx
}

#[test]
fn json_holds_all_that_the_api_shows() {
    on_each_database(async |bench| {
        let cx = two_accounts(bench).await;
        let answer = export(bench, &cx, "json").await;
        assert_eq!(answer.header("content-type"), "application/json");
        let document: Document = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!((document.format.as_str(), document.version), ("tributary-ledger", 1));
        let accounts: Vec<Account> = document.accounts.iter().map(|part| part.account.clone()).collect();
        assert_eq!(accounts, bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data);
        let mut rows = bench.all(&cx, TransactionFilter::default()).await;
        rows.reverse();
        assert_eq!(document.accounts[0].transactions, rows);
        let balances = bench
            .ledger
            .list_balance_snapshots(&cx, Default::default(), PageRequest::default())
            .await
            .unwrap();
        assert_eq!(document.accounts[0].balances, balances.data);
        assert!(document.accounts[1].transactions.is_empty() && document.accounts[1].balances.is_empty());
    });
}

#[test]
fn a_household_without_accounts_has_files_too() {
    on_each_database(async |bench| {
        let cx = owner();
        let document: Document = serde_json::from_str(&export(bench, &cx, "json").await.text()).unwrap();
        assert!(document.accounts.is_empty());
        assert_eq!(export(bench, &cx, "csv").await.text().lines().count(), 1);
        assert!(export(bench, &cx, "ofx").await.text().ends_with("</OFX>\n"));
        assert!(export(bench, &cx, "qif").await.text().starts_with("!Option:AutoSwitch\n!Account\n!Clear:"));
    });
}

#[test]
fn csv_guards_what_a_spreadsheet_could_run() {
    on_each_database(async |bench| {
        let cx = two_accounts(bench).await;
        let answer = export(bench, &cx, "csv").await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
        let name = answer.header("content-disposition").to_owned();
        assert!(
            name.starts_with("attachment; filename=\"tributary-ledger-20") && name.ends_with(".csv\""),
            "{name}"
        );
        let text = answer.text();
        assert!(
            text.contains(",2026-01-03,,,-12.00,EUR,-13.00,USD,other,\"Café, \"\"Roma\"\"\",'=1+1,,a"),
            "{text}"
        );
        assert!(text.contains(",2026-01-03,,,1.00,EUR,,,other,'-x,,,b,booked,,,"), "{text}");
        assert!(text.lines().all(|line| !line.ends_with(' ')) && text.matches("\r\n").count() == 4);
    });
}

#[test]
fn ofx_gives_each_row_an_id_of_its_own() {
    on_each_database(async |bench| {
        let cx = two_accounts(bench).await;
        let text = export(bench, &cx, "ofx").await.text();
        assert!(text.contains("<FITID>a</FITID>") && !text.contains("<FITID>b</FITID>"), "{text}");
        assert_eq!(text.matches("<FITID>").count(), 3);
        assert!(
            text.contains("<NAME>Café, \"Roma\"</NAME><MEMO>=1+1</MEMO><ORIGCURRENCY><CURRATE>0.9230769"),
            "{text}"
        );
        assert!(
            text.contains("<LEDGERBAL><BALAMT>-9.00</BALAMT><DTASOF>20260104</DTASOF></LEDGERBAL>"),
            "{text}"
        );
        assert!(text.contains("<BANKID>TRIBUTARY</BANKID>"), "{text}");
    });
}

/// A row whose every text tries to begin a line of its own, in an account with an opening balance.
async fn injected(bench: &Bench) -> service_registry::CallContext {
    let split = |category: &str, minor| ledger_api::Split {
        amount: eur(minor),
        category: Some(category.into()),
        memo: Some("a\n$9".into()),
    };
    let details = ledger_api::Details {
        category: Some("[checking\u{2028}x]".into()),
        splits: vec![split("Food\r\n^", -700), split("", -500)],
        ..ledger_api::Details::default()
    };
    let row = Row {
        memo: Some("a\r\n^\n!Type:Cat".into()),
        check_number: Some("1\n2".into()),
        details,
        ..row(3, -1200, "Café\u{b}T99\u{85}\u{0}x")
    };
    let cx = owner();
    let account = ledger_api::ExternalAccount { name: "Checking\nx".into(), ..checking("key") };
    let account = ledger_api::AccountRef::External(account);
    bench.import(&cx, &File { account, ..File::of([row]) }).await.unwrap();
    let account = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.remove(0);
    let patch = ledger_api::AccountPatch { opening: Some("100.00".into()), ..Default::default() };
    bench.ledger.update_account(&cx, account.id, patch).await.unwrap();
    cx
}

#[test]
fn no_text_of_a_qif_file_begins_a_line_of_its_own() {
    on_each_database(async |bench| {
        let cx = injected(bench).await;
        let answer = export(bench, &cx, "qif").await;
        assert_eq!(answer.header("content-type"), "application/qif");
        let id = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data[0].id;
        let account = format!("NChecking x\nDTRIBUTARY {id} EUR\nTBank\n^\n");
        let expected = format!(
            "!Option:AutoSwitch\n!Account\n{account}!Clear:AutoSwitch\n!Option:AutoSwitch\n\
             !Account\n{account}!Type:Bank\n\
             D2026-01-03\nT100.00\nPOpening Balance\nL[Checking x]\n^\n\
             D2026-01-03\nT-12.00\nN1 2\nPCafé T99 x\nMa ^ !Type:Cat\nLchecking x\n\
             SFood ^\nEa $9\n$-7.00\nS\nEa $9\n$-5.00\n^\n"
        );
        assert_eq!(answer.text(), expected);
    });
}

#[test]
fn a_file_holds_the_accounts_and_days_that_were_asked_for() {
    on_each_database(async |bench| {
        let cx = two_accounts(bench).await;
        let accounts = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data;
        let rows = async |query: String| {
            export(bench, &cx, &format!("csv?{query}")).await.text().lines().count() - 1
        };
        assert_eq!(rows("from=2026-01-04".into()).await, 1);
        assert_eq!(rows("to=2026-01-03".into()).await, 2);
        assert_eq!(rows("from=2026-01-03&to=2026-01-03".into()).await, 2);
        let (first, second) = (accounts[0].id, accounts[1].id);
        assert_eq!(rows(format!("account_id={second}")).await, 0);
        assert_eq!(rows(format!("account_id={second}&account_id={first}")).await, 3);
    });
}

#[test]
fn what_cannot_be_given_is_refused() {
    on_each_database(async |bench| {
        let cx = two_accounts(bench).await;
        let account = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data[0].id;
        for (who, rest, status) in [
            (&cx, "csv?from=2026-02-30".to_owned(), 422),
            (&cx, "csv?from=2026-02-02&to=2026-02-01".to_owned(), 422),
            (&cx, "csv?colour=red".to_owned(), 422),
            (&cx, "csv?from=2026-01-01&from=2026-01-02".to_owned(), 422),
            (&cx, "csv?account_id=x".to_owned(), 422),
            (&owner(), format!("csv?account_id={account}"), 404),
            (&service_registry::CallContext::root(), "csv".to_owned(), 401),
        ] {
            let answer = export(bench, who, &rest).await;
            assert_eq!(answer.status.as_u16(), status, "{rest}: {:?}", answer.body);
        }
    });
}
