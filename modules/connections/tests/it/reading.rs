use serde_json::json;

use crate::files::{NUMBER, investments, long_ofx, ofx, two_accounts};
use crate::world::{Upload, in_each_world, outcomes, owner, path_of, upload};

#[test]
fn an_upload_is_read_and_told_but_not_booked() {
    in_each_world(async |world| {
        let who = owner();
        let file = Upload { query: "?file_name=january.ofx", ..upload(ofx(&[(3, "-4.50", "a", "Baker")])) };
        let import = world.previewed(&who, file).await;
        assert_eq!(outcomes(&import), [1, 0, 0, 0, 0]);
        assert_eq!((&import["file_name"], &import["format"]), (&json!("january.ofx"), &json!("ofx1")));
        assert_eq!(import["encoding"], json!({ "name": "windows-1252", "decided_by": "declared" }));
        assert_eq!(import["progress"]["bytes_read"], import["size_bytes"]);
        assert_eq!(import["progress"]["rows_read"], 1);
        assert!(import["problem"].is_null() && import["mapping"].is_null());
        let account = &import["report"]["accounts"][0];
        assert_eq!((&account["number_mask"], &account["opened"]), (&json!("••••5678"), &json!(true)));
        assert!(world.transactions(&who).await.is_empty() && world.accounts(&who).await.is_empty());
        assert_eq!(world.events(&who).await, ["import.previewed"]);
    });
}

#[test]
fn each_statement_of_a_file_goes_to_its_own_account() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(two_accounts())).await;
        assert_eq!(import["report"]["accounts"].as_array().unwrap().len(), 2);
        let mut masks: Vec<_> =
            world.accounts(&who).await.into_iter().filter_map(|a| a.number_mask).collect();
        masks.sort();
        assert_eq!(masks, ["••••4321", "••••5678"]);
    });
}

#[test]
fn a_bad_row_among_good_ones_is_rejected_with_its_line() {
    in_each_world(async |world| {
        let who = owner();
        let rows = [(3, "-4.50", "a", "Baker"), (4, "lots", "b", "Butcher"), (5, "-6.00", "c", "Brewer")];
        let import = world.committed(&who, upload(ofx(&rows))).await;
        assert_eq!(outcomes(&import), [2, 0, 0, 0, 1]);
        let rejected = &import["report"]["rejected"][0];
        assert_eq!(rejected["code"], "malformed_amount");
        let line = ofx(&rows).lines().position(|line| line.contains("lots")).unwrap() + 1;
        assert_eq!(rejected["line"], line);
        assert_eq!(world.transactions(&who).await.len(), 2);
    });
}

#[test]
fn a_long_file_comes_in_many_parts_and_none_is_lost() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(long_ofx(6_500))).await;
        assert_eq!(outcomes(&import), [6_500, 0, 0, 0, 0]);
        assert_eq!(import["progress"]["rows_read"], 6_500);
        let accounts = world.accounts(&who).await;
        assert_eq!(accounts.len(), 1);
        assert_eq!(world.transactions(&who).await.len(), 6_500);
    });
}

#[test]
fn a_wrongly_declared_encoding_is_noticed_and_noted() {
    in_each_world(async |world| {
        let who = owner();
        let file = Upload { query: "?file_name=x.csv", ..upload(ofx(&[(3, "-4.50", "a", "Café Müller")])) };
        let import = world.committed(&who, file).await;
        let notes: Vec<_> = import["notes"].as_array().unwrap().iter().map(|note| &note["code"]).collect();
        assert_eq!(notes, ["encoding_declared_wrong", "misleading_extension"]);
        assert_eq!(world.transactions(&who).await[0].name, "Café Müller");
    });
}

#[test]
fn an_investment_file_books_its_cash_and_tells_of_securities_by_name() {
    in_each_world(async |world| {
        let who = owner();
        let import = world.committed(&who, upload(investments())).await;
        assert_eq!(outcomes(&import), [2, 0, 0, 0, 0]);
        let notes: Vec<_> = import["notes"].as_array().unwrap().iter().map(|note| &note["code"]).collect();
        assert_eq!(notes, ["positions_not_kept"]);
        let mut told: Vec<_> = world
            .transactions(&who)
            .await
            .into_iter()
            .map(|row| (row.name, row.amount.amount(), row.details.trade.unwrap().units.unwrap()))
            .collect();
        told.sort();
        let row = |name: &str, amount: &str, units: &str| (name.into(), amount.into(), units.into());
        assert_eq!(
            told,
            [
                row("Buy 10 Acme Widgets", "-200.00", "10"),
                row("Reinvest dividend 0.25 Acme Widgets", "0.00", "0.25")
            ]
        );
        let accounts = world.accounts(&who).await;
        assert_eq!((accounts[0].booked.amount(), accounts[0].drift), ("-200.00".into(), None));
    });
}

#[test]
fn a_truncated_file_fails_and_leaves_no_rows() {
    in_each_world(async |world| {
        let who = owner();
        let whole = long_ofx(3_000);
        let import = world.failed(&who, upload(&whole[..whole.len() / 2])).await;
        assert_eq!(import["problem"]["code"], "truncated_file");
        assert_eq!(import["problem"]["status"], 422);
        assert!(import["report"].is_null());
        assert!(world.transactions(&who).await.is_empty() && world.accounts(&who).await.is_empty());
        assert_eq!(world.events(&who).await, ["import.failed"]);
        let path = path_of(&import);
        let commit = world.ask(&who, actix_web::http::Method::POST, &format!("{path}/commit"), None).await;
        assert_eq!((commit.status, commit.code()), (409, "import_state"));
        world.nothing_waits().await;
    });
}

#[test]
fn the_full_account_number_is_nowhere_in_the_database() {
    in_each_world(async |world| {
        let who = owner();
        world.previewed(&who, upload(ofx(&[(3, "-4.50", "a", "Baker")]))).await;
        assert!(!world.is_stored(NUMBER).await, "while the file is kept");
        world.committed(&who, upload(ofx(&[(4, "-5.50", "b", "Baker")]))).await;
        assert!(!world.is_stored(NUMBER).await, "afterwards");
        // What is looked for would be found: the mask is.
        assert!(world.is_stored("5678").await);
    });
}
