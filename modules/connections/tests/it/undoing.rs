use actix_web::http::Method;
use serde_json::{Value, json};

use crate::files::{NUMBER, ofx};
use crate::gate::Hold;
use crate::world::{Answer, Who, World, in_each_world, outcomes, owner, path_of, upload};

const BAKER: (u32, &str, &str, &str) = (3, "-4.50", "a", "Baker");
const BUS: (u32, &str, &str, &str) = (4, "-2.00", "b", "Bus");
const RENT: (u32, &str, &str, &str) = (5, "-900.00", "c", "Rent");

async fn undo(world: &World, who: &Who, path: &str) -> Answer {
    world.ask(who, Method::POST, &format!("{path}/undo"), None).await
}

async fn undone(world: &World, who: &Who, path: &str) -> Value {
    let answer = undo(world, who, path).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    world.until(who, path, "undone").await
}

#[test]
fn undoing_takes_back_what_an_import_brought_and_keeps_what_another_has() {
    in_each_world(async |world| {
        let who = owner();
        let first = world.committed(&who, upload(ofx(&[BAKER, BUS]))).await;
        let second = world.committed(&who, upload(ofx(&[BUS, RENT]))).await;
        assert_eq!(outcomes(&second), [1, 0, 0, 1, 0]);
        let import = undone(world, &who, &path_of(&first)).await;
        let told = &import["undone"];
        assert_eq!((&told["removed"], &told["kept"]), (&json!(1), &json!(1)));
        let mut left: Vec<_> = world.transactions(&who).await.into_iter().map(|it| it.name).collect();
        left.sort();
        assert_eq!(left, ["Bus", "Rent"]);
        assert_eq!(undo(world, &who, &path_of(&first)).await.body["state"], "undone", "a repeat");
        assert!(world.events(&who).await.contains(&"import.undone".into()));
        for refused in ["commit", "preview"] {
            let path = format!("{}/{refused}", path_of(&first));
            let answer = world.ask(&who, Method::POST, &path, Some(json!({}))).await;
            assert_eq!((answer.status, answer.code()), (409, "import_state"), "{refused}");
        }
    });
}

#[test]
fn a_file_of_which_nothing_could_be_taken_stands_in_nobody_s_way_and_can_be_undone() {
    in_each_world(async |world| {
        let who = owner();
        let wrong = ofx(&[(3, "ten", "a", "Baker")]).replace("EUR", "USD");
        let import = world.committed(&who, upload(wrong)).await;
        assert_eq!((outcomes(&import), world.accounts(&who).await.len()), ([0, 0, 0, 0, 1], 0));
        let account = &import["report"]["accounts"][0];
        assert_eq!((&account["opened"], &account["outcomes"]["rejected"]), (&json!(false), &json!(1)));
        assert_eq!(outcomes(&world.committed(&who, upload(ofx(&[BAKER]))).await), [1, 0, 0, 0, 0]);
        assert_eq!(undone(world, &who, &path_of(&import)).await["undone"]["removed"], json!(0));
        assert_eq!(world.accounts(&who).await[0].booked.to_string(), "-4.50 EUR");
    });
}

#[test]
fn an_undone_file_can_be_imported_again_as_new_and_read_again_from_what_was_kept() {
    in_each_world(async |world| {
        let who = owner();
        let file = ofx(&[BAKER, BUS]);
        let first = world.committed(&who, upload(file.clone())).await;
        let before = world.accounts(&who).await[0].booked;
        undone(world, &who, &path_of(&first)).await;
        assert!(world.transactions(&who).await.is_empty());
        let again = world.committed(&who, upload(file)).await;
        assert_eq!(outcomes(&again), [2, 0, 0, 0, 0]);
        assert_eq!(world.accounts(&who).await[0].booked, before);
        undone(world, &who, &path_of(&again)).await;
        let kept = world.ask(&who, Method::POST, &format!("{}/reparse", path_of(&first)), None).await;
        let path = kept.header("location").unwrap().to_owned();
        world.until(&who, &path, "previewed").await;
        assert_eq!(outcomes(&world.commit(&who, &path).await), [2, 0, 0, 0, 0]);
        assert!(!world.is_stored(NUMBER).await);
    });
}

#[test]
fn only_what_is_committed_can_be_undone() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.previewed(&who, upload(ofx(&[BAKER]))).await;
        let refused = undo(world, &who, &path_of(&import)).await;
        assert_eq!((refused.status, refused.code()), (409, "import_state"));
        assert_eq!(undo(world, &owner(), &path_of(&import)).await.code(), "not_found");
    });
}

#[test]
fn an_undo_that_the_ledger_refuses_leaves_the_import_committed_and_says_why() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(ofx(&[BAKER]))).await;
        let account = world.accounts(&who).await[0].id;
        let set_closed = async |closed| {
            let patch = ledger_api::AccountPatch { closed: Some(closed), ..Default::default() };
            ledger_api::Ledger::update_account(&world.ledger, &who.cx(), account, patch).await.unwrap();
        };
        set_closed(true).await;
        assert_eq!(undo(world, &who, &path_of(&import)).await.status, 202);
        let import = world.until(&who, &path_of(&import), "committed").await;
        assert_eq!(import["problem"]["code"], "account_closed");
        assert_eq!(world.transactions(&who).await.len(), 1);
        set_closed(false).await;
        let import = undone(world, &who, &path_of(&import)).await;
        assert!(import["problem"].is_null());
        assert!(world.transactions(&who).await.is_empty());
    });
}

#[test]
fn an_undo_whose_answer_was_lost_is_finished_by_another_process() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(ofx(&[BAKER, BUS]))).await;
        world.gate.hold(Hold::AnswerOf("revert"));
        assert_eq!(undo(world, &who, &path_of(&import)).await.status, 202);
        world.gate.reached().await;
        world.kill();
        world.gate.open();
        world.restart();
        let import = world.until(&who, &path_of(&import), "undone").await;
        assert_eq!(import["undone"]["removed"], 2);
        assert!(world.transactions(&who).await.is_empty());
        let told = world.events(&who).await;
        assert_eq!(told.iter().filter(|kind| *kind == "import.undone").count(), 1);
    });
}
