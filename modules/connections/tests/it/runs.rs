use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;

use crate::files::{long_ofx, ofx};
use crate::gate::Hold;
use crate::world::{in_each_world, outcomes, owner, upload};

#[test]
fn a_killed_run_is_taken_over_and_loses_nothing() {
    in_each_world(async |world| {
        let who = owner();
        world.gate.hold(Hold::Before("stage", 2));
        let path = world.begin(&who, upload(long_ofx(5_000))).await;
        world.gate.reached().await;
        world.kill();
        world.gate.open();
        assert_eq!(world.get(&who, &path).await.body["state"], "reading");
        world.restart();
        let import = world.until(&who, &path, "previewed").await;
        assert_eq!(outcomes(&import), [5_000, 0, 0, 0, 0]);
        world.commit(&who, &path).await;
        assert_eq!(world.transactions(&who).await.len(), 5_000);
    });
}

#[test]
fn a_commit_whose_answer_was_lost_is_finished_without_doubling_a_row() {
    in_each_world(async |world| {
        let who = owner();
        let path =
            world.begin(&who, upload(ofx(&[(3, "-4.50", "a", "Baker"), (4, "-1.00", "b", "Bus")]))).await;
        world.until(&who, &path, "previewed").await;
        world.gate.hold(Hold::AnswerOf("ingest"));
        assert_eq!(world.ask(&who, Method::POST, &format!("{path}/commit"), None).await.status, 202);
        world.gate.reached().await;
        world.kill();
        world.gate.open();
        world.restart();
        let import = world.until(&who, &path, "committed").await;
        assert_eq!(outcomes(&import), [2, 0, 0, 0, 0]);
        assert_eq!(world.transactions(&who).await.len(), 2);
        assert_eq!(world.events(&who).await, ["import.previewed", "import.committed"]);
    });
}

#[test]
fn a_finished_run_is_not_taken_up_again() {
    in_each_world(async |world| {
        let who = owner();
        let path = world.begin(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        world.until(&who, &path, "previewed").await;
        assert_eq!(world.events(&who).await, ["import.previewed"]);
        // Longer than a lease: nothing is due, so nothing is taken up again.
        tokio::time::sleep(world.settings.lease + Duration::from_millis(700)).await;
        assert_eq!(world.events(&who).await, ["import.previewed"]);
        assert_eq!(world.count("SELECT count(*) AS n FROM imports WHERE due_at IS NOT NULL").await, 0);
    });
}

#[test]
fn a_run_that_lost_its_lease_changes_nothing_any_more() {
    in_each_world(async |world| {
        let who = owner();
        world.gate.hold(Hold::Before("stage", 2));
        let path = world.begin(&who, upload(long_ofx(5_000))).await;
        world.gate.reached().await;
        // As if it had been frozen for longer than a lease: another run takes over while it stands at the gate.
        world.execute("UPDATE imports SET fence = NULL, due_at = updated_at").await;
        world.until(&who, &path, "previewed").await;
        world.commit(&who, &path).await;
        world.gate.open();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let import = world.get(&who, &path).await.body;
        assert_eq!((import["state"].as_str(), outcomes(&import)), (Some("committed"), [5_000, 0, 0, 0, 0]));
        assert_eq!(world.transactions(&who).await.len(), 5_000);
        assert_eq!(world.events(&who).await, ["import.previewed", "import.committed"]);
    });
}

#[test]
fn an_import_waits_for_an_absent_ledger() {
    in_each_world(async |world| {
        let who = owner();
        world.lose_ledger();
        let path = world.begin(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let waiting = world.get(&who, &path).await.body;
        assert_eq!((waiting["state"].as_str(), waiting["problem"].is_null()), (Some("reading"), true));
        world.find_ledger();
        world.until(&who, &path, "previewed").await;

        world.lose_ledger();
        assert_eq!(world.ask(&who, Method::POST, &format!("{path}/commit"), None).await.status, 202);
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(world.get(&who, &path).await.body["state"], "committing");
        world.find_ledger();
        world.until(&who, &path, "committed").await;
        assert_eq!(world.transactions(&who).await.len(), 1);
    });
}

#[test]
fn cancelling_while_reading_leaves_nothing_waiting() {
    in_each_world(async |world| {
        let who = owner();
        world.gate.hold(Hold::Before("stage", 2));
        let path = world.begin(&who, upload(long_ofx(5_000))).await;
        world.gate.reached().await;
        assert_eq!(world.ask(&who, Method::DELETE, &path, None).await.status, 204);
        assert_eq!(world.ask(&who, Method::DELETE, &path, None).await.status, 204, "a repeat");
        assert_eq!(world.get(&who, &path).await.body["state"], "cancelled");
        world.gate.open();
        world.nothing_waits().await;
        assert_eq!(world.count("SELECT count(*) AS n FROM upload_chunks").await, 0);
        assert_eq!(world.events(&who).await, ["import.cancelled"]);
        let commit = world.ask(&who, Method::POST, &format!("{path}/commit"), None).await;
        assert_eq!((commit.status, commit.code()), (409, "import_state"));
    });
}

#[test]
fn a_cancelled_preview_leaves_nothing_waiting_even_if_the_ledger_is_absent_at_first() {
    in_each_world(async |world| {
        let who = owner();
        let path = world.begin(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        world.until(&who, &path, "previewed").await;
        world.lose_ledger();
        assert_eq!(world.ask(&who, Method::DELETE, &path, None).await.status, 204);
        tokio::time::sleep(Duration::from_millis(400)).await;
        world.find_ledger();
        world.nothing_waits().await;
    });
}

#[test]
fn a_file_that_kills_every_process_that_reads_it_is_put_aside() {
    in_each_world(async |world| {
        let who = owner();
        let path = world.begin(&who, upload(long_ofx(5_000))).await;
        for _ in 0..5 {
            world.gate.hold(Hold::Before("stage", 1));
            world.gate.reached().await;
            world.kill();
            world.gate.open();
            world.restart();
        }
        let import = world.until(&who, &path, "failed").await;
        assert_eq!(import["problem"]["code"], "internal");
        assert!(import["problem"]["detail"].as_str().unwrap().contains("failed 5 times"));
        // A person may have it tried again.
        world.ask(&who, Method::POST, &format!("{path}/preview"), Some(json!({}))).await;
        world.until(&who, &path, "previewed").await;
    });
}
