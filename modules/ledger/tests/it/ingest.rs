//! The single door: all or none, once, and with every row accounted for.

use kernel::{AccountId, BatchId, Currency, Money, PageRequest, Role};
use ledger_api::{
    AccountKind, AccountRef, LedgerError, NewAccount, RejectedReason, StagePart, StagedRow, StatementRef,
    TransactionFilter,
};

use crate::harness::*;

#[test]
fn rows_that_wait_are_seen_by_nobody() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.stage(&cx, BatchId::new(), &File::of([row(1, -1, "A")]), 7).await.unwrap();
        assert!(bench.all(&cx, TransactionFilter::default()).await.is_empty());
        assert!(bench.ledger.list_accounts(&cx, PageRequest::default()).await.unwrap().data.is_empty());
    });
}

#[test]
fn a_preview_tells_what_ingest_will_do_and_changes_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -1, "A")])).await.unwrap();
        let batch = BatchId::new();
        bench
            .stage(&cx, batch, &File::of([row(1, -1, "A"), row(2, -2, "B")]).stating(2, -3), 1)
            .await
            .unwrap();
        let preview = bench.ledger.preview(&cx, batch).await.unwrap();
        assert_eq!((preview.outcomes.created, preview.outcomes.duplicate), (1, 1));
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await.len(), 1);
        assert_eq!(bench.ledger.ingest(&cx, batch).await.unwrap(), preview);
    });
}

#[test]
fn ingesting_a_batch_again_gives_the_first_report_and_has_no_second_effect() {
    on_each_database(async |bench| {
        let cx = owner();
        let batch = BatchId::new();
        bench.stage(&cx, batch, &File::of([row(1, -1, "A")]), 7).await.unwrap();
        let first = bench.ledger.ingest(&cx, batch).await.unwrap();
        assert_eq!(bench.ledger.ingest(&cx, batch).await.unwrap(), first);
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await.len(), 1);
        let more = bench.stage(&cx, batch, &File::of([row(2, -1, "B")]), 7).await;
        assert_eq!(more, Err(LedgerError::BatchCommitted(batch)));
        assert_eq!(bench.ledger.discard(&cx, batch).await, Err(LedgerError::BatchCommitted(batch)));
    });
}

#[test]
fn a_part_that_is_staged_twice_counts_once_and_part_zero_starts_anew() {
    on_each_database(async |bench| {
        let cx = owner();
        let batch = BatchId::new();
        let file = File::of([row(1, -1, "A"), row(2, -2, "B"), row(3, -3, "C")]);
        let parts = file.parts(batch, 1);
        for part in [&parts[0], &parts[1], &parts[1], &parts[2]] {
            bench.ledger.stage(&cx, part.clone()).await.unwrap();
        }
        assert_eq!(bench.ledger.preview(&cx, batch).await.unwrap().outcomes.read, 3);
        bench.ledger.stage(&cx, parts[0].clone()).await.unwrap();
        assert_eq!(bench.ledger.preview(&cx, batch).await.unwrap().outcomes.read, 1);
    });
}

#[test]
fn every_row_ends_as_exactly_one_of_the_five() {
    on_each_database(async |bench| {
        let cx = owner();
        bench
            .import(&cx, &File::of([with_id(row(1, -1, "A"), "a"), with_id(row(2, -2, "old"), "b")]))
            .await
            .unwrap();
        let mut file = File::of([
            with_id(row(1, -1, "A"), "a"),
            with_id(row(1, -1, "A"), "other"),
            with_id(row(2, -2, "new"), "b"),
            row(3, -3, "C"),
        ]);
        let unread = RejectedReason { code: "bad_date".into(), reason: "no date".into() };
        file.rows.push(StagedRow { statement: 0, line: 9, row: Err(unread) });
        let o = bench.import(&cx, &file).await.unwrap().outcomes;
        assert_eq!((o.created, o.updated, o.matched, o.duplicate, o.rejected), (2, 1, 0, 1, 1));
        assert_eq!(o.read, o.created + o.updated + o.matched + o.duplicate + o.rejected);
    });
}

