//! Every row of a batch can be seen with what became of it.

use kernel::{BatchId, PageRequest};
use ledger_api::{
    Correction, CorrectionAction, Details, LedgerError, RejectedReason, RowFilter, RowOutcome, RowReport,
    Split, StagedRow, TransactionFilter, TransactionStatus,
};
use service_registry::CallContext;

use crate::harness::*;

/// All rows of a batch, over as many pages as it takes.
async fn rows(
    bench: &Bench,
    cx: &CallContext,
    batch: BatchId,
    outcome: Option<RowOutcome>,
) -> Vec<RowReport> {
    let (mut all, mut page) = (Vec::new(), PageRequest { limit: 2, with_total: true, cursor: None });
    loop {
        let next = bench.ledger.rows(cx, batch, RowFilter { outcome }, page.clone()).await.unwrap();
        let total = next.total.unwrap();
        all.extend(next.data);
        page.cursor = next.next_cursor;
        if page.cursor.is_none() {
            assert_eq!(all.len() as u64, total);
            return all;
        }
    }
}

fn told(rows: &[RowReport]) -> Vec<(u32, RowOutcome)> {
    rows.iter().map(|row| (row.line, row.outcome)).collect()
}

/// A file with one row of each outcome, after `known_before`.
fn one_of_each() -> File {
    let deletes = Correction { external_id: "never seen".into(), action: CorrectionAction::Delete };
    let mut file = File::of([
        with_id(row(1, -1, "A"), "a"),
        with_id(row(1, -2, "B"), "other"),
        with_id(row(2, -3, "told anew"), "c"),
        row(3, -4, "D"),
    ]);
    let unread = RejectedReason { code: "bad_date".into(), reason: "no date".into() };
    file.rows.push(StagedRow { statement: 0, line: 5, row: Err(unread) });
    let deletion = ledger_api::Row { corrects: Some(deletes), ..row(3, -9, "Gone") };
    file.rows.push(StagedRow { statement: 0, line: 6, row: Ok(deletion) });
    file
}

async fn known_before(bench: &Bench, cx: &CallContext) {
    let known = [with_id(row(1, -1, "A"), "a"), with_id(row(1, -2, "B"), "b"), with_id(row(2, -3, "C"), "c")];
    bench.import(cx, &File::of(known)).await.unwrap();
}

use RowOutcome::{Created, Duplicate, Matched, Rejected, Updated};

#[test]
fn each_row_is_listed_with_its_line_and_outcome_before_and_after_the_commit() {
    on_each_database(async |bench| {
        let cx = owner();
        known_before(bench, &cx).await;
        let batch = BatchId::new();
        bench.stage(&cx, batch, &one_of_each(), 2).await.unwrap();
        let expected =
            [(1, Duplicate), (2, Matched), (3, Updated), (4, Created), (5, Rejected), (6, Rejected)];
        let preview = bench.ledger.preview(&cx, batch).await.unwrap();
        let waiting = rows(bench, &cx, batch, None).await;
        assert_eq!(told(&waiting), expected);
        assert_eq!(bench.ledger.ingest(&cx, batch).await.unwrap(), preview);
        let committed = rows(bench, &cx, batch, None).await;
        assert_eq!(told(&committed), expected);
        for (before, after) in waiting.iter().zip(&committed) {
            // Only the transaction that a new row makes is not there before.
            let made = (after.outcome == Created).then_some(after.transaction_id).flatten();
            assert_eq!(
                *after,
                RowReport { transaction_id: before.transaction_id.or(made), ..before.clone() }
            );
        }
        let [.., unread, deletion] = committed.as_slice() else { panic!("{committed:?}") };
        assert_eq!((unread.code.as_deref(), unread.reason.as_deref()), (Some("bad_date"), Some("no date")));
        assert_eq!((deletion.code.as_deref(), deletion.amount), (Some("nothing_to_correct"), Some(eur(-9))));
    });
}

