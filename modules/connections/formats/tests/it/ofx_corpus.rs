//! OFX files of other readers' test suites.

use std::collections::BTreeMap;

use connections_formats::BalanceKind;
use serde_json::{Value, json};

use crate::corpus::{Compared, CorpusFile, Difference, explained, files};
use crate::support::{Collected, file};

/// Fields in which we differ from the other reader, by their place in the expected file.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        file: "account_listing_aggregation",
        what: "/accounts",
        why: "a list of accounts (SIGNUPMSGSRSV1) holds no statement: there is no currency, balance or row in it",
    },
    Difference {
        file: "fidelity-savings",
        what: "/accounts/0/transactions",
        why: "115.8331, -197.1063 and -197.1220 USD have decimals that US dollars do not have (domain: money is exact in \
         the scale of ISO 4217); such rows are rejected as amount_too_precise, never rounded",
    },
    Difference {
        file: "investment_medium",
        what: "/accounts/0/transactions",
        why: "DTPOSTED 20091215202000[-4] is 15 December as the bank wrote it: the other reader shifts it through UTC; and \
         CURRENCY says that the amounts are USD in a CAD account",
    },
    Difference {
        file: "ofx-v102-empty-tags",
        what: "/accounts/0/transactions",
        why: "the row has an empty FITID, which banks do send: it is a row all the same",
    },
    Difference {
        file: "ofx-v102-empty-tags",
        what: "/accounts/0/currency",
        why: "CURDEF is empty: the file is refused as needs_currency until the caller names the currency, here AUD",
    },
];

/// Each file of the corpus beside its expected file; `None` where there is no corpus.
pub fn compared() -> Option<Vec<Compared>> {
    let compare = |CorpusFile { name, bytes, expected }: CorpusFile| {
        let (ours, theirs) = (ours(&name, &bytes), normalised(expected));
        let detail = format!("ours {ours:#} theirs {theirs:#}");
        let differing = differences(&ours, &theirs).into_iter().map(|at| (at, detail.clone())).collect();
        let (mut left, theirs) = (rows(&ours), rows(&theirs));
        let rows = left.len().max(theirs.len());
        let right = theirs.iter().filter(|row| take(&mut left, row)).count();
        let is_refused = file(&bytes).read().is_err_and(|error| error.code() == "statement_refused_by_bank");
        let refused =
            if is_refused { "refused as statement_refused_by_bank: there is nothing else in it" } else { "" };
        Compared { name, rows, right, differing, refused }
    };
    Some(files("ofx")?.into_iter().map(compare).collect())
}

/// Takes the row out of those that are left, if it is among them.
fn take<T: PartialEq>(left: &mut Vec<T>, row: &T) -> bool {
    let at = left.iter().position(|other| other == row);
    at.map(|at| left.swap_remove(at)).is_some()
}

/// All rows, each with the number of its account.
fn rows(file: &Value) -> Vec<(usize, &Value)> {
    let accounts = file["accounts"].as_array().unwrap().iter().enumerate();
    let rows = accounts.flat_map(|(number, account)| {
        account["transactions"].as_array().unwrap().iter().map(move |row| (number, row))
    });
    rows.collect()
}

#[test]
fn corpus_files_give_the_statements_that_other_readers_find() {
    let Some(compared) = compared() else { return };
    assert!(compared.len() >= 24, "the corpus has {} files only", compared.len());
    explained(&compared, DIFFERENCES);
}