#[test]
fn several_accounts_in_one_batch_are_told_apart() {
    on_each_database(async |bench| {
        let cx = owner();
        let batch = BatchId::new();
        let statement = |number, key| StatementRef::new(number, AccountRef::External(checking(key)));
        let staged = |statement, line| StagedRow { statement, line, row: Ok(row(1, -5, "Same")) };
        let part = StagePart {
            batch,
            run: uuid::Uuid::now_v7(),
            part: 0,
            statements: vec![statement(0, "one"), statement(1, "two"), statement(2, "one")],
            rows: vec![staged(0, 1), staged(1, 2), staged(2, 3)],
        };
        bench.ledger.stage(&cx, part).await.unwrap();
        assert_eq!(bench.ledger.preview(&cx, batch).await.unwrap().accounts.len(), 2);
        let report = bench.ledger.ingest(&cx, batch).await.unwrap();
        let created: Vec<_> =
            report.accounts.iter().map(|account| (account.opened, account.outcomes.created)).collect();
        assert_eq!(created, [(true, 2), (true, 1)]);
        assert_eq!(report.accounts[0].booked_after, eur(-10));
    });
}

#[test]
fn a_difference_to_the_stated_balance_is_shown_and_never_plugged() {
    on_each_database(async |bench| {
        let cx = owner();
        let file =
            File::of([row(1, 1000, "Opening"), row(2, -300, "Rent"), row(5, -1, "Later")]).stating(3, 650);
        let drift = bench.import(&cx, &file).await.unwrap().accounts[0].drift.unwrap();
        assert_eq!((drift.stated, drift.booked, drift.difference), (eur(650), eur(700), eur(-50)));
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.drift), (eur(699), Some(drift)));
        // The missing row arrives: the same statement now agrees.
        let report = bench.import(&cx, &File::of([row(3, -50, "Fee")])).await.unwrap();
        assert_eq!(report.accounts[0].drift.unwrap().difference, eur(0));
    });
}

#[test]
fn a_statement_in_another_currency_than_its_account_is_refused_whole() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -1, "A")])).await.unwrap();
        let mut file = File::of([row(2, -1, "B")]);
        let usd = Currency::parse("USD").unwrap();
        let mut external = checking("key-1");
        external.currency = usd;
        file.account = AccountRef::External(external);
        assert!(matches!(bench.import(&cx, &file).await, Err(LedgerError::CurrencyMismatch { .. })));
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await.len(), 1);
    });
}

#[test]
fn a_row_in_another_currency_is_rejected_and_the_rest_is_taken() {
    on_each_database(async |bench| {
        let cx = owner();
        let mut dollars = row(2, -1, "B");
        dollars.amount = Money::from_minor(-1, Currency::parse("USD").unwrap());
        let report = bench.import(&cx, &File::of([row(1, -1, "A"), dollars])).await.unwrap();
        assert_eq!((report.outcomes.created, report.rejected[0].code.as_str()), (1, "currency_mismatch"));
    });
}

#[test]
fn a_balance_that_would_overflow_is_refused_and_leaves_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([row(1, i64::MAX, "All the money"), row(1, 1, "And a cent")]);
        assert_eq!(bench.import(&cx, &file).await, Err(LedgerError::Overflow));
        assert!(bench.all(&cx, TransactionFilter::default()).await.is_empty());
    });
}

#[test]
fn a_batch_of_another_household_does_not_exist() {
    on_each_database(async |bench| {
        let (mine, theirs) = (owner(), owner());
        let batch = BatchId::new();
        bench.stage(&mine, batch, &File::of([row(1, -1, "A")]), 7).await.unwrap();
        assert_eq!(bench.ledger.ingest(&theirs, batch).await, Err(LedgerError::BatchNotFound(batch)));
        let staged = bench.stage(&theirs, batch, &File::of([row(1, -1, "A")]), 7).await;
        assert_eq!(staged, Err(LedgerError::BatchNotFound(batch)));
        bench.ledger.discard(&theirs, batch).await.unwrap();
        assert_eq!(bench.ledger.ingest(&mine, batch).await.unwrap().outcomes.created, 1);
    });
}

