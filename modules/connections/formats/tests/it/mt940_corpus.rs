//! MT940 files of three other readers' test suites, whose path `TRIBUTARY_CORPUS` names. What a reference reader makes
//! of a file stands beside it; where we differ, the difference is listed here with its reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use connections_formats::{BalanceKind, Row};
use kernel::Money;
use serde_json::Value;

use crate::support::{Collected, Statement, file};

/// Files in which we differ from the other reader, what differs, and why ours is right.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "betterplace/sepa_mt9401",
        "amount",
        "RC takes a credit back, so the four rows are negative (domain 2.3); the balances of the file bear it out",
    ),
    (
        "betterplace/sepa_snippet_broken",
        "account",
        "the second :25: is an :86: that lost its tag; the account of the statement is that of its first :25:",
    ),
    (
        "cmxl/account_identification_legacy",
        "account",
        "EUR behind the number is the currency, not part of the number",
    ),
    (
        "betterplace/currency_in_25",
        "account",
        "EUR behind the number is the currency, not part of the number",
    ),
    ("jejik/rabobank", "account", "EUR behind the number is the currency, not part of the number"),
    (
        "jejik/abnamro",
        "balances",
        "the last statement has intermediate balances only (60M, 62M); the other reader passes over it",
    ),
    (
        "jejik/rabobank-iban",
        "reference",
        "EREF in :61: says that the reference stands in :86:, where we take it from",
    ),
];

/// Statements whose rows do not lead from the opening to the closing balance, and why: people took out or changed rows
/// before they gave the file away. Number of the statement in the file, from 0.
const CHANGED: &[(&str, usize, &str)] = &[
    ("betterplace/sepa_snippet", 1, "D0,08 stands where sepa_mt9401 has C300 in the same statement"),
    ("betterplace/sepa_snippet_broken", 0, "only the first of four rows of sepa_snippet is there"),
    ("jejik/abnamro", 0, "2038.00 is missing: rows were taken out"),
    ("jejik/abnamro", 1, "1002.60 is missing: rows were taken out"),
    ("jejik/ing", 0, "49.06 is missing: rows were taken out"),
    ("jejik/knab", 1, "C500NTRF, the row whose comma is missing as well, was C5000"),
    ("jejik/postfinance", 0, "0.20 is missing on the second page; the first leads to its own end"),
    ("jejik/rabobank", 0, "1135.93 is missing: rows were taken out"),
    ("jejik/rabobank", 2, "its second row is dated five weeks after the statement: it was put there"),
    ("jejik/triodos", 0, "111.40 is missing: rows were taken out"),
];

#[test]
fn corpus_files_give_what_the_other_reader_finds() {
    let Some(folder) = corpus() else { return };
    let (mut files, mut unexplained) = (0, vec![]);
    let mut explained: BTreeMap<_, usize> =
        DIFFERENCES.iter().map(|(file, what, _)| ((*file, *what), 0)).collect();
    for path in files_of(&folder) {
        files += 1;
        let name = name_of(&folder, &path);
        let (ours, _) = ours(&name, &path);
        let expected = std::fs::read_to_string(path.with_extension("expected.json")).unwrap();
        for (what, detail) in differences(&ours, &serde_json::from_str(&expected).unwrap()) {
            let known = explained.iter_mut().find(|((file, at), _)| *file == name && *at == what);
            match known {
                Some((_, count)) => *count += 1,
                None => unexplained.push(format!("{name} {what}: {detail}")),
            }
        }
    }
    assert!(files >= 29, "the corpus has {files} files only");
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let stale: Vec<_> = explained.iter().filter(|(_, count)| **count == 0).collect();
    assert!(stale.is_empty(), "differences that are none any more: {stale:?}");
}

#[test]
fn corpus_statements_lead_from_their_opening_to_their_closing_balance() {
    let Some(folder) = corpus() else { return };
    let (mut proved, mut changed) = (0, vec![]);
    for path in files_of(&folder) {
        let name = name_of(&folder, &path);
        let (ours, is_whole) = ours(&name, &path);
        for (number, statement) in ours.statements.iter().enumerate().filter(|_| is_whole) {
            let balance = |kind| statement.balances.iter().find(|balance| balance.kind == kind);
            let (Some(opening), Some(closing)) =
                (balance(BalanceKind::Opening), balance(BalanceKind::Ledger))
            else {
                continue;
            };
            let add = |sum: Money, row: &Row| sum.checked_add(row.amount).unwrap();
            let sum = statement.rows.iter().fold(opening.amount, add);
            if sum == closing.amount {
                proved += 1;
            } else {
                changed.push((name.clone(), number, sum.to_string(), closing.amount.to_string()));
            }
        }
    }
    let unknown: Vec<_> = changed
        .iter()
        .filter(|(name, number, ..)| !CHANGED.iter().any(|(file, at, _)| file == name && at == number))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert_eq!(changed.len(), CHANGED.len(), "statements that add up after all");
    assert!(proved >= 35, "{proved} statements");
}

