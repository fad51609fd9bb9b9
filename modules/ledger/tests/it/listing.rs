use kernel::{Cursor, PageRequest};
use ledger_api::{BalanceFilter, LedgerError, Row, TransactionFilter, TransactionKind};

use crate::harness::*;

fn names(transactions: &[ledger_api::Transaction]) -> Vec<&str> {
    transactions.iter().map(|transaction| transaction.name.as_str()).collect()
}

async fn shopping(bench: &Bench, cx: &service_registry::CallContext) {
    let rows = [
        row(1, 100_000, "Salary"),
        row(2, -1050, "Bäckerei MÜLLER"),
        Row { memo: Some("Order 100%_7".into()), kind: TransactionKind::Check, ..row(3, -2500, "Books") },
        row(3, -800, "Cinema"),
        row(5, -99, "App"),
    ];
    bench.import(cx, &File::of(rows)).await.unwrap();
}

#[test]
fn transactions_come_newest_first_and_pages_neither_skip_nor_repeat() {
    on_each_database(async |bench| {
        let cx = owner();
        shopping(bench, &cx).await;
        let all = bench.all(&cx, TransactionFilter::default()).await;
        assert_eq!(names(&all), ["App", "Cinema", "Books", "Bäckerei MÜLLER", "Salary"]);
    });
}

#[test]
fn filters_hold_together() {
    on_each_database(async |bench| {
        let cx = owner();
        shopping(bench, &cx).await;
        let none = TransactionFilter::default;
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            (TransactionFilter { from: Some(day(3)), to: Some(day(3)), ..none() }, vec!["Cinema", "Books"]),
            (TransactionFilter { text: some("müller"), ..none() }, vec!["Bäckerei MÜLLER"]),
            (TransactionFilter { text: some("100%_"), ..none() }, vec!["Books"]),
            (TransactionFilter { text: some("100_"), ..none() }, vec![]),
            (
                TransactionFilter { min_amount: some("-10.50"), max_amount: some("-0.99"), ..none() },
                vec!["App", "Cinema", "Bäckerei MÜLLER"],
            ),
            (TransactionFilter { kind: Some(TransactionKind::Check), ..none() }, vec!["Books"]),
            (
                TransactionFilter { text: some("o"), max_amount: some("-20"), from: Some(day(2)), ..none() },
                vec!["Books"],
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(names(&bench.all(&cx, filter.clone()).await), expected, "{filter:?}");
        }
    });
}

#[test]
fn the_total_counts_all_that_matches_and_not_the_page() {
    on_each_database(async |bench| {
        let cx = owner();
        shopping(bench, &cx).await;
        let page = PageRequest { limit: 1, with_total: true, cursor: None };
        let filter = TransactionFilter { max_amount: Some("0".into()), ..Default::default() };
        let page = bench.ledger.list_transactions(&cx, filter, page).await.unwrap();
        assert_eq!((page.data.len(), page.total), (1, Some(4)));
    });
}

#[test]
fn a_backward_range_a_broken_cursor_and_a_bound_that_is_no_number_are_named() {
    on_each_database(async |bench| {
        let cx = owner();
        let broken = PageRequest { cursor: Some(Cursor::new(["yesterday"])), ..PageRequest::default() };
        let cases = [
            (
                TransactionFilter { from: Some(day(2)), to: Some(day(1)), ..Default::default() },
                PageRequest::default(),
                "?to",
            ),
            (
                TransactionFilter { min_amount: Some("1e9".into()), ..Default::default() },
                PageRequest::default(),
                "?min_amount",
            ),
            (TransactionFilter::default(), broken, "?cursor"),
        ];
        for (filter, page, pointer) in cases {
            match bench.ledger.list_transactions(&cx, filter, page).await {
                Err(LedgerError::Invalid(field)) => assert_eq!(field.pointer, pointer),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn two_households_cannot_see_each_other() {
    on_each_database(async |bench| {
        let (mine, theirs) = (owner(), owner());
        shopping(bench, &mine).await;
        bench.import(&theirs, &File::of([row(1, -1, "Theirs")])).await.unwrap();
        let all = bench.all(&theirs, TransactionFilter::default()).await;
        assert_eq!(names(&all), ["Theirs"]);
        let hidden = bench.all(&mine, TransactionFilter::default()).await[0].id;
        assert_eq!(
            bench.ledger.transaction(&theirs, hidden).await,
            Err(LedgerError::TransactionNotFound(hidden))
        );
        let account = bench.only_account(&mine).await.id;
        let filter = TransactionFilter { account_id: Some(account), ..Default::default() };
        let refused = bench.ledger.list_transactions(&theirs, filter, PageRequest::default()).await;
        assert_eq!(refused.unwrap_err(), LedgerError::AccountNotFound(account));
    });
}

#[test]
fn a_transaction_keeps_everything_that_the_bank_told() {
    on_each_database(async |bench| {
        let cx = owner();
        let told = Row {
            occurred_on: Some(day(30)),
            posted_at: Some(kernel::now()),
            original: Some(kernel::Money::from_minor(1200, kernel::Currency::parse("JPY").unwrap())),
            memo: Some("Line one\nline two".into()),
            check_number: Some("0042".into()),
            ..with_id(row(31, -777, "Tōkyō 東京"), "F-1")
        };
        bench.import(&cx, &File::of([told.clone()])).await.unwrap();
        let kept = bench.all(&cx, TransactionFilter::default()).await.remove(0);
        assert_eq!(bench.ledger.transaction(&cx, kept.id).await.unwrap(), kept);
        assert_eq!(
            (kept.posted_on, kept.occurred_on, kept.posted_at),
            (told.posted_on, told.occurred_on, told.posted_at)
        );
        assert_eq!((kept.amount, kept.original, kept.name), (told.amount, told.original, told.name));
        assert_eq!(
            (kept.memo, kept.check_number, kept.external_id),
            (told.memo, told.check_number, told.external_id)
        );
    });
}

#[test]
fn stated_balances_are_listed_by_date_and_the_last_word_for_a_day_counts() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -1, "A")]).stating(1, 100).stating(2, 200)).await.unwrap();
        bench.import(&cx, &File::of([row(3, -1, "B")]).stating(2, 250)).await.unwrap();
        let filter = BalanceFilter { from: Some(day(2)), to: Some(day(2)), account_id: None };
        let page = PageRequest { with_total: true, ..PageRequest::default() };
        let one_day = bench.ledger.list_balance_snapshots(&cx, filter, page.clone()).await.unwrap();
        assert_eq!((one_day.total, one_day.data[0].amount), (Some(1), eur(250)));
        let all = bench.ledger.list_balance_snapshots(&cx, BalanceFilter::default(), page).await.unwrap();
        assert_eq!(all.data.iter().map(|snapshot| snapshot.as_of).collect::<Vec<_>>(), [day(2), day(1)]);
    });
}
