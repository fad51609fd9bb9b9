//! The uploaded file after its import: how long it is kept, and what it is good for.

use std::time::Duration;

use actix_web::http::Method;
use connections::ConnectionsSettings;
use kernel::Role;
use serde_json::{Value, json};

use crate::files::{NUMBER, long_ofx, ofx};
use crate::gate::Hold;
use crate::tables::wallet;
use crate::world::{
    Answer, Upload, Who, World, in_each_world, in_each_world_with, member, outcomes, owner, path_of, upload,
    usual_settings,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn reparse(world: &World, who: &Who, path: &str) -> Answer {
    world.ask(who, Method::POST, &format!("{path}/reparse"), None).await
}

async fn delete_file(world: &World, who: &Who, path: &str) -> Answer {
    world.ask(who, Method::DELETE, &format!("{path}/file"), None).await
}

async fn chunks(world: &World) -> i64 {
    world.count("SELECT count(*) AS n FROM upload_chunks").await
}

#[test]
fn a_committed_file_is_kept_sealed_for_the_stated_time_or_until_somebody_deletes_it() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let until: kernel::Instant = serde_json::from_value(import["file_kept_until"].clone()).unwrap();
        let left = (until - kernel::now()).to_std().unwrap();
        assert!(left > 89 * DAY && left <= 90 * DAY, "{left:?}");
        assert!(!world.is_stored(NUMBER).await);
        let path = path_of(&import);
        let viewer = member(who.principal.space, Role::Viewer);
        assert_eq!(delete_file(world, &viewer, &path).await.code(), "forbidden");
        assert_eq!(delete_file(world, &owner(), &path).await.code(), "not_found");
        for _ in 0..2 {
            assert_eq!(delete_file(world, &who, &path).await.status, 204);
        }
        assert_eq!(
            (chunks(world).await, &world.get(&who, &path).await.body["file_kept_until"]),
            (0, &Value::Null)
        );
        let again = reparse(world, &who, &path).await;
        assert_eq!((again.status, again.code()), (409, "import_state"));
        assert_eq!(world.events(&who).await, ["import.previewed", "import.committed", "import.file_deleted"]);
    });
}

#[test]
fn a_file_is_not_deleted_while_it_is_read() {
    in_each_world(async |world| {
        let who = owner();
        world.gate.hold(Hold::Before("stage", 2));
        let path = world.begin(&who, upload(long_ofx(5_000))).await;
        world.gate.reached().await;
        let refused = delete_file(world, &who, &path).await;
        assert_eq!((refused.status, refused.code()), (409, "import_state"));
        world.gate.open();
        world.until(&who, &path, "previewed").await;
        assert_eq!(delete_file(world, &who, &path).await.status, 204);
        world.commit(&who, &path).await;
        assert_eq!(world.transactions(&who).await.len(), 5_000);
    });
}

#[test]
fn a_file_read_again_the_same_way_changes_nothing() {
    in_each_world(async |world| {
        let who = owner();
        let rows = [(3, "-4.50", "a", "Baker"), (3, "-2.00", "b", "Bus"), (3, "-2.00", "c", "Bus")];
        let first = world.committed(&who, upload(ofx(&rows))).await;
        let before = world.transactions(&who).await;
        let answer = reparse(world, &who, &path_of(&first)).await;
        assert_eq!((answer.status, &answer.body["reparse_of"]), (202, &first["id"]));
        let path = answer.header("location").unwrap().to_owned();
        let again = world.until(&who, &path, "previewed").await;
        assert_eq!((outcomes(&again), &again["difference"]["missing"]), ([0, 0, 0, 3, 0], &json!(0)));
        world.commit(&who, &path).await;
        assert_eq!(world.transactions(&who).await, before);
        assert_eq!(chunks(world).await, 1, "two imports, one file");
        assert_eq!(delete_file(world, &who, &path).await.status, 204);
        assert!(world.get(&who, &path_of(&first)).await.body["file_kept_until"].is_null());
        assert_eq!(chunks(world).await, 0);
    });
}

#[test]
fn a_file_read_again_in_another_way_shows_the_difference_before_it_changes_anything() {
    in_each_world(async |world| {
        let who = owner();
        let account = wallet(world, &who, "EUR").await;
        let table = "Date,Description,Details,Reference,Amount\n2026-03-13,CARD,Baker,r1,-4.50\n2026-03-14,CARD,Bus,,-2.00\n";
        let query = format!("?account_id={account}");
        let first = world.committed(&who, Upload { query: &query, ..upload(table) }).await;
        assert_eq!(outcomes(&first), [2, 0, 0, 0, 0]);
        // As if the reader had learned since then that the details tell who it was.
        let mut mapping = first["mapping"].clone();
        mapping["columns"]["name"] = json!("Details");
        mapping["columns"].as_object_mut().unwrap().remove("memo");
        mapping["columns"]["external_id"] = json!("Reference");
        let id = first["id"].as_str().unwrap();
        let set = format!("mapping = '{mapping}', mapping_chosen = true");
        world.execute(&format!("UPDATE imports SET {set} WHERE size_bytes = {}", first["size_bytes"])).await;

        let before = world.transactions(&who).await;
        let answer = reparse(world, &who, &path_of(&first)).await;
        let path = answer.header("location").unwrap().to_owned();
        let again = world.until(&who, &path, "previewed").await;
        assert_eq!(again["reparse_of"], id);
        assert_eq!(outcomes(&again)[0], 2, "{again:#}");
        assert_eq!(again["difference"]["missing"], 2);
        assert_eq!(again["difference"]["missing_rows"][1]["line"], 3);
        assert_eq!(world.transactions(&who).await, before, "nothing is changed yet");
        world.commit(&who, &path).await;
        assert_eq!(world.transactions(&who).await.len(), 4, "a commit takes nothing away");
    });
}

#[test]
fn only_a_committed_import_is_read_again() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.previewed(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        let refused = reparse(world, &who, &path_of(&import)).await;
        assert_eq!((refused.status, refused.code()), (409, "import_state"));
        assert_eq!(reparse(world, &owner(), &path_of(&import)).await.code(), "not_found");
    });
}

#[test]
fn a_preview_that_nobody_commits_is_given_up_with_its_rows_and_its_file() {
    let settings = ConnectionsSettings { preview_retention: Duration::ZERO, ..usual_settings() };
    in_each_world_with(settings, async |world| {
        let who = owner();
        let path = world.begin(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        world.until(&who, &path, "previewed").await;
        // What a process does at its start it does every minute.
        world.kill();
        world.restart();
        world.nothing_waits_of("previewed").await;
        assert_eq!(world.get(&who, &path).await.body["state"], "cancelled");
        world.nothing_waits().await;
        assert_eq!(chunks(world).await, 0);
        assert_eq!(world.events(&who).await, ["import.previewed", "import.cancelled"]);
    });
}

#[test]
fn a_file_is_forgotten_after_a_while_and_its_preview_can_still_be_committed() {
    let settings = ConnectionsSettings { file_retention: Duration::ZERO, ..usual_settings() };
    in_each_world_with(settings, async |world| {
        let who = owner();
        let path = world.begin(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        world.until(&who, &path, "previewed").await;
        world.kill();
        world.restart();
        world.no_chunks().await;
        let again = world.ask(&who, Method::POST, &format!("{path}/preview"), Some(json!({}))).await;
        assert_eq!((again.status, again.code()), (409, "import_state"));
        // The rows wait in the ledger still, so what was previewed can be committed.
        world.commit(&who, &path).await;
        assert_eq!(world.transactions(&who).await.len(), 1);
    });
}
