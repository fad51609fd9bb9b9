//! The statements that ship with the project: what they promise to whoever imports them.

use std::collections::BTreeMap;
use std::path::Path;

use connections_formats::{AccountType, BalanceKind, Format, Row};
use kernel::Money;

use crate::support::{Statement, file, money};

fn sample(name: &str) -> (Format, Statement) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let bytes = std::fs::read(path).unwrap();
    let given = file(&bytes).named(name);
    let detection = given.detect().unwrap();
    assert_eq!(detection.misleading_extension, None);
    let mut collected = given.read().unwrap();
    assert_eq!((collected.statements.len(), collected.summary.rejected), (1, 0));
    (detection.format, collected.statements.remove(0))
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Money {
    let amounts = rows.into_iter().map(|row| row.amount);
    amounts.reduce(|sum, amount| sum.checked_add(amount).unwrap()).unwrap()
}

fn ledger(statement: &Statement) -> Money {
    statement.balances.iter().find(|balance| balance.kind == BalanceKind::Ledger).unwrap().amount
}

/// What two downloads of the same row have in common.
fn key(row: &Row) -> (String, Money, Option<String>, Option<String>) {
    (row.posted_on.to_string(), row.amount, row.name.clone(), row.external_id.clone())
}

fn counted(rows: &[Row]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(format!("{:?}", key(row))).or_insert(0) += 1;
    }
    counts
}

#[test]
fn samples_are_of_three_formats_two_currencies_and_three_accounts() {
    let names =
        ["checking-2026-q1.ofx", "checking-2026-march-april.ofx", "credit-card-2026.ofx", "savings-2026.csv"];
    let samples = names.map(sample);
    let formats: Vec<_> = samples.iter().map(|(format, _)| format.as_str()).collect();
    assert_eq!(formats, ["ofx1", "ofx1", "ofx2", "csv"]);
    let accounts: Vec<_> = samples.iter().map(|(_, statement)| statement.head.account.clone()).collect();
    assert_eq!(accounts[0], accounts[1]);
    let types: Vec<_> = accounts.iter().filter_map(|account| account.account_type).collect();
    assert_eq!(
        types,
        [AccountType::Checking, AccountType::Checking, AccountType::CreditCard, AccountType::Savings]
    );
    let currencies: Vec<_> = samples.iter().map(|(_, statement)| statement.head.currency.code()).collect();
    assert_eq!(currencies, ["EUR", "EUR", "USD", "EUR"]);
    let rows: usize = samples.iter().map(|(_, statement)| statement.rows.len()).sum();
    assert!((190..=210).contains(&rows), "{rows} rows");
}

#[test]
fn rows_of_the_samples_add_up_to_the_balances_they_state() {
    let (_, first) = sample("checking-2026-q1.ofx");
    assert_eq!((sum(&first.rows), ledger(&first)), (money("5974.52", "EUR"), money("5974.52", "EUR")));
    let (_, card) = sample("credit-card-2026.ofx");
    assert_eq!((sum(&card.rows), ledger(&card)), (money("-834.64", "USD"), money("-834.64", "USD")));
    let (_, savings) = sample("savings-2026.csv");
    assert_eq!((sum(&savings.rows), ledger(&savings)), (money("8766.75", "EUR"), money("8766.75", "EUR")));
}

#[test]
fn the_two_checking_samples_overlap_in_march_and_add_up_together() {
    let (_, first) = sample("checking-2026-q1.ofx");
    let (_, second) = sample("checking-2026-march-april.ofx");
    let march = |statement: &Statement| {
        let rows = statement.rows.iter().filter(|row| row.posted_on.to_string().starts_with("2026-03"));
        rows.cloned().collect::<Vec<_>>()
    };
    assert_eq!(march(&first).len(), 27);
    assert_eq!(counted(&march(&first)), counted(&march(&second)));
    let april = second.rows.iter().filter(|row| row.posted_on.to_string().starts_with("2026-04"));
    let together = sum(&first.rows).checked_add(sum(april)).unwrap();
    assert_eq!((together, ledger(&second)), (money("6853.68", "EUR"), money("6853.68", "EUR")));
}

#[test]
fn rows_that_are_identical_and_both_real_are_in_the_samples() {
    let (_, first) = sample("checking-2026-q1.ofx");
    let twice: Vec<_> = counted(&first.rows).into_iter().filter(|(_, count)| *count > 1).collect();
    assert_eq!(twice.len(), 1, "one pair shares its id: {twice:?}");
    let tickets: Vec<_> = first.rows.iter().filter(|row| row.amount == money("-2.90", "EUR")).collect();
    let [one, other] = &tickets[..] else { panic!("{tickets:?}") };
    assert_eq!((one.posted_on, &one.name, &one.memo), (other.posted_on, &other.name, &other.memo));
    assert_ne!(one.external_id, other.external_id, "the other pair has ids of its own");
}
