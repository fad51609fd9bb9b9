//! What statements begin with.

use kernel::{AccountId, Currency, PageRequest};
use ledger_api::{AccountKind, BalanceFilter, BalanceKind, NewAccount, Row, StatedBalance};

use crate::harness::*;

/// A statement that begins and ends with these balances.
fn statement(opening: (u32, i64), rows: impl IntoIterator<Item = Row>, closing: (u32, i64)) -> File {
    let mut file = File::of(rows).stating(closing.0, closing.1);
    let (on, minor) = opening;
    file.balances.push(StatedBalance { kind: BalanceKind::Opening, as_of: day(on), amount: eur(minor) });
    file
}

fn first_half() -> File {
    statement((1, 10_000), [row(2, -500, "Rent"), row(10, 200, "Refund")], (15, 9_700))
}

fn second_half() -> File {
    statement((15, 9_700), [row(16, -700, "Food")], (31, 9_000))
}

#[test]
fn a_new_account_holds_what_its_first_statement_begins_with() {
    on_each_database(async |bench| {
        let cx = owner();
        let report = bench.import(&cx, &first_half()).await.unwrap();
        let (drift, opening) = (report.accounts[0].drift.unwrap(), report.accounts[0].opening.unwrap());
        assert_eq!((drift.difference, opening.difference, opening.as_of), (eur(0), eur(0), day(1)));
        let account = bench.only_account(&cx).await;
        assert_eq!((account.opening, account.booked), (eur(10_000), eur(9_700)));
        let page = bench.ledger.list_balance_snapshots(&cx, BalanceFilter::default(), PageRequest::default());
        let kept: Vec<_> = page.await.unwrap().data.iter().map(|b| (b.kind, b.as_of, b.amount)).collect();
        let ledger = BalanceKind::Ledger;
        assert_eq!(kept, [(ledger, day(15), eur(9_700)), (ledger, day(1), eur(10_000))]);
    });
}

#[test]
fn statements_may_come_in_any_order_and_again() {
    on_each_database(async |bench| {
        let cx = owner();
        for file in [second_half(), first_half(), second_half(), first_half()] {
            let report = bench.import(&cx, &file).await.unwrap();
            assert_eq!(report.accounts[0].drift.unwrap().difference, eur(0));
        }
        let account = bench.only_account(&cx).await;
        assert_eq!((account.opening, account.booked), (eur(10_000), eur(9_000)));
    });
}

#[test]
fn an_opening_balance_dated_on_the_day_of_the_first_row_is_of_the_day_before() {
    on_each_database(async |bench| {
        let cx = owner();
        let report = bench.import(&cx, &statement((2, 100), [row(2, -30, "A")], (2, 70))).await.unwrap();
        assert_eq!(report.accounts[0].opening.unwrap().as_of, day(1));
        assert_eq!(bench.only_account(&cx).await.opening, eur(100));
    });
}

#[test]
fn a_missing_statement_shows_as_a_difference_and_is_not_plugged() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &first_half()).await.unwrap();
        let gap = statement((20, 9_600), [row(21, -100, "Later")], (22, 9_500));
        let report = bench.import(&cx, &gap).await.unwrap();
        let opening = report.accounts[0].opening.unwrap();
        assert_eq!((opening.as_of, opening.difference), (day(20), eur(-100)));
        assert_eq!(bench.only_account(&cx).await.opening, eur(10_000));
        // What was missing arrives, and both ends agree.
        let missing = statement((15, 9_700), [row(18, -100, "Fee")], (20, 9_600));
        let report = bench.import(&cx, &missing).await.unwrap();
        assert_eq!(report.accounts[0].opening.unwrap().difference, eur(0));
        assert_eq!(bench.only_account(&cx).await.drift.unwrap().difference, eur(0));
    });
}

#[test]
fn an_opening_balance_that_the_household_stated_is_not_overwritten() {
    on_each_database(async |bench| {
        let cx = owner();
        let account = NewAccount {
            name: "By hand".into(),
            kind: AccountKind::Checking,
            currency: Currency::parse("EUR").unwrap(),
            opening: Some("50".into()),
        };
        let id: AccountId = bench.ledger.create_account(&cx, account).await.unwrap().id;
        let report = bench.import(&cx, &first_half().into_account(id)).await.unwrap();
        assert_eq!(report.accounts[0].opening.unwrap().difference, eur(5_000));
        assert_eq!(bench.only_account(&cx).await.opening, eur(5_000));
    });
}

#[test]
fn an_opening_balance_out_of_range_is_refused_and_leaves_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = statement((1, i64::MAX), [row(2, 1, "One more")], (2, 1));
        assert_eq!(bench.import(&cx, &file).await, Err(ledger_api::LedgerError::Overflow));
        assert!(bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.is_empty());
    });
}