#[test]
fn an_account_of_another_household_takes_no_rows() {
    on_each_database(async |bench| {
        let (mine, theirs) = (owner(), owner());
        bench.import(&mine, &File::of([row(1, -1, "A")])).await.unwrap();
        let account = bench.only_account(&mine).await.id;
        let file = File::of([row(2, -1, "B")]).into_account(account);
        assert_eq!(bench.import(&theirs, &file).await, Err(LedgerError::AccountNotFound(account)));
        let nobody = AccountId::new();
        let file = File::of([row(2, -1, "B")]).into_account(nobody);
        assert_eq!(bench.import(&mine, &file).await, Err(LedgerError::AccountNotFound(nobody)));
    });
}

#[test]
fn a_closed_account_refuses_new_transactions() {
    on_each_database(async |bench| {
        let cx = owner();
        let account = NewAccount {
            name: "Cash".into(),
            kind: AccountKind::Cash,
            currency: Currency::parse("EUR").unwrap(),
            opening: None,
        };
        let id = bench.ledger.create_account(&cx, account).await.unwrap().id;
        let close = ledger_api::AccountPatch { closed: Some(true), ..Default::default() };
        bench.ledger.update_account(&cx, id, close).await.unwrap();
        let file = File::of([row(1, -1, "A")]).into_account(id);
        assert_eq!(bench.import(&cx, &file).await, Err(LedgerError::AccountClosed(id)));
    });
}

#[test]
fn viewers_look_and_change_nothing() {
    on_each_database(async |bench| {
        let space = kernel::SpaceId::new();
        bench.import(&member(space, Role::Editor), &File::of([row(1, -1, "A")])).await.unwrap();
        let viewer = member(space, Role::Viewer);
        assert_eq!(bench.all(&viewer, TransactionFilter::default()).await.len(), 1);
        let refused = bench.import(&viewer, &File::of([row(2, -1, "B")])).await;
        assert_eq!(refused, Err(LedgerError::Forbidden("ledger:write".into())));
    });
}

#[test]
fn two_batches_at_once_do_not_both_create_the_same_row() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -1, "First")])).await.unwrap();
        let file = File::of([row(2, -2, "B"), row(3, -3, "C")]);
        let (one, two) = (BatchId::new(), BatchId::new());
        bench.stage(&cx, one, &file, 7).await.unwrap();
        bench.stage(&cx, two, &file, 7).await.unwrap();
        let (one, two) = tokio::join!(bench.ledger.ingest(&cx, one), bench.ledger.ingest(&cx, two));
        assert_eq!(one.unwrap().outcomes.created + two.unwrap().outcomes.created, 2);
        assert_eq!(bench.only_account(&cx).await.booked, eur(-6));
    });
}

#[test]
fn regression_batches_that_open_the_same_account_at_once_all_arrive() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([row(1, -2, "B"), row(2, -3, "C")]);
        let batches: Vec<_> = (0..6).map(|_| BatchId::new()).collect();
        for batch in &batches {
            bench.stage(&cx, *batch, &file, 7).await.unwrap();
        }
        let ingests = batches.iter().map(|batch| bench.ledger.ingest(&cx, *batch));
        let reports = futures_util::future::join_all(ingests).await;
        let created: u64 = reports.into_iter().map(|report| report.unwrap().outcomes.created).sum();
        assert_eq!((created, bench.only_account(&cx).await.booked), (2, eur(-5)));
    });
}

