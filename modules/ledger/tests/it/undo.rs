//! A batch that is taken back is as if it had never come.

use kernel::{BatchId, PageRequest, Role, SpaceId};
use ledger_api::{
    AccountPatch, BalanceFilter, Correction, CorrectionAction, LedgerError, Row, RowFilter,
    TransactionFilter, TransactionStatus,
};
use service_registry::CallContext;

use crate::harness::*;

/// Imports the file and answers its batch.
async fn import(bench: &Bench, cx: &CallContext, file: &File) -> BatchId {
    bench.import(cx, file).await.unwrap().batch
}

async fn names(bench: &Bench, cx: &CallContext) -> Vec<String> {
    bench.all(cx, TransactionFilter::default()).await.into_iter().map(|t| t.name).collect()
}

fn correcting(row: Row, id: &str, action: CorrectionAction) -> Row {
    Row { corrects: Some(Correction { external_id: id.into(), action }), ..row }
}

#[test]
fn what_a_batch_created_goes_and_the_file_can_come_again_as_new() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([with_id(row(1, -100, "Bakery"), "a"), row(2, -200, "Rent")]).stating(2, -300);
        let batch = import(bench, &cx, &file).await;
        let report = bench.ledger.revert(&cx, batch).await.unwrap();
        assert_eq!((report.removed, report.kept, report.restored), (2, 0, 0));
        let account = &report.accounts[0];
        assert_eq!((account.removed, account.booked_before, account.booked_after), (true, eur(-300), eur(0)));
        assert!(bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.is_empty());
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes.created, 2);
        assert_eq!(bench.only_account(&cx).await.booked, eur(-300));
    });
}

#[test]
fn a_batch_of_many_parts_comes_and_goes_to_its_last_row() {
    on_each_database(async |bench| {
        let cx = owner();
        let empty = bench.dump().await;
        let file = |rows: u32| File::of((0..rows).map(|n| row(n % 28 + 1, -i64::from(n) - 1, "Shop")));
        let mut batches = Vec::new();
        for rows in [120, 190] {
            let batch = BatchId::new();
            bench.stage(&cx, batch, &file(rows), 1).await.unwrap();
            bench.ledger.ingest(&cx, batch).await.unwrap();
            batches.push(batch);
            for waiting in ["staged_rows", "staged_statements"] {
                let left = format!("SELECT CAST(batch_id AS TEXT) AS line FROM {waiting}");
                assert!(bench.lines(&left).await.is_empty());
            }
        }
        let [first, second] = <[_; 2]>::try_from(batches).unwrap();
        let report = bench.ledger.revert(&cx, first).await.unwrap();
        assert_eq!((report.removed, report.kept), (0, 120));
        let report = bench.ledger.revert(&cx, second).await.unwrap();
        assert_eq!((report.removed, report.kept), (190, 0));
        assert_eq!(bench.dump().await, empty);
    });
}

#[test]
fn taking_back_twice_has_one_effect_and_gives_the_first_report_again() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([row(1, -1, "A")]);
        let batch = import(bench, &cx, &file).await;
        let first = bench.ledger.revert(&cx, batch).await.unwrap();
        bench.import(&cx, &file).await.unwrap();
        assert_eq!(bench.ledger.revert(&cx, batch).await.unwrap(), first);
        assert_eq!(names(bench, &cx).await, ["A"]);
        let rows = bench.ledger.rows(&cx, batch, RowFilter::default(), PageRequest::default()).await.unwrap();
        assert!(rows.data.is_empty());
        stamp(bench).await;
        let feed = bench.ledger.changes(&cx, 0, 50).await.unwrap();
        let told = feed.data.iter().filter(|change| change.kind == "ledger.batch.reverted").count();
        assert_eq!(told, 1);
    });
}

#[test]
fn what_cannot_be_taken_back_is_refused_by_name() {
    on_each_database(async |bench| {
        let (cx, waiting, nothing) = (owner(), BatchId::new(), BatchId::new());
        assert_eq!(bench.ledger.revert(&cx, nothing).await, Err(LedgerError::BatchNotFound(nothing)));
        bench.stage(&cx, waiting, &File::of([row(1, -1, "A")]), 7).await.unwrap();
        assert_eq!(bench.ledger.revert(&cx, waiting).await, Err(LedgerError::BatchNotCommitted(waiting)));
        bench.ledger.ingest(&cx, waiting).await.unwrap();
        let theirs = bench.ledger.revert(&owner(), waiting).await;
        assert_eq!(theirs, Err(LedgerError::BatchNotFound(waiting)));
        let id = bench.only_account(&cx).await.id;
        let closed = AccountPatch { closed: Some(true), ..AccountPatch::default() };
        bench.ledger.update_account(&cx, id, closed).await.unwrap();
        assert_eq!(bench.ledger.revert(&cx, waiting).await, Err(LedgerError::AccountClosed(id)));
    });
}

