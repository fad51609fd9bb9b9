//! Rows that are taken, and that a preview asks people to look at.

use kernel::BatchId;
use ledger_api::{Row, TransactionStatus};
use service_registry::CallContext;

use crate::harness::*;

/// Lines and codes of what a preview finds odd in the file.
async fn odd(bench: &Bench, cx: &CallContext, file: &File) -> Vec<(u32, String)> {
    let batch = BatchId::new();
    bench.stage(cx, batch, file, 2).await.unwrap();
    let found = bench.ledger.preview(cx, batch).await.unwrap().suspicious;
    assert_eq!(bench.ledger.ingest(cx, batch).await.unwrap().suspicious, found);
    found.into_iter().map(|row| (row.line, row.code)).collect()
}

fn codes<const N: usize>(expected: [(u32, &str); N]) -> Vec<(u32, String)> {
    expected.map(|(line, code)| (line, code.to_owned())).to_vec()
}

#[test]
fn a_booked_row_of_a_day_to_come_is_odd_and_a_pending_one_is_not() {
    on_each_database(async |bench| {
        let cx = owner();
        let in_days = |days: u64| kernel::now().date_naive() + chrono::Days::new(days);
        let on = |days: u64| Row { posted_on: in_days(days), ..row(1, -1, "A") };
        let announced = Row { status: TransactionStatus::Pending, name: "B".into(), ..on(40) };
        let file = File::of([on(0), on(5), on(40), announced]);
        assert_eq!(odd(bench, &cx, &file).await, codes([(3, "date_ahead")]));
    });
}

#[test]
fn a_row_of_other_days_than_its_statement_is_odd() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([row(1, -1, "A"), row(8, -1, "B"), row(20, -1, "C"), row(31, -1, "D")]);
        let found = odd(bench, &cx, &file.of_days(10, 20)).await;
        let code = "date_outside_statement";
        assert_eq!(found, codes([(1, code), (4, code)]));
    });
}

#[test]
fn a_row_that_stands_in_the_file_before_is_odd_unless_the_bank_gave_it_an_id() {
    on_each_database(async |bench| {
        let cx = owner();
        let coffee = || row(1, -350, "Coffee");
        let file = File::of([coffee(), coffee(), with_id(coffee(), "a"), with_id(coffee(), "b"), coffee()]);
        assert_eq!(odd(bench, &cx, &file).await, codes([(2, "repeated"), (5, "repeated")]));
        // All of them are known now, and what is known is not odd.
        assert!(odd(bench, &cx, &file).await.is_empty());
    });
}

#[test]
fn a_new_row_beside_a_known_one_of_its_amount_that_the_file_lacks_is_odd() {
    on_each_database(async |bench| {
        let cx = owner();
        let known = File::of([row(5, -100, "Rent"), row(9, -200, "Shop"), row(10, -300, "Power")]);
        bench.import(&cx, &known).await.unwrap();
        let others =
            [row(5, -100, "Rent"), row(7, -100, "Gift"), row(12, -200, "SHOP 0815"), row(20, -300, "Gas")];
        // Line 3 may be what is known of the 9th; the 10th is too far from the 20th, and the rent of the 5th is there.
        assert_eq!(odd(bench, &cx, &File::of(others)).await, codes([(3, "known_alike")]));
        // A file of later days says nothing of the 20th.
        assert!(odd(bench, &cx, &File::of([row(21, -300, "Gas again")])).await.is_empty());
        // Another account has nothing to do with it.
        let other = File { account: ledger_api::AccountRef::External(checking("key-2")), ..known };
        assert!(odd(bench, &cx, &other).await.is_empty());
    });
}

#[test]
fn no_more_than_a_hundred_are_told() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of((0..150).map(|_| row(1, -1, "A")));
        let found = odd(bench, &cx, &file).await;
        assert_eq!((found.len(), found[0].0), (100, 2));
    });
}
