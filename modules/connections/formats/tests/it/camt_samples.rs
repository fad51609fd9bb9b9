//! The CAMT files that ship with the project: one of each message, and of each shape that the versions gave them.

use std::path::Path;

use connections_formats::{AccountType, BalanceKind, Format, RowKind, RowStatus};
use kernel::Money;

use crate::camt_support::camt;
use crate::support::{Collected, Statement, file, money};

fn sample(name: &str) -> Collected {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let bytes = std::fs::read(path).unwrap();
    let given = file(&bytes).named(name);
    let detection = given.detect().unwrap();
    assert_eq!((detection.format, detection.misleading_extension), (Format::Camt, None));
    given.read().unwrap()
}

/// Amount, name and memo of each row.
fn told(statement: &Statement) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let rows = statement.rows.iter();
    rows.map(|row| format!("{} | {} | {}", row.amount, text(&row.name), text(&row.memo))).collect()
}

/// Opening plus the booked rows beside the closing balance.
fn ends(statement: &Statement) -> (Money, Money) {
    let stated = |kind| statement.balances.iter().find(|balance| balance.kind == kind).unwrap().amount;
    let booked = statement.rows.iter().filter(|row| row.status == RowStatus::Booked);
    let sum = booked.fold(stated(BalanceKind::Opening), |sum, row| sum.checked_add(row.amount).unwrap());
    (sum, stated(BalanceKind::Ledger))
}

#[test]
fn opening_and_rows_of_every_sample_come_to_its_closing_balance() {
    for (name, statements) in
        [("camt053-v02.xml", 2), ("camt053-v08.xml", 1), ("camt053-v13.xml", 1), ("camt052-v08.xml", 1)]
    {
        let collected = sample(name);
        assert_eq!(collected.statements.len(), statements, "{name}");
        for statement in &collected.statements {
            let (sum, closing) = ends(statement);
            assert_eq!(sum, closing, "{name}: {:?}", told(statement));
        }
    }
}

#[test]
fn a_statement_of_version_02_from_germany_is_read() {
    let collected = sample("camt053-v02.xml");
    let [euros, francs] = &collected.statements[..] else { panic!("{collected:?}") };
    assert_eq!(
        told(euros),
        [
            "-149.90 EUR | Stadtwerke Mühldorf | Abschlag April Kundennummer 88113",
            "-60.00 EUR | Turnverein 1899 e.V. | Beitrag 2026",
            "-35.50 EUR | Musikschule am Markt | Klavier April",
            "48.61 EUR | Fitness Hall GmbH | Rückgabe Lastschrift (reversal)",
        ]
    );
    let ids: Vec<_> = euros.rows.iter().map(|row| row.external_id.as_deref().unwrap_or("-")).collect();
    assert_eq!(ids, ["2026043000010000001", "2026043000010000002/1", "2026043000010000002/2", "-"]);
    let references: Vec<_> = euros.rows.iter().map(|row| row.reference.as_deref().unwrap_or("-")).collect();
    assert_eq!(references, ["R-2026-04-88113", "-", "PIANO-04", "-"]);
    assert_eq!(euros.head.account.bank_id.as_deref(), Some("TESTDE99XXX"));
    assert_eq!(told(francs), ["100.00 CHF | Collecting Agency | GUTSCHRIFT"]);
    assert_eq!(francs.head.account.account_number.as_deref(), Some("9990000000 CHF"));
    assert_eq!(francs.rows[0].reference.as_deref(), Some("RF18539007547034"));
}

