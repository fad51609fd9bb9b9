//! A file shows one moment, and is whole or breaks off.

use kernel::Role;
use ledger_api::Row;
use sea_orm::ConnectionTrait;

use super::{Answer, begin, export};
use crate::harness::*;

/// More rows than a page, of one day and of several.
fn many(count: u32) -> Vec<Row> {
    (0..count).map(|number| row(1 + number % 28, i64::from(number), &format!("Row {number}"))).collect()
}

async fn imported(bench: &Bench, rows: Vec<Row>) -> service_registry::CallContext {
    let cx = owner();
    let batch = kernel::BatchId::new();
    bench.stage(&cx, batch, &File::of(rows), 500).await.unwrap();
    bench.ledger.ingest(&cx, batch).await.unwrap();
    cx
}

#[test]
fn every_row_stands_in_the_file_once_and_in_order() {
    on_each_database(async |bench| {
        let cx = imported(bench, many(1700)).await;
        let text = export(bench, &cx, "csv").await.text();
        let cell = |line: &str, at: usize| line.split(',').nth(at).unwrap().to_owned();
        let days: Vec<_> = text.lines().skip(1).map(|line| cell(line, 3)).collect();
        assert!(days.is_sorted());
        let mut names: Vec<_> = text.lines().skip(1).map(|line| cell(line, 11)).collect();
        names.sort();
        names.dedup();
        assert_eq!((days.len(), names.len()), (1700, 1700));
    });
}

#[test]
fn a_file_that_cannot_be_read_on_breaks_off() {
    on_each_database(async |bench| {
        let cx = imported(bench, many(1200)).await;
        // The last row turns into something that no version of ours has written.
        let spoil = "UPDATE transactions SET kind = 'nonsense' WHERE name = 'Row 1175'";
        bench.store.writer().execute_unprepared(spoil).await.unwrap();
        for format in ["csv", "ofx", "qif", "json", "beancount", "hledger"] {
            let answer = export(bench, &cx, format).await;
            assert_eq!(answer.status.as_u16(), 200);
            assert_eq!(answer.body, None, "{format} came whole");
        }
    });
}

#[test]
fn a_viewer_may_take_the_ledger_along() {
    on_each_database(async |bench| {
        let cx = imported(bench, many(3)).await;
        let space = platform::principal(&cx).unwrap().space;
        let text = export(bench, &member(space, Role::Viewer), "csv").await.text();
        assert_eq!(text.lines().count(), 4);
    });
}

#[test]
fn a_file_shows_the_ledger_as_it_was_when_it_began() {
    on_each_database(async |bench| {
        let cx = imported(bench, many(4000)).await;
        // Nobody reads it yet, so most of it is not written yet.
        let begun = begin(bench, &cx, "csv").await;
        let later: Vec<Row> = (0..50).map(|number| row(28, number, &format!("Later {number}"))).collect();
        bench.import(&cx, &File::of(later)).await.unwrap();
        bench.store.writer().execute_unprepared("UPDATE transactions SET name = 'Changed'").await.unwrap();
        let text = Answer::of(begun).await.text();
        assert_eq!(text.lines().count(), 4001);
        assert!(!text.contains("Later") && !text.contains("Changed"));
    });
}

#[test]
fn a_file_that_nobody_reads_makes_room_for_others() {
    on_each_database(async |bench| {
        let cx = imported(bench, many(4000)).await;
        let first = begin(bench, &cx, "csv").await;
        let second = begin(bench, &cx, "csv").await;
        let hurried = cx.clone().with_remaining(std::time::Duration::from_millis(200));
        let refused = export(bench, &hurried, "csv").await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "10"));
        drop(first);
        assert_eq!(export(bench, &cx, "csv").await.text().lines().count(), 4001);
        drop(second);
    });
}
