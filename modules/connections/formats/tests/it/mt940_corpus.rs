//! MT940 files of three other readers' test suites.

use connections_formats::{BalanceKind, Row};
use kernel::Money;
use serde_json::Value;

use crate::corpus::{Compared, CorpusFile, Difference, explained, files};
use crate::support::{Collected, Statement, file};

/// Fields in which we differ from the reference reader.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        file: "betterplace/sepa_mt9401",
        what: "amount",
        why: "RC takes a credit back, so both rows are negative (domain 2.3); the balances of the file bear it out",
    },
    Difference {
        file: "betterplace/sepa_snippet_broken",
        what: "account",
        why: "the second :25: is an :86: that lost its tag; the account of the statement is that of its first :25:",
    },
    Difference {
        file: "cmxl/account_identification_legacy",
        what: "account",
        why: "EUR behind the number is the currency, not part of the number",
    },
    Difference {
        file: "betterplace/currency_in_25",
        what: "account",
        why: "EUR behind the number is the currency, not part of the number",
    },
    Difference {
        file: "jejik/rabobank",
        what: "account",
        why: "EUR behind the number is the currency, not part of the number",
    },
    Difference {
        file: "jejik/abnamro",
        what: "balances",
        why: "the last statement has intermediate balances only (60M, 62M); the other reader passes over it",
    },
    Difference {
        file: "jejik/rabobank-iban",
        what: "reference",
        why: "EREF in :61: says that the reference stands in :86:, where we take it from",
    },
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

/// Each file of the corpus beside its expected file; `None` where there is no corpus.
pub fn compared() -> Option<Vec<Compared>> {
    let compare = |given: CorpusFile| {
        let (ours, frame) = ours(&given);
        let mut differing = of_statements(&ours, &given.expected);
        let (rows, theirs) =
            (ours.rows().collect::<Vec<_>>(), given.expected["transactions"].as_array().unwrap());
        let of_rows: Vec<_> = rows.iter().zip(theirs).map(|(row, theirs)| of_row(row, theirs)).collect();
        let right = of_rows.iter().filter(|differing| differing.is_empty()).count();
        differing.extend(of_rows.into_iter().flatten());
        let rows = rows.len().max(theirs.len());
        Compared { name: given.name, rows, right, differing, refused: frame.refused() }
    };
    Some(files("mt940")?.into_iter().map(compare).collect())
}

#[test]
fn corpus_files_give_what_the_other_reader_finds() {
    let Some(compared) = compared() else { return };
    assert!(compared.len() >= 29, "the corpus has {} files only", compared.len());
    explained(&compared, DIFFERENCES);
}

#[test]
fn corpus_statements_lead_from_their_opening_to_their_closing_balance() {
    let Some(files) = files("mt940") else { return };
    let (mut proved, mut changed) = (0, vec![]);
    for given in files {
        let (ours, frame) = ours(&given);
        let is_whole = frame != Frame::Completed;
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
                changed.push((given.name.clone(), number, sum.to_string(), closing.amount.to_string()));
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

/// How a file has to be changed before there is anything in it to compare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    AsItIs,
    /// The mark was abolished in 2002, and its money cannot be counted any more.
    InEuros,
    /// A fragment of a statement, made to test one field.
    Completed,
}

impl Frame {
    fn refused(self) -> &'static str {
        match self {
            Self::AsItIs => "",
            Self::InEuros => {
                "refused as unknown_currency, as it is in marks; compared with EUR in their place"
            }
            Self::Completed => "refused as truncated_file; compared with a closing balance behind it",
        }
    }
}

fn ours(CorpusFile { name, bytes, .. }: &CorpusFile) -> (Collected, Frame) {
    let mut text = String::from_utf8(bytes.clone()).unwrap();
    let mut frame = Frame::AsItIs;
    if name == "cmxl/mt940" {
        assert_eq!(file(&text).refusal(), "unknown_currency");
        text = text.replace("DEM", "EUR");
        frame = Frame::InEuros;
    }
    match file(&text).currency("EUR").read() {
        Ok(collected) => (collected, frame),
        Err(error) => {
            assert_eq!(error.code(), "truncated_file", "{name}: {error}");
            assert!(!text.contains(":62"), "{name} has a closing balance");
            let completed = format!("{text}\n:62F:C240101EUR0,00\n");
            (file(&completed).currency("EUR").read().unwrap(), Frame::Completed)
        }
    }
}

/// What differs of account and balances: the other reader has all statements of a file as one, with those of the last.
fn of_statements(ours: &Collected, theirs: &Value) -> Vec<(String, String)> {
    let mut found = vec![];
    let last = ours.statements.last();
    compare(&mut found, "account", last.and_then(account), text(&theirs["account"]));
    for (kind, key) in [(BalanceKind::Opening, "opening"), (BalanceKind::Ledger, "closing")] {
        let ours = last.and_then(|last| last.balances.iter().rev().find(|balance| balance.kind == kind));
        let ours = ours.map(|b| format!("{} {}", b.as_of.unwrap(), plain(&b.amount.amount())));
        let balance = &theirs[key];
        let theirs = balance["amount"].as_str();
        let theirs = theirs.map(|amount| format!("{} {}", balance["date"].as_str().unwrap(), plain(amount)));
        compare(&mut found, "balances", ours, theirs);
    }
    let (rows, theirs) = (ours.rows().count(), theirs["transactions"].as_array().unwrap().len());
    compare(&mut found, "rows", Some(rows.to_string()), Some(theirs.to_string()));
    found
}

/// What differs of a row.
fn of_row(row: &Row, theirs: &Value) -> Vec<(String, String)> {
    let mut found = vec![];
    let mut compare = |what, ours, theirs| compare(&mut found, what, ours, theirs);
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
    found
}

/// Takes note where the other reader says something that we do not.
fn compare(found: &mut Vec<(String, String)>, what: &str, ours: Option<String>, theirs: Option<String>) {
    if theirs.is_some() && ours != theirs {
        found.push((what.to_owned(), format!("ours {ours:?} theirs {theirs:?}")));
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
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