#[test]
fn a_viewer_takes_nothing_back() {
    on_each_database(async |bench| {
        let space = SpaceId::new();
        let batch = import(bench, &member(space, Role::Editor), &File::of([row(1, -1, "A")])).await;
        let refused = bench.ledger.revert(&member(space, Role::Viewer), batch).await;
        assert_eq!(refused, Err(LedgerError::Forbidden("ledger:write".into())));
    });
}

#[test]
fn what_another_batch_has_too_stays_with_its_id_and_goes_with_that_one() {
    on_each_database(async |bench| {
        let cx = owner();
        let one = File::of([with_id(row(1, -1, "A"), "a"), with_id(row(2, -2, "B"), "b")]);
        // The second file knows B under another id of the bank.
        let two = File::of([with_id(row(2, -2, "B"), "other"), row(3, -3, "C")]);
        let (first, second) = (import(bench, &cx, &one).await, import(bench, &cx, &two).await);
        let before = bench.all(&cx, TransactionFilter::default()).await;
        let report = bench.ledger.revert(&cx, first).await.unwrap();
        assert_eq!((report.removed, report.kept), (1, 1));
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await, before[..2]);
        assert_eq!(bench.only_account(&cx).await.booked, eur(-5));
        // Its telling is the second file's now, so neither file doubles it.
        assert_eq!(bench.import(&cx, &two).await.unwrap().outcomes.duplicate, 2);
        let again = bench.import(&cx, &one).await.unwrap();
        assert_eq!((again.outcomes.created, again.outcomes.matched), (1, 1));
        for batch in [second, again.batch] {
            bench.ledger.revert(&cx, batch).await.unwrap();
        }
        // The third import, of the second file, has B and C still.
        assert_eq!(names(bench, &cx).await, ["C", "B"]);
    });
}

#[test]
fn what_a_batch_changed_corrected_or_deleted_is_what_it_was() {
    on_each_database(async |bench| {
        let cx = owner();
        let known = [
            with_id(row(1, -100, "POS 123"), "a"),
            with_id(row(2, -50, "Fuel"), "b"),
            with_id(row(3, -7, "Mistake"), "c"),
        ];
        import(bench, &cx, &File::of(known)).await;
        let (before, dump) = (bench.all(&cx, TransactionFilter::default()).await, bench.dump().await);
        let changes = File::of([
            with_id(row(1, -100, "Bakery Roma"), "a"),
            correcting(with_id(row(2, -45, "Fuel"), "b2"), "b", CorrectionAction::Replace),
            correcting(with_id(row(3, -7, "Mistake"), "c2"), "c", CorrectionAction::Delete),
            row(3, -1, "New"),
        ]);
        let batch = import(bench, &cx, &changes).await;
        assert_eq!(bench.only_account(&cx).await.booked, eur(-146));
        let report = bench.ledger.revert(&cx, batch).await.unwrap();
        assert_eq!((report.removed, report.restored), (1, 3));
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await, before);
        assert_eq!(bench.only_account(&cx).await.booked, eur(-157));
        assert_eq!(bench.dump().await, dump);
    });
}

#[test]
fn changes_of_several_batches_come_off_in_any_order() {
    on_each_database(async |bench| {
        let replace = |minor, id: &str, of| {
            File::of([correcting(with_id(row(1, minor, "Fuel"), id), of, CorrectionAction::Replace)])
        };
        let files =
            [File::of([with_id(row(1, -10, "Fuel"), "a")]), replace(-11, "b", "a"), replace(-12, "c", "b")];
        // Which of the three are taken back in turn, and what is booked after each.
        for (order, booked) in [
            ([2, 1, 0], [-11, -10, 0]),
            ([1, 2, 0], [-12, -10, 0]),
            ([0, 1, 2], [-12, -12, 0]),
            ([0, 2, 1], [-12, -11, 0]),
            ([1, 0, 2], [-12, -12, 0]),
        ] {
            let cx = owner();
            let mut batches = Vec::new();
            for file in &files {
                batches.push(import(bench, &cx, file).await);
            }
            for (n, expected) in order.into_iter().zip(booked) {
                bench.ledger.revert(&cx, batches[n]).await.unwrap();
                let accounts = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data;
                let now = accounts.first().map_or(eur(0), |account| account.booked);
                assert_eq!(now, eur(expected), "{order:?} at {n}");
                assert_eq!(accounts.is_empty(), expected == 0);
            }
        }
    });
}