#[test]
fn changes_are_numbered_without_gaps_and_told_to_their_household_alone() {
    on_each_database(async |bench| {
        let (mine, theirs) = (owner(), owner());
        for n in 1..=3 {
            bench.import(&mine, &File::of([row(n, -1, "A")])).await.unwrap();
        }
        bench.import(&theirs, &File::of([row(1, -1, "A")])).await.unwrap();
        stamp(bench).await;
        let feed = bench.ledger.changes(&mine, 0, 50).await.unwrap();
        let kinds: Vec<_> = feed.data.iter().map(|change| change.kind.as_str()).collect();
        let committed = "ledger.batch.committed";
        assert_eq!(kinds, ["ledger.account.opened", committed, committed, committed]);
        assert_eq!(feed.data.iter().map(|change| change.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(bench.ledger.changes(&theirs, 0, 50).await.unwrap().data.len(), 2);
        assert!(bench.ledger.changes(&mine, feed.next_seq, 50).await.unwrap().data.is_empty());
    });
}

#[test]
fn a_run_that_was_taken_over_adds_nothing_more() {
    on_each_database(async |bench| {
        let cx = owner();
        let batch = BatchId::new();
        let lost = File::of([row(1, -1, "A"), row(2, -2, "B")]).parts(batch, 1);
        let later = File::of([row(1, -1, "A"), row(2, -2, "B"), row(3, -3, "C")]).parts(batch, 7);
        bench.ledger.stage(&cx, lost[0].clone()).await.unwrap();
        bench.ledger.stage(&cx, later[0].clone()).await.unwrap();
        for stale in lost {
            let refused = bench.ledger.stage(&cx, stale).await;
            assert_eq!(refused, Err(LedgerError::BatchTakenOver(batch)));
        }
        assert_eq!(bench.ledger.ingest(&cx, batch).await.unwrap().outcomes.created, 3);
    });
}

#[test]
fn the_report_shows_the_drift_that_the_account_shows() {
    on_each_database(async |bench| {
        let cx = owner();
        let file = File::of([row(1, 100, "Opening"), with_id(row(5, -10, "Later"), "x")]).stating(2, 100);
        bench.import(&cx, &file).await.unwrap();
        let mut deletion = with_id(row(5, -10, "Later"), "y");
        let action = ledger_api::CorrectionAction::Delete;
        deletion.corrects = Some(ledger_api::Correction { external_id: "x".into(), action });
        let report = bench.import(&cx, &File::of([deletion])).await.unwrap();
        let account = bench.only_account(&cx).await;
        assert_eq!(report.accounts[0].drift, account.drift);
        assert_eq!((account.booked, account.drift.unwrap().difference), (eur(100), eur(0)));
    });
}

#[test]
fn a_nul_character_in_a_file_is_left_out_and_the_row_is_taken() {
    on_each_database(async |bench| {
        let cx = owner();
        let mut odd = with_id(row(1, -1, "Ba\0kery"), "a\0b");
        odd.memo = Some("\0".into());
        bench.import(&cx, &File::of([odd])).await.unwrap();
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await[0].name, "Bakery");
        let filter = TransactionFilter { text: Some("\0".into()), ..Default::default() };
        let refused = bench.ledger.list_transactions(&cx, filter, PageRequest::default()).await;
        assert!(matches!(refused, Err(LedgerError::Invalid(field)) if field.pointer == "?text"));
    });
}

#[test]
fn rows_that_nobody_commits_in_twice_the_time_of_a_preview_are_discarded_and_others_wait() {
    on_each_database(async |bench| {
        let cx = owner();
        let begun = |days: i64| {
            let at = kernel::now() - chrono::Duration::days(days);
            uuid::Uuid::from_u128((at.timestamp_millis() as u128) << 80)
        };
        let mut batches = Vec::new();
        for days in [15, 13] {
            let batch = BatchId::new();
            for mut part in File::of([row(1, -1, "A")]).parts(batch, 7) {
                part.run = begun(days);
                bench.ledger.stage(&cx, part).await.unwrap();
            }
            batches.push(batch);
        }
        let stop = tokio_util::sync::CancellationToken::new();
        let job = bench.jobs().into_iter().find(|job| job.name == "waiting rows").unwrap();
        let running = job.start(stop.clone());
        let preview = async |batch| bench.ledger.preview(&cx, batch).await;
        while preview(batches[0]).await != Err(LedgerError::BatchNotFound(batches[0])) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        stop.cancel();
        running.await.unwrap();
        assert_eq!(preview(batches[1]).await.unwrap().outcomes.created, 1);
    });
}

#[test]
fn regression_after_a_large_import_postgres_knows_how_many_rows_there_are() {
    on_each_database(async |bench| {
        // Autovacuum would tell it too, a minute later; lists sorted whole tables until then.
        let (cx, file) = (owner(), File::of((0..10_000).map(|n| row(1 + n % 28, -1 - i64::from(n), "A"))));
        let batch = BatchId::new();
        bench.stage(&cx, batch, &file, 5_000).await.unwrap();
        bench.ledger.ingest(&cx, batch).await.unwrap();
        if bench.store.backend() == sea_orm::DatabaseBackend::Postgres {
            let known = "SELECT CAST(reltuples AS BIGINT)::text AS line FROM pg_class WHERE oid = 'transactions'::regclass";
            assert_eq!(bench.lines(known).await, ["10000"]);
        }
    });
}
