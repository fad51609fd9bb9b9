//! Laws of undo, held against random files on a real database.

use kernel::{BatchId, PageRequest};
use ledger_api::{Correction, CorrectionAction, Row, TransactionFilter, TransactionStatus};
use proptest::prelude::*;
use service_registry::CallContext;

use crate::harness::*;
use crate::properties::check;

/// Files of a few days whose rows often look alike, repeat ids, correct each other, and are sometimes pending.
pub fn file() -> impl Strategy<Value = File> {
    let action = prop::sample::select(&[CorrectionAction::Replace, CorrectionAction::Delete][..]);
    let corrects = prop::option::weighted(0.2, ("[xyz]", action));
    let id = prop::option::of("[xyz]");
    let told =
        (1..6u32, -3..0i64, prop::sample::select(&["A", "B"][..]), id, corrects, prop::bool::weighted(0.2));
    let row = told.prop_map(|(on, minor, name, id, corrects, pending)| Row {
        external_id: id,
        corrects: corrects.map(|(external_id, action)| Correction { external_id, action }),
        status: if pending { TransactionStatus::Pending } else { TransactionStatus::Booked },
        ..row(on, minor, name)
    });
    let balances = (prop::option::of((1..6u32, -9..9i64)), prop::option::of((1..6u32, -9..9i64)));
    (prop::collection::vec(row, 0..8), balances).prop_map(|(rows, (begins, ends))| {
        let file = File::of(rows);
        let file = begins.map_or(file.clone(), |(on, minor)| file.beginning(on, minor));
        ends.map_or(file.clone(), |(on, minor)| file.stating(on, minor))
    })
}

async fn import(bench: &Bench, cx: &CallContext, file: &File) -> BatchId {
    bench.import(cx, file).await.unwrap().batch
}

/// What the household has, without ids of ours and in an order of its own.
async fn content(bench: &Bench, cx: &CallContext) -> Vec<String> {
    let all = bench.all(cx, TransactionFilter::default()).await;
    let mut content: Vec<_> = all
        .into_iter()
        .map(|t| format!("{} {} {} {:?} {:?}", t.posted_on, t.amount, t.name, t.external_id, t.status))
        .collect();
    for account in bench.ledger.list_accounts(cx, PageRequest::default()).await.unwrap().data {
        content
            .push(format!("{} {} {} {:?}", account.booked, account.pending, account.opening, account.drift));
    }
    content.sort();
    content
}

/// Opening plus all that is booked is the balance, whatever happened.
async fn is_sound(bench: &Bench, cx: &CallContext) {
    for account in bench.ledger.list_accounts(cx, PageRequest::default()).await.unwrap().data {
        let all = bench.all(cx, TransactionFilter::default()).await;
        let sum = |status| all.iter().filter(|t| t.status == status).map(|t| t.amount.minor()).sum::<i64>();
        assert_eq!(account.booked.minor(), account.opening.minor() + sum(TransactionStatus::Booked));
        assert_eq!(account.pending.minor(), sum(TransactionStatus::Pending));
    }
}

#[test]
fn undo_restores_every_table_exactly() {
    on_each_database(async |bench| {
        let files = (prop::collection::vec(file(), 0..3), file());
        check(bench, files, async |bench, (before, last)| {
            let cx = owner();
            for file in &before {
                import(bench, &cx, file).await;
            }
            let (dump, shown) = (bench.dump().await, content(bench, &cx).await);
            let batch = import(bench, &cx, &last).await;
            is_sound(bench, &cx).await;
            bench.ledger.revert(&cx, batch).await.unwrap();
            assert_eq!(content(bench, &cx).await, shown);
            assert_eq!(bench.dump().await, dump);
        });
    });
}

#[test]
fn import_undo_import_is_import() {
    on_each_database(async |bench| {
        let files = (prop::collection::vec(file(), 0..3), file());
        check(bench, files, async |bench, (before, last)| {
            let (once, twice) = (owner(), owner());
            for cx in [&once, &twice] {
                for file in &before {
                    import(bench, cx, file).await;
                }
            }
            import(bench, &once, &last).await;
            let batch = import(bench, &twice, &last).await;
            bench.ledger.revert(&twice, batch).await.unwrap();
            import(bench, &twice, &last).await;
            assert_eq!(content(bench, &once).await, content(bench, &twice).await);
        });
    });
}

#[test]
fn what_is_left_of_overlapping_files_is_what_they_alone_would_have_brought() {
    on_each_database(async |bench| {
        let told = (1..6u32, -3..0i64, prop::sample::select(&["A", "B"][..]), prop::option::of("[xyz]"));
        let told = told.prop_map(|(on, minor, name, id)| Row { external_id: id, ..row(on, minor, name) });
        let windows = prop::collection::vec((1..6u32, 1..6u32, any::<bool>()), 2..5);
        let all = (prop::collection::vec(told, 0..12), windows.prop_shuffle(), any::<u64>());
        check(bench, all, async |bench, (rows, windows, seed)| {
            let (cx, alone) = (owner(), owner());
            let (mut undone, mut left) = (Vec::new(), Vec::new());
            for (one, other, stays) in windows {
                let days = one.min(other)..=one.max(other);
                let days = day(*days.start())..=day(*days.end());
                let file = File::of(rows.iter().filter(|row| days.contains(&row.posted_on)).cloned());
                let batch = import(bench, &cx, &file).await;
                if stays { left.push(file) } else { undone.push(batch) }
            }
            if !undone.is_empty() {
                let turn = seed as usize % undone.len();
                undone.rotate_left(turn);
            }
            for batch in undone {
                bench.ledger.revert(&cx, batch).await.unwrap();
                is_sound(bench, &cx).await;
            }
            for file in &left {
                import(bench, &alone, file).await;
            }
            assert_eq!(content(bench, &cx).await, content(bench, &alone).await);
            // Nothing of what is left comes as new a second time.
            for file in &left {
                assert_eq!(bench.import(&cx, file).await.unwrap().outcomes.created, 0);
            }
        });
    });
}

#[test]
fn nothing_is_left_when_everything_was_taken_back_in_any_order() {
    on_each_database(async |bench| {
        let files = (prop::collection::vec(file(), 1..5), any::<u64>());
        check(bench, files, async |bench, (files, seed)| {
            let (cx, dump) = (owner(), bench.dump().await);
            let mut batches = Vec::new();
            for file in &files {
                batches.push(import(bench, &cx, file).await);
            }
            let turn = seed as usize % batches.len();
            batches.rotate_left(turn);
            if seed & 1 == 0 {
                batches.reverse();
            }
            for batch in batches {
                bench.ledger.revert(&cx, batch).await.unwrap();
                is_sound(bench, &cx).await;
            }
            assert_eq!(bench.dump().await, dump);
        });
    });
}