#[test]
fn a_change_that_another_batch_tells_too_stays() {
    on_each_database(async |bench| {
        let cx = owner();
        import(bench, &cx, &File::of([with_id(row(1, -5, "POS 123"), "a"), row(2, -1, "B")])).await;
        let renamed = File::of([with_id(row(1, -5, "Bakery"), "a"), row(2, -1, "B")]);
        let (second, third) = (import(bench, &cx, &renamed).await, import(bench, &cx, &renamed).await);
        bench.ledger.revert(&cx, second).await.unwrap();
        assert_eq!(names(bench, &cx).await, ["B", "Bakery"]);
        bench.ledger.revert(&cx, third).await.unwrap();
        assert_eq!(names(bench, &cx).await, ["B", "POS 123"]);
    });
}

#[test]
fn regression_what_was_pending_twice_is_pending_again_when_its_booking_is_taken_back() {
    on_each_database(async |bench| {
        let cx = owner();
        let pending = Row { status: TransactionStatus::Pending, ..row(3, -3, "A") };
        for _ in 0..2 {
            import(bench, &cx, &File::of([pending.clone()])).await;
        }
        let dump = bench.dump().await;
        let booking = import(bench, &cx, &File::of([row(3, -3, "A")])).await;
        assert_eq!(bench.only_account(&cx).await.booked, eur(-3));
        bench.ledger.revert(&cx, booking).await.unwrap();
        assert_eq!(bench.dump().await, dump);
    });
}

#[test]
fn balances_that_it_superseded_are_back_and_its_own_go() {
    on_each_database(async |bench| {
        let cx = owner();
        import(bench, &cx, &File::of([row(1, -1, "A")]).stating(1, -1)).await;
        let dump = bench.dump().await;
        let batch = import(bench, &cx, &File::of([]).stating(1, -9).stating(2, -9)).await;
        let stated = async || {
            let page =
                bench.ledger.list_balance_snapshots(&cx, BalanceFilter::default(), PageRequest::default());
            page.await.unwrap().data.iter().map(|balance| balance.amount).collect::<Vec<_>>()
        };
        assert_eq!(stated().await, [eur(-9), eur(-9)]);
        bench.ledger.revert(&cx, batch).await.unwrap();
        assert_eq!(stated().await, [eur(-1)]);
        assert_eq!(bench.dump().await, dump);
    });
}

#[test]
fn what_an_account_began_with_is_what_the_statements_that_are_left_say() {
    on_each_database(async |bench| {
        let cx = owner();
        let february = File::of([row(16, -700, "Food")]).beginning(15, 9_700).stating(31, 9_000);
        let january = File::of([row(2, -300, "Rent")]).beginning(1, 10_000).stating(15, 9_700);
        let late = import(bench, &cx, &february).await;
        let early = import(bench, &cx, &january).await;
        bench.ledger.revert(&cx, early).await.unwrap();
        assert_eq!(bench.only_account(&cx).await.opening, eur(9_700));
        let early = import(bench, &cx, &january).await;
        bench.ledger.revert(&cx, late).await.unwrap();
        assert_eq!(bench.only_account(&cx).await.opening, eur(10_000));
        // The statement that comes second only checks; it sets once the first is taken back.
        import(bench, &cx, &february).await;
        bench.ledger.revert(&cx, early).await.unwrap();
        let account = bench.only_account(&cx).await;
        assert_eq!((account.opening, account.booked), (eur(9_700), eur(9_000)));
        assert_eq!(account.drift.unwrap().difference, eur(0));
    });
}

#[test]
fn an_account_goes_with_the_last_of_its_batches_when_all_are_taken_back_at_once() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([row(1, -1, "A"), row(2, -2, "B")]).beginning(1, 500);
        // Which of them comes last is decided by chance, and only one order did it wrong.
        for _ in 0..8 {
            let mut batches = Vec::new();
            for _ in 0..4 {
                batches.push(import(bench, &cx, &file).await);
            }
            let reverts = batches.iter().map(|batch| bench.ledger.revert(&cx, *batch));
            let reports = futures_util::future::join_all(reverts).await;
            let removed: u64 = reports.into_iter().map(|report| report.unwrap().removed).sum();
            assert_eq!(removed, 2);
            let left = bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data;
            assert!(left.is_empty(), "{left:?}");
        }
    });
}
