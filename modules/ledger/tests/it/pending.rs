//! From pending to booked: rule 2.5 of the domain.

use ledger_api::{Outcomes, Row, TransactionFilter, TransactionStatus};
use service_registry::CallContext;

use crate::harness::*;

fn expected(row: Row) -> Row {
    Row { status: TransactionStatus::Pending, ..row }
}

/// What is listed: name, amount and whether it is pending; and both sums.
async fn shown(bench: &Bench, cx: &CallContext) -> (Vec<(String, i64, bool)>, i64, i64) {
    let all = bench.all(cx, TransactionFilter::default()).await;
    let is_pending = |status| status == TransactionStatus::Pending;
    let list = all.into_iter().map(|t| (t.name, t.amount.minor(), is_pending(t.status))).collect();
    let account = bench.only_account(cx).await;
    (list, account.booked.minor(), account.pending.minor())
}

fn one(name: &str, minor: i64, pending: bool) -> Vec<(String, i64, bool)> {
    vec![(name.into(), minor, pending)]
}

/// Imports an announcement, then the file, and answers the outcomes; the announced row keeps its id.
async fn announced(bench: &Bench, cx: &CallContext, announcement: Row, file: File) -> Outcomes {
    bench.import(cx, &File::of([expected(announcement)])).await.unwrap();
    let before = bench.all(cx, TransactionFilter::default()).await[0].id;
    let report = bench.import(cx, &file).await.unwrap();
    assert_eq!(bench.all(cx, TransactionFilter::default()).await[0].id, before);
    report.outcomes
}

#[test]
fn a_booked_row_takes_the_place_of_the_pending_one_by_its_telling() {
    on_each_database(async |bench| {
        let cx = owner();
        let outcomes = announced(bench, &cx, row(1, -500, "Shell"), File::of([row(1, -500, "SHELL")])).await;
        assert_eq!((outcomes.updated, outcomes.created), (1, 0));
        assert_eq!(shown(bench, &cx).await, (one("SHELL", -500, false), -500, 0));
        // The announcement comes again with an old file, and what is booked stays booked.
        let again = bench.import(&cx, &File::of([expected(row(1, -500, "Shell"))])).await.unwrap();
        assert_eq!(again.outcomes.duplicate, 1);
        assert_eq!(shown(bench, &cx).await, (one("SHELL", -500, false), -500, 0));
    });
}

#[test]
fn the_same_id_of_the_bank_is_proof_whatever_the_amount_has_become() {
    on_each_database(async |bench| {
        let cx = owner();
        let booked = File::of([with_id(row(4, -560, "Restaurant Roma"), "x")]);
        let outcomes = announced(bench, &cx, with_id(row(1, -500, "Pending"), "x"), booked).await;
        assert_eq!((outcomes.updated, outcomes.created), (1, 0));
        assert_eq!(shown(bench, &cx).await, (one("Restaurant Roma", -560, false), -560, 0));
    });
}

#[test]
fn amount_days_and_name_together_are_proof_where_they_are_unique() {
    on_each_database(async |bench| {
        for day in [1, 9] {
            let cx = owner();
            let file = File::of([row(day, -500, "Shell Station 4711 Berlin")]);
            let outcomes = announced(bench, &cx, row(1, -500, "SHELL 0042"), file).await;
            assert_eq!((outcomes.updated, outcomes.created), (1, 0));
            assert_eq!(shown(bench, &cx).await, (one("Shell Station 4711 Berlin", -500, false), -500, 0));
        }
    });
}

#[test]
fn what_is_too_late_too_early_named_otherwise_or_ambiguous_proves_nothing() {
    on_each_database(async |bench| {
        for file in [
            vec![row(11, -500, "Shell")],
            vec![row(1, -500, "Shell")],
            vec![row(3, -500, "Aral")],
            vec![row(3, 500, "Shell")],
            vec![row(3, -500, "Shell Berlin"), row(4, -500, "Shell Hamburg")],
        ] {
            let cx = owner();
            bench.import(&cx, &File::of([expected(row(2, -500, "Shell"))])).await.unwrap();
            let report = bench.import(&cx, &File::of(file.clone())).await.unwrap();
            assert_eq!(report.outcomes.created, file.len() as u64, "{file:?}");
            assert_eq!(report.suggestions.len(), if file.len() > 1 { 2 } else { 0 }, "{file:?}");
        }
    });
}

