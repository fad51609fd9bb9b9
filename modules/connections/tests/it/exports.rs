//! What the ledger writes, our own importer reads back: nothing new where it came from, and the same elsewhere.

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpMessage};
use kernel::{BankDate, BatchId, Currency, Money};
use ledger_api::{
    AccountKind, AccountRef, BalanceKind, ExternalAccount, Ledger, Row, StagePart, StagedRow, StatedBalance,
    StatementRef, Transaction, TransactionStatus,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use utoipa_actix_web::AppExt;
use uuid::Uuid;

use crate::world::{Who, World, in_each_world, outcomes, owner, upload};

/// A file of the ledger, as its route gives it.
async fn export(world: &World, who: &Who, rest: &str) -> Vec<u8> {
    let routes = world.ledger_routes();
    let (app, _) = App::new().into_utoipa_app().configure(|config| routes(config)).split_for_parts();
    let cx = who.cx();
    let edge = move |request: ServiceRequest, next: Next<BoxBody>| {
        request.extensions_mut().insert(cx.clone());
        async move { next.call(request).await }
    };
    let app = init_service(app.wrap(from_fn(edge))).await;
    let request = TestRequest::with_uri(&format!("/api/v1/exports/ledger.{rest}")).to_request();
    let response = app.call(request).await.unwrap();
    assert!(response.status().is_success());
    actix_web::body::to_bytes(response.into_body()).await.unwrap().to_vec()
}

/// Text as banks write it, as spreadsheets fear it, and as nobody should.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z ]{0,12}",
        2 => prop::sample::select(&[
            "=1+1", "+49 30 1", "-5", "@x", "'=x", "''-", "'", "a \"b\" \\ c", "\"", "a\nb", "a\r\nb", "a;b, c",
            "Müller & Söhne <b>", "&amp;", "]]>", "家計", "\u{1f600}", "x\u{b}y", "a\u{1}b", "\u{1} c", "\t=1", "\t", "'\t", "^",
            "２", "  x  ", "\u{a0}", "AT&T;", "<STMTTRN>",
        ][..])
        .prop_map(str::to_owned),
        1 => "\\PC{0,10}",
        1 => ".{0,10}",
    ]
}

fn rows(currency: Currency) -> impl Strategy<Value = Vec<Row>> {
    let amount = prop_oneof![4 => -3..3i64, 1 => any::<i32>().prop_map(i64::from)];
    let texts = (text(), prop::option::of(text()), prop::option::of(text()), prop::option::of("[xyz&]"));
    let row = (1..28u32, amount, texts, prop::bool::weighted(0.1));
    let row = row.prop_map(move |(on, minor, (name, memo, check_number, external_id), is_pending)| Row {
        memo,
        check_number,
        external_id,
        status: if is_pending { TransactionStatus::Pending } else { TransactionStatus::Booked },
        ..Row::new(BankDate::from_ymd_opt(2026, 1, on).unwrap(), Money::from_minor(minor, currency), name)
    });
    prop::collection::vec(row, 0..8)
}

/// Accounts of every kind that has a place of its own in some format, and their rows.
fn ledgers() -> impl Strategy<Value = Vec<(AccountKind, Currency, Vec<Row>)>> {
    let kinds =
        &[AccountKind::Checking, AccountKind::CreditCard, AccountKind::Investment, AccountKind::Loan][..];
    let currencies = ["EUR", "JPY", "KWD"].map(|code| Currency::parse(code).unwrap()).to_vec();
    let account = (prop::sample::select(kinds), prop::sample::select(currencies));
    let account = account.prop_flat_map(|(kind, currency)| (Just(kind), Just(currency), rows(currency)));
    prop::collection::vec(account, 1..4)
}

/// Puts a ledger into a household of its own, past all files.
async fn household(world: &World, ledger: &[(AccountKind, Currency, Vec<Row>)]) -> Who {
    let who = owner();
    let batch = BatchId::new();
    let statements = ledger.iter().enumerate().map(|(number, (kind, currency, rows))| {
        let account = ExternalAccount {
            ours: None,
            key: format!("key-{number}"),
            bank_id: None,
            number_mask: None,
            kind: *kind,
            currency: *currency,
            name: format!("=Account {number}"),
        };
        let last = rows.last().map_or(BankDate::default(), |row| row.posted_on);
        let stated = StatedBalance { kind: BalanceKind::Ledger, as_of: last, amount: Money::zero(*currency) };
        let (number, account) = (number as u32, AccountRef::External(account));
        StatementRef { balances: vec![stated], ..StatementRef::new(number, account) }
    });
    let rows = ledger.iter().enumerate().flat_map(|(number, (_, _, rows))| {
        rows.iter().map(move |row| StagedRow { statement: number as u32, line: 1, row: Ok(row.clone()) })
    });
    let part = StagePart {
        batch,
        run: Uuid::now_v7(),
        part: 0,
        statements: statements.collect(),
        rows: rows.collect(),
    };
    world.ledger.stage(&who.cx(), part).await.unwrap();
    world.ledger.ingest(&who.cx(), batch).await.unwrap();
    who
}

/// Some ledgers, the same in every run of a failing test.
fn some_ledgers() -> impl Iterator<Item = Vec<(AccountKind, Currency, Vec<Row>)>> {
    let mut runner = TestRunner::new(Config::default());
    (0..12).map(move |_| ledgers().new_tree(&mut runner).unwrap().current())
}

