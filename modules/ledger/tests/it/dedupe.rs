//! Which rows are new: `domain.md` of the bank formats says that ids lie and that rows are counted.

use ledger_api::{Correction, CorrectionAction, Outcomes, Row, TransactionFilter};

use crate::harness::*;

fn outcomes(read: u64, created: u64, updated: u64, matched: u64, duplicate: u64) -> Outcomes {
    Outcomes { read, created, updated, matched, duplicate, rejected: 0 }
}

#[test]
fn the_same_file_again_creates_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        let file =
            File::of([with_id(row(1, -100, "Bakery"), "a"), row(2, -200, "Rent"), row(2, -200, "Rent")]);
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(3, 3, 0, 0, 0));
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(3, 0, 0, 0, 3));
        assert_eq!(bench.only_account(&cx).await.booked, eur(-500));
    });
}

#[test]
fn two_identical_rows_that_are_both_real_stay_two() {
    on_each_database(async |bench| {
        let cx = owner();
        let coffee = with_id(row(1, -320, "Coffee"), "same");
        bench.import(&cx, &File::of([coffee.clone(), coffee])).await.unwrap();
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await.len(), 2);
    });
}

#[test]
fn rows_that_share_a_fitid_but_not_the_amount_are_two() {
    on_each_database(async |bench| {
        let cx = owner();
        let purchase_and_fee =
            [with_id(row(1, -1000, "Hotel"), "X"), with_id(row(1, -30, "Foreign fee"), "X")];
        let file = File::of(purchase_and_fee);
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes.created, 2);
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(2, 0, 0, 0, 2));
    });
}

#[test]
fn an_overlapping_file_adds_only_what_is_new() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -1, "A"), row(2, -2, "B"), row(2, -2, "B")])).await.unwrap();
        let overlap = File::of([row(2, -2, "B"), row(2, -2, "B"), row(2, -2, "B"), row(3, -3, "C")]);
        assert_eq!(bench.import(&cx, &overlap).await.unwrap().outcomes, outcomes(4, 2, 0, 0, 2));
    });
}

#[test]
fn a_bank_that_changes_its_ids_between_downloads_creates_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([with_id(row(1, -100, "Bakery"), "old")])).await.unwrap();
        let again = File::of([with_id(row(1, -100, "BAKERY "), "new")]);
        assert_eq!(bench.import(&cx, &again).await.unwrap().outcomes, outcomes(1, 0, 0, 1, 0));
        // A second, real coffee on the same day is still new: rows are counted.
        let both = File::of([with_id(row(1, -100, "Bakery"), "old"), with_id(row(1, -100, "Bakery"), "new")]);
        assert_eq!(bench.import(&cx, &both).await.unwrap().outcomes, outcomes(2, 1, 0, 0, 1));
    });
}

#[test]
fn a_row_that_the_bank_tells_differently_is_updated_and_its_old_telling_does_not_come_back() {
    on_each_database(async |bench| {
        let cx = owner();
        let old = File::of([row(1, -5, "A"), with_id(row(2, -100, "POS 123"), "x"), row(3, -7, "C")]);
        let new = File::of([row(1, -5, "A"), with_id(row(2, -100, "Bakery Roma"), "x"), row(3, -7, "C")]);
        bench.import(&cx, &old).await.unwrap();
        let before = bench.all(&cx, TransactionFilter::default()).await;
        assert_eq!(bench.import(&cx, &new).await.unwrap().outcomes, outcomes(3, 0, 1, 0, 2));
        let after = bench.all(&cx, TransactionFilter::default()).await;
        assert_eq!((after[1].id, after[1].name.as_str()), (before[1].id, "Bakery Roma"));
        assert_eq!(bench.import(&cx, &old).await.unwrap().outcomes, outcomes(3, 0, 0, 0, 3));
        assert_eq!(bench.import(&cx, &new).await.unwrap().outcomes, outcomes(3, 0, 0, 0, 3));
        assert_eq!(bench.only_account(&cx).await.booked, eur(-112));
    });
}

#[test]
fn an_id_that_the_bank_uses_again_on_another_day_updates_nothing() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([with_id(row(1, -100, "Monday"), "1")])).await.unwrap();
        let tuesday = File::of([with_id(row(2, -100, "Tuesday"), "1")]);
        assert_eq!(bench.import(&cx, &tuesday).await.unwrap().outcomes, outcomes(1, 1, 0, 0, 0));
    });
}

fn correcting(row: Row, id: &str, action: CorrectionAction) -> Row {
    Row { corrects: Some(Correction { external_id: id.into(), action }), ..row }
}

