use actix_web::http::Method;
use serde_json::json;

use crate::files::ofx;
use crate::world::{in_each_world, outcomes, owner, path_of, upload};

#[test]
fn a_committed_file_is_in_the_ledger() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let account = world.accounts(&who).await.remove(0);
        assert_eq!(import["report"]["accounts"][0]["account_id"], json!(account.id));
        assert_eq!(account.booked.to_string(), "-4.50 EUR");
        assert_eq!(world.events(&who).await, ["import.previewed", "import.committed"]);
    });
}

#[test]
fn a_file_imported_twice_creates_nothing_the_second_time() {
    in_each_world(async |world| {
        let who = owner();
        // Two equal rows that are both real.
        let file = ofx(&[(3, "-4.50", "a", "Baker"), (3, "-2.00", "b", "Bus"), (3, "-2.00", "c", "Bus")]);
        let first = world.committed(&who, upload(file.clone())).await;
        assert_eq!(outcomes(&first), [3, 0, 0, 0, 0]);
        let before = world.transactions(&who).await;
        let second = world.committed(&who, upload(file)).await;
        assert_eq!(outcomes(&second), [0, 0, 0, 3, 0]);
        assert_eq!(world.transactions(&who).await, before);
        assert_eq!(world.accounts(&who).await.len(), 1);
    });
}

#[test]
fn an_overlapping_file_adds_only_what_is_new() {
    in_each_world(async |world| {
        let who = owner();
        let [baker, bus, rent] =
            [(3, "-4.50", "a", "Baker"), (4, "-2.00", "b", "Bus"), (5, "-900", "c", "Rent")];
        world.committed(&who, upload(ofx(&[baker, bus]))).await;
        let second = world.committed(&who, upload(ofx(&[bus, rent]))).await;
        assert_eq!(outcomes(&second), [1, 0, 0, 1, 0]);
        assert_eq!(world.transactions(&who).await.len(), 3);
    });
}

#[test]
fn a_second_commit_changes_nothing_and_a_committed_import_cannot_be_cancelled() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let path = path_of(&import);
        assert_eq!(world.commit(&who, &path).await, import);
        let cancel = world.ask(&who, Method::DELETE, &path, None).await;
        assert_eq!((cancel.status, cancel.code()), (409, "import_state"));
        let preview = world.ask(&who, Method::POST, &format!("{path}/preview"), Some(json!({}))).await;
        assert_eq!((preview.status, preview.code()), (409, "import_state"));
        assert_eq!(world.transactions(&who).await.len(), 1);
    });
}