#[test]
fn a_statement_of_version_08_from_switzerland_is_read() {
    let collected = sample("camt053-v08.xml");
    let statement = &collected.statements[0];
    assert_eq!(
        told(statement),
        [
            "-91.80 CHF | Harbour Books, Portland | Debit card payment 01.05.2026 (charges 1.50 CHF)",
            "5200.00 CHF | Lakeside Instruments AG | Salary May 2026",
            "-420.00 CHF | Garage Rental Ltd | -",
            "-80.00 CHF | Dr. Alma Tooth | Check-up",
            "-3.00 CHF | - | Charges",
            "-75.25 CHF | Collective order | Bakery; Butcher Sunday roast",
            "-5.00 CHF | - | Account maintenance",
            "38.50 CHF | Mail Order Shoes | Order 7781 (reversal)",
        ]
    );
    let card = &statement.rows[0];
    let original = card.original.as_ref().unwrap();
    assert_eq!((original.amount, original.rate.as_deref()), (Some(money("-100", "USD")), Some("0.903")));
    assert_eq!(card.occurred_on.unwrap().to_string(), "2026-05-01");
    let kinds: Vec<_> = statement.rows.iter().take(2).map(|row| row.kind).collect();
    assert_eq!(kinds, [RowKind::PointOfSale, RowKind::DirectDeposit]);
    assert_eq!(statement.head.account.account_type, Some(AccountType::Checking));
    assert_eq!(statement.balances.len(), 3);
}

#[test]
fn a_later_version_in_an_envelope_with_prefixes_is_read() {
    let collected = sample("camt053-v13.xml");
    let statement = &collected.statements[0];
    assert_eq!(told(statement), ["0.42 USD | - | Interest & bonus"]);
    let row = &statement.rows[0];
    assert_eq!((row.posted_on.to_string().as_str(), row.kind), ("2026-06-01", RowKind::Interest));
    assert_eq!(row.posted_at.unwrap().to_string(), "2026-06-02 04:30:00 UTC");
    assert_eq!(statement.head.account.bank_id.as_deref(), Some("021000099"));
}

#[test]
fn a_report_of_the_day_tells_what_is_pending_and_what_is_for_information() {
    let collected = sample("camt052-v08.xml");
    let statement = &collected.statements[0];
    assert_eq!(
        told(statement),
        ["-10.00 EUR | - | Cash machine, Main Street", "-22.99 EUR | Telephone Company | -"]
    );
    let statuses: Vec<_> = statement.rows.iter().map(|row| row.status).collect();
    assert_eq!(statuses, [RowStatus::Booked, RowStatus::Pending]);
    assert_eq!(collected.rejections(), ["49 information_only"]);
    let available = statement.balances.iter().find(|balance| balance.kind == BalanceKind::Available).unwrap();
    assert_eq!(available.amount, money("970.22", "EUR"));
}

#[test]
fn a_notification_has_rows_and_no_balances() {
    let collected = sample("camt054-v08.xml");
    let statement = &collected.statements[0];
    assert_eq!(told(statement), ["100.00 CHF | Ada Payer | -", "150.00 CHF | Ben Payer | -"]);
    assert_eq!(statement.rows[1].reference.as_deref(), Some("210000000003139471430009022"));
    assert_eq!((statement.balances.len(), statement.head.currency.code()), (0, "CHF"));
}

#[test]
fn every_version_of_the_three_messages_is_known_by_its_namespace_or_its_name() {
    for message in ["camt.052", "camt.053", "camt.054"] {
        for version in 1..=14 {
            let text = camt("").replace("camt.053.001.08", &format!("{message}.001.{version:02}"));
            let detection = file(&text).detect().unwrap();
            let name = format!("{message}.001.{version:02}");
            assert_eq!((detection.format, detection.message), (Format::Camt, Some(name)));
        }
    }
    let unnamed = camt("").replace(" xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"", "");
    let detection = file(&unnamed).detect().unwrap();
    assert_eq!((detection.format, detection.message), (Format::Camt, None));
    let prefixed = unnamed.replace("BkToCstmrStmt", "n:BkToCstmrStmt");
    assert_eq!(file(&prefixed).detect().unwrap().format, Format::Camt);
    let detection = file(&camt("")).named("statement.csv").detect().unwrap();
    assert_eq!(detection.misleading_extension.as_deref(), Some("csv"));
}