#[test]
fn another_amount_is_a_suggestion_and_nothing_more() {
    on_each_database(async |bench| {
        let cx = owner();
        bench
            .import(&cx, &File::of([expected(row(1, -500, "Roma")), expected(row(1, -9, "Fuel"))]))
            .await
            .unwrap();
        let report = bench.import(&cx, &File::of([row(3, -575, "Roma"), row(3, -60, "Fuel")])).await.unwrap();
        assert_eq!(report.outcomes.created, 2);
        let [suggestion] = report.suggestions.as_slice() else { panic!("{:?}", report.suggestions) };
        assert_eq!((suggestion.line, suggestion.amount, suggestion.pending), (1, eur(-575), eur(-500)));
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.pending), (eur(-635), eur(-509)));
    });
}

#[test]
fn equal_rows_meet_their_own_status_first() {
    on_each_database(async |bench| {
        let cx = owner();
        let both = File::of([expected(row(1, -3, "Coffee")), row(1, -3, "Coffee")]);
        assert_eq!(bench.import(&cx, &both).await.unwrap().outcomes.created, 2);
        assert_eq!(bench.import(&cx, &both).await.unwrap().outcomes.duplicate, 2);
        // One booked row says nothing of the pending one.
        bench.import(&cx, &File::of([row(1, -3, "Coffee")])).await.unwrap();
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.pending), (eur(-3), eur(-3)));
        let report =
            bench.import(&cx, &File::of([row(1, -3, "Coffee"), row(1, -3, "Coffee")])).await.unwrap();
        assert_eq!((report.outcomes.updated, report.outcomes.duplicate), (1, 1));
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.pending), (eur(-6), eur(0)));
    });
}

#[test]
fn what_a_complete_window_does_not_have_is_gone_and_told() {
    on_each_database(async |bench| {
        let cx = owner();
        let first = File::of([row(1, -1, "A"), expected(row(3, -500, "Hold"))]);
        bench.import(&cx, &first).await.unwrap();
        // A file of later days says nothing of it; nor does one that may have been too early to book it.
        for file in [File::of([row(5, -2, "B")]), File::of([row(1, -1, "A"), row(6, -2, "B2")])] {
            assert_eq!(bench.import(&cx, &file).await.unwrap().pending_removed, 0);
        }
        let later = File::of([row(1, -1, "A"), row(5, -2, "B"), expected(row(7, -4, "C"))]);
        let report = bench.import(&cx, &later).await.unwrap();
        assert_eq!(report.pending_removed, 1);
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.pending), (eur(-5), eur(-4)));
        stamp(bench).await;
        let feed = bench.ledger.changes(&cx, 0, 50).await.unwrap();
        assert_eq!(feed.data.iter().filter(|change| change.kind == "ledger.pending.removed").count(), 1);
        // The old file does not bring it back, and the batch that removed it can be taken back.
        bench.import(&cx, &first).await.unwrap();
        assert_eq!(bench.only_account(&cx).await.pending, eur(-4));
        bench.ledger.revert(&cx, report.batch).await.unwrap();
        assert_eq!(bench.only_account(&cx).await.pending, eur(-500));
    });
}

#[test]
fn a_file_without_pending_rows_ends_the_wait_after_eight_days() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -1, "A"), expected(row(3, -500, "Hold"))])).await.unwrap();
        let early = File::of([row(1, -1, "A"), row(10, -2, "B")]);
        assert_eq!(bench.import(&cx, &early).await.unwrap().pending_removed, 0);
        let late = File::of([row(1, -1, "A"), row(10, -2, "B"), row(11, -3, "C")]);
        assert_eq!(bench.import(&cx, &late).await.unwrap().pending_removed, 1);
        // Booked after all: it counts, under the id that it had.
        let booked = bench.import(&cx, &File::of([row(3, -500, "Hold")])).await.unwrap();
        assert_eq!((booked.outcomes.updated, booked.outcomes.created), (1, 0));
        let account = bench.only_account(&cx).await;
        assert_eq!((account.booked, account.pending), (eur(-506), eur(0)));
    });
}

/// What is left waiting of one row that was expected on the third once the file has come.
async fn left_waiting(bench: &Bench, file: File) -> i64 {
    let cx = owner();
    bench.import(&cx, &File::of([expected(row(3, -500, "Hold"))])).await.unwrap();
    bench.import(&cx, &file).await.unwrap();
    bench.only_account(&cx).await.pending.minor()
}