#[test]
fn rows_of_one_outcome_can_be_asked_for_alone() {
    on_each_database(async |bench| {
        let cx = owner();
        known_before(bench, &cx).await;
        let batch = BatchId::new();
        bench.stage(&cx, batch, &one_of_each(), 3).await.unwrap();
        for _ in 0..2 {
            for (outcome, lines) in [
                (Created, &[4][..]),
                (Duplicate, &[1]),
                (Matched, &[2]),
                (Updated, &[3]),
                (Rejected, &[5, 6]),
            ] {
                let found = rows(bench, &cx, batch, Some(outcome)).await;
                assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), lines);
            }
            bench.ledger.ingest(&cx, batch).await.unwrap();
        }
    });
}

#[test]
fn rows_that_wait_are_told_anew_when_the_ledger_has_changed_since() {
    on_each_database(async |bench| {
        let cx = owner();
        let batch = BatchId::new();
        let file = File::of([row(1, -1, "A"), row(2, -2, "B")]);
        bench.stage(&cx, batch, &file, 7).await.unwrap();
        bench.ledger.preview(&cx, batch).await.unwrap();
        let before = rows(bench, &cx, batch, None).await;
        assert_eq!(told(&before), [(1, Created), (2, Created)]);
        assert_eq!((before[0].account_id, before[0].account.as_deref()), (None, Some("Checking ••••6789")));
        bench.import(&cx, &File::of([row(2, -2, "B")])).await.unwrap();
        let after = rows(bench, &cx, batch, None).await;
        assert_eq!(told(&after), [(1, Created), (2, Duplicate)]);
        assert_eq!(after[0].account_id, Some(bench.only_account(&cx).await.id));
    });
}

#[test]
fn corrections_in_the_file_of_what_they_correct_are_told_before_and_after_the_commit() {
    on_each_database(async |bench| {
        let cx = owner();
        let replaces = Correction { external_id: "a".into(), action: CorrectionAction::Replace };
        let correction = ledger_api::Row { corrects: Some(replaces), ..with_id(row(1, -2, "A"), "b") };
        let batch = BatchId::new();
        bench.stage(&cx, batch, &File::of([with_id(row(1, -1, "A"), "a"), correction]), 7).await.unwrap();
        bench.ledger.preview(&cx, batch).await.unwrap();
        assert_eq!(told(&rows(bench, &cx, batch, None).await), [(1, Created), (2, Updated)]);
        bench.ledger.ingest(&cx, batch).await.unwrap();
        assert_eq!(told(&rows(bench, &cx, batch, None).await), [(1, Created), (2, Updated)]);
    });
}

#[test]
fn rows_of_another_household_or_of_no_batch_do_not_exist() {
    on_each_database(async |bench| {
        let (mine, theirs, batch) = (owner(), owner(), BatchId::new());
        bench.stage(&mine, batch, &File::of([row(1, -1, "A")]), 7).await.unwrap();
        let page = PageRequest::default();
        let refused = bench.ledger.rows(&theirs, batch, RowFilter::default(), page.clone()).await;
        assert_eq!(refused, Err(LedgerError::BatchNotFound(batch)));
        let nothing = BatchId::new();
        let refused = bench.ledger.rows(&mine, nothing, RowFilter::default(), page).await;
        assert_eq!(refused, Err(LedgerError::BatchNotFound(nothing)));
    });
}

#[test]
fn what_only_some_formats_tell_is_kept() {
    on_each_database(async |bench| {
        let cx = owner();
        let details = Details {
            value_on: Some(day(3)),
            reference: Some("E2E\0-1".into()),
            category: Some("Food".into()),
            splits: vec![Split { amount: eur(-1), category: None, memo: Some("half".into()) }],
            trade: None,
        };
        let told = ledger_api::Row { details: details.clone(), ..row(1, -1, "A") };
        let expected = ledger_api::Row { status: TransactionStatus::Pending, ..row(2, -5, "Petrol station") };
        bench.import(&cx, &File::of([told, expected, row(1, -2, "B")])).await.unwrap();
        let all = bench.all(&cx, TransactionFilter::default()).await;
        let found: Vec<_> = all.iter().map(|t| (t.name.as_str(), t.status, &t.details)).collect();
        let (none, booked) = (Details::default(), TransactionStatus::Booked);
        assert_eq!(
            found,
            [
                ("Petrol station", TransactionStatus::Pending, &none),
                ("B", booked, &none),
                ("A", booked, &details)
            ]
        );
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.pending), (eur(-3), eur(-5)));
    });
}
