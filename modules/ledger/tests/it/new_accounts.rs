//! An account is opened where something comes into it.

use kernel::{BatchId, Currency, PageRequest};
use ledger_api::{AccountRef, Correction, CorrectionAction, Row, RowFilter};
use service_registry::CallContext;

use crate::harness::*;

/// A file that says dollars of an account whose rows are in euro.
fn in_the_wrong_currency() -> File {
    let dollars = Currency::parse("USD").unwrap();
    let external = ledger_api::ExternalAccount { currency: dollars, ..checking("key-1") };
    File { account: AccountRef::External(external), ..File::of([row(1, -1, "A"), row(2, -2, "B")]) }
}

/// A file whose one row deletes what nobody has seen.
fn with_nothing_to_correct() -> File {
    let corrects = Correction { external_id: "never seen".into(), action: CorrectionAction::Delete };
    File::of([Row { corrects: Some(corrects), ..row(1, -1, "A") }])
}

async fn accounts(bench: &Bench, cx: &CallContext) -> usize {
    bench.ledger.list_accounts(cx, PageRequest::default()).await.unwrap().data.len()
}

#[test]
fn a_file_whose_rows_are_all_refused_opens_no_account_and_the_right_one_can_come() {
    on_each_database(async |bench| {
        for file in
            [in_the_wrong_currency(), in_the_wrong_currency().stating(2, 5), with_nothing_to_correct()]
        {
            let (cx, batch) = (owner(), BatchId::new());
            bench.stage(&cx, batch, &file, 7).await.unwrap();
            let preview = bench.ledger.preview(&cx, batch).await.unwrap();
            let report = bench.ledger.ingest(&cx, batch).await.unwrap();
            assert_eq!(preview, report);
            assert_eq!(
                (report.outcomes.read, report.outcomes.rejected),
                (file.rows.len() as u64, report.outcomes.read)
            );
            let [account] = &report.accounts[..] else { panic!("{:?}", report.accounts) };
            assert_eq!((account.account_id, account.opened), (None, false));
            assert_eq!(account.outcomes, report.outcomes);
            assert_eq!(accounts(bench, &cx).await, 0);
            let rows =
                bench.ledger.rows(&cx, batch, RowFilter::default(), PageRequest::default()).await.unwrap();
            assert_eq!(rows.data.len(), file.rows.len());
            assert_eq!(bench.import(&cx, &File::of([row(1, -1, "A")])).await.unwrap().outcomes.created, 1);
            let undone = bench.ledger.revert(&cx, batch).await.unwrap();
            assert_eq!((undone.removed, undone.accounts.len()), (0, 0));
            assert_eq!(bench.only_account(&cx).await.booked, eur(-1));
        }
    });
}

#[test]
fn a_statement_without_rows_opens_its_account_where_it_states_a_balance() {
    on_each_database(async |bench| {
        for (file, opened) in
            [(File::of([]), 0), (File::of([]).stating(1, 5), 1), (File::of([]).beginning(1, 5), 1)]
        {
            let cx = owner();
            let report = bench.import(&cx, &file).await.unwrap();
            assert_eq!(report.accounts[0].opened, opened == 1);
            assert_eq!(accounts(bench, &cx).await, opened);
        }
    });
}

#[test]
fn an_account_goes_with_the_last_that_was_brought_into_it_though_empty_files_came_too() {
    on_each_database(async |bench| {
        let (cx, before) = (owner(), bench.dump().await);
        let mut batches = Vec::new();
        for rows in [vec![row(1, -1, "A")], vec![], vec![row(2, -2, "B")]] {
            batches.push(bench.import(&cx, &File::of(rows)).await.unwrap().batch);
        }
        let [first, empty, last] = <[_; 3]>::try_from(batches).unwrap();
        bench.ledger.revert(&cx, first).await.unwrap();
        assert!(bench.ledger.revert(&cx, last).await.unwrap().accounts[0].removed);
        assert_eq!(bench.dump().await, before);
        assert!(bench.ledger.revert(&cx, empty).await.unwrap().accounts.is_empty());
    });
}