#[test]
fn a_statement_that_says_which_days_it_tells_of_is_judged_by_them_and_not_by_its_rows() {
    on_each_database(async |bench| {
        let still = -500;
        // Its rows begin later and end sooner, but it tells of the third, and of eight days more.
        assert_eq!(left_waiting(bench, File::of([row(6, -2, "B")]).of_days(1, 11)).await, 0);
        assert_eq!(left_waiting(bench, File::of([]).of_days(1, 11)).await, 0, "nothing happened");
        assert_eq!(left_waiting(bench, File::of([row(6, -2, "B")]).of_days(1, 10)).await, still);
        // Its rows are of the days around, but it does not tell of the third.
        let late = File::of([row(1, -1, "A"), row(20, -2, "B")]).of_days(4, 20);
        assert_eq!(left_waiting(bench, late).await, still);
        // It lists what is pending: all of it, but on the day that it may have ended in the middle of.
        let listing = |from, to| File::of([expected(row(2, -9, "C"))]).of_days(from, to);
        assert_eq!(left_waiting(bench, listing(1, 4)).await, -9);
        assert_eq!(left_waiting(bench, listing(1, 3)).await, still - 9);
    });
}

#[test]
fn what_is_gone_is_no_suggestion_any_more() {
    on_each_database(async |bench| {
        for (end, suggested) in [(10, 1), (11, 0)] {
            let cx = owner();
            bench.import(&cx, &File::of([expected(row(3, -500, "Roma"))])).await.unwrap();
            let tipped = File::of([row(5, -575, "Roma")]).of_days(1, end);
            let report = bench.import(&cx, &tipped).await.unwrap();
            let told = (report.suggestions.len() as u64, report.pending_removed);
            assert_eq!(told, (suggested, 1 - suggested));
        }
    });
}

#[test]
fn an_end_that_is_still_to_come_or_later_than_the_bank_s_own_balance_is_no_proof() {
    on_each_database(async |bench| {
        let mut ahead = File::of([row(6, -2, "B")]).of_days(1, 11);
        ahead.period =
            ahead.period.map(|(from, _)| (from, kernel::now().date_naive() + chrono::Days::new(30)));
        assert_eq!(left_waiting(bench, ahead).await, -500);
        let known = File::of([row(6, -2, "B")]).of_days(1, 31).stating(7, 0);
        assert_eq!(left_waiting(bench, known.clone()).await, 0, "the ledger is told its end");
        let cx = owner();
        let batch = kernel::BatchId::new();
        bench.import(&cx, &File::of([expected(row(3, -500, "Hold"))])).await.unwrap();
        let mut parts = known.parts(batch, 7);
        let bounded = ledger_api::StatementRef { ends_on: Some(day(7)), ..parts[0].statements[0].clone() };
        parts[0].statements.push(bounded);
        for part in parts {
            bench.ledger.stage(&cx, part).await.unwrap();
        }
        assert_eq!(bench.ledger.ingest(&cx, batch).await.unwrap().pending_removed, 0);
    });
}

#[test]
fn a_statement_that_lacks_a_later_booking_is_too_old_whatever_days_it_names() {
    on_each_database(async |bench| {
        let cx = owner();
        let newest = File::of([expected(row(3, -500, "Hold")), row(9, -2, "Known")]);
        bench.import(&cx, &newest).await.unwrap();
        let old = File::of([row(6, -2, "B")]).of_days(1, 31);
        assert_eq!(bench.import(&cx, &old).await.unwrap().pending_removed, 0);
        assert_eq!(bench.import(&cx, &File::of([]).of_days(1, 31)).await.unwrap().pending_removed, 0);
    });
}

#[test]
fn an_old_file_says_nothing_of_what_was_announced_after_it() {
    on_each_database(async |bench| {
        let cx = owner();
        let old = File::of([row(1, -1, "A"), row(6, -1, "B"), expected(row(7, -4, "C"))]);
        bench.import(&cx, &old).await.unwrap();
        let new = [row(6, -1, "B"), row(7, -4, "C"), row(8, -2, "D"), expected(row(6, -9, "E"))];
        bench.import(&cx, &File::of(new)).await.unwrap();
        assert_eq!(bench.import(&cx, &old).await.unwrap().pending_removed, 0);
        assert_eq!(bench.only_account(&cx).await.pending, eur(-9));
    });
}

#[test]
fn undo_makes_pending_again_what_the_batch_booked() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([expected(row(1, -500, "Shell"))])).await.unwrap();
        let (before, dump) = (shown(bench, &cx).await, bench.dump().await);
        let report = bench.import(&cx, &File::of([row(3, -500, "Shell Berlin")])).await.unwrap();
        bench.ledger.revert(&cx, report.batch).await.unwrap();
        assert_eq!(shown(bench, &cx).await, before);
        assert_eq!(bench.dump().await, dump);
    });
}
