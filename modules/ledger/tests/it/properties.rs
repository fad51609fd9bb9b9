//! Laws of dedupe, held against random files on a real database.

use kernel::{BatchId, PageRequest};
use ledger_api::{Row, TransactionFilter};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::harness::*;
use crate::undo_properties::file;

/// Rows of a few days that often look alike, with ids that the bank sometimes gives twice.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (1..6u32, -3..0i64, prop::sample::select(&["A", "B"][..]), prop::option::of("[xyz]"));
    let row = row.prop_map(|(on, minor, name, id)| Row { external_id: id, ..row_of(on, minor, name) });
    prop::collection::vec(row, 0..12)
}

fn row_of(on: u32, minor: i64, name: &str) -> Row {
    row(on, minor, name)
}

/// What an account holds, without ids of ours and in an order of its own.
async fn content(bench: &Bench, cx: &service_registry::CallContext) -> Vec<(String, i64, String)> {
    let all = bench.all(cx, TransactionFilter::default()).await;
    let mut content: Vec<_> =
        all.into_iter().map(|t| (t.posted_on.to_string(), t.amount.minor(), t.name.to_lowercase())).collect();
    content.sort();
    content
}

async fn imported(bench: &Bench, files: &[Vec<Row>]) -> Vec<(String, i64, String)> {
    let cx = owner();
    for file in files {
        let o = bench.import(&cx, &File::of(file.clone())).await.unwrap().outcomes;
        assert_eq!(o.read, file.len() as u64);
        assert_eq!(o.read, o.created + o.updated + o.matched + o.duplicate + o.rejected);
    }
    content(bench, &cx).await
}

pub fn check<S: Strategy>(bench: &Bench, strategy: S, law: impl AsyncFn(&Bench, S::Value)) {
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&strategy, |value| {
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| handle.block_on(law(bench, value)));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn importing_twice_is_importing_once() {
    on_each_database(async |bench| {
        check(bench, rows(), async |bench, file| {
            let once = imported(bench, std::slice::from_ref(&file)).await;
            let twice = imported(bench, &[file.clone(), file.clone()]).await;
            assert_eq!(once, twice);
            assert_eq!(once.len(), file.len());
        });
    });
}

#[test]
fn overlapping_windows_in_any_order_are_the_whole() {
    on_each_database(async |bench| {
        let windows = (rows(), 1..6u32, 1..6u32);
        check(bench, windows, async |bench, (all, end, start)| {
            let (start, end) = (start.min(end), start.max(end));
            let early: Vec<Row> = all.iter().filter(|row| row.posted_on <= day(end)).cloned().collect();
            let late: Vec<Row> = all.iter().filter(|row| row.posted_on >= day(start)).cloned().collect();
            let whole = imported(bench, &[all]).await;
            assert_eq!(imported(bench, &[early.clone(), late.clone()]).await, whole);
            assert_eq!(imported(bench, &[late, early]).await, whole);
        });
    });
}

#[test]
fn the_booked_balance_is_the_sum_of_the_transactions() {
    on_each_database(async |bench| {
        check(bench, prop::collection::vec(rows(), 1..4), async |bench, files| {
            let cx = owner();
            for file in files {
                bench.import(&cx, &File::of(file)).await.unwrap();
            }
            let sum: i64 =
                bench.all(&cx, TransactionFilter::default()).await.iter().map(|t| t.amount.minor()).sum();
            let accounts = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data;
            // Files without rows open none.
            assert_eq!(accounts.first().map_or(eur(0), |account| account.booked), eur(sum));
        });
    });
}

#[test]
fn a_preview_says_what_ingest_then_does() {
    on_each_database(async |bench| {
        let files = (prop::collection::vec(file(), 0..3), file());
        check(bench, files, async |bench, (before, last)| {
            let (cx, batch) = (owner(), BatchId::new());
            for file in &before {
                bench.import(&cx, file).await.unwrap();
            }
            bench.stage(&cx, batch, &last, 3).await.unwrap();
            let preview = bench.ledger.preview(&cx, batch).await.unwrap();
            let mut done = bench.ledger.ingest(&cx, batch).await.unwrap();
            // What a preview opens has no id yet.
            done.accounts.iter_mut().filter(|a| a.opened).for_each(|account| account.account_id = None);
            assert_eq!(preview, done);
        });
    });
}
