//! What a bank only expects, from its file to the report.

use serde_json::json;

use crate::files::ofx;
use crate::world::{in_each_world, outcomes, owner, upload};

/// A statement of January with one booked row and this one, expected on the fifth.
fn expecting(amount: &str, name: &str) -> String {
    let pending = format!(
        "</BANKTRANLIST><BANKTRANLISTP><DTASOF>20260105<STMTTRNP><TRNTYPE>HOLD<DTTRAN>20260105\
         <TRNAMT>{amount}<NAME>{name}</STMTTRNP></BANKTRANLISTP>"
    );
    ofx(&[(3, "-4.50", "a", "Baker")]).replace("</BANKTRANLIST>", &pending)
}

#[test]
fn a_pending_row_counts_in_the_booked_balance_once_it_is_booked() {
    in_each_world(async |world| {
        let who = owner();
        world.committed(&who, upload(expecting("-60.00", "Petrol station"))).await;
        let held = |account: &ledger_api::Account| (account.booked.amount(), account.pending.amount());
        assert_eq!(held(&world.accounts(&who).await[0]), ("-4.50".into(), "-60.00".into()));

        let rows = [(3, "-4.50", "a", "Baker"), (7, "-60.00", "b", "Petrol station")];
        world.committed(&who, upload(ofx(&rows))).await;
        assert_eq!(held(&world.accounts(&who).await[0]), ("-64.50".into(), "0.00".into()));
        assert_eq!(world.transactions(&who).await.len(), 2);
    });
}

#[test]
fn what_may_have_become_of_a_pending_row_and_what_is_gone_is_in_the_report() {
    in_each_world(async |world| {
        let who = owner();
        let first = world.committed(&who, upload(expecting("-60.00", "Petrol station"))).await;
        let report = &first["report"];
        assert_eq!((&report["suggestions"], &report["pending_removed"]), (&json!([]), &json!(0)));
        let transactions = world.transactions(&who).await;
        let pending = transactions.iter().find(|told| told.name == "Petrol station").unwrap().id;

        let january = ofx(&[(3, "-4.50", "a", "Baker"), (7, "-66.00", "b", "Petrol station")]);
        let beginning = january.replace("<DTEND>20260131", "<DTEND>20260107");
        let second = world.committed(&who, upload(beginning)).await;
        let suggestions = second["report"]["suggestions"].as_array().unwrap();
        assert_eq!((outcomes(&second), suggestions.len()), ([1, 0, 0, 1, 0], 1));
        let found = &suggestions[0];
        assert_eq!(
            (&found["transaction_id"], &found["amount"]["amount"], &found["pending"]["amount"]),
            (&json!(pending), &json!("-66.00"), &json!("-60.00"))
        );

        // The same rows in a statement of the whole month: what was expected on the fifth is not among them.
        let third = world.committed(&who, upload(january)).await;
        let report = &third["report"];
        assert_eq!((&report["suggestions"], &report["pending_removed"]), (&json!([]), &json!(1)));
        assert_eq!(world.transactions(&who).await.len(), 2);
    });
}