#[test]
fn corpus_files_cut_anywhere_never_panic() {
    let Some(folder) = corpus() else { return };
    for path in files_of(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 200) {
            let _ = file(&bytes[..length]).currency("EUR").read();
        }
    }
}

/// `None`, with a word about it, where no corpus is given.
fn corpus() -> Option<PathBuf> {
    match std::env::var_os("TRIBUTARY_CORPUS") {
        Some(folder) => Some(Path::new(&folder).join("mt940")),
        None if std::env::var_os("TRIBUTARY_REQUIRE_SERVERS").is_some_and(|value| value == "1") => {
            panic!("TRIBUTARY_CORPUS is not set and TRIBUTARY_REQUIRE_SERVERS=1 wants it")
        }
        None => {
            println!("skipped: TRIBUTARY_CORPUS is not set");
            None
        }
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut files: Vec<_> = entries(folder).iter().flat_map(|folder| entries(folder)).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "sta"));
    files.sort();
    files
}

fn name_of(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap().with_extension("").to_str().unwrap().to_owned()
}

/// The file as it is. A fragment of a statement, made to test one field, is refused as truncated, and is read in a
/// frame that makes it whole: then the second value is false.
fn ours(name: &str, path: &Path) -> (Collected, bool) {
    let mut text = std::fs::read_to_string(path).unwrap();
    // The mark was abolished in 2002 and its money cannot be counted any more: the file is refused as it is.
    if name == "cmxl/mt940" {
        assert_eq!(file(&text).refusal(), "unknown_currency");
        text = text.replace("DEM", "EUR");
    }
    match file(&text).currency("EUR").read() {
        Ok(collected) => (collected, true),
        Err(error) => {
            assert_eq!(error.code(), "truncated_file", "{name}: {error}");
            assert!(!text.contains(":62"), "{name} has a closing balance");
            let framed = format!("{text}\n:62F:C240101EUR0,00\n");
            (file(&framed).currency("EUR").read().unwrap(), false)
        }
    }
}

/// What differs: the other reader has all statements of a file as one, with the account and balances of the last.
fn differences(ours: &Collected, theirs: &Value) -> Vec<(&'static str, String)> {
    let mut found = vec![];
    let mut compare = |what, ours: Option<String>, theirs: Option<String>| {
        if theirs.is_some() && ours != theirs {
            found.push((what, format!("ours {ours:?} theirs {theirs:?}")));
        }
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let last = ours.statements.last();
    compare("account", last.and_then(account), text(&theirs["account"]));
    for (kind, key) in [(BalanceKind::Opening, "opening"), (BalanceKind::Ledger, "closing")] {
        let ours = last.and_then(|last| last.balances.iter().rev().find(|balance| balance.kind == kind));
        let ours = ours.map(|b| format!("{} {}", b.as_of.unwrap(), plain(&b.amount.amount())));
        let balance = &theirs[key];
        let theirs = balance["amount"].as_str();
        let theirs = theirs.map(|amount| format!("{} {}", balance["date"].as_str().unwrap(), plain(amount)));
        compare("balances", ours, theirs);
    }
    let rows: Vec<_> = ours.rows().collect();
    let theirs = theirs["transactions"].as_array().unwrap();
    compare("rows", Some(rows.len().to_string()), Some(theirs.len().to_string()));
    for (row, theirs) in rows.iter().zip(theirs) {
        compare("amount", Some(plain(&row.amount.amount())), theirs["amount"].as_str().map(plain));
        compare("date", row.value_on.map(|day| day.to_string()), text(&theirs["date"]));
        let booked = text(&theirs["entry_date"]).or_else(|| text(&theirs["date"]));
        compare("entry_date", Some(row.posted_on.to_string()), booked);
        let is_told = |reference: &String| reference.trim() != "NONREF";
        compare("bank_reference", row.external_id.clone(), text(&theirs["bank_reference"]).filter(is_told));
        // Theirs takes what stands behind KREF+ in :86: together with all that follows.
        let own = text(&theirs["customer_reference"]).filter(is_told).filter(|own| !own.contains('\n'));
        let own = own.map(|own| own.trim_end().to_owned());
        compare("reference", row.reference.clone().or_else(|| row.check_number.clone()), own);
    }
    found
}

fn account(statement: &Statement) -> Option<String> {
    let account = &statement.head.account;
    let bank = account.bank_id.as_ref().map(|bank| format!("{bank}/")).unwrap_or_default();
    account.account_number.as_ref().map(|number| format!("{bank}{number}"))
}

/// `0012.50` as `12.5`.
fn plain(amount: &str) -> String {
    let (sign, digits) = amount.strip_prefix('-').map_or(("", amount), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}