#[test]
fn corpus_rows_that_are_not_read_are_rejected_with_a_reason() {
    let Some(files) = files("ofx") else { return };
    let rejected = |name: &str| {
        let bytes = &files.iter().find(|file| file.name == name).unwrap().bytes;
        let collected = file(bytes).read().unwrap();
        let mut counts = BTreeMap::new();
        for row in collected.statements.iter().flat_map(|statement| &statement.rejected) {
            *counts.entry(row.code.as_str()).or_insert(0) += 1;
        }
        (collected.summary.rows, counts.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(rejected("fidelity"), (17, vec![]));
    assert_eq!(rejected("fidelity-savings"), (1, vec![("amount_too_precise", 3)]));
    assert_eq!(rejected("investment_401k"), (3, vec![]));
    assert_eq!(rejected("tiaacref"), (1, vec![]));
    assert_eq!(rejected("vanguard"), (1, vec![]));
    assert_eq!(rejected("vanguard401k"), (5, vec![]));
    assert_eq!(rejected("broken-date_missing"), (0, vec![("malformed_date", 1), ("missing_date", 2)]));
    assert_eq!(rejected("broken-decimal_error"), (0, vec![("malformed_date", 1)]));
}

#[test]
fn corpus_holdings_are_given_with_the_names_that_their_files_list() {
    let Some(files) = files("ofx") else { return };
    let holdings = |name: &str| {
        let bytes = &files.iter().find(|file| file.name == name).unwrap().bytes;
        let collected = file(bytes).read().unwrap();
        assert_eq!(collected.summary.unreadable_positions, 0, "{name}");
        let positions = collected.statements.iter().flat_map(|statement| &statement.positions);
        let named = positions.filter(|position| position.security_name.is_some()).count();
        let trades: Vec<_> = collected.rows().filter_map(|row| row.trade.as_ref()).collect();
        let named_trades = trades.iter().filter(|trade| trade.security_name.is_some()).count();
        (collected.summary.positions, named, trades.len(), named_trades)
    };
    assert_eq!(holdings("fidelity"), (6, 6, 14, 14));
    assert_eq!(holdings("investment_401k"), (3, 3, 3, 3));
    assert_eq!(holdings("td_ameritrade"), (2, 2, 0, 0));
    // Four of its holdings are numbers that its list does not have.
    assert_eq!(holdings("tiaacref"), (6, 3, 1, 1));
    assert_eq!(holdings("vanguard"), (2, 2, 1, 1));
    assert_eq!(holdings("vanguard401k"), (1, 1, 5, 5));
}

#[test]
fn corpus_rows_add_up_from_the_opening_to_the_closing_balance() {
    let Some(files) = files("ofx") else { return };
    let mut compared = 0;
    for CorpusFile { name, bytes, .. } in files {
        let Ok(collected) = file(&bytes).currency("EUR").read() else { continue };
        for statement in &collected.statements {
            let of = |kind| statement.balances.iter().find(|balance| balance.kind == kind);
            let balances = (of(BalanceKind::Opening), of(BalanceKind::Ledger));
            let (Some(opening), Some(closing)) = balances else { continue };
            let sum = statement.rows.iter().try_fold(opening.amount, |sum, row| sum.checked_add(row.amount));
            assert_eq!(sum.unwrap(), closing.amount, "{name}");
            compared += 1;
        }
    }
    // OFX has no element for an opening balance. Who finds one must look here.
    assert_eq!(compared, 0);
}

/// What we read, in the shape of the expected files.
fn ours(name: &str, bytes: &[u8]) -> Value {
    match file(bytes).read() {
        Ok(collected) => shape(&collected),
        Err(error) => match error.code() {
            // No statement, and we say why.
            "statement_refused_by_bank" if matches!(name, "signon_fail" | "error_message") => {
                json!({"accounts": []})
            }
            "needs_currency" if name == "ofx-v102-empty-tags" => {
                shape(&file(bytes).currency("AUD").read().unwrap())
            }
            code => panic!("{name}: {code}: {error}"),
        },
    }
}

fn shape(collected: &Collected) -> Value {
    let accounts = collected.statements.iter().map(|statement| {
        let ledger = statement.balances.iter().find(|balance| balance.kind == BalanceKind::Ledger);
        let rows = statement.rows.iter().map(|row| {
            json!({
                "id": row.external_id.clone().unwrap_or_default(),
                "date": row.posted_on.to_string(),
                "amount": plain(&row.amount.amount()),
                // A trade has no name in the file: ours is made up for people.
                "payee": row.name.clone().filter(|_| row.trade.is_none()).unwrap_or_default(),
                "memo": row.memo.clone().unwrap_or_default(),
                "type": row.trade.as_ref().map_or(Value::Null, |trade| json!(trade.action)),
            })
        });
        json!({
            "id": statement.head.account.account_number.clone().unwrap_or_default(),
            "type": account_type(statement),
            "currency": statement.head.currency.code().to_lowercase(),
            "balance": ledger.map(|balance| plain(&balance.amount.amount())),
            "transactions": rows.collect::<Vec<_>>(),
        })
    });
    json!({"accounts": accounts.collect::<Vec<_>>()})
}

/// The other reader has a type for bank accounts only.
fn account_type(statement: &crate::support::Statement) -> &'static str {
    use connections_formats::AccountType::{Checking, CreditLine, Savings};
    match statement.head.account.account_type {
        Some(Checking) => "CHECKING",
        Some(Savings) => "SAVINGS",
        Some(CreditLine) => "CREDITLINE",
        _ => "",
    }
}

/// The expected file without what is only a matter of writing: `-1500.0000` is `-1500`, no payee is an empty one.
/// Its `type` of a row is compared for trades, which it lists by the name of their element; those of bank rows are left
/// to the tests of kinds.
fn normalised(mut expected: Value) -> Value {
    for account in expected["accounts"].as_array_mut().unwrap() {
        if let Some(balance) = account["balance"].as_str().map(plain) {
            account["balance"] = balance.into();
        }
        for row in account["transactions"].as_array_mut().unwrap() {
            row["amount"] = plain(row["amount"].as_str().unwrap()).into();
            row["payee"] = row["payee"].as_str().unwrap_or_default().into();
            let trades = ["buy", "sell", "income", "reinvest", "transfer"];
            let of_row = row["type"].as_str().unwrap_or_default();
            let of_trade = trades.iter().find(|trade| of_row.starts_with(**trade));
            row["type"] = of_trade.map_or(Value::Null, |trade| json!(trade));
        }
    }
    expected
}

fn plain(amount: &str) -> String {
    if amount.contains('.') {
        amount.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        amount.to_owned()
    }
}

/// JSON pointers of everything that differs.
fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    fn walk(at: String, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
        match (ours, theirs) {
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (index, (a, b)) in a.iter().zip(b).enumerate() {
                    walk(format!("{at}/{index}"), a, b, found);
                }
            }
            (Value::Object(a), Value::Object(b)) => {
                for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                    walk(
                        format!("{at}/{key}"),
                        ours.get(key).unwrap_or(&Value::Null),
                        theirs.get(key).unwrap_or(&Value::Null),
                        found,
                    );
                }
            }
            (a, b) if a == b => {}
            _ => found.push(at),
        }
    }
    let mut found = vec![];
    walk(String::new(), ours, theirs, &mut found);
    found
}
