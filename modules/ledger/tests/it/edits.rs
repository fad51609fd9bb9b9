//! What the household says of a transaction, beside what the bank says.

use kernel::{Role, SpaceId, TransactionId};
use ledger_api::{Details, LedgerError, Row, TransactionFilter, TransactionPatch};

use crate::harness::*;

fn saying(name: &str, category: &str, note: &str) -> TransactionPatch {
    let some = |text: &str| Some(text.to_owned());
    TransactionPatch { name: some(name), category: some(category), note: some(note) }
}

#[test]
fn what_the_household_says_stands_and_no_import_overwrites_it() {
    on_each_database(async |bench| {
        let cx = owner();
        let told = |name: &str| {
            let details = Details { category: Some("Food".into()), ..Details::default() };
            File::of([Row { details, ..with_id(row(1, -5, name), "x") }])
        };
        bench.import(&cx, &told("POS 123")).await.unwrap();
        let before = bench.all(&cx, TransactionFilter::default()).await.remove(0);
        assert_eq!((before.category.as_deref(), before.bank_name.as_deref()), (Some("Food"), None));
        let said = saying(" Bakery ", "Bread", "two\nrolls");
        let after = bench.ledger.update_transaction(&cx, before.id, said).await.unwrap();
        assert_eq!((after.name.as_str(), after.bank_name.as_deref()), ("Bakery", Some("POS 123")));
        assert_eq!((after.category.as_deref(), after.note.as_deref()), (Some("Bread"), Some("two\nrolls")));
        assert_eq!(bench.import(&cx, &told("POS 456")).await.unwrap().outcomes.updated, 1);
        let now = bench.ledger.transaction(&cx, before.id).await.unwrap();
        assert_eq!((now.name.as_str(), now.bank_name.as_deref()), ("Bakery", Some("POS 456")));
        assert_eq!((now.category.as_deref(), now.details.category.as_deref()), (Some("Bread"), Some("Food")));
        // An empty text gives the word back to the bank; what is absent stays.
        let back = TransactionPatch { name: Some(String::new()), ..TransactionPatch::default() };
        let now = bench.ledger.update_transaction(&cx, before.id, back).await.unwrap();
        assert_eq!((now.name.as_str(), now.bank_name, now.note.is_some()), ("POS 456", None, true));
    });
}

#[test]
fn what_the_household_says_is_found_by_its_words_and_told_without_them() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -5, "POS 123"), row(2, -5, "Other")])).await.unwrap();
        let id = bench.all(&cx, TransactionFilter::default()).await[1].id;
        bench.ledger.update_transaction(&cx, id, saying("Bäckerei", "", "Über den Tag")).await.unwrap();
        for text in ["BÄCKER", "über", "pos 1"] {
            let filter = TransactionFilter { text: Some(text.into()), ..TransactionFilter::default() };
            assert_eq!(bench.all(&cx, filter).await.iter().map(|t| t.id).collect::<Vec<_>>(), [id]);
        }
        stamp(bench).await;
        let feed = bench.ledger.changes(&cx, 0, 50).await.unwrap();
        let told = feed.data.iter().find(|change| change.kind == "ledger.transaction.changed").unwrap();
        assert_eq!(told.subject, id.to_string());
        assert_eq!(told.data, serde_json::json!({ "fields": ["name", "category", "note"] }));
    });
}

#[test]
fn words_that_cannot_be_kept_are_refused_by_name() {
    on_each_database(async |bench| {
        let cx = owner();
        bench.import(&cx, &File::of([row(1, -5, "A")])).await.unwrap();
        let id = bench.all(&cx, TransactionFilter::default()).await[0].id;
        for (patch, pointer) in [
            (saying(&"x".repeat(201), "", ""), "/name"),
            (saying("a\nb", "", ""), "/name"),
            (saying("", &"x".repeat(101), ""), "/category"),
            (saying("", "", "a\0b"), "/note"),
        ] {
            let refused = bench.ledger.update_transaction(&cx, id, patch).await;
            assert!(matches!(refused, Err(LedgerError::Invalid(field)) if field.pointer == pointer));
        }
        let nothing = TransactionId::new();
        let refused = bench.ledger.update_transaction(&cx, nothing, TransactionPatch::default()).await;
        assert_eq!(refused, Err(LedgerError::TransactionNotFound(nothing)));
        let theirs = bench.ledger.update_transaction(&owner(), id, TransactionPatch::default()).await;
        assert_eq!(theirs, Err(LedgerError::TransactionNotFound(id)));
    });
}

#[test]
fn a_viewer_says_nothing() {
    on_each_database(async |bench| {
        let space = SpaceId::new();
        let editor = member(space, Role::Editor);
        bench.import(&editor, &File::of([row(1, -5, "A")])).await.unwrap();
        let id = bench.all(&editor, TransactionFilter::default()).await[0].id;
        let viewer = member(space, Role::Viewer);
        let refused = bench.ledger.update_transaction(&viewer, id, TransactionPatch::default()).await;
        assert_eq!(refused, Err(LedgerError::Forbidden("ledger:write".into())));
    });
}

#[test]
fn undo_counts_what_the_household_said_of_what_goes() {
    on_each_database(async |bench| {
        let cx = owner();
        let goes =
            bench.import(&cx, &File::of([row(1, -1, "A"), row(2, -2, "B"), row(3, -3, "C")])).await.unwrap();
        bench.import(&cx, &File::of([row(3, -3, "C")])).await.unwrap();
        for transaction in bench.all(&cx, TransactionFilter::default()).await {
            let said = match transaction.name.as_str() {
                "A" => saying("Bakery", "", "rolls"),
                "B" => saying("", "", ""),
                _ => saying("Kept", "Kept", "Kept"),
            };
            bench.ledger.update_transaction(&cx, transaction.id, said).await.unwrap();
        }
        let report = bench.ledger.revert(&cx, goes.batch).await.unwrap();
        assert_eq!((report.removed, report.kept, report.edited), (2, 1, 2));
        let nothing = bench.import(&cx, &File::of([row(4, -4, "D")])).await.unwrap();
        assert_eq!(bench.ledger.revert(&cx, nothing.batch).await.unwrap().edited, 0);
    });
}
