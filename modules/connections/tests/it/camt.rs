use serde_json::json;

use crate::world::{Upload, in_each_world, outcomes, owner, upload};

const STATEMENT: &[u8] = include_bytes!("../../formats/samples/camt053-v08.xml");

fn statement() -> Upload<'static> {
    Upload { query: "?file_name=may.xml", content_type: "application/xml", ..upload(STATEMENT) }
}

#[test]
fn a_camt_statement_comes_to_the_balance_that_its_bank_states() {
    in_each_world(async |world| {
        let who = owner();
        let path = world.begin(&who, statement()).await;
        let preview = world.until(&who, &path, "previewed").await;
        assert_eq!(outcomes(&preview), [8, 0, 0, 0, 0]);
        let notes = json!([{ "code": "message_version", "detail": "it is camt.053.001.08" }]);
        assert_eq!((&preview["format"], &preview["notes"]), (&json!("camt"), &notes));
        assert!(world.transactions(&who).await.is_empty());

        let import = world.commit(&who, &path).await;
        assert_eq!(outcomes(&import), [8, 0, 0, 0, 0]);
        let account = world.accounts(&who).await.remove(0);
        assert_eq!(account.booked.to_string(), "7063.45 CHF", "2500.00 to begin with, and the rows");
        assert_eq!(account.number_mask.as_deref(), Some("••••5678"));
        let report = &import["report"]["accounts"][0];
        assert_eq!(
            report["drift"]["difference"],
            json!({ "amount": "0.00", "currency": "CHF" }),
            "{report:#}"
        );
    });
}

#[test]
fn rows_of_a_camt_statement_keep_what_only_camt_tells() {
    in_each_world(async |world| {
        let who = owner();
        world.committed(&who, statement()).await;
        let rows = world.transactions(&who).await;
        let named =
            |name: &str| rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("{rows:?}"));
        let card = named("Harbour Books, Portland");
        assert_eq!(card.original.unwrap().to_string(), "-100.00 USD");
        assert_eq!(card.details.value_on.unwrap().to_string(), "2026-05-02");
        assert_eq!(named("Lakeside Instruments AG").details.reference.as_deref(), Some("SAL-2026-05-1207"));
        assert_eq!(named("Mail Order Shoes").amount.to_string(), "38.50 CHF");
    });
}

#[test]
fn a_camt_statement_imported_twice_creates_nothing_the_second_time() {
    in_each_world(async |world| {
        let who = owner();
        world.committed(&who, statement()).await;
        let second = world.committed(&who, statement()).await;
        assert_eq!(outcomes(&second), [0, 0, 0, 8, 0]);
        assert_eq!(world.accounts(&who).await.remove(0).booked.to_string(), "7063.45 CHF");
    });
}

#[test]
fn a_camt_file_with_a_document_type_fails_and_leaves_nothing() {
    in_each_world(async |world| {
        let who = owner();
        let text = std::str::from_utf8(STATEMENT).unwrap();
        let text = text.replace("<Document", "<!DOCTYPE x [<!ENTITY a \"ha\">]><Document");
        let import = world.failed(&who, upload(text)).await;
        assert_eq!(
            (&import["problem"]["code"], &import["problem"]["status"]),
            (&json!("malformed_file"), &json!(422))
        );
        assert!(world.transactions(&who).await.is_empty() && world.accounts(&who).await.is_empty());
    });
}