/// What a row tells, but for what a format may lose: ids of ours, the case of white space, odd characters.
fn told(rows: &[Transaction]) -> Vec<String> {
    let line = |text: &str| {
        let clean = text
            .chars()
            .filter(|c| !c.is_control() || c.is_whitespace())
            .filter(|c| *c < '\u{fffe}' || *c > '\u{ffff}');
        clean.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut told: Vec<String> = rows
        .iter()
        .map(|row| {
            let (name, memo) = (line(&row.name), line(row.memo.as_deref().unwrap_or_default()));
            // A row without a name is called by its memo.
            let (name, memo) = if name.is_empty() { (memo, String::new()) } else { (name, memo) };
            let number = line(row.check_number.as_deref().unwrap_or_default());
            format!("{} {} {name:?} {memo:?} {number:?} {:?}", row.posted_on, row.amount, row.status)
        })
        .collect();
    told.sort();
    told
}

async fn comes_back(world: &World, format: &str, expected: impl Fn(&Transaction) -> bool) {
    for ledger in some_ledgers() {
        let who = household(world, &ledger).await;
        let before = world.transactions(&who).await;
        let accounts = world.accounts(&who).await;
        let file = export(world, &who, format).await;
        let shown = String::from_utf8_lossy(&file).into_owned();
        let again = world.committed(&who, upload(file.clone())).await;
        let [created, updated, _, _, rejected] = outcomes(&again);
        let after = world.transactions(&who).await;
        let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).cloned().collect();
        assert_eq!((created, updated, rejected), (0, 0, 0), "{:#?}\n{shown}", told(&new));
        assert_eq!(after, before, "{shown}");
        assert_eq!(world.accounts(&who).await, accounts, "{shown}");

        let other = owner();
        world.committed(&other, upload(file)).await;
        let wanted: Vec<_> = before.into_iter().filter(|row| expected(row)).collect();
        assert_eq!(told(&world.transactions(&other).await), told(&wanted), "{shown}");
    }
}

#[test]
fn an_ofx_file_of_ours_holds_nothing_new_here_and_the_same_elsewhere() {
    in_each_world(async |world| {
        comes_back(world, "ofx", |row| row.status == TransactionStatus::Booked).await;
    });
}

#[test]
fn a_csv_file_of_ours_holds_nothing_new_here_and_the_same_elsewhere() {
    in_each_world(async |world| comes_back(world, "csv", |_| true).await);
}

#[test]
fn a_qif_file_of_ours_holds_nothing_new_here_and_the_same_elsewhere() {
    in_each_world(async |world| {
        comes_back(world, "qif", |row| row.status == TransactionStatus::Booked).await;
    });
}

#[test]
fn an_account_that_comes_as_qif_begins_elsewhere_with_what_it_held() {
    in_each_world(async |world| {
        let currency = "KWD".parse().unwrap();
        let row = |day, minor| {
            let day = BankDate::from_ymd_opt(2026, 1, day).unwrap();
            Row::new(day, Money::from_minor(minor, currency), "x")
        };
        let ada = household(world, &[(AccountKind::Loan, currency, vec![row(3, 1234), row(5, 1000)])]).await;
        let file = export(world, &ada, "qif?from=2026-01-04").await;
        let bob = owner();
        world.committed(&bob, upload(file)).await;
        let account = world.accounts(&bob).await.remove(0);
        assert_eq!((account.booked.to_string(), account.kind), ("2.234 KWD".into(), AccountKind::Loan));
        assert_eq!((account.name.as_str(), world.transactions(&bob).await.len()), ("=Account 0", 1));
    });
}

#[test]
fn accounts_that_come_as_csv_are_called_elsewhere_what_they_are_called_here() {
    in_each_world(async |world| {
        let account = |code: &str| {
            let currency = code.parse().unwrap();
            let row =
                Row::new(BankDate::from_ymd_opt(2026, 1, 3).unwrap(), Money::from_minor(-5, currency), "x");
            (AccountKind::Checking, currency, vec![row])
        };
        let ada = household(world, &[account("EUR"), account("JPY")]).await;
        let file = export(world, &ada, "csv").await;
        let bob = owner();
        world.committed(&bob, upload(file.clone())).await;
        let called = async || {
            let accounts = world.accounts(&bob).await.into_iter();
            accounts.map(|account| format!("{} {}", account.name, account.booked)).collect::<Vec<_>>()
        };
        assert_eq!(called().await, ["=Account 0 -0.05 EUR", "=Account 1 -5 JPY"]);
        let again = world.committed(&bob, upload(file)).await;
        assert_eq!((outcomes(&again)[0], called().await.len()), (0, 2));
    });
}

#[test]
fn a_household_takes_no_rows_for_the_account_of_another() {
    in_each_world(async |world| {
        let row = Row::new(BankDate::default(), Money::zero("EUR".parse().unwrap()), "x");
        let ada = household(world, &[(AccountKind::Checking, "EUR".parse().unwrap(), vec![row])]).await;
        let file = export(world, &ada, "ofx").await;
        let bob = owner();
        let import = world.committed(&bob, upload(file)).await;
        assert_eq!(import["report"]["accounts"][0]["opened"], json!(true));
        assert_ne!(world.accounts(&bob).await[0].id, world.accounts(&ada).await[0].id);
        assert_eq!(world.ask(&bob, Method::GET, "/api/v1/imports", None).await.status, 200);
    });
}