#[test]
fn a_correction_replaces_the_earlier_row_and_keeps_its_id() {
    on_each_database(async |bench| {
        let cx = owner();
        let first = File::of([with_id(row(1, -100, "Fuel"), "a")]);
        bench.import(&cx, &first).await.unwrap();
        let before = bench.all(&cx, TransactionFilter::default()).await;
        let correction = correcting(with_id(row(1, -85, "Fuel"), "b"), "a", CorrectionAction::Replace);
        let correction = File::of([correction]);
        assert_eq!(bench.import(&cx, &correction).await.unwrap().outcomes, outcomes(1, 0, 1, 0, 0));
        let after = bench.all(&cx, TransactionFilter::default()).await;
        assert_eq!((after.len(), after[0].id, after[0].amount), (1, before[0].id, eur(-85)));
        assert_eq!(bench.only_account(&cx).await.booked, eur(-85));
        // Neither file changes anything when it comes again.
        assert_eq!(bench.import(&cx, &correction).await.unwrap().outcomes, outcomes(1, 0, 0, 0, 1));
        assert_eq!(bench.import(&cx, &first).await.unwrap().outcomes, outcomes(1, 0, 0, 0, 1));
        assert_eq!(bench.only_account(&cx).await.booked, eur(-85));
    });
}

#[test]
fn a_deleted_row_is_gone_and_stays_gone() {
    on_each_database(async |bench| {
        let cx = owner();
        let first = File::of([with_id(row(1, -100, "Mistake"), "a"), row(2, -1, "Other")]);
        bench.import(&cx, &first).await.unwrap();
        let deletion = correcting(with_id(row(1, -100, "Mistake"), "b"), "a", CorrectionAction::Delete);
        let deletion = File::of([deletion]);
        assert_eq!(bench.import(&cx, &deletion).await.unwrap().outcomes, outcomes(1, 0, 1, 0, 0));
        assert_eq!(bench.only_account(&cx).await.booked, eur(-1));
        assert_eq!(bench.import(&cx, &deletion).await.unwrap().outcomes, outcomes(1, 0, 0, 0, 1));
        assert_eq!(bench.import(&cx, &first).await.unwrap().outcomes, outcomes(2, 0, 0, 0, 2));
        assert_eq!(bench.all(&cx, TransactionFilter::default()).await.len(), 1);
    });
}

#[test]
fn a_deletion_of_nothing_is_rejected_with_its_line() {
    on_each_database(async |bench| {
        let cx = owner();
        let deletion = correcting(row(1, -100, "Mistake"), "never seen", CorrectionAction::Delete);
        let report = bench.import(&cx, &File::of([row(1, -1, "Fine"), deletion])).await.unwrap();
        assert_eq!((report.outcomes.created, report.outcomes.rejected), (1, 1));
        assert_eq!((report.rejected[0].line, report.rejected[0].code.as_str()), (2, "nothing_to_correct"));
    });
}

#[test]
fn a_correction_may_stand_in_the_file_of_what_it_corrects() {
    on_each_database(async |bench| {
        let original = with_id(row(1, -100, "Fuel"), "a");
        let replaces = correcting(with_id(row(1, -85, "Fuel"), "b"), "a", CorrectionAction::Replace);
        let deletes = correcting(with_id(row(1, -100, "Fuel"), "c"), "a", CorrectionAction::Delete);
        for (correction, rows, booked) in [(replaces, 1, -85), (deletes, 0, 0)] {
            let cx = owner();
            let file = File::of([original.clone(), correction]);
            assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(2, 1, 1, 0, 0));
            assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(2, 0, 0, 0, 2));
            assert_eq!(bench.all(&cx, TransactionFilter::default()).await.len(), rows);
            assert_eq!(bench.only_account(&cx).await.booked, eur(booked));
        }
    });
}

#[test]
fn corrections_of_corrections_leave_one_row_and_its_amount() {
    on_each_database(async |bench| {
        let cx = owner();
        let replace = |minor, id: &str, of| {
            correcting(with_id(row(1, minor, "Fuel"), id), of, CorrectionAction::Replace)
        };
        bench.import(&cx, &File::of([with_id(row(1, -10, "Fuel"), "a")])).await.unwrap();
        // Two of one row, one of the second, and one that changes nothing that a telling holds.
        let chain =
            [replace(-11, "b", "a"), replace(-12, "c", "a"), replace(-13, "d", "c"), replace(-13, "e", "d")];
        bench.import(&cx, &File::of(chain)).await.unwrap();
        bench.import(&cx, &File::of([replace(-14, "f", "e")])).await.unwrap();
        let all = bench.all(&cx, TransactionFilter::default()).await;
        assert_eq!(all.iter().map(|t| t.amount).collect::<Vec<_>>(), [eur(-14)]);
        assert_eq!(bench.only_account(&cx).await.booked, eur(-14));
    });
}

#[test]
fn an_id_longer_than_any_index_is_still_an_id() {
    on_each_database(async |bench| {
        let cx = owner();
        let id: String = (0..3_000u32).map(|n| char::from(b'a' + (n * n % 26) as u8)).collect();
        let file = File::of([with_id(row(1, -1, "A"), &id), with_id(row(1, -1, "A"), &id[1..])]);
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(2, 2, 0, 0, 0));
        assert_eq!(bench.import(&cx, &file).await.unwrap().outcomes, outcomes(2, 0, 0, 0, 2));
    });
}
