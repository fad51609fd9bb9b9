//! Statement formats other than OFX and tables, from their bytes to the ledger's balances.

use crate::files::NUMBER;
use crate::world::{Upload, in_each_world, outcomes, owner, upload};

/// A statement of two pages with three rows, one of them taken back.
fn mt940() -> String {
    let page = |page: u32, entries: &str, closing: &str| {
        format!(":20:STARTUMS\r\n:25:{NUMBER}\r\n:28C:1/{page}\r\n{entries}{closing}\r\n-\r\n")
    };
    let first = ":60F:C251231EUR50,00\r\n\
                 :61:2512310102CR100,00NTRFNONREF//B1\r\n:86:166?00GUTSCHRIFT?20EREF+E1?21SVWZ+Salary?32Works\r\n\
                 :61:2602300228DR4,5NTRFNONREF//B2\r\n:86:177?00UEBERWEISUNG?20SVWZ+Bread?32Baker\r\n";
    let second = ":60M:C260228EUR145,50\r\n:61:260302RDR4,5NTRFNONREF//B3\r\n:86:159?00RETOURE?32Baker\r\n";
    page(1, first, ":62M:C260228EUR145,50") + &page(2, second, ":62F:C260302EUR150,00")
}

#[test]
fn an_mt940_statement_becomes_the_ledgers_with_its_balance() {
    in_each_world(async |world| {
        let who = owner();
        let file = || Upload { query: "?file_name=january.sta", ..upload(mt940()) };
        let import = world.committed(&who, file()).await;
        assert_eq!((outcomes(&import), import["format"].as_str()), ([3, 0, 0, 0, 0], Some("mt940")));
        let notes = import["notes"].as_array().unwrap();
        assert_eq!((notes.len(), notes[0]["code"].as_str()), (1, Some("moved_dates")), "{notes:?}");
        let accounts = world.accounts(&who).await;
        assert_eq!((accounts.len(), accounts[0].booked.to_string()), (1, "150.00 EUR".into()));
        let drift = &import["report"]["accounts"][0]["drift"];
        assert_eq!(drift["difference"]["amount"], "0.00", "{drift}");
        let mut told: Vec<_> = world
            .transactions(&who)
            .await
            .iter()
            .map(|told| format!("{} {} {}", told.posted_on, told.amount, told.name))
            .collect();
        told.sort();
        assert_eq!(
            told,
            ["2026-01-02 100.00 EUR Works", "2026-02-28 -4.50 EUR Baker", "2026-03-02 4.50 EUR Baker"]
        );
        let again = world.committed(&who, file()).await;
        assert_eq!(outcomes(&again), [0, 0, 0, 3, 0]);
    });
}
